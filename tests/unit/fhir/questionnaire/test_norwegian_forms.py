"""Forms met in Norway and elsewhere: they are read, worked out and extracted, and losses named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.questionnaire import Prepared, extract, fill, prepare
from helsevev.fhir.questionnaire.comparing import value_of
from helsevev.fhir.questionnaire.structure import Item
from helsevev.fhir.questionnaire.trying import response_of, try_case
from helsevev.fhir.validation import validate

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SCORING = "helsenorge-refero-scoring/src/components/__tests__/__data__/scoring"


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    found = shared / "data" / "norway" / "questionnaires"
    if not found.is_dir():
        pytest.skip(f"There are no forms in {found}.")
    return found


def read(folder: Path, name: str) -> Prepared:
    return prepare(serialization.decode((folder / name).read_bytes()))


def every_form(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.rglob("*.json")):
        if path.parent.name in ("openehr-scores", "helsenorge-velferd-mock"):
            continue
        whole = serialization.decode(path.read_bytes())
        entries = [each["resource"] for each in whole.get("entry", ())]
        for each in entries or [whole]:
            if each["resourceType"] == "Questionnaire":
                yield path.name, each


def test_every_form_is_read_answered_and_signed(folder: Path) -> None:
    forms = list(every_form(folder))
    assert len(forms) >= 19
    for name, form in forms:
        prepared = prepare(form)
        given = {"item": [node for item in prepared.items if (node := _answered(item))]}
        filled = fill(prepared, given, context={}, now=NOW)
        assert filled.response.get("item"), name
        assert validate({**filled.response, "status": "completed"}) == [], name
        kinds = {each.kind for each in filled.issues}
        assert kinds <= {"required", "not-calculated", "pattern", "too-long", "too-short",
                         "constraint", "awaits"}, name  # fmt: skip
        made = extract(
            prepared, filled.response, subject="Patient/p", author={"reference": "Practitioner/a"},
            at=NOW, url="urn:uuid:00000000-0000-4000-8000-000000000001",
        )  # fmt: skip
        for each in made:
            assert validate(each.resource) == [], name


def test_what_is_not_supported_is_named_and_nothing_else_is(folder: Path) -> None:
    lost = {
        each.url.rpartition("/")[2]: each.what
        for _, form in every_form(folder)
        for each in prepare(form).unsupported
    }
    assert set(lost) <= {
        "sdf-sidebar", "sdf-information-message", "sdf-itemControl-visibility",
        "sdf-fhirpath", "sdf-optionReference", "sdf-guidanceaction",
        "sdf-authenticationrequirement",
        "sdf-save-capabilities", "sdf-sublabel-text", "sdf-presentationbuttons", "sdf-language",
        "sdf-accessibilitytoresponse", "sdf-canbeperformedby", "sdf-discretion", "sdf-endpoint",
        "sdf-questionnaire-generatePDF", "sdf-questionnaire-navgiator-state", "sdf-reportReason",
        "sdf-validationtext", "validationtext", "sdf-hyperlink-target", "sdf-tilleggsinformasjon",
        "sdc-questionnaire-enableWhenExpression",
    }  # fmt: skip
    assert all(lost.values())


def test_an_expression_that_cannot_be_read_is_named_and_its_question_is_asked(folder: Path) -> None:
    prepared = read(folder, "uwcirg/CIRG-CNICS-AUDIT.json")
    broken = [each for each in prepared.unsupported if "cannot be read" in each.what]
    assert [each.link_id for each in broken] == [f"AUDIT-{n}" for n in range(3, 10)]
    filled = fill(prepared, {}, context={}, now=NOW)
    assert "AUDIT-3" in filled.enabled


def test_audit_c_is_worked_out_as_its_form_says(folder: Path) -> None:
    prepared = read(folder, "uwcirg/CIRG-CNICS-AUDIT.json")
    given = {"AUDIT-0": {"code": "AUDIT-0-3"}, "AUDIT-1": {"code": "AUDIT-1-2"},
             "AUDIT-2-male": {"code": "AUDIT-2-male-1"}}  # fmt: skip
    options = {key: prepared.by_link[key].options for key in given}
    chosen = {key: value_of(dict(options[key][index].value))
              for key, index in zip(given, (3, 2, 1), strict=True)}  # fmt: skip
    total = sum(
        options[key][index].weight or 0 for key, index in zip(given, (3, 2, 1), strict=True)
    )
    assert total > 0
    man = {"patient": {"resourceType": "Patient", "gender": "male"}}
    assert try_case(
        prepared, chosen, known=man, hidden=["AUDIT-2-not-male"],
        expect={"AUDIT-C-score": Decimal(total), "AUDIT-C-score-interpretation": "At-risk"},
    ) == []  # fmt: skip


def test_sums_without_a_formula_are_worked_out_as_the_platform_does(folder: Path) -> None:
    prepared = read(folder, f"{SCORING}/code-scoring/q.json")
    first = [prepared.by_link[link].options for link in ("4.1", "5.1", "6.1")]
    chosen = {
        link: [value_of(dict(options[1].value))]
        for link, options in zip(("4.1", "5.1", "6.1"), first, strict=True)
    }
    weights = [options[1].weight or 0 for options in first]
    given = {**chosen, "1.1": Decimal("2.5"), "1.2": Decimal("3.25"), "2.1": 4, "2.2": 5}
    faults = try_case(
        prepared, {key: value[0] if isinstance(value, list) else value
                   for key, value in given.items()},
        expect={"1.3": Decimal("5.75"), "2.3": 9, "4.2": weights[0], "5.2": weights[1],
                "7.1": sum(weights)},
    )  # fmt: skip
    assert [each for each in faults if not each.startswith("1.4")] == []


def test_sections_and_the_whole_are_summed(folder: Path) -> None:
    prepared = read(folder, f"{SCORING}/section-score/q.json")
    scored = [item for item in prepared.by_link.values() if item.options]
    chosen = {item.link_id: value_of(dict(item.options[1].value)) for item in scored}
    filled = fill(prepared, response_of(prepared, chosen), context={}, now=NOW)
    values = [score.value for score in filled.scores]
    total = sum(item.options[1].weight or 0 for item in scored)
    assert values[-1] == total
    assert sum(value or 0 for value in values[:-1]) == total


def test_answers_to_questions_that_a_form_lacks_are_told(folder: Path) -> None:
    """The published example answers linkIds that its own form does not have."""
    response = serialization.decode(
        (folder / "mii-phq9/QuestionnaireResponse-mii-exa-pro-phq-9-response.json").read_bytes()
    )
    prepared = read(folder, "mii-phq9/Questionnaire-mii-qst-pro-phq-9.json")
    filled = fill(prepared, response, context={}, now=NOW)
    strangers = [each.link_id for each in filled.issues if each.kind == "stranger"]
    assert strangers == [each["linkId"] for each in response["item"]]
    assert not filled.complete


def _answered(item: Item) -> dict[str, Any] | None:
    """An answer to an item, and to all beneath it."""
    inner = [node for each in item.items if (node := _answered(each))]
    if item.type == "group":
        return {"linkId": item.link_id, "item": inner} if inner else None
    if item.type == "display" or item.is_calculated:
        return None
    values: dict[str, dict[str, Any]] = {
        "boolean": {"valueBoolean": True}, "decimal": {"valueDecimal": Decimal(1)},
        "integer": {"valueInteger": 1}, "date": {"valueDate": "2026-01-01"},
        "dateTime": {"valueDateTime": "2026-01-01T10:00:00Z"}, "time": {"valueTime": "10:00:00"},
        "string": {"valueString": "a"}, "text": {"valueString": "a"}, "url": {"valueUri": "urn:a"},
        "quantity": {"valueQuantity": {"value": 1}},
        "attachment": {"valueAttachment": {"title": "a"}},
        "reference": {"valueReference": {"display": "a"}},
        "choice": {"valueCoding": {"code": "a"}}, "open-choice": {"valueString": "a"},
    }  # fmt: skip
    value = values[item.type]
    if item.options:
        value = dict(item.options[0].value)
    answer: dict[str, Any] = {**value, **({"item": inner} if inner else {})}
    return {"linkId": item.link_id, "answer": [answer]}
