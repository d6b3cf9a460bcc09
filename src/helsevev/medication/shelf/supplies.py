"""Where the dose that is signed now is taken from: the unit's shelf, what expires first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.stock import Item, Stock
from helsevev.fhir.reading import OSLO, mapping, objects
from helsevev.kit import clock
from helsevev.medication.coding import MULTIDOSE, OWN_MANAGED, flag
from helsevev.medication.round import name_of
from helsevev.medication.shelf.book import Kept, first_out, fits, in_unit_of, kept_of
from helsevev.medication.shelf.taken import from_stock


async def taken_from_shelf(
    services: Services, actor: Actor, order: Mapping[str, Any], dose: Mapping[str, Any]
) -> dict[str, Any]:
    """A dose (MedicationAdministration) that says what it takes of the unit's stock, if anything.

    Multidose and what the patient manages are the patient's own, and take nothing.
    """
    made = {**dose}
    stock = Stock(services.gate, actor)
    if not stock.may("keep-stock") or flag(order, MULTIDOSE) or flag(order, OWN_MANAGED):
        return made
    found = kept_like(await stock.items(), order)
    if found is None:
        return made
    product, kept = found
    amount = in_unit_of(kept, mapping(mapping(dose.get("dosage")).get("dose")))
    if amount is None or amount <= 0:
        said = [from_stock(stock.unit, product, kept, "", None, None)]
    else:
        today = clock.now().astimezone(OSLO).date()
        batches = await stock.balances([product])
        said = [
            from_stock(stock.unit, product, kept, batch, expires, part)
            for batch, expires, part in first_out(batches, amount, today)
        ]
    made["extension"] = [*objects(dose.get("extension")), *said]
    return made


def kept_like(items: list[Item], order: Mapping[str, Any]) -> tuple[str, Kept] | None:
    """What the unit keeps of what is ordered, and gives on the round; None for nothing."""
    name = name_of(order)
    kept = [(item.product, kept_of(item)) for item in items]
    like = [(product, each) for product, each in kept
            if each.uses_round and fits(order, name, product, each)]  # fmt: skip
    codes = {c.get("code") for c in objects(
        mapping(order.get("medicationCodeableConcept")).get("coding"))}  # fmt: skip
    like.sort(key=lambda found: found[0] not in codes)
    return like[0] if like else None
