"""Numbers in PostgreSQL's binary form are the numbers they were, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from helsevev.record.copying import encoded

HEAD = 19 + 2


def numeric(stream: bytes) -> Decimal:
    """The one number of a stream, read as PostgreSQL reads it."""
    length, count, weight, sign, scale = unpack_from(">ihhHH", stream, HEAD)
    groups = unpack_from(f">{count}h", stream, HEAD + 12)
    assert length == 8 + 2 * count
    assert all(0 <= group < 10_000 for group in groups)
    value = sum((Decimal(g).scaleb(4 * (weight - n)) for n, g in enumerate(groups)), Decimal(0))
    return (-value if sign else value).quantize(Decimal(1).scaleb(-scale))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12,
                   places=7))  # fmt: skip
def test_a_number_keeps_its_value(value: Decimal) -> None:
    for each in (value, value.quantize(Decimal("0.01")), value.to_integral_value()):
        assert numeric(encoded(["numeric"], [(each,)])) == each


def test_digits_after_the_point_are_kept_though_they_are_zero() -> None:
    for text in ("72.50", "0.000", "100", "0.10", "-0.0001", "12345678.90"):
        found = numeric(encoded(["numeric"], [(Decimal(text),)]))
        assert str(found) == text
    assert numeric(encoded(["numeric"], [(Decimal("1.2e5"),)])) == 120_000
