"""What tests of a unit's stock share: a unit of its own, a product, lines of the book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.stock import Line, Stock
from helsevev.medication.shelf.book import Kept, as_body

OXYNORM = Kept(
    name="OxyNorm kaps 5 mg", unit="kapsel", atc="N02AA05", group="A", strength=Decimal(5),
    strength_unit="mg",
)  # fmt: skip
LATER = date(2031, 1, 31)
TODAY = date(2026, 11, 22)
Resource = dict[str, Any]
numbers = count(1)


def other(actor: Actor, name: str = "Aas, Anna", role: str = "nurse") -> Actor:
    """A colleague at the same unit."""
    return replace(actor, id=f"Practitioner/{name[:3].lower()}", name=name, role=role)


def line(amount: int | str, kind: str = "delivered", **said: Any) -> Line:
    """A line of the book, of the product that these tests keep."""
    made: dict[str, Any] = {
        "id": f"p{next(numbers)}.0", "product": "oxynorm", "batch": "A1", "expires": LATER,
        "kind": kind, "amount": Decimal(amount),
    }  # fmt: skip
    return Line(**(made | said))


async def filled(services: Services, actor: Actor, amount: int = 10, **said: Any) -> Stock:
    """The unit's stock, with some of what these tests keep."""
    stock = Stock(services.gate, actor)
    await stock.keep("oxynorm", as_body(OXYNORM), f"k{next(numbers)}")
    if amount:
        await stock.add("delivered", [line(amount, **said)])
    return stock


async def amounts(stock: Stock) -> dict[str, Decimal]:
    return {each.batch: each.amount for each in await stock.balances()}
