"""What a unit or a person is asked to do, about whom and by when; what is late comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.waiting import Waits
from helsevev.content.follow_up_shapes import Act
from helsevev.content.loading import follow_up
from helsevev.fhir.reading import (
    birth_date,
    codes,
    concept_text,
    first,
    full_name,
    mapping,
    moment,
    objects,
    reference_key,
    text,
)
from helsevev.follow_up.coding import SEEN, part
from helsevev.follow_up.standing import Standing, standing_of
from helsevev.medication.reconciliation.handover import is_handover
from helsevev.medication.shelf.refilling import refill_address
from helsevev.screens.addresses import form_link

_OUTSIDE: Final = "outside-plan"
"""Code of the task to acknowledge a dose that no plan holds; it is seen to on its own list."""
GROUPS: Final = ("results", "co-signs", "letters", "messages", "tasks")
_ONE_PRESS: Final = ("accept", "complete")


class Asked(Struct, frozen=True, kw_only=True):
    """One task: what, about whom, asked by whom of whom, and by when.

    `person` is empty where the reader may not open whom it is about; then little else is told.
    """

    task_id: str
    title: str
    about: str = ""
    patient_id: str = ""
    person: str = ""
    birth_date: str = ""
    owner: str = ""
    unit: str = ""
    sender: str = ""
    due_at: datetime | None = None
    asked_at: datetime | None = None
    href: str = ""
    state: str = ""
    is_urgent: bool = False
    is_late: bool = False
    is_unowned: bool = False
    is_mine: bool = False
    seen: str = ""
    word: str = ""
    group: str = "tasks"
    acts: tuple[Act, ...] = ()
    standing: Standing | None = None

    @property
    def one_press(self) -> list[Act]:
        """What can be done with it from a list, in one press."""
        return [each for each in self.acts if each.code in _ONE_PRESS]


def asked(
    tasks: Iterable[Mapping[str, Any]],
    people: Mapping[str, Mapping[str, Any]],
    now: datetime,
    me: Iterable[str] = (),
    closed: Iterable[Waits] = (),
) -> list[Asked]:
    """The tasks as rows: late ones first, then by deadline.

    `people` are Patients by reference, `me` the references of the reader, `closed` what stands on
    the list though the reader may not open it.
    """
    mine = frozenset(me)
    found = [row_of(each, people, now, mine) for each in tasks]
    found += [_closed(each, now) for each in closed]
    return in_order(found)


def in_order(rows: Iterable[Asked]) -> list[Asked]:
    """Late ones first, then by deadline; what has none last."""
    return sorted(rows, key=lambda row: (
        not row.is_late, row.due_at is None, row.due_at.timestamp() if row.due_at else 0,
    ))  # fmt: skip


def row_of(
    task: Mapping[str, Any],
    people: Mapping[str, Mapping[str, Any]],
    now: datetime,
    me: frozenset[str] = frozenset(),
) -> Asked:
    """One task as a row."""
    standing = standing_of(task)
    patient = reference_key(task.get("for"))
    person = mapping(people.get(patient))
    about = text(task.get("description"))
    title = concept_text(task.get("code")) or about
    when = moment(task.get("authoredOn"))
    note: Mapping[str, Any] = next(reversed(objects(task.get("note"))), {})
    return Asked(
        task_id=text(task.get("id")),
        title=title,
        about="" if about == title else about,
        patient_id=patient.removeprefix("Patient/"),
        person=full_name(person.get("name")),
        birth_date=birth_date(person),
        owner=standing.owner.name,
        unit=standing.unit.name,
        sender=standing.asked_by.name,
        due_at=standing.due_at,
        asked_at=when.at if when else None,
        href=f"/tasks/{task.get('id')}",
        state=state_word(standing.state),
        is_urgent=text(task.get("priority")) in ("urgent", "asap", "stat"),
        is_late=standing.is_late(now),
        is_unowned=standing.is_unowned,
        is_mine=standing.owner.reference in me,
        seen=_seen_by(task),
        word=text(note.get("text")),
        group=standing.matter.group,
        acts=tuple(acts_here(standing)),
        standing=standing,
    )


def acts_here(standing: Standing) -> list[Act]:
    """What can be done with a task on the task pages: what has pages of its own is done there."""
    task, done = standing.task, follow_up().states
    elsewhere = is_handover(task) or refill_address(task) or _OUTSIDE in codes(task.get("code"))
    here = standing.matter.done_here and not elsewhere and not standing.form
    return [act for act in standing.acts if act.code != "receive" and (here or done[act.to].open)]


def where(standing: Standing) -> str:
    """Where a task is seen to: its form, its own page, or the part of the chart it is about."""
    task = standing.task
    patient_id = reference_key(task.get("for")).removeprefix("Patient/")
    if standing.form:
        return form_link(patient_id, standing.form, task=text(task.get("id")))
    if is_handover(task):
        return f"/patient/{patient_id}/medications/handover/{task.get('id')}"
    if _OUTSIDE in codes(task.get("code")):
        return "/outside-plan"
    return refill_address(task) or standing.address


def state_word(state: str) -> str:
    """A state in the reader's words."""
    known = follow_up().states.get(state)
    return known.label if known else state


def _closed(waits: Waits, now: datetime) -> Asked:
    matter = follow_up().matters.get(waits.matter)
    return Asked(
        task_id=waits.task_id,
        title=matter.label if matter else "",
        due_at=waits.due_at,
        asked_at=waits.asked_at,
        is_late=waits.due_at is not None and waits.due_at <= now,
        is_unowned=not waits.owner,
        group=matter.group if matter else "tasks",
    )


def _seen_by(task: Mapping[str, Any]) -> str:
    """Who has opened it first, in its present owner's time."""
    if task.get("status") != "received":
        return ""
    found = [e for e in objects(task.get("extension")) if e.get("url") == SEEN]
    return text(mapping(part(first(found), "who").get("valueReference")).get("display"))
