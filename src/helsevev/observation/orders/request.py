"""Ordering: what was chosen becomes orders and the tasks that carry them out, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from helsevev.access.entries import created
from helsevev.content.packs.orders import LABORATORY
from helsevev.fhir.outcome import Issue, error
from helsevev.follow_up import asking
from helsevev.follow_up.asking import ask
from helsevev.follow_up.coding import Who, stamp
from helsevev.locale import gettext as _
from helsevev.observation.orders.catalogue import Ordering
from helsevev.observation.orders.coding import (
    AWAIT,
    CATALOGUE,
    CATEGORIES,
    COLLECT,
    NLK,
    PERFORM,
    REQUISITION,
    SIDES,
    SNOMED,
    STEP,
    kind_name,
    side_name,
)

_SHORTEST: Final = 3
_KEPT: Final = timedelta(days=1)


class Line(Struct, frozen=True):
    """One thing that was chosen; `side` is "right", "left", "both" or ""."""

    ordering: Ordering
    side: str = ""

    @property
    def name(self) -> str:
        """What is ordered, with its side."""
        side = side_name(self.side)
        return f"{self.ordering.what.label}, {side}" if side else self.ordering.what.label


class Requisition(Struct, frozen=True, kw_only=True):
    """What somebody orders for one patient, all of it.

    `by` orders, `unit` is where; `performers` are the units that do it, by kind of order. `wanted`
    is when it is to be done, `encounter` the reference of the contact that goes on.
    """

    patient_id: str
    key: str
    lines: Sequence[Line]
    by: Who
    profession: str
    unit: Who
    performers: Mapping[str, Who]
    why: str
    note: str
    is_urgent: bool
    wanted: datetime
    encounter: str | None


def faults(asked: Requisition, now: datetime) -> list[Issue]:
    """What is missing before it can be ordered; each issue names the field it is about."""
    found = []
    if not asked.lines:
        found.append(error("required", _("Choose what to order."), "words"))
    for line in asked.lines:
        if line.ordering.what.side and not line.side:
            problem = _("Choose the side of %(what)s.") % {"what": line.ordering.what.label}
            found.append(error("required", problem, f"side.{line.ordering.key}"))
        if asked.profession not in line.ordering.of.ordered_by:
            problem = _("Your profession does not order %(what)s.") % {"what": line.name}
            found.append(error("forbidden", problem, f"item.{line.ordering.key}"))
    asks = any(line.ordering.of.asks_why for line in asked.lines)
    if asks and len(asked.why.strip()) < _SHORTEST:
        found.append(error("required", _("Say what is asked, and why."), "why"))
    if asked.wanted < now - _KEPT:
        found.append(error("value", _("It cannot be ordered for a day that is over."), "wanted"))
    sent = {line.ordering.of.kind for line in asked.lines if line.ordering.of.place} - {LABORATORY}
    found += [
        error("required", _("Choose who is to do it."), f"performer.{kind}")
        for kind in sorted(sent)
        if not asked.performers.get(kind, Who("")).reference
    ]
    return found


def as_entries(asked: Requisition, now: datetime) -> list[dict[str, Any]]:
    """The entries of the transaction: the orders, and for each step who is to take it by when."""
    entries, urls = [], {}
    for place, line in enumerate(asked.lines):
        url = urls[line.ordering.key] = f"urn:uuid:{uuid4()}"
        only_once = {"identifier": f"{REQUISITION}|{asked.key}-{place}"}
        entries.append(created(as_order(asked, line, place, now), url, only_once=only_once))
    kinds = dict.fromkeys(line.ordering.of.kind for line in asked.lines)
    for kind in kinds:
        lines = [line for line in asked.lines if line.ordering.of.kind == kind]
        if lines[0].ordering.of.is_collected:
            entries.append(asking.entry(_task(asked, lines, COLLECT, urls, now)))
        else:
            tasks = [_task(asked, [line], PERFORM, urls, now) for line in lines]
            entries += [asking.entry(task) for task in tasks]
    return entries


def as_order(asked: Requisition, line: Line, place: int, now: datetime) -> dict[str, Any]:
    """One ServiceRequest."""
    what, kind = line.ordering.what, line.ordering.of.kind
    coded = [{"system": NLK, "code": what.nlk}] if what.nlk else []
    code, display = CATEGORIES[kind]
    performer = asked.performers.get(kind, Who(""))
    order: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": REQUISITION, "value": f"{asked.key}-{place}"}],
        "requisition": {"system": REQUISITION, "value": asked.key},
        "status": "active",
        "intent": "order",
        "category": [
            {"coding": [{"system": SNOMED, "code": code, "display": display}],
             "text": kind_name(kind)}
        ],
        "priority": "urgent" if asked.is_urgent else "routine",
        "code": {"coding": [*coded, {"system": CATALOGUE, "code": what.key}], "text": line.name},
        "subject": {"reference": f"Patient/{asked.patient_id}"},
        "occurrenceDateTime": stamp(asked.wanted),
        "authoredOn": stamp(now),
        "requester": asked.by.as_reference(),
    }  # fmt: skip
    if asked.encounter:
        order["encounter"] = {"reference": asked.encounter}
    if performer.reference:
        order["performer"] = [performer.as_reference()]
    if line.side:
        site = {"coding": [{"system": SNOMED, "code": SIDES[line.side]}]}
        order["bodySite"] = [{**site, "text": side_name(line.side)}]
    if asked.why.strip():
        order["reasonCode"] = [{"text": asked.why.strip()}]
    if asked.note.strip():
        order["note"] = [{"text": asked.note.strip()}]
    return order


def task_to_await(
    order: Mapping[str, Any], names: str, orders: Sequence[str], by: Who, unit: Who,
    due: datetime, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Who ordered sees to it that an answer comes; late, it is told as anything that waits."""
    key = order["requisition"]["value"]
    made = ask(
        names, patient_id=order["subject"]["reference"], owner=by, at=now, matter="await-answer",
        due=due, why=orders[0], key=f"{key}/{AWAIT}", unit=unit,
        coding=[{"system": STEP, "code": AWAIT}],
    )  # fmt: skip
    return {**made, **_about(key, orders)}


