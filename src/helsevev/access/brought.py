"""What somebody did without contact and a phone brings later: recorded once, or kept for a person.

Everything made of one act carries the act's key as an identifier, so that what is sent again, by
whatever way, finds what the first sending made. What the record cannot take is a task in the
inhabitant's record, owned by the unit of who did it: nothing that was done is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol
from uuid import uuid4

import msgspec
from msgspec import Struct

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError, Conflict, Unprocessable
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import mapping, objects, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record.conditionals import identified
from helsevev.record.wall import beyond

DONE: Final = "http://helsevev.no/fhir/done-without-contact"
"""Identifier system: the key of the act that a resource was made of."""
APART: Final = "brought-apart"
"""Code of the task to settle what the record could not take."""
CODES: Final = "http://helsevev.no/fhir/CodeSystem/brought"
_RECORDED: Final = ("MedicationAdministration", "Observation", "Composition")
_MADE_OF_ACTS: Final = (*_RECORDED, "Task")
_TRIES: Final = 6
_WITHIN: Final = timedelta(hours=24)

Status = Literal["stored", "conflict", "refused", "later"]


class Act(Struct, frozen=True, kw_only=True):
    """One thing that was done: by whom (reference and name), to whom (`patient` is an id), when.

    `said` is what the verb of its `kind` reads.
    """

    key: str
    kind: str
    patient: str
    at: datetime
    by: tuple[str, str]
    said: dict[str, Any]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of an act. "stored"; "conflict": stored too, and somebody has to settle it;
    "refused": kept as a task for a person; "later": nothing was stored, it has to be sent again.

    `again` when it was recorded by an earlier sending.
    """

    status: Status
    name: str = ""
    why: str = ""
    again: bool = False


class Verb(Protocol):
    """Records acts of one kind in the name of an actor.

    Raises `AccessError` when the record does not take it; then nothing was stored.
    """

    async def __call__(self, services: Services, actor: Actor, act: Act) -> Outcome:
        """What became of it."""


class NotTaken(AccessError):
    """What was brought cannot be recorded as it is; the issue says why, for people."""

    def __init__(self, why: str) -> None:
        super().__init__([Issue("error", "business-rule", why)])


class MadeAlready(AccessError):
    """The same act, sent again, was recorded at this moment: what it left is the answer."""

    def __init__(self) -> None:
        super().__init__([Issue("error", "duplicate", "The act has been recorded.")])


def once(made: Sequence[tuple[str, Mapping[str, Any]]], key: str) -> dict[str, Any]:
    """A transaction of (urn:uuid, resource) that a repeat with the same key does not do again."""
    entries = []
    for place, (url, resource) in enumerate(made):
        mark = {"system": DONE, "value": f"{key}.{place}" if place else key}
        many = [*objects(resource.get("identifier")), mark]
        kind = resource["resourceType"]
        named = {**resource, "identifier": mark if kind == "Composition" else many}
        only_once = {"identifier": f"{DONE}|{mark['value']}"}
        entries.append(created(named, url, only_once=only_once))
    return transaction(entries)


async def keep_once(
    services: Services, actor: Actor, made: Sequence[tuple[str, Mapping[str, Any]]], key: str
) -> None:
    """Store all of it. Raises what `Bundles.transact` raises, and `MadeAlready`.

    Who is overtaken by somebody who writes at the same moment tries again.
    """
    # The task that keeps it apart does not stand for what a person enters in the record after all.
    is_task = any(resource["resourceType"] == "Task" for _, resource in made[:1])
    kinds = _MADE_OF_ACTS if is_task else _RECORDED
    for left in reversed(range(_TRIES)):
        try:
            # Beside the conditions: two sendings at once must not each store a part.
            await services.bundles.transact(actor, once(made, key), idempotency_key=key)
            return
        except (Conflict, Unprocessable) as problem:
            if await made_of(services, key, kinds) is not None:
                raise MadeAlready from problem
            if not left or isinstance(problem, Unprocessable):
                raise
            await asyncio.sleep(0.01 * (_TRIES - left))


async def made_of(
    services: Services, key: str, kinds: Sequence[str] = _MADE_OF_ACTS
) -> tuple[str, dict[str, Any]] | None:
    """What an earlier sending of the act left: its type and the resource, whoever may see it.

    None when it left nothing. It tells what to answer, and is shown to nobody.
    """
    wanted: list[tuple[str, str | None, str]] = [(kind, DONE, key) for kind in kinds]
    with beyond():
        found = await identified(services.gate.store.beyond.roles.whole, wanted)
        stored = next((stored for each in wanted for stored in found[each]), None)
        return None if stored is None else (stored.type, stored.resource)


async def keep_apart(
    services: Services, actor: Actor, act: Act, name: str, issues: Sequence[Issue]
) -> Outcome:
    """Keep what the record did not take as a task in the inhabitant's record, for a person.

    The program writes it: who did it may have no way into the record any longer.
    """
    why = " ".join(_(issue.diagnostics) for issue in issues)
    now = clock.now()
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {
            "coding": [{"system": CODES, "code": APART}],
            "text": _("Settle what a phone has brought"),
        },
        "description": f"{name}: {why}" if name else why,
        "requester": {"reference": act.by[0], "display": act.by[1]},
        "authoredOn": _written(now),
        "restriction": {"period": {"end": _written(now + _WITHIN)}},
        "input": [{
            "type": {"coding": [{"system": CODES, "code": "act"}]},
            "valueString": msgspec.json.encode(act).decode(),
        }],
    }  # fmt: skip
    if actor.unit:
        task["owner"] = {"reference": actor.unit[0], "display": actor.unit_name}
    with beyond():
        stored = await services.gate.store.beyond.read("Patient", act.patient)
        if stored is not None and not stored.deleted:
            task["for"] = {"reference": f"Patient/{act.patient}"}
        await keep_once(services, SYSTEM, [(f"urn:uuid:{uuid4()}", task)], act.key)
    return Outcome(status="refused", name=name, why=why)


def is_apart(task: Mapping[str, Any]) -> bool:
    """Whether it is something that a phone brought, and nobody has settled yet."""
    coded = objects(mapping(task.get("code")).get("coding"))
    is_ours = any(c.get("system") == CODES and c.get("code") == APART for c in coded)
    return is_ours and task.get("status") == "requested"


def act_in(task: Mapping[str, Any]) -> Act | None:
    """The act that a task is about; None when it says none."""
    for each in objects(task.get("input")):
        try:
            return msgspec.json.decode(text(each.get("valueString")), type=Act)
        except msgspec.DecodeError:
            continue
    return None


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
