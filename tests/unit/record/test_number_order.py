"""Numbers of any size and precision are compared exactly, however a search asks for them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir.search_terms import number
from helsevev.record.search_reading import number_text

_DIGITS = st.text("0123456789", min_size=1, max_size=60)
_NUMBERS = st.builds(
    lambda sign, whole, part, exponent: Decimal(f"{sign}{whole}.{part}e{exponent}"),
    st.sampled_from(("", "-")), _DIGITS, _DIGITS, st.integers(-300, 300),
)  # fmt: skip


@given(st.lists(_NUMBERS, min_size=2, max_size=6))
def test_the_texts_of_numbers_sort_as_the_numbers_do(numbers: list[Decimal]) -> None:
    by_text = sorted(numbers, key=number_text)
    assert [Fraction(n) for n in by_text] == sorted(Fraction(n) for n in numbers)


@given(_NUMBERS, st.sampled_from(("", "ap")))
def test_a_number_asked_for_is_within_half_a_unit_of_its_last_digit_exactly(
    asked: Decimal, prefix: str
) -> None:
    term = number(f"{prefix}{asked}")
    assert term.number == asked
    below, above = (Fraction(asked) - Fraction(term.low), Fraction(term.high) - Fraction(asked))
    assert below == above
    if prefix:
        assert below == abs(Fraction(asked)) / 10
    else:
        assert below > 0