def due_at(line: Line, wanted: datetime, *, is_urgent: bool) -> datetime:
    """When there must be an answer."""
    of = line.ordering.of
    return wanted + timedelta(hours=of.urgent_hours if is_urgent else of.hours)


def _task(
    asked: Requisition, lines: Sequence[Line], step: str, urls: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    of, wanted = lines[0].ordering.of, max(asked.wanted, now)
    if step == COLLECT:
        title, matter, owner = _("Take samples"), "collect-sample", asked.unit
        due = wanted + timedelta(hours=1 if asked.is_urgent else 4)
    else:
        title, matter = lines[0].name, "perform-order"
        owner = asked.performers.get(of.kind) or asked.unit
        due = due_at(lines[0], wanted, is_urgent=asked.is_urgent)
    owner = owner if owner.reference else asked.by
    words = ", ".join(line.name for line in lines) if step == COLLECT else asked.why.strip()
    orders = [urls[line.ordering.key] for line in lines]
    key = asked.key if step == COLLECT else f"{asked.key}-{lines[0].ordering.key}"
    made = ask(
        words or lines[0].name, patient_id=asked.patient_id, owner=owner, at=now, matter=matter,
        title=title, asked_by=asked.by, due=due, why=orders[0], key=f"{key}/{step}",
        unit=owner if owner.reference.startswith("Organization/") else asked.unit,
        priority="urgent" if asked.is_urgent else "", coding=[{"system": STEP, "code": step}],
    )  # fmt: skip
    return {**made, **_about(asked.key, orders)}


def _about(key: str, orders: Sequence[str]) -> dict[str, Any]:
    return {
        "groupIdentifier": {"system": REQUISITION, "value": key},
        "basedOn": [{"reference": each} for each in orders],
    }
