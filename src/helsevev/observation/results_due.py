"""Which results somebody has to acknowledge, who that is, and what counts as having done it.

A result is what a laboratory or a department reports (DiagnosticReport). A corrected answer is a
new edition that has to be acknowledged again; a preliminary one only when it is critical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from helsevev.content import loading
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.reading import (
    codes,
    concept_text,
    mapping,
    moment,
    moment_of,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.follow_up.coding import NEED, Who
from helsevev.follow_up.standing import standing_of
from helsevev.kit.projection import Projection
from helsevev.observation.reading import reading

PREFIX: Final = "result/"
"""How the keys of the needs begin that ask for a result to be acknowledged."""
_FINAL: Final = "final"
_AGAIN: Final = frozenset({"amended", "corrected", "appended"})
_EARLY: Final = frozenset({"preliminary", "partial", "registered"})
_CRITICAL: Final = frozenset({"critical-high", "critical-low"})
_LEADS: Final = ("ATND", "PPRF")
_PEOPLE: Final = ("Practitioner/", "PractitionerRole/")


def key_of(report: Mapping[str, Any]) -> str:
    """What names a result that has to be acknowledged, with its edition; "" for any other.

    Old history that was brought in from elsewhere is nobody's to acknowledge.
    """
    status = text(report.get("status"))
    if status not in (_FINAL, *_AGAIN) or _is_history(report):
        return ""
    edition = status if status == _FINAL else f"{status}-{text(report.get('issued'))}"
    return f"{PREFIX}{report.get('id')}/{edition}"


def early_key_of(report: Mapping[str, Any]) -> str:
    """The same of a preliminary answer, which is asked about when it is critical."""
    if text(report.get("status")) not in _EARLY or _is_history(report):
        return ""
    return f"{PREFIX}{report.get('id')}/early"


def _is_history(report: Mapping[str, Any]) -> bool:
    given = moment_of(report, "issued", "effectiveDateTime", "effectivePeriod")
    written = moment(mapping(report.get("meta")).get("lastUpdated"))
    if given is None or written is None:
        return False
    return written.at - given.end > timedelta(days=loading.result_answers().history_days)


def need_of(task: Mapping[str, Any]) -> str:
    """The key of the result that a Task asks somebody to acknowledge; "" for another Task.

    Asked anew, the need has a number behind the key.
    """
    for identifier in objects(task.get("identifier")):
        value = text(identifier.get("value"))
        if identifier.get("system") == NEED and value.startswith(PREFIX):
            return "/".join(value.split("/")[:3])
    return ""


def is_acknowledged(task: Mapping[str, Any]) -> bool:
    """Whether somebody, by name, has acknowledged the result that the Task asks about."""
    owner = reference_key(task.get("owner"))
    return text(task.get("status")) == "completed" and owner.startswith(_PEOPLE)


def rows(resource: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The row of the read model for a report or a Task; none for what is no result."""
    if resource.get("resourceType") == "DiagnosticReport":
        if key := key_of(resource):
            yield key, "due"
        elif key := early_key_of(resource):
            yield key, "early"
    elif key := need_of(resource):
        if is_acknowledged(resource):
            yield key, "acknowledged"
        elif standing_of(resource).is_open and reference_key(resource.get("owner")):
            yield key, "waits"


PROJECTION: Final = Projection(
    table="result_state",
    sources=frozenset({"DiagnosticReport", "Task"}),
    columns={"key": "text", "kind": "text"},
    rows=rows,
)


def critical(observed: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of a result's Observations that are judged critical."""
    return [
        each for each in observed
        if (judged := reading(each).judgement) is not None and judged.kind in _CRITICAL
    ]  # fmt: skip


def measured_by(
    report: Mapping[str, Any], observations: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The Observations (by "Observation/id") that a report names, members of panels included."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [reference_key(each) for each in objects(report.get("result"))]
    while waiting:
        key = waiting.pop(0)
        if key in observations and key not in found:
            found[key] = observations[key]
            members = objects(observations[key].get("hasMember"))
            waiting = [*(reference_key(each) for each in members), *waiting]
    return list(found.values())


def responsible(
    report: Mapping[str, Any],
    orders: Mapping[str, Mapping[str, Any]],
    encounters: Sequence[Mapping[str, Any]],
    courses: Sequence[Mapping[str, Any]],
    patient: Mapping[str, Any],
) -> tuple[Who, Who]:
    """(who has to acknowledge a result, on which unit's list it stands).

    Who ordered it; else who is named to interpret it, who leads the stay, the unit of the stay,
    the general practitioner, the units of courses that go on, and in the end who gave the answer.
    Nobody at all is ("", "").
    """
    ordered = [
        orders[key] for each in objects(report.get("basedOn"))
        if (key := reference_key(each)) in orders
    ]  # fmt: skip
    stay = next((e for e in encounters if e.get("status") in ONGOING), {})
    named = reference_key(report.get("encounter"))
    belongs = next((e for e in encounters if f"Encounter/{e.get('id')}" == named), stay)
    unit = _who(mapping(belongs.get("serviceProvider")))
    people = [
        *(mapping(order.get("requester")) for order in ordered),
        *objects(report.get("resultsInterpreter")),
        *_leading(stay),
        *objects(patient.get("generalPractitioner")),
    ]
    person = next((_who(p) for p in people if reference_key(p).startswith(_PEOPLE)), Who(""))
    if person.reference:
        return person, unit
    places = [mapping(belongs.get("serviceProvider")), *objects(patient.get("generalPractitioner")),
              *(mapping(c.get("managingOrganization")) for c in courses
                if text(c.get("status")) == "active"),
              mapping(patient.get("managingOrganization")),
              *objects(report.get("performer"))]  # fmt: skip
    place = next((_who(p) for p in places if reference_key(p)), Who(""))
    return place, unit if unit.reference else place


def title_of(report: Mapping[str, Any]) -> str:
    """What a result is called."""
    categories = (concept_text(each) for each in objects(report.get("category")))
    return concept_text(report.get("code")) or next((c for c in categories if c), "")


def awaiting(tasks: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Report id -> the open Task that asks somebody to acknowledge it."""
    return {
        need_of(task).split("/")[1]: task
        for task in tasks if need_of(task) and standing_of(task).is_open
    }  # fmt: skip


def is_critical(task: Mapping[str, Any]) -> bool:
    """Whether the Task asks about a critical result."""
    return "critical-result" in codes(task.get("code"))


def _leading(encounter: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    people = objects(encounter.get("participant"))
    for wanted in _LEADS:
        for person in people:
            if wanted in codes(person.get("type")):
                yield mapping(person.get("individual"))


def _who(reference: Mapping[str, Any]) -> Who:
    return Who(reference_key(reference), reference_text(reference))
