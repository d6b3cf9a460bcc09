"""The overview: why this person is here, what has changed, and what is planned next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helsevev.care_plan.coding import MEASURE
from helsevev.care_plan.decision import is_decision
from helsevev.care_plan.scheduling import kind_of_task
from helsevev.care_plan.task_shown import is_to_come
from helsevev.chart.timeline import NO_EVENTS, Event, event
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    concept_texts,
    mapping,
    moment,
    moment_of,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
)
from helsevev.patient.contacts import Contacts
from helsevev.patient.problems import Problems

# Elements that name who made an entry; one's own entries are never news to oneself.
_MAKERS = ("author", "performer", "recorder", "requester", "asserter", "informationSource")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the person is here now: words, since when, and what the words were read from."""

    text: str
    since: Moment | None
    source: str


@dataclass(frozen=True, slots=True)
class Planned:
    """Something that is to happen: what, when (None: no time set) and where or by whom."""

    title: str
    at: Moment | None
    detail: str
    source: str


def reasons(found: Contacts, listed: Problems) -> tuple[Reason, ...]:
    """Ongoing contacts, else active courses, else the first problems; () when none is known."""
    now = [
        Reason(", ".join(c.reasons) or c.title or c.organisation or c.place, c.start, "contact")
        for c in found.ongoing
    ]
    courses = [
        Reason(", ".join(c.kinds) or c.organisation, c.start, "course")
        for c in found.courses
        if c.is_active
    ]
    known = [r for r in (*now, *courses) if r.text]
    if known:
        return tuple(known)
    return tuple(Reason(p.text, p.since, "problem") for p in listed.active[:3] if p.text)


def planned(
    resources: Mapping[str, Sequence[Mapping[str, Any]]],
    found: Contacts,
    now: datetime,
    names: Mapping[str, str] | None = None,
) -> tuple[Planned, ...]:
    """What is expected: contacts, appointments, orders, tasks and plans; soonest first."""
    coming = [
        Planned(c.title or ", ".join(c.reasons), c.start, c.organisation, "contact")
        for c in found.expected
    ]
    for resource in of_patient(resources.get("Appointment", ())):
        at = moment(resource.get("start"))
        is_open = text(resource.get("status")) in ("booked", "pending", "proposed", "waitlist")
        if is_open and (at is None or at.at >= now):
            coming.append(_appointment(resource, at, names))
    coming += [
        Planned(
            concept_text(resource.get("code")),
            moment_of(resource, "occurrenceDateTime", "occurrencePeriod"),
            ", ".join(_names(resource.get("performer"), names)),
            "order",
        )
        for resource in of_patient(resources.get("ServiceRequest", ()))
        if text(resource.get("status")) == "active" and not is_decision(resource)
    ]
    for resource in of_patient(resources.get("Task", ())):
        if kind_of_task(resource) == MEASURE:
            continue  # Each time of each measure: the section on plans has them.
        if text(resource.get("status")) in ("requested", "accepted", "ready", "in-progress"):
            due = mapping(mapping(resource.get("restriction")).get("period")).get("end")
            title = concept_text(resource.get("code")) or text(resource.get("description"))
            owner = reference_text(resource.get("owner"), names)
            source = "step" if kind_of_task(resource) else "task"
            coming.append(Planned(title, moment(due), owner, source))
    coming += [
        _plan(resource)
        for resource in of_patient(resources.get("CarePlan", ()))
        if text(resource.get("status")) == "active"
    ]
    shown = [p for p in coming if p.title]
    shown.sort(key=lambda p: (p.at is None, sort_key(p.at)))
    return tuple(dict.fromkeys(shown))


def _appointment(
    resource: Mapping[str, Any], at: Moment | None, names: Mapping[str, str] | None
) -> Planned:
    title = (
        text(resource.get("description"))
        or ", ".join(concept_texts(resource.get("serviceType")))
        or ", ".join(concept_texts(resource.get("reasonCode")))
        or concept_text(resource.get("appointmentType"))
    )
    whom = [
        reference_text(p.get("actor"), names)
        for p in objects(resource.get("participant"))
        if not text(mapping(p.get("actor")).get("reference")).startswith("Patient/")
    ]
    return Planned(title, at, ", ".join(w for w in whom if w), "appointment")


def _plan(resource: Mapping[str, Any]) -> Planned:
    details = [mapping(a.get("detail")) for a in objects(resource.get("activity"))]
    steps = [concept_text(d.get("code")) or text(d.get("description")) for d in details]
    named = [t for t in concept_texts(resource.get("category")) if t]
    title = text(resource.get("title")) or (named[-1] if named else "")
    return Planned(title, None, ", ".join(s for s in steps if s), "plan")


def _names(references: object, names: Mapping[str, str] | None) -> list[str]:
    return [t for r in objects(references) if (t := reference_text(r, names))]


def news(
    resources: Mapping[str, Iterable[Mapping[str, Any]]],
    since: datetime | None,
    reader: str,
    names: Mapping[str, str] | None = None,
) -> tuple[Event, ...]:
    """What others wrote since `since`, newest first; () when the reader never looked before.

    To one who opens a chart for the first time everything is new, so nothing is marked.
    """
    if since is None:
        return ()
    found = [
        event(resource, names)
        for kind, listed in resources.items()
        if kind not in NO_EVENTS
        for resource in of_patient(listed)
        if is_new(resource, since, reader) and not is_to_come(resource)
    ]
    found.sort(key=lambda e: e.updated, reverse=True)
    return tuple(found)


def is_new(resource: Mapping[str, Any], since: datetime, reader: str) -> bool:
    """True when it was written after `since` by somebody else than `reader`."""
    written = moment(mapping(resource.get("meta")).get("lastUpdated"))
    if written is None or written.at <= since:
        return False
    return not any(
        text(party.get("reference")) == reader
        for element in _MAKERS
        for party in objects(resource.get(element))
    )
