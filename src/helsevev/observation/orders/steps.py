"""What is done with orders: placed, sampled, carried out, withdrawn; each in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.errors import Unprocessable
from helsevev.access.services import Services
from helsevev.content.packs.orders import IMAGING
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import objects, reference_key, text
from helsevev.follow_up import answering, asking
from helsevev.follow_up.coding import Who, stamp
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.orders.catalogue import Catalogue
from helsevev.observation.orders.coding import key_of, kind_of
from helsevev.observation.orders.request import (
    Line,
    Requisition,
    as_entries,
    due_at,
    faults,
    task_to_await,
)
from helsevev.observation.orders.standing import Placed, Placing

_SHORTEST: Final = 3


class CannotOrder(Unprocessable):
    """It cannot be ordered so; the issues say why, each with the field that it is of."""


def by(actor: Actor) -> Who:
    """Who acts."""
    return Who(actor.id, actor.name)


def unit_of(actor: Actor) -> Who:
    """The unit that somebody acts at; empty for one without."""
    return Who(actor.unit[0], actor.unit_name) if actor.unit else Who("")


async def place(services: Services, actor: Actor, asked: Requisition) -> None:
    """Order everything, once however often it is sent. Raises `CannotOrder`, `AccessError`."""
    now = clock.now()
    if issues := faults(asked, now):
        raise CannotOrder(issues)
    await _transact(services, actor, as_entries(asked, now))


async def take_samples(
    services: Services, actor: Actor, catalogue: Catalogue, placing: Placing
) -> None:
    """Note that the samples are taken, by whom and when; an answer is awaited from then on."""
    step = placing.to_collect
    if step is None:
        raise _too_late(_("The samples have been taken already."))
    now = clock.now()
    taken = [p for p in placing.orders if p.is_open and _is_of(step.task, p)]
    orders = [f"ServiceRequest/{p.order['id']}" for p in taken]
    specimen = {
        "resourceType": "Specimen",
        "status": "available",
        "subject": placing.lead["subject"],
        "request": [{"reference": each} for each in orders],
        "collection": {"collector": by(actor).as_reference(), "collectedDateTime": stamp(now)},
    }
    entries = [
        created(specimen),
        replaced(_closed(step.task, actor, "completed")),
        asking.entry(_awaited(catalogue, taken, orders, actor)),
    ]  # fmt: skip
    await _transact(services, actor, entries)


async def carry_out(
    services: Services, actor: Actor, catalogue: Catalogue, placing: Placing, task_id: str,
    words: str,
) -> None:  # fmt: skip
    """Note that an examination, a procedure or a referral is done; images still await an answer."""
    step = next((s for s in placing.to_perform if s.task.get("id") == task_id), None)
    if step is None:
        raise _too_late(_("It has been answered already."))
    after = answering.done(step.task, by(actor), clock.now(), words=words)
    done = [p for p in placing.orders if p.is_open and _is_of(step.task, p)]
    entries = [replaced(after)]
    for placed in done:
        if kind_of(placed.order) == IMAGING:
            orders = [f"ServiceRequest/{placed.order['id']}"]
            entries.append(asking.entry(_awaited(catalogue, [placed], orders, actor)))
        else:
            entries.append(replaced({**placed.order, "status": "completed"}))
    await _transact(services, actor, entries)


async def withdraw(services: Services, actor: Actor, placing: Placing, words: str) -> None:
    """Withdraw what nobody has answered, and say why; nobody is asked for it any longer."""
    if len(words.strip()) < _SHORTEST:
        raise CannotOrder([error("required", _("Say why."), "words")])
    left = [placed for placed in placing.orders if placed.is_open]
    if not left:
        raise _too_late(_("It has been answered already."))
    said = {"authorReference": by(actor).as_reference(), "time": stamp(clock.now()),
            "text": words.strip()}  # fmt: skip
    entries = [
        replaced({
            **placed.order, "status": "revoked", "note": [*objects(placed.order.get("note")), said],
        })
        for placed in left
    ]  # fmt: skip
    entries += [
        replaced(_closed(step.task, actor, "cancelled"))
        for step in placing.steps if step.is_open
    ]  # fmt: skip
    await _transact(services, actor, entries)


def _too_late(words: str) -> CannotOrder:
    return CannotOrder([error("conflict", words, "act")])


def _awaited(
    catalogue: Catalogue, placed: Sequence[Placed], orders: Sequence[str], actor: Actor
) -> dict[str, Any]:
    now, order = clock.now(), placed[0].order
    known = catalogue.orders.get(key_of(order))
    urgent = text(order.get("priority")) != "routine"
    due = due_at(Line(known), now, is_urgent=urgent) if known else now
    requester = order.get("requester", {})
    owner = Who(reference_key(requester), text(requester.get("display")))
    names = ", ".join(each.name for each in placed)
    return task_to_await(order, names, orders, owner, unit_of(actor), due, now)


def _closed(task: Mapping[str, Any], actor: Actor, status: str) -> dict[str, Any]:
    owner = by(actor).as_reference() if status == "completed" else task.get("owner")
    return {**task, "status": status, "lastModified": stamp(clock.now()), "owner": owner}


def _is_of(task: Mapping[str, Any], placed: Placed) -> bool:
    key = f"ServiceRequest/{placed.order['id']}"
    return any(reference_key(each) == key for each in objects(task.get("basedOn")))


async def _transact(services: Services, actor: Actor, entries: list[dict[str, Any]]) -> None:
    await services.bundles.transact(actor, transaction(entries))
