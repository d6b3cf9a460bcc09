"""A signed form stays what it was, is corrected with a reason, and takes what followed along."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.pack import read_pack
from helsevev.content.packs.shelf import Archive, Edition, Shelf
from helsevev.documentation.forms.answer_pages import form_of
from helsevev.documentation.forms.answered import answered_forms, lines_of
from helsevev.documentation.forms.signing import (
    bundle_of,
    check,
    corrected_response,
    correcting_bundle,
    reason_of,
    signatures_of,
    signed_response,
    withdrawn_response,
)
from helsevev.documentation.note import Author

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
NURSE = Author("Practitioner/n", "Magnus Tverdal", "", "")
DOCTOR = Author("Practitioner/d", "Ingrid Solemdal", "", "")
FORM = """
title = "{title}"
version = "{version}"
source = ["Prøve"]
[[item]]
key = "breath"
text = "{text}"
options = [[0, "Nei"], [{points}, "Ja"]]
[[total]]
text = "Sum"
bands = [[0, "Lav"], [1, "Høy"]]
"""
PACK = """
title = "Prøve"
owner = "Prøve"
version = "1"
status = "draft"
source = ["Prøve"]
discipline = "nurse"
effective_from = 2026-01-01
"""


def answered(words: str = "Tung pust", answer: str = "Ja") -> dict[str, Any]:
    """What a form came to."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://helsevev.no/fhir/Questionnaire/breath|1",
        "item": [{"linkId": "breath", "text": words, "answer": [
            {"valueCoding": {"display": answer, "code": "1", "system": _SYSTEM}},
        ]}],
    }  # fmt: skip


_SYSTEM = "https://helsevev.no/fhir/Questionnaire/breath#breath"


def signed(**more: Any) -> dict[str, Any]:
    """A signed form as it stands in the record."""
    made = signed_response(answered(), patient_id="kari", author=NURSE, at=AT, pressed="k")
    return {**made, "id": "r", "meta": {"versionId": "3"}, **more}


def observation(code: str, name: str, status: str = "final") -> dict[str, Any]:
    """What followed from a form."""
    return {
        "resourceType": "Observation", "id": name, "status": status,
        "meta": {"versionId": "2"}, "code": {"coding": [{"system": "http://x", "code": code}]},
        "derivedFrom": [{"reference": "QuestionnaireResponse/r"}],
    }  # fmt: skip


def made(code: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """What follows from the corrected answers."""
    resource = {**observation(code, ""), **more}
    resource.pop("id")
    resource.pop("meta")
    return f"urn:uuid:{code}", resource


def test_who_signed_when_and_for_whom_stands_in_what_is_signed() -> None:
    response = signed()
    assert response["status"] == "completed"
    assert response["subject"] == {"reference": "Patient/kari"}
    assert response["author"]["display"] == "Magnus Tverdal"
    assert [name for name, _at, _who in signatures_of(response)] == ["Magnus Tverdal"]
    assert check(response) == []


@pytest.mark.parametrize("item", [[], [{"linkId": "a"}], [{"linkId": "a", "item": []}]])
def test_a_signed_form_says_something_whichever_door_it_comes_through(item: list[Any]) -> None:
    assert [each.code for each in check({"status": "completed", "item": item})] == ["required"]
    assert check({"status": "in-progress", "item": item}) == []


def test_answers_and_what_follows_from_them_are_one_transaction() -> None:
    bundle = bundle_of(signed(), "urn:uuid:1", [made("a")])
    assert bundle["type"] == "transaction"
    assert [e["request"]["url"] for e in bundle["entry"]] == [
        "QuestionnaireResponse", "Observation",
    ]  # fmt: skip


def test_a_correction_says_why_and_keeps_who_signed_first() -> None:
    after = corrected_response(
        signed(), answered(answer="Nei"), author=DOCTOR, at=AT, reason=" Feil svar "
    )  # fmt: skip
    assert (after["status"], after["id"], reason_of(after)) == ("amended", "r", "Feil svar")
    assert [name for name, _at, _who in signatures_of(after)] == [
        "Magnus Tverdal", "Ingrid Solemdal",
    ]  # fmt: skip
    assert after["authored"] == signed()["authored"]


def test_what_followed_is_made_right_marked_as_a_mistake_or_added() -> None:
    standing = [observation("a", "1"), observation("b", "2"), observation("c", "3", "cancelled")]
    bundle = correcting_bundle(signed(), 3, standing, [
        made("a"), made("d", hasMember=[{"reference": "urn:uuid:a"}]),
    ])  # fmt: skip
    response, right, added, gone = bundle["entry"]
    assert response["request"]["ifMatch"] == 'W/"3"'
    assert (right["resource"]["id"], right["resource"]["status"]) == ("1", "corrected")
    assert right["request"]["ifMatch"] == 'W/"2"'
    assert added["request"] == {"method": "POST", "url": "Observation"}
    # What is said of the one that stood is said of it under its own id.
    assert added["resource"]["hasMember"] == [{"reference": "Observation/1"}]
    assert (gone["resource"]["id"], gone["resource"]["status"]) == ("2", "entered-in-error")


def test_a_form_that_is_taken_back_takes_all_that_followed_with_it() -> None:
    after = withdrawn_response(signed(), author=NURSE, at=AT, reason="Feil pasient")
    bundle = correcting_bundle(after, 3, [observation("a", "1")], [])
    assert [e["resource"]["status"] for e in bundle["entry"]] == ["entered-in-error"] * 2
    assert answered_forms([after]) == []


def _shelf() -> Shelf:
    """A later version in force, and the one that was answered kept."""
    old = FORM.format(title="Pust", version="1", text="Tung pust", points=1)
    new = FORM.format(title="Pust", version="2", text="Strever med pusten", points=3)
    pack = read_pack("trial", {"pack.toml": PACK, "forms/breath.toml": new})
    edition = Edition(
        folder="forms", key="breath", version="1", pack="trial", path="forms/breath.toml", text=old
    )  # fmt: skip
    return Shelf([pack], date(2026, 11, 22), archive=Archive([edition]))


def test_an_old_answer_is_read_by_the_version_that_it_names() -> None:
    shelf = _shelf()
    current: Item | None = shelf.one(Form, "breath")
    assert current is not None
    assert current.version == "2"
    old = shelf.version(Form, "breath", "1")
    assert old is not None
    coding = old.questionnaire["item"][0]["answerOption"][1]["valueCoding"]
    response = answered()
    response["item"][0]["answer"][0]["valueCoding"] = coding
    form, prepared = form_of(shelf, response)
    assert form is not None
    assert form.version == "1"
    (line,) = lines_of(response, prepared)
    assert (line.words, line.answer, line.points) == ("Tung pust", "Ja", "1")


def test_an_answer_to_a_form_that_nobody_knows_is_read_in_its_own_words() -> None:
    response = {**answered(), "questionnaire": "http://elsewhere/q|7"}
    assert form_of(_shelf(), response) == (None, None)
    assert [(each.words, each.answer) for each in lines_of(response)] == [("Tung pust", "Ja")]
