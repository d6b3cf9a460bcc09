"""The stock of the demo's nursing home: something that expires, an order, a count that is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from msgspec import structs

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.stock import Line, Stock
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.shelf.book import as_body, kept_from, kept_of, shelf
from helsevev.medication.stock import counting, ordering

_SHELF: Final = (
    # Name in the catalogue, minimum, up to, then (batch, days until it expires, amount).
    ("OxyNorm kaps 5 mg", 20, 56, (("K4417", 540, 40),)),
    ("Sobril tab 10 mg", 20, 50, (("S2201", 400, 31),)),
    ("Paracet tab 500 mg", 100, 300, (("P8810", 25, 60), ("P8902", 600, 30))),
    ("Mirtazapin tab 15 mg", 30, 90, (("M1190", 300, 84),)),
    ("Furix tab 40 mg", 30, 100, (("F7731", -6, 12), ("F7802", 420, 64))),
    ("Afipran tab 10 mg", 10, 40, (("A3302", 200, 18),)),
    ("Apocillin tab 660 mg", 20, 60, (("C5520", 350, 44),)),
)


async def load_shelf(services: Services, people: Mapping[str, Actor]) -> int:
    """Fill the shelf of the demo's nursing home, unless something is there; gives how many."""
    nurse, manager = people["nursing-home-nurse"], people["nursing-home-manager"]
    stock = Stock(services.gate, nurse)
    if await stock.items():
        return 0
    catalogue, today = catalogue_of(services), clock.now().astimezone(OSLO).date()
    kept = 0
    for name, minimum, fill_to, batches in _SHELF:
        found = [each for each in await catalogue.find(name, 5) if each.name == name]
        product = await catalogue.product(found[0].id) if found else None
        if product is None:
            continue
        settings = structs.replace(
            kept_from(product), minimum=Decimal(minimum), fill_to=Decimal(fill_to)
        )
        await stock.keep(product.id, as_body(settings), f"demo.{product.id}")
        await stock.add("in", [
            Line(f"demo.{product.id}.{batch}", product.id, batch, today + timedelta(days=days),
                 "found", Decimal(amount))
            for batch, days, amount in batches
        ])  # fmt: skip
        kept += 1
    await _what_is_not_settled(stock, Stock(services.gate, manager), today)
    return kept


async def _what_is_not_settled(stock: Stock, managers: Stock, today: date) -> None:
    """A capsule that was wasted, a first count that awaits a second, and an order on its way."""
    by_name = {kept_of(item).name: item.product for item in await stock.items()}
    rows = {row.product: row for row in shelf(await stock.items(), await stock.balances(), today)}
    if (product := by_name.get("OxyNorm kaps 5 mg")) is not None:
        batch = rows[product].batches[0]
        await stock.add("out", [Line("demo.wasted", product, batch.batch, batch.expires, "wasted",
                                     Decimal(-1), "Pasienten tok den ikke")])  # fmt: skip
    if (product := by_name.get("Sobril tab 10 mg")) is not None:
        found = counting.found_of({"0": Decimal(30)}, rows[product].batches)
        await managers.add("count", [], [counting.first_count(product, "demo", found)])
    if (product := by_name.get("Paracet tab 500 mg")) is not None:
        line = ordering.OrderLine(
            product=product, name="Paracet tab 500 mg", amount=Decimal(200), unit="tablett"
        )
        order = ordering.said(ordering.ORDER, "order.demo", "", ordering.Body(lines=(line,)))
        sent = ordering.said(
            ordering.SENT, "sent.order.demo", "order.demo", ordering.Body(words="Nettbutikk")
        )
        await stock.add("order", [], [order, sent])
