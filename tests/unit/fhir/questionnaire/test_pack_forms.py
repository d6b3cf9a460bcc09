"""The forms and scores that the packs hold: each is a Questionnaire, and its own cases hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import built_in
from helsevev.content.shapes import ContentError
from helsevev.fhir import serialization
from helsevev.fhir.questionnaire import extract, fill, prepare
from helsevev.fhir.questionnaire.trying import response_of, try_case
from helsevev.fhir.validation import validate

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FORMS = {form.key: (pack.key, form) for pack in built_in() for form in pack.of(Form).values()}


def observations(key: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    prepared = prepare(FORMS[key][1].questionnaire)
    signed = fill(prepared, response_of(prepared, given), context={}, now=NOW).response
    made = extract(
        prepared, signed, subject="Patient/p", author={"reference": "Practitioner/a"}, at=NOW,
        encounter="Encounter/e", url="urn:uuid:00000000-0000-4000-8000-000000000001",
    )  # fmt: skip
    return [each.resource for each in made]


def test_eight_disciplines_have_at_least_forty_forms_and_scores() -> None:
    assert len(FORMS) >= 44
    assert len({pack for pack, _ in FORMS.values()}) >= 8


@pytest.mark.parametrize("key", sorted(FORMS))
def test_the_worked_examples_of_a_form_hold(key: str) -> None:
    form = FORMS[key][1]
    prepared = prepare(form.questionnaire)
    assert prepared.unsupported == ()
    assert form.case, "a form has worked examples"
    for case in form.case:
        assert try_case(prepared, case.answers, **case.as_tried()) == [], case.name
    if form.is_score:
        assert any(case.expect or case.bands or case.band for case in form.case)


@pytest.mark.parametrize("key", sorted(FORMS))
def test_a_form_its_answers_and_what_they_say_are_valid_fhir(key: str) -> None:
    form = FORMS[key][1]
    assert validate(serialization.decode(serialization.encode(form.questionnaire))) == []
    case = form.case[0]
    prepared = prepare(form.questionnaire)
    filled = fill(prepared, response_of(prepared, case.answers), context=case.known, now=NOW)
    assert validate(filled.response) == []
    made = extract(
        prepared, filled.response, subject="Patient/p", author={"reference": "Practitioner/a"},
        at=NOW, url="urn:uuid:00000000-0000-4000-8000-000000000001",
    )  # fmt: skip
    for each in made:
        assert validate(each.resource) == []


def test_a_worked_example_that_does_not_hold_is_told() -> None:
    prepared = prepare(FORMS["4at"][1].questionnaire)
    given = {"alertness": 4, "amt4": 2, "attention": 2, "course": 4}
    assert try_case(prepared, given, expect={"total": 11}) == ["total is 12, not 11"]
    assert try_case(prepared, given, expect={}, bands={"total": "Mulig kognitiv svikt"}) == [
        "total is “Mulig delirium”, not “Mulig kognitiv svikt”"
    ]
    assert try_case(prepared, given, expect={}, hidden=["amt4"]) == ["amt4 is asked"]
    assert try_case(prepared, {"speech": 1}, expect={}) == ["the form has no speech"]


def test_a_score_is_stored_with_its_parts_and_what_it_was_measured_from() -> None:
    made = observations("qsofa", {"respiration": 24, "systolic": 95, "mentation": 1})
    assert [each["code"]["text"] for each in made] == [
        "Respirasjonsfrekvens", "Systolisk blodtrykk", "qSOFA",
    ]  # fmt: skip
    score = made[2]
    assert score["valueQuantity"] == {
        "value": 3, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}",
    }  # fmt: skip
    assert len(score["component"]) == 3
    assert score["component"][2]["valueCodeableConcept"]["coding"][0]["extension"][0][
        "valueDecimal"
    ] == Decimal(1)
    assert len(score["derivedFrom"]) == 3
    assert score["interpretation"][0]["coding"][0]["code"] == "AA"
    assert {each["category"][0]["coding"][0]["code"] for each in made[:2]} == {"vital-signs"}


def test_scores_are_found_by_their_international_codes() -> None:
    given = {"eyes": 3, "verbal": 4, "motor": 5}
    (score,) = observations("gcs", given)
    assert score["code"]["coding"][0]["code"] == "9269-2"
    assert [each["code"]["coding"][0]["code"] for each in score["component"]] == [
        "9267-6", "9270-0", "9268-4",
    ]  # fmt: skip


def test_levels_of_function_are_stored_as_municipal_decisions_read_them() -> None:
    form = FORMS["iplos"][1]
    made = observations("iplos", dict(form.case[2].answers))
    levels = {each["code"]["coding"][0]["code"]: each.get("valueInteger") for each in made[:-1]}
    assert len(levels) == 20
    assert sorted(value for value in levels.values() if value is not None) == [3] * 10
    assert [each["dataAbsentReason"]["coding"][0]["code"] for each in made
            if "dataAbsentReason" in each] == ["not-applicable"] * 10  # fmt: skip


SHORT = """
title = "Prøve"
version = "1"
source = ["her"]
[[item]]
key = "a"
text = "A"
options = [[0, "Nei"], [1, "Ja"]]
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SHORT.replace('"a"', '"A b"'), "small letters"),
        (SHORT + '\n[[item]]\nkey = "a"', "occurs twice"),
        (SHORT + '\n[[item]]\nkey = "b"\ntype = "kvantum"', "is none of"),
        (SHORT + '\n[[item]]\nkey = "b"\nwhen = [{ item = "c", is = true }]', "not there"),
        (SHORT + '\n[[item]]\nkey = "b"\nwhen = [{ item = "a", is = "Kanskje" }]', "no answer"),
        (SHORT + '\n[[item]]\nkey = "b"\nsteps = [[3, 0], [2, 1], [4]]', "steps rise"),
        (SHORT + '\n[[total]]\nbands = [[3, "x"], [2, "y"]]', "bands rise"),
        (SHORT + '\n[[total]]\nbands = [[0, "x", "y", "alarm"]]', "is none of"),
        (SHORT + '\n[[item]]\nkey = "b"\ncode = "noe:1"', "a code is one of"),
        (SHORT.replace('[1, "Ja"]', '["Ja", 1]'), "an option is"),
        (SHORT + '\n[[item]]\nkey = "b"\nrule = "true"', "needs rule_text"),
    ],
)
def test_a_form_that_is_written_wrong_is_refused_with_why(text: str, why: str) -> None:
    with pytest.raises(ContentError, match=why):
        Form.read(text, "prove/forms/prove.toml", "prove")


def test_a_questionnaire_as_it_is_can_be_content_too() -> None:
    whole = {
        **FORMS["4at"][1].questionnaire,
        "copyright": "fri", "title": "4AT som den er",
    }  # fmt: skip
    text = serialization.encode(whole).decode()
    form = Form.read(text, "x/forms/y.json", "y")
    assert (form.title, form.status, form.is_score) == ("4AT som den er", "draft", True)
    assert form.professions == ("nurse", "physician")
    with pytest.raises(ContentError, match="no version"):
        Form.read('{"resourceType": "Questionnaire"}', "x/forms/y.json", "y")
    with pytest.raises(ContentError, match="not JSON"):
        Form.read("{", "x/forms/y.json", "y")
