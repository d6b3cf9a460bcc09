"""What a phone brings: each act opened, recorded by itself, and answered by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.brought import (
    Act,
    MadeAlready,
    NotTaken,
    Outcome,
    Verb,
    is_apart,
    keep_apart,
    made_of,
)
from helsevev.access.errors import AccessError, Conflict
from helsevev.access.services import Services
from helsevev.fhir.reading import concept_text, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.administration import is_contradiction, said_outside
from helsevev.medication.offline.doses import known_late
from helsevev.medication.offline.envelope import Seals, Ticket, Unreadable

MOST: Final = 50
"""Acts that are taken in one request."""
_SKEW: Final = timedelta(minutes=5)
_UNKNOWN: Final = "The phone sent something that cannot be read."
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """One act as it is sent: its key, and the box that only we can open."""

    key: str
    box: str


class Sent(Struct, frozen=True, forbid_unknown_fields=True):
    """What a phone sends at once."""

    items: tuple[Item, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """What became of one act. Of another person's acts only the status is told."""

    key: str
    status: Literal["stored", "conflict", "refused", "later", "unreadable"]
    again: bool = False
    name: str = ""
    why: str = ""


class _Said(Struct, frozen=True):
    kind: str
    patient: str
    at: datetime
    said: dict[str, Any]


async def take_in(
    services: Services,
    verbs: Mapping[str, Verb],
    seals: Seals,
    reader: Actor,
    items: Sequence[Item],
) -> list[Answer]:
    """Record what was done, in the order it is sent. `reader` is who is signed in now.

    Each act is decided for who did it, in the role they had. Raises `DatabaseError` when the
    record cannot be asked: then all of it is to be sent again.
    """
    answers = []
    for item in items:
        try:
            ticket, told = seals.open(item.key, item.box)
        except Unreadable:
            answers.append(Answer(key=item.key, status="unreadable"))
            continue
        actor = ticket.who
        outcome = await _one(services, verbs, actor, ticket, item.key, told)
        is_own = reader.id == actor.id
        name, why = (outcome.name, outcome.why) if is_own else ("", "")
        answers.append(
            Answer(key=item.key, status=outcome.status, again=outcome.again, name=name, why=why)
        )
    return answers


async def _one(
    services: Services,
    verbs: Mapping[str, Verb],
    actor: Actor,
    ticket: Ticket,
    key: str,
    told: dict[str, Any],
) -> Outcome:
    act, problem = _act_of(actor, ticket, key, told)
    if (earlier := await made_of(services, act.key)) is not None:
        return _as_it_was(*earlier)
    try:
        if problem is not None:
            return await keep_apart(services, actor, act, "", problem.issues)
        return await _record(services, verbs, actor, act)
    except MadeAlready:
        made = await made_of(services, act.key)
        return Outcome(status="later") if made is None else _as_it_was(*made)


async def _record(services: Services, verbs: Mapping[str, Verb], actor: Actor, act: Act) -> Outcome:
    """Record an act in the name of an actor; what the record refuses is kept for a person."""
    name = text(act.said.get("name"))[:200]
    try:
        if (verb := verbs.get(act.kind)) is None:
            raise NotTaken(_UNKNOWN)
        return await verb(services, actor, act)
    except MadeAlready:
        raise
    except Conflict:
        return Outcome(status="later", name=name)
    except msgspec.ValidationError:
        return await keep_apart(services, actor, act, name, NotTaken(_(_UNKNOWN)).issues)
    except AccessError as problem:
        return await keep_apart(services, actor, act, name, problem.issues)


def _act_of(
    actor: Actor, ticket: Ticket, key: str, told: dict[str, Any]
) -> tuple[Act, NotTaken | None]:
    """The act, and what of it cannot be right: then it is kept as it was said."""
    by = (actor.id, actor.name)
    now = clock.now()
    try:
        key = str(UUID(key))
        said = msgspec.convert(told, _Said)
        if not _ID.fullmatch(said.patient):
            raise msgspec.ValidationError
        at = said.at.astimezone(now.tzinfo)
    except (msgspec.ValidationError, ValueError):
        act = Act(key=key, kind="", patient="unknown", at=now, by=by, said=told)
        return act, NotTaken(_(_UNKNOWN))
    act = Act(key=key, kind=said.kind, patient=said.patient, at=min(at, now), by=by, said=said.said)
    # Corrected for the phone's clock by the phone: it cannot have been before the round was taken.
    if not ticket.taken_at - _SKEW <= at <= min(now, ticket.until) + _SKEW:
        return act, NotTaken(_("The time it was done cannot be right."))
    return act, None


def _as_it_was(kind: str, made: Mapping[str, Any]) -> Outcome:
    """What was answered when the act came first, as far as what was stored tells."""
    if kind == "Task":
        why = text(made.get("description")) if is_apart(made) else _("It has been settled.")
        return Outcome(status="refused" if is_apart(made) else "stored", why=why, again=True)
    name = concept_text(made.get("medicationCodeableConcept")) or concept_text(made.get("type"))
    why = ""
    if is_contradiction(made):
        why = _("Somebody else has signed the same dose. It has to be settled.")
    elif (outside := said_outside(made)) is not None:
        why = text(outside.get("text"))
    elif late := known_late(made):
        why = late
    return Outcome(status="conflict" if why else "stored", name=name, why=why, again=True)
