"""Filling for a patient: what goes in by the plan, from where, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.services import Services
from helsevev.fhir import dates
from helsevev.fhir.reading import OSLO, mapping, objects, reference_key, text
from helsevev.fhir.recurrence import Span
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.administration import Signer
from helsevev.medication.coding import OWN_MANAGED, flag
from helsevev.medication.round import name_of
from helsevev.medication.round_times import times_of
from helsevev.medication.shelf.book import amount_typed
from helsevev.medication.shelf.dispensing import (
    BAGS,
    DOSETTE,
    FILLING,
    OWN,
    Filling,
    FillingRefused,
    belongs,
    checked,
    dispense,
    sum_of,
    undone,
    words_of,
)
from helsevev.medication.shelf.refilling import is_refill_of
from helsevev.medication.shelf.supplies import of_shelf
from helsevev.medication.stock.filled import Filled
from helsevev.medication.timing import Standing, due, is_planned

MOST_DAYS: Final = 31
_MOST_VERSIONS: Final = 50


class Fillable(Struct, frozen=True):
    """One order that something may be filled by: its name, its doses in words, and how much."""

    order: Mapping[str, Any]
    name: str
    words: str
    quantity: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The order's id."""
        return text(self.order.get("id"))


class Wish(Struct, frozen=True):
    """What somebody asks to have filled. `words` and `amounts` are by the order's id."""

    kind: str
    key: str
    start: date
    days: int
    orders: frozenset[str]
    from_stock: bool = False
    packed: date | None = None
    words: Mapping[str, str] = {}
    amounts: Mapping[str, str] = {}


def fillable(
    filled: Filled, kind: str, start: date, days: int, units: Sequence[str]
) -> list[Fillable]:
    """The orders that are filled in a way, with how much they are in a time."""
    begins = datetime.combine(start, time(), OSLO)
    within = Span(begins, begins + timedelta(days=days))
    found = []
    for order in filled.governing:
        if kind == OWN:
            if order.get("status") == "active" and flag(order, OWN_MANAGED):
                found.append(Fillable(order, name_of(order), words_of(order), {}))
        elif is_planned(order) and belongs(order, kind):
            planned = due([Standing(begins, order)], within, OSLO, times_of(units))
            found.append(Fillable(order, name_of(order), words_of(order), sum_of(planned)))
    return sorted(found, key=lambda each: each.name.casefold())


async def fill(services: Services, actor: Actor, filled: Filled, wish: Wish) -> None:
    """Keep what was filled, all or nothing, and that what was to be changed is done.

    Raises `FillingRefused`, or what the transaction raises; the same form twice is one filling.
    """
    if not 1 <= wish.days <= MOST_DAYS:
        raise FillingRefused(_("Fill for 1 to %(most)s days.") % {"most": MOST_DAYS})
    chosen = [
        each for each in fillable(filled, wish.kind, wish.start, wish.days, actor.organisations)
        if each.id in wish.orders
    ]  # fmt: skip
    if not chosen or len(chosen) < len(wish.orders):
        raise FillingRefused(_("The list has changed, or nothing was chosen. Look at it again."))
    begins = datetime.combine(wish.start, time(), OSLO)
    lasts = begins, begins + timedelta(days=wish.days)
    filling = f"{wish.kind}/{filled.patient_id}/{wish.key}"
    made = [await _one(services, actor, each, wish, filling, lasts) for each in chosen]
    entries = [_new(each, filling) for each in made]
    entries += [_done(task, actor) for task in _asked(filled, wish.kind)]
    await services.bundles.transact(actor, transaction(entries))


async def check_filling(services: Services, actor: Actor, filling: Filling) -> None:
    """Sign as the second that it was filled right. Raises `FillingRefused`."""
    by, now = Signer(actor.id, actor.name), clock.now()
    made = [checked(d, by, now) for d in filling.dispenses if d.get("status") == "in-progress"]
    if not made:
        raise FillingRefused(_("This has been checked already."))
    await _replace(services, actor, made)


