"""Co-signing: a note of somebody in training holds when a named person has signed it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.documentation.note import (
    AWAITS,
    Author,
    NotSignable,
    check,
    note_title,
    signature_of,
)
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import mapping, objects, reference_key, reference_text, text
from helsevev.fhir.search_query import parse
from helsevev.follow_up.asking import ask
from helsevev.follow_up.coding import matter_of
from helsevev.locale import gettext as _

MATTER: Final = "co-sign"
TASKS: Final = Slice("Task", 100)
_OPEN: Final = ("requested", "received", "accepted", "ready", "in-progress", "on-hold")
_MOST: Final = 200


class Colleague(Struct, frozen=True):
    """Somebody who can be asked to sign too: reference, name, and what they work as."""

    reference: str
    name: str
    role: str


def must_be_cosigned(actor: Actor) -> bool:
    """Whether the actor's notes hold only when somebody qualified has signed them too."""
    return actor.role in loading.note_types().cosigned


def asked(
    note: Mapping[str, Any], full_url: str, actor: Actor, cosigner: Colleague, at: datetime
) -> dict[str, Any]:
    """The Task that asks a named person to sign a note which is written in the same transaction."""
    return ask(
        f"{note_title(note)}, {actor.name}",
        matter=MATTER,
        patient_id=reference_key(note.get("subject")),
        owner=(cosigner.reference, cosigner.name),
        at=at,
        asked_by=(actor.id, actor.name),
        why=full_url,
        unit=(actor.unit[0], actor.unit_name) if actor.unit else ("", ""),
    )


def cosigned(note: Mapping[str, Any], signer: Author, at: datetime) -> dict[str, Any]:
    """The note when somebody else has signed it: final, or amended if it was corrected before.

    Raises NotSignable for a note that awaits nobody, and for its own author.
    """
    if text(note.get("status")) != AWAITS:
        raise NotSignable([error("conflict", _("The note does not await a signature any more."))])
    if signer.reference in {reference_key(each) for each in objects(note.get("author"))}:
        raise NotSignable([error("business-rule", _("Nobody co-signs their own note."))])
    signed = objects(note.get("attester"))
    was_corrected = any(each.get("extension") for each in signed)
    made = {
        **note,
        "status": "amended" if was_corrected else "final",
        "attester": [*signed, signature_of(signer, at)],
    }
    if issues := check(made):
        raise NotSignable(issues)
    return made


def task_of(note_id: str, tasks: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The Task by which a note is to be co-signed, while it is open."""
    return next(
        (
            task
            for task in tasks
            if reference_key(task.get("focus")) == f"Composition/{note_id}"
            and matter_of(task).code == MATTER
            and text(task.get("status")) in _OPEN
        ),
        None,
    )


async def colleagues(services: Services, actor: Actor) -> list[Colleague]:
    """Who works at the actor's unit, or the one it is part of, and may sign for others.

    Those of the nearest unit come first. Raises `Refused`.
    """
    units = [each.removeprefix("Organization/") for each in actor.organisations[:2]]
    found: dict[str, Colleague] = {}
    for unit in units:
        asked_for = [("organization", unit), ("active", "true"), ("_count", str(_MOST))]
        page = await services.searcher.search(actor, parse("PractitionerRole", asked_for, base=""))
        people = sorted(
            (each for stored in page.matches if (each := _colleague(stored.resource))),
            key=lambda each: each.name,
        )
        for each in people:
            if each.reference != actor.id:
                found.setdefault(each.reference, each)
    return list(found.values())


def _colleague(role: Mapping[str, Any]) -> Colleague | None:
    title = next((text(code.get("text")) for code in objects(role.get("code"))), "")
    person = mapping(role.get("practitioner"))
    name = reference_text(person)
    barred = title in loading.note_types().cosigned or title in loading.professions().position
    if not name or barred:
        return None
    return Colleague(reference_key(person), name, title)


def who_sent_back(task: Mapping[str, Any]) -> tuple[str, str]:
    """(reference, name) of who sent a note back to its author last; ("", "") when nobody did."""
    said = [mapping(note.get("authorReference")) for note in objects(task.get("note"))]
    last = said[-1] if said else {}
    return reference_key(last), reference_text(last)
