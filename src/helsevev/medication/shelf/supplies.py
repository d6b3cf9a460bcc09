"""Where the dose that is signed now is taken from: the unit's shelf, what expires first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.stock import Item, Stock
from helsevev.fhir.reading import OSLO, mapping, objects
from helsevev.kit import clock
from helsevev.medication.coding import MULTIDOSE, OWN_MANAGED, flag
from helsevev.medication.round import name_of
from helsevev.medication.shelf.book import Kept, first_out, fits, in_unit_of, kept_of
from helsevev.medication.shelf.dispensing import DOSETTE, fillings
from helsevev.medication.shelf.taken import from_stock

_MOST_FILLINGS: Final = 20


async def taken_from_shelf(
    services: Services, actor: Actor, order: Mapping[str, Any], dose: Mapping[str, Any]
) -> dict[str, Any]:
    """A dose (MedicationAdministration) that says what it takes of the unit's stock, if anything.

    Multidose and what the patient manages are the patient's own, and take nothing; what lies in a
    dosette was taken when it was filled.
    """
    amount = mapping(mapping(dose.get("dosage")).get("dose"))
    said = await of_shelf(services, actor, order, amount, on_round=True)
    return {**dose, "extension": [*objects(dose.get("extension")), *said]} if said else {**dose}


async def of_shelf(
    services: Services,
    actor: Actor,
    order: Mapping[str, Any],
    quantity: Mapping[str, Any],
    *,
    on_round: bool = False,
) -> list[dict[str, Any]]:
    """What is taken of the unit's stock for an order, as extensions; empty for nothing."""
    stock = Stock(services.gate, actor)
    if not stock.may("keep-stock") or flag(order, MULTIDOSE) or flag(order, OWN_MANAGED):
        return []
    found = kept_like(await stock.items(), order, on_round=on_round)
    if found is None or (on_round and await _is_filled(services, actor, order)):
        return []
    product, kept = found
    amount = in_unit_of(kept, quantity)
    if amount is None or amount <= 0:
        return [from_stock(stock.unit, product, kept, "", None, None)]
    today = clock.now().astimezone(OSLO).date()
    batches = await stock.balances([product])
    return [
        from_stock(stock.unit, product, kept, batch, expires, part)
        for batch, expires, part in first_out(batches, amount, today)
    ]


async def _is_filled(services: Services, actor: Actor, order: Mapping[str, Any]) -> bool:
    """Whether the doses of an order lie ready in something that was filled."""
    asked = {"prescription": f"MedicationRequest/{order.get('id')}", "_sort": "-whenprepared"}
    query = urlencode(asked)
    stored = await services.searcher.match(actor, "MedicationDispense", query, _MOST_FILLINGS)
    now = clock.now()
    return any(each.kind == DOSETTE and each.lasts(now)
               for each in fillings(found.resource for found in stored))  # fmt: skip


def kept_like(
    items: list[Item], order: Mapping[str, Any], *, on_round: bool
) -> tuple[str, Kept] | None:
    """What the unit keeps of what is ordered; `on_round`: and gives on the round."""
    name = name_of(order)
    kept = [(item.product, kept_of(item)) for item in items]
    like = [(product, each) for product, each in kept
            if (each.uses_round or not on_round) and fits(order, name, product, each)]  # fmt: skip
    codes = {c.get("code") for c in objects(
        mapping(order.get("medicationCodeableConcept")).get("coding"))}  # fmt: skip
    like.sort(key=lambda found: found[0] not in codes)
    return like[0] if like else None
