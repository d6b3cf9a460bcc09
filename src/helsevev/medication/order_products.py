"""The products that orders name by code, with their strength, for checks to measure doses by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.content.dose_shapes import Drops
from helsevev.decision_support.reading import Chart
from helsevev.decision_support.strength import DROPS
from helsevev.fhir.reading import codings, mapping
from helsevev.medication.catalogue.product import DEMO, FEST, Product
from helsevev.medication.catalogue.resources import medication

_SYSTEMS: Final = (FEST, DEMO)


async def with_products(
    services: Services, chart: Chart, orders: Iterable[Mapping[str, Any]]
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The chart with the Medication of each product that an order or a line of it names by code."""
    lines = [*orders, *chart.get("MedicationRequest", ()), *chart.get("MedicationStatement", ())]
    named = {
        code
        for line in lines
        for system, code in codings(line.get("medicationCodeableConcept"))
        if system in _SYSTEMS
    }
    if not named:
        return dict(chart)
    found = await services.medicines.entries("product", sorted(named))
    products = [measured(msgspec.json.decode(each.body, type=Product)) for each in found]
    return {**chart, "Medication": [*chart.get("Medication", ()), *products]}


def measured(product: Product) -> dict[str, Any]:
    """A product's Medication whose strength says what it is the strength of, as far as is known.

    One piece is called what the product is dosed in where that is one thing; drops are told by
    content.
    """
    made = medication(product)
    pieces = {each.display for each in product.units if each.display}
    for part in made.get("ingredient", ()):
        below = mapping(part.get("strength")).get("denominator")
        if below is not None and not below.get("unit") and len(pieces) == 1:
            below["unit"] = next(iter(pieces))
    drops = drops_of(product)
    if drops is not None:
        told = {"url": DROPS, "valueDecimal": drops.per_ml}
        made["extension"] = [*made.get("extension", ()), told]
    return made


def drops_of(product: Product) -> Drops | None:
    """How many drops of a product make one millilitre, where the content says it."""
    name = f"{product.trade} {product.name}".casefold()
    return next(
        (
            each
            for each in loading.dose_help().drops
            if product.atc.startswith(each.atc)
            and each.trade.casefold() in name
            and (not each.strength or each.strength in name)
        ),
        None,
    )
