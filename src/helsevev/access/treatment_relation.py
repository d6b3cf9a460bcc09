"""Who treats whom: read from care teams, episodes, encounters, appointments, referrals and tasks.

How long before and after its time each gives access is content (access/relations.toml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from helsevev.content.loading import relations as times
from helsevev.fhir import dates
from helsevev.fhir.compartment import subject_of
from helsevev.kit.projection import Projection

GRACE: Final = timedelta(days=times().after_days)
"""How long after its end a contact still gives access: discharge notes, results that come late."""

_MICROSECOND: Final = timedelta(microseconds=1)
_GRACE: Final = GRACE // _MICROSECOND
_BEFORE: Final = timedelta(days=times().appointment_before_days) // _MICROSECOND
_WORK: Final = timedelta(days=times().work_days) // _MICROSECOND
_AFTER: Final = timedelta(days=times().appointment_after_days) // _MICROSECOND

_NO_RELATION: Final = {
    "entered-in-error",
    "cancelled",
    "proposed",
    "planned",
    "waitlist",
    "inactive",
}

# An order or a task ties those who took it on, and ends when nothing more is to be done about it.
_UNDER_WAY: Final[Mapping[str, frozenset[str]]] = {
    "ServiceRequest": frozenset({"active", "on-hold"}),
    "Task": frozenset({"received", "accepted", "ready", "in-progress", "on-hold"}),
    "Appointment": frozenset({"booked", "arrived", "checked-in", "pending"}),
}
_DONE: Final[Mapping[str, frozenset[str]]] = {
    "ServiceRequest": frozenset({"completed"}),
    "Task": frozenset({"completed", "failed"}),
    "Appointment": frozenset({"fulfilled", "noshow"}),
}


def relations(resource: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """(grantee reference, start, end) for each one whom `resource` ties to its inhabitant.

    Times are microseconds since 1970, end exclusive. A status that means "not (yet) so", or a
    group in place of an inhabitant, gives none.
    """
    if subject_of(resource) is None:
        return
    found = _of_work(resource) if resource["resourceType"] in _DONE else _of_care(resource)
    spans: dict[str, tuple[int, int]] = {}
    for grantee, *span in found:
        known = spans.get(grantee, (span[0], span[1]))
        spans[grantee] = min(known[0], span[0]), max(known[1], span[1])
    for grantee, (first, last) in sorted(spans.items()):
        if first < last:
            yield grantee, first, last


def _of_care(resource: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Teams, episodes and encounters: while they last, and a while after."""
    if resource.get("status") in _NO_RELATION:
        return
    start, end = _bounds(resource.get("period"))
    if end == dates.MAX and resource.get("status") == "finished":
        # It is over, though nobody wrote when: at the latest when that was written.
        end = _said_at(resource) or start
    for grantee, own in _grantees(resource):
        first, last = _bounds(own)
        yield grantee, max(start, first), min(min(end, last) + _GRACE, dates.MAX)


def _of_work(resource: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Appointments, orders and tasks: for those who took them on, while there is work."""
    kind, status = resource["resourceType"], resource.get("status")
    if status not in _UNDER_WAY[kind] | _DONE[kind]:
        return
    if kind == "Appointment":
        time = dates.bounds(resource.get("start", ""))
        if time is None:
            return
        over = dates.bounds(resource.get("end", "")) or time
        span = time[0] - _BEFORE, over[1] + _AFTER
    else:
        begun = dates.bounds(resource.get("authoredOn", ""))
        start = begun[0] if begun else dates.MIN
        span = start, min(start + _WORK, dates.MAX) if begun else dates.MAX
        if status in _DONE[kind]:
            done = _said_at(resource) if kind == "ServiceRequest" else _done_at(resource)
            span = start, min((done or start) + _GRACE, span[1])
    for grantee, _ in _grantees(resource):
        yield grantee, *span


def _done_at(task: dict[str, Any]) -> int | None:
    ended = _bounds(task.get("executionPeriod"))[1]
    modified = dates.bounds(task.get("lastModified", ""))
    if ended != dates.MAX:
        return ended
    return modified[1] if modified else _said_at(task)


def _bounds(period: dict[str, Any] | None) -> tuple[int, int]:
    found = dates.period_bounds(period.get("start"), period.get("end")) if period else None
    return found or (dates.MIN, dates.MAX)


def _said_at(resource: dict[str, Any]) -> int | None:
    said = dates.bounds(resource.get("meta", {}).get("lastUpdated", ""))
    return said[1] if said else None


def _grantees(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Whom the resource names, each with a period of their own where they have one."""
    found: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
    match resource["resourceType"]:
        case "CareTeam":
            found += [(named, None) for named in resource.get("managingOrganization", ())]
            for participant in resource.get("participant", ()):
                own = participant.get("period")
                found.append((participant.get("member", {}), own))
                found.append((participant.get("onBehalfOf", {}), own))
        case "EpisodeOfCare":
            found += [
                (resource.get(name, {}), None) for name in ("managingOrganization", "careManager")
            ]
        case "Encounter":
            found.append((resource.get("serviceProvider", {}), None))
            for participant in resource.get("participant", ()):
                found.append((participant.get("individual", {}), participant.get("period")))
        case "Appointment":
            found += [
                (each.get("actor", {}), each.get("period"))
                for each in resource.get("participant", ())
                if each.get("status") in ("accepted", "tentative")
            ]
        case "ServiceRequest":
            found += [(each, None) for each in resource.get("performer", ())]
            found.append((resource.get("requester", {}), None))
        case "Task":
            found.append((resource.get("owner", {}), None))
    for reference, own in found:
        text = reference.get("reference", "")
        if text.startswith(("Organization/", "Practitioner/", "PractitionerRole/")):
            yield text.partition("/_history/")[0], own


PROJECTION: Final = Projection(
    table="treatment_relation",
    sources=frozenset(
        {"CareTeam", "EpisodeOfCare", "Encounter", "Appointment", "ServiceRequest", "Task"}
    ),
    columns={"grantee": "text", "start_at": "bigint", "end_at": "bigint"},
    rows=relations,
)
