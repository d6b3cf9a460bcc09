"""Which registrations are one person: numbers decide, names are spelled in many ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.content.loading import person_matching
from helsevev.fhir.identifiers import D_NUMMER, FODSELSNUMMER
from helsevev.fhir.person_matching import Weights, compare, distance, spellings

WEIGHTS = msgspec.convert(msgspec.to_builtins(person_matching()), Weights)


def person(
    family: str = "Åsheim", given: str = "Bjørn Åge", born: str = "1950-11-21", **more: Any
) -> dict[str, Any]:
    """A Patient as somebody registered it."""
    name = {"family": family, "given": given.split()}
    return {"resourceType": "Patient", "name": [name], "birthDate": born, "gender": "male"} | more


def number(value: str, system: str = FODSELSNUMMER) -> Any:
    """With a national number."""
    return {"identifier": [{"system": system, "value": value}]}


PHONE = {"telecom": [{"system": "phone", "value": "+47 912 34 567"}]}


@pytest.mark.parametrize(
    ("one", "other", "grade"),
    [
        (person(**number("1")), person(**number("1")), "certain"),
        (person(**number("1")), person("Aasheim", "Bjoern", **number("1")), "certain"),
        (person(**number("1")), person("Dahl", "Kari", "1999-01-01", gender="female",
                                       **number("1")), "certainly-not"),
        (person(**number("1")), person(**number("2")), "certainly-not"),
        (person(**number("1", D_NUMMER)), person(**number("2")), "probable"),
        (person(), person(), "probable"),
        (person(), person("Aasheim", "Bjorn"), "probable"),
        (person(), person("Asheim", "Bjørn Aage"), "probable"),
        (person(), person(born="1950-11-12") | PHONE, "probable"),
        (person(), person("Dahl"), "possible"),
        (person(), person(born="1951-11-21"), "probable"),
        (person(), person("Dahl", "Kari"), "certainly-not"),
        (person(), person("Åsheim", "Kari", gender="female"), "certainly-not"),
        (person(), {"resourceType": "Patient"}, "certainly-not"),
    ],
)  # fmt: skip
def test_the_grade_follows_from_what_both_say(one: Any, other: Any, grade: str) -> None:
    assert compare(one, other, WEIGHTS).grade == grade, compare(one, other, WEIGHTS)
    assert compare(other, one, WEIGHTS).grade == grade


@given(st.text("abcøåæ", max_size=8), st.text("abcøåæ", max_size=8))
def test_distance_is_the_same_both_ways(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Åse", "Aase"), ("Sørensen", "Soerensen"), ("Sørensen", "Sorensen"), ("Næss", "Naess"),
     ("Næss", "Ness"), ("Thea", "Tea"), ("Wold", "Vold"), ("ÅSE", "åse")],
)  # fmt: skip
def test_names_that_sound_alike_have_a_spelling_in_common(one: str, other: str) -> None:
    assert spellings(one) & spellings(other)
