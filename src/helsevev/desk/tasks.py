"""What a unit or a person is asked to do, about whom and by when; what is late comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.reading import (
    Moment,
    concept_text,
    full_name,
    mapping,
    moment,
    reference_key,
    reference_text,
    sort_key,
    text,
)
from helsevev.medication.reconciliation.handover import is_handover
from helsevev.medication.shelf.refilling import refill_address

OPEN: Final = "requested,received,accepted,ready,in-progress,on-hold"
"""The states of a Task in which somebody still has something to do."""


class Asked(Struct, frozen=True):
    """One task: what, about whom, asked by whom of whom, and by when."""

    title: str
    about: str
    person: str
    owner: str
    sender: str
    due: Moment | None
    href: str
    is_urgent: bool

    def is_late(self, now: datetime) -> bool:
        """Whether its deadline has passed."""
        return self.due is not None and self.due.end < now


def asked(
    tasks: Iterable[Mapping[str, Any]], people: Mapping[str, Mapping[str, Any]], now: datetime
) -> list[Asked]:
    """The tasks as rows: late ones first, then by deadline. `people` are Patients by reference."""
    found = [_asked(each, people) for each in tasks]
    found.sort(key=lambda row: (not row.is_late(now), row.due is None, sort_key(row.due)))
    return found


def _asked(task: Mapping[str, Any], people: Mapping[str, Mapping[str, Any]]) -> Asked:
    patient = reference_key(task.get("for"))
    about = text(task.get("description"))
    title = concept_text(task.get("code")) or about
    base = f"/patient/{patient.removeprefix('Patient/')}"
    return Asked(
        title=title,
        about="" if about == title else about,
        person=full_name(mapping(people.get(patient)).get("name")),
        owner=reference_text(task.get("owner")),
        sender=reference_text(task.get("requester")),
        due=moment(mapping(mapping(task.get("restriction")).get("period")).get("end")),
        href=f"{base}/medications/handover/{task.get('id')}" if is_handover(task)
        else refill_address(task) or f"{base}/plans",
        is_urgent=text(task.get("priority")) in ("urgent", "asap", "stat"),
    )  # fmt: skip
