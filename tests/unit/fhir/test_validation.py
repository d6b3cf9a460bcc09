"""Real resources pass, and whatever is thrown at the validator is answered with issues."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.validation import validate

# Official examples that R4's own definitions do not allow.
TRULY_INVALID = {
    # SearchParameter.base is 1..*, and these have none.
    "SearchParameter-codesystem-extensions-CodeSystem-author.json": {"SearchParameter.base"},
    "SearchParameter-codesystem-extensions-CodeSystem-effective.json": {"SearchParameter.base"},
    "SearchParameter-codesystem-extensions-CodeSystem-end.json": {"SearchParameter.base"},
    "SearchParameter-codesystem-extensions-CodeSystem-keyword.json": {"SearchParameter.base"},
    "SearchParameter-codesystem-extensions-CodeSystem-workflow.json": {"SearchParameter.base"},
    "SearchParameter-valueset-extensions-ValueSet-author.json": {"SearchParameter.base"},
    "SearchParameter-valueset-extensions-ValueSet-effective.json": {"SearchParameter.base"},
    # name and status are 1..1, and an id has at most 64 characters.
    "ImplementationGuide-fhir.json": {
        "ImplementationGuide.name",
        "ImplementationGuide.status",
        "ImplementationGuide.manifest.resource[11904].reference.reference",
    },
}

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "a",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/1"},
    "effectiveDateTime": "2024-05-01T10:00:00+02:00",
    "valueQuantity": {"value": 72.5, "unit": "kg"},
    "component": [{"code": {"text": "x"}, "valueString": "y"}],
}


def test_only_truly_invalid_examples_are_refused(examples: list[dict[str, str]]) -> None:
    refused = {
        example["file"]: {issue.expression for issue in issues}
        for example in examples
        if (issues := validate(serialization.decode(example["text"])))
    }
    assert refused == TRULY_INVALID


def test_every_generated_record_is_valid(
    generated_bundles: Callable[[], Iterator[tuple[Path, dict[str, Any]]]],
) -> None:
    for path, bundle in generated_bundles():
        assert validate(bundle) == [], path


def test_norwegian_examples_are_refused_only_for_what_is_wrong_in_them(shared: Path) -> None:
    folder = shared / "data" / "norway" / "instances" / "json"
    refused = {}
    for path in sorted(folder.iterdir()):
        resource = serialization.decode(path.read_bytes())
        if resource.get("resourceType") in RESOURCE_TYPES and (issues := validate(resource)):
            refused[path.name] = sorted({issue.expression for issue in issues})
    assert refused == {
        # STU3: the questionnaire is a Reference; two answers are empty texts.
        "HL7Norway+best-practice__examples_questionnaire-response.JSON": [
            "QuestionnaireResponse.item[3].answer[0].value.ofType(string)",
            "QuestionnaireResponse.item[4].answer[0].value.ofType(string)",
            "QuestionnaireResponse.questionnaire",
        ],
        # An identifier without a value in it.
        "NorskHelsenett+VKP.Samples__Common_Messages_Bundle_Oppf_lgingAvVarsel_TrygghetsAlarm"
        ".json": ["Bundle.entry[2].resource.identifier[0].value"],
    }


# Properties: the validator never fails, never passes a value of the wrong JSON type, and does not
# change what it is given.

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_places = st.sampled_from(
    [
        ("status",), ("code",), ("code", "coding"), ("code", "coding", 0), ("subject",),
        ("subject", "reference"), ("effectiveDateTime",), ("valueQuantity",),
        ("valueQuantity", "value"), ("component",), ("component", 0), ("component", 0, "code"),
        ("id",), ("meta",), ("contained",), ("extension",), ("_status",), ("text",),
        ("referenceRange",), ("resourceType",),
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_places, _json)
def test_no_value_anywhere_breaks_the_validator(place: tuple[Any, ...], value: Any) -> None:
    resource = copy.deepcopy(OBSERVATION)
    element: Any = resource
    for step in place[:-1]:
        element = element[step]
    element[place[-1]] = value
    before = copy.deepcopy(resource)
    issues = validate(resource)
    assert resource == before
    assert all(issue.diagnostics and issue.expression for issue in issues)
    if place[-1] in ("status", "id", "effectiveDateTime") and not isinstance(value, str):
        assert issues


@given(_json)
def test_no_json_at_all_breaks_the_validator(value: Any) -> None:
    assert validate(value)


def test_the_prototype_of_the_properties_is_valid() -> None:
    assert validate(OBSERVATION) == []