async def take_apart(services: Services, actor: Actor, filling: Filling, why: str) -> None:
    """Take a filling back; what it took of the stock is there again. Raises `FillingRefused`."""
    by, now = Signer(actor.id, actor.name), clock.now()
    await _replace(services, actor, [undone(d, by, now, why) for d in filling.dispenses])


async def _one(
    services: Services,
    actor: Actor,
    each: Fillable,
    wish: Wish,
    filling: str,
    lasts: tuple[datetime, datetime],
) -> dict[str, Any]:
    order, quantity, packed = each.order, each.quantity, None
    if wish.kind == OWN:
        amount = amount_typed(wish.amounts.get(each.id, ""))
        if amount is None:
            raise FillingRefused(_("%(name)s: write how much is handed out.") % {"name": each.name})
        quantity = {"value": amount, **_unit(order)}
    if wish.kind == BAGS:
        if wish.packed is None:
            raise FillingRefused(_("Say when the pharmacy packed it."))
        packed = datetime.combine(wish.packed, time(12), OSLO)
        packed = min(packed, clock.now())
        order = await _as_it_stood(services, actor, order, packed)
    unit = {"reference": actor.organisations[0], "display": actor.unit_name}
    made = dispense(
        order, quantity, filling, Signer(actor.id, actor.name), clock.now(), lasts,
        unit=unit, words=wish.words.get(each.id, ""), packed=packed,
    )  # fmt: skip
    if wish.from_stock and wish.kind == DOSETTE:
        made["extension"] += await of_shelf(services, actor, order, quantity)
    return made


async def _as_it_stood(
    services: Services, actor: Actor, order: Mapping[str, Any], at: datetime
) -> Mapping[str, Any]:
    """The version of an order that stood when the pharmacy packed: what the bags were packed by."""
    since = dates.bounds(text(mapping(order.get("meta")).get("lastUpdated")))
    if since is None or dates.moment(since[0]) <= at:
        return order
    page = await services.history.of_instance(
        actor, "MedicationRequest", text(order.get("id")), count=_MOST_VERSIONS
    )
    # Newest first; the first version was there before anybody could pack by it.
    kept = [each for each in page.versions if not each.deleted]
    stood = next((each for each in kept if each.last_updated <= at), kept[-1] if kept else None)
    return {**stood.resource, "id": order["id"]} if stood is not None else order


def _asked(filled: Filled, kind: str) -> list[Mapping[str, Any]]:
    """The tasks to change what is filled in this way."""
    names = [each.id for each in filled.fillings if each.kind == kind]
    return [task for task in filled.tasks if any(is_refill_of(task, name) for name in names)]


def _done(task: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    at = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    made = {
        **task, "status": "completed", "lastModified": at,
        "note": [*objects(task.get("note")),
                 {"authorReference": {"reference": actor.id, "display": actor.name}, "time": at,
                  "text": _("Filled anew.")}],
    }  # fmt: skip
    return replaced(made)


def _new(made: Mapping[str, Any], filling: str) -> dict[str, Any]:
    """A medicine of a filling, unless the form that it is of has been kept."""
    order = reference_key(objects(made["authorizingPrescription"])[0])
    only_once = {"identifier": f"{FILLING}|{filling}", "prescription": order}
    return created(made, only_once=only_once)


async def _replace(services: Services, actor: Actor, made: Sequence[Mapping[str, Any]]) -> None:
    await services.bundles.transact(actor, transaction(replaced(each) for each in made))


def _unit(order: Mapping[str, Any]) -> dict[str, Any]:
    """The unit that an order's doses are said in."""
    for dosage in objects(order.get("dosageInstruction")):
        for given in objects(dosage.get("doseAndRate")):
            said = mapping(given.get("doseQuantity"))
            if text(said.get("unit")):
                return {k: said[k] for k in ("unit", "system", "code") if k in said}
    return {}
