"""A national number in a URL is seen in whatever way it is asked for, and other numbers are not."""

from __future__ import annotations

import pytest

from helsevev.access.actor import SYSTEM, Actor
from helsevev.fhir_api.national_numbers import names_person, refuse_in_url
from helsevev.fhir_api.problem import Problem

SYNTHETIC = "13116900216"
FNR = "urn:oid:2.16.578.1.12.4.1.4.1"
NURSE = Actor("practitioner", "Practitioner/1", "Kari", "nurse", "sykepleier")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", f"{FNR}|{SYNTHETIC}"),
        ("identifier", f"{FNR}|12345"),
        ("identifier", SYNTHETIC),
        ("identifier:not", f"x,{SYNTHETIC}"),
        ("patient.identifier", f"|{SYNTHETIC}"),
        ("subject:identifier", f"urn:oid:2.16.578.1.12.4.1.4.2|{SYNTHETIC}"),
        ("_has:Patient:link:identifier", SYNTHETIC),
    ],
)
def test_a_national_number_is_seen(name: str, value: str) -> None:
    assert names_person([(name, value)])
    with pytest.raises(Problem, match="_search"):
        refuse_in_url(NURSE, [(name, value)])
    refuse_in_url(SYSTEM, [(name, value)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", "12345678901"),
        ("identifier", f"{FNR}|"),
        ("identifier", "urn:oid:2.16.578.1.12.4.1.4.4|9144900"),
        ("_id", SYNTHETIC),
        ("birthdate", "1969-11-13"),
        ("name", "Line Danser"),
    ],
)
def test_other_values_pass(name: str, value: str) -> None:
    assert not names_person([(name, value)])
    refuse_in_url(NURSE, [(name, value)])
