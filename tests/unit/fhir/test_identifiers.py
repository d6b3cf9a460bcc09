"""National numbers: what is well built, what is not, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir import identifiers
from helsevev.fhir.identifiers import Kind, is_synthetic, kind_of, person_number_fault

# HIS 1001:2010 and Skatteetaten's examples; the rest are built by the same rules.
WELL_BUILT = {
    "01015000232": Kind.FODSELSNUMMER,  # the test number of HIS 1001
    "02013299997": Kind.FODSELSNUMMER,  # from 2032, remainder 0
    "02013299903": Kind.FODSELSNUMMER,  # from 2032, remainder 2 or 3
    "30108299920": Kind.FODSELSNUMMER,
    "30108299939": Kind.FODSELSNUMMER,
    "13116900216": Kind.FODSELSNUMMER,
}


def built(nine: str) -> str | None:
    """The nine digits with the check digits of today's rule, when there are such."""
    digits = [int(digit) for digit in nine]
    first = -sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), digits, strict=True)) % 11
    second = (
        -sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), [*digits, first], strict=True))
        % 11
    )
    return None if 10 in (first, second) else f"{nine}{first}{second}"


@pytest.mark.parametrize("number", WELL_BUILT)
def test_a_well_built_number_is_known_for_what_it_is(number: str) -> None:
    assert kind_of(number) is WELL_BUILT[number]
    assert person_number_fault(number) is None
    assert identifiers.system_of(number) == identifiers.FODSELSNUMMER


@pytest.mark.parametrize(
    ("nine", "kind", "synthetic"),
    [
        ("410150002", Kind.D_NUMMER, False),
        ("010950002", Kind.FODSELSNUMMER, False),
        ("018150003", Kind.FODSELSNUMMER, True),
        ("418150005", Kind.D_NUMMER, True),
        ("014150002", Kind.H_NUMMER, False),
        ("800000001", Kind.FELLES_HJELPENUMMER, False),
        ("999999998", Kind.FELLES_HJELPENUMMER, False),
    ],
)
def test_every_kind_of_number_is_told_apart(nine: str, kind: Kind, synthetic: bool) -> None:
    number = built(nine)
    assert number is not None
    assert person_number_fault(number) is None
    assert kind_of(number) is kind
    assert is_synthetic(number) is synthetic


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "11 digits"),
        ("0101500023", "11 digits"),
        ("0101500023x", "digits only"),
        ("\u0660\u0661015000232"[:11], "digits only"),
        ("01015000322", "check digits"),
        ("01015002322", "check digits"),
        ("31025000232", "no such day"),
        ("32015000232", "neither"),
        ("00015000232", "neither"),
        ("01135000232", "neither"),
        ("01995000232", "neither"),
        ("30108299930", "check digits"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(number: str, reason: str) -> None:
    fault = person_number_fault(number)
    assert fault is not None
    assert reason in fault


def test_a_number_of_another_kind_is_refused_for_its_system() -> None:
    d_number = built("410150002")
    assert d_number is not None
    assert identifiers.identifier_fault(identifiers.D_NUMMER, d_number) is None
    fault = identifiers.identifier_fault(identifiers.FODSELSNUMMER, d_number)
    assert fault is not None
    assert "d-nummer" in fault


def test_rules_of_2032_do_not_reach_the_health_services_own_numbers() -> None:
    nine = "800000001"
    accepted = [n for n in range(100) if person_number_fault(f"{nine}{n:02}") is None]
    assert len(accepted) == 1


@pytest.mark.parametrize("number", ["983658776", "883974832", "983974791", "997005562"])
def test_the_hospitals_organisation_numbers_are_well_built(number: str) -> None:
    assert identifiers.organisation_number_fault(number) is None
    assert identifiers.organisation_number_fault(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_health_personnel_numbers_are_digits() -> None:
    assert identifiers.hpr_number_fault("9144889") is None
    assert identifiers.hpr_number_fault("0144889") is not None
    assert identifiers.hpr_number_fault("12a") is not None
    assert identifiers.identifier_fault("urn:other", "anything") is None


@given(st.integers(0, 10), st.integers(0, 9), st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_one_wrong_digit_never_passes_for_the_same_rule(
    place: int, digit: int, number: str
) -> None:
    whole = built(number[:9])
    if whole is None or person_number_fault(whole) is not None:
        return
    changed = whole[:place] + str(digit) + whole[place + 1 :]
    # The first check digit has four right answers from 2032, so only the others are sure.
    if changed != whole and kind_of(changed) in (Kind.H_NUMMER, Kind.FELLES_HJELPENUMMER):
        assert person_number_fault(changed) is not None
