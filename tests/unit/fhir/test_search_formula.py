"""Expressions of `_filter` are read as R4 writes them, and what is wrong with one is told."""

from __future__ import annotations

import pytest

from helsevev.fhir.search_filters import Chain, Condition, Formula
from helsevev.fhir.search_query import SearchError, parse


def read(kind: str, text: str) -> object:
    query = parse(kind, [("_filter", text)])
    found: list[object] = [*query.conditions, *query.joins]
    assert len(found) == 1
    return found[0]


SAME = [
    ("Patient", 'name co "pet"', "name:contains", "pet"),
    ("Patient", "name sw pet", "name", "pet"),
    ("Patient", "birthdate ge 2014-10-10", "birthdate", "ge2014-10-10"),
    ("Observation", "code eq http://loinc.org|1234-5", "code", "http://loinc.org|1234-5"),
    ("Observation", 'code eq "a,b"', "code", "a\\,b"),
    ("Observation", "code in http://x.example/vs", "code:in", "http://x.example/vs"),
    ("Observation", "code ss http://s|1", "code:below", "http://s|1"),
    ("Observation", "code sb http://s|1", "code:above", "http://s|1"),
    ("Observation", "subject re Patient/4", "subject", "Patient/4"),
    ("Observation", "subject:Patient.name sw pet", "subject:Patient.name", "pet"),
    ("Observation", "patient.name sw pet", "patient.name", "pet"),
    ("Observation", "value-quantity gt 5.4|http://unitsofmeasure.org|mg", "value-quantity",
     "gt5.4|http://unitsofmeasure.org|mg"),
    ("Observation", "value-quantity pr false", "value-quantity:missing", "true"),
    ("Patient", "(gender eq female)", "gender", "female"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "name", "value"), SAME)
def test_a_test_asks_what_the_parameter_would(kind: str, text: str, name: str, value: str) -> None:
    plain = parse(kind, [(name, value)])
    assert [read(kind, text)] == [*plain.conditions, *plain.joins]


def test_and_binds_closer_than_or_and_brackets_closer_still() -> None:
    one, two, three = "gender eq male", "name sw a", "active eq true"
    assert read("Patient", f"{one} or {two} and {three}") == Formula(
        "or",
        (
            read("Patient", one),  # type: ignore[arg-type]
            Formula("and", (read("Patient", two), read("Patient", three))),  # type: ignore[arg-type]
        ),
    )
    grouped = parse("Patient", [("_filter", f"({one} or {two}) and not ({three})")])
    assert [join.joined for join in grouped.joins] == ["or", "not"]  # type: ignore[union-attr]


def test_what_and_joins_is_asked_one_by_one_as_several_parameters_are() -> None:
    query = parse("Patient", [("_filter", "gender eq male and name sw a")])
    assert [each.name for each in query.conditions] == ["gender", "name"]
    assert query.joins == ()


def test_a_path_goes_on_from_the_one_that_the_bracket_tells() -> None:
    found = read("Observation", 'patient[gender eq female].name co "a ) b"')
    assert isinstance(found, Chain)
    [(kind, asked)] = found.within
    assert kind == "Patient"
    assert isinstance(asked, Formula)
    gender, name = asked.parts
    assert isinstance(gender, Condition)
    assert isinstance(name, Condition)
    assert (gender.name, name.terms[0].text) == ("gender", "a ) b")  # type: ignore[union-attr]


REFUSED = [
    ("name", "an operation"),
    ("name is a", "an operation"),
    ("name eq", "a value"),
    ("name eq a b", "and, or, or the end"),
    ("name eq a and", "the name of a parameter"),
    ("(name eq a", "stands 'the end', where ) should be"),
    ("name eq a)", "stands ')'"),
    ('name eq "a', "the end of a text"),
    ("birthdate eq soon", "not a date"),
    ("birthdate co 2020", "co is not asked of birthdate, a date"),
    ("name pr maybe", "name pr is true or false"),
    ("colour eq red", "no search parameter colour"),
    ("name.family eq a", "is no reference"),
    ("identifier ne a", "say not (identifier eq …)"),
    ("gender:male eq a", "a type is said of a reference"),
    ("(" * 30 + "name eq a" + ")" * 30, "at most 20 brackets"),
    (" or ".join(["name eq a"] * 100), "at most 60 tests"),
    ("general-practitioner:Practitioner" + ".organization" * 9 + ".name eq a", "no search"),
    ("", "the name of a parameter"),
    ("\x00", "the name of a parameter"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_cannot_be_read_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(SearchError) as told:
        read("Patient", text)
    assert words in told.value.issues[0].diagnostics
