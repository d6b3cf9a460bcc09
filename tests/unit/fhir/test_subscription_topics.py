"""Which changes are events of the topics offered, and which a subscription's filters let by."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.access.subscriptions.topics import BASE, topics
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.subscription_topics import Change, conditions, fires, passes, read_filters

IMP = {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}}
AMB = {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}}
LAB = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                   "code": "laboratory"}]}  # fmt: skip
MERGED = {"link": [{"other": {"reference": "Patient/b"}, "type": "replaced-by"}]}


def change(kind: str, before: Any, after: Any) -> Change:
    """A change of a resource from one content to another; None: it was not there."""
    verb = "D" if after is None else "C" if before is None else "U"

    def whole(content: Any) -> Any:
        return None if content is None else {"resourceType": kind, "id": "x"} | content

    return Change(kind, verb, whole(before), whole(after))


CASES = [
    ("encounter-start", "Encounter", None, {"status": "in-progress"}, True),
    ("encounter-start", "Encounter", {"status": "planned"}, {"status": "in-progress"}, True),
    ("encounter-start", "Encounter", {"status": "in-progress"}, {"status": "in-progress"}, False),
    ("encounter-start", "Encounter", {"status": "in-progress"}, {"status": "finished"}, False),
    ("encounter-end", "Encounter", {"status": "in-progress"}, {"status": "finished"}, True),
    ("encounter-end", "Encounter", {"status": "in-progress"}, None, False),
    ("admission", "Encounter", None, {"status": "in-progress", **IMP}, True),
    ("admission", "Encounter", None, {"status": "in-progress", **AMB}, False),
    ("discharge", "Encounter", {"status": "onleave", **IMP}, {"status": "finished", **IMP}, True),
    ("discharge", "Encounter", {"status": "planned", **AMB}, {"status": "finished", **AMB}, False),
    ("new-result", "Observation", None, {"status": "final", "category": [LAB]}, True),
    ("new-result", "Observation", {"status": "final", "category": [LAB]},
     {"status": "corrected", "category": [LAB]}, True),
    ("new-result", "Observation", None, {"status": "preliminary", "category": [LAB]}, False),
    ("new-result", "Observation", None, {"status": "final"}, False),
    ("new-result", "DiagnosticReport", {"status": "partial"}, {"status": "final"}, True),
    ("new-result", "Patient", None, {"active": True}, False),
    ("medication-list-changed", "MedicationRequest", {"status": "active"}, {"status": "stopped"},
     True),
    ("medication-list-changed", "MedicationStatement", {"status": "active"}, None, True),
    ("medication-list-changed", "MedicationDispense", None, {"status": "completed"}, False),
    ("new-referral", "ServiceRequest", {"status": "draft", "intent": "order"},
     {"status": "active", "intent": "order"}, True),
    ("new-referral", "ServiceRequest", None, {"status": "active", "intent": "plan"}, False),
    ("new-referral", "Task", None, {"status": "requested"}, True),
    ("new-referral", "Task", {"status": "requested"}, {"status": "requested"}, False),
    ("patient-merged", "Patient", {"active": True}, {"active": False, **MERGED}, True),
    ("patient-merged", "Patient", {}, {"active": False, **MERGED}, True),
    ("patient-merged", "Patient", {"active": True}, {"active": False}, False),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "kind", "before", "after", "expected"), CASES)
def test_an_event_is_what_its_topic_says(
    topic: str, kind: str, before: Any, after: Any, expected: bool
) -> None:
    assert fires(topics()[f"{BASE}/{topic}"], change(kind, before, after)) is expected


def test_every_topic_has_a_case_that_fires_and_one_that_does_not() -> None:
    for expected in (True, False):
        assert {f"{BASE}/{case[0]}" for case in CASES if case[4] is expected} == topics().keys()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("patient", "Patient/a")], True),
        ([("patient", "a")], True),
        ([("subject", "Patient/b")], False),
        ([("code", "http://loinc.org|718-7,http://loinc.org|x")], True),
        ([("code:not", "718-7")], False),
        ([("code", "718-7"), ("status", "amended")], False),
        ([("performer:missing", "true")], True),
        ([("_id", "x")], True),
    ],
)
def test_filters_hold_together(query: list[tuple[str, str]], expected: bool) -> None:
    topic = topics()[f"{BASE}/new-result"]
    filters = read_filters(topic, [("Observation", query)])
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    content = {"status": "final", "code": code, "subject": {"reference": "Patient/a"}}
    assert passes(filters, change("Observation", None, content)) is expected
    assert passes(filters, change("Observation", content, None)) is expected
    assert passes(filters, change("DiagnosticReport", None, {"status": "final"}))


@pytest.mark.parametrize(
    "query", [[("patient:Patient.name", "Berg")], [("code:in", "http://x.example")],
              [("value-quantity", "5")]],
)  # fmt: skip
def test_a_filter_that_one_resource_cannot_answer_is_refused(query: Any) -> None:
    with pytest.raises(SearchError):
        conditions("Observation", query)
