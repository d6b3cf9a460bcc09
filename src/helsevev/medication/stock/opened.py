"""A unit's stock as somebody has opened it: what all its pages are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.services import Services
from helsevev.access.stock import Booked, Sent, Stock, Unclear
from helsevev.content import loading
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.look_up import catalogue_of
from helsevev.medication.catalogue.product import Package, Product, SingleDose
from helsevev.medication.scanning.codes import Pack, Unreadable, read
from helsevev.medication.shelf import book
from helsevev.medication.shelf.book import Row
from helsevev.medication.stock import counting
from helsevev.medication.stock.counting import Counts, Incident

_UNCLEAR_FOR: Final = timedelta(days=30)
_LONGEST: Final = 500


class Opened(Struct, frozen=True):
    """One unit's stock now."""

    stock: Stock
    rows: tuple[Row, ...]
    counts: Mapping[str, Counts]
    incidents: tuple[Incident, ...]
    waiting: tuple[Booked, ...]
    sent: tuple[Sent, ...]
    unclear: tuple[Unclear, ...]
    now: datetime
    may_settle: bool

    @property
    def today(self) -> date:
        """The day it is in Norway."""
        return self.now.astimezone(OSLO).date()

    def row(self, product: str) -> Row | None:
        """One thing that the unit keeps; None when it does not."""
        return next((row for row in self.rows if row.product == product), None)

    def name(self, product: str) -> str:
        """What a product is called here."""
        row = self.row(product)
        return row.kept.name if row else product

    def due(self, row: Row) -> timedelta | None:
        """How long a count is overdue; None when it is not."""
        return counting.due(row, self.counts.get(row.product, Counts()), self.now)

    def awaits(self, row: Row) -> bool:
        """Whether one has counted, and a second has not."""
        return self.counts.get(row.product, Counts()).open_first is not None

    @property
    def due_rows(self) -> tuple[Row, ...]:
        """What has to be counted now."""
        return tuple(row for row in self.rows if self.due(row) is not None)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Differences that nobody has explained."""
        return tuple(each for each in self.incidents if not each.explained_by)

    @property
    def controlled(self) -> tuple[Row, ...]:
        """What is accounted for."""
        return tuple(row for row in self.rows if row.kept.control is not None)


class Scanned(Struct, frozen=True):
    """What a code is on: the product, its package, batch and day, where they are said."""

    product: Product
    package: Package | SingleDose | None = None
    batch: str = ""
    expires: date | None = None


async def open_stock(services: Services, actor: Actor, what: str = "") -> Opened:
    """The stock of the unit of the role that is signed in, decided and traced. Raises `Refused`."""
    stock = Stock(services.gate, actor)
    await stock.open(what)
    now = clock.now()
    rows = book.shelf(await stock.items(), await stock.balances(), now.astimezone(OSLO).date())
    notes = await stock.notes(counting.KINDS)
    seen = [each.code for each in loading.stock_rules().out if each.witness]
    controlled = [row.product for row in rows if row.kept.control is not None]
    return Opened(
        stock=stock,
        rows=tuple(rows),
        counts=counting.counts_by_product(notes),
        incidents=tuple(counting.incidents(notes)),
        waiting=tuple(await stock.unwitnessed(seen, controlled)),
        sent=tuple(await stock.on_the_way()),
        unclear=tuple(await stock.unclear(now - _UNCLEAR_FOR)),
        now=now,
        may_settle=stock.may("settle-stock"),
    )


async def scanned(services: Services, code: str) -> Scanned | None:
    """The product that a scanned or typed code is on; None for a name, or what is not known."""
    try:
        said = read(code, typed=True)
    except Unreadable:
        return None
    if not isinstance(said, Pack):
        return None
    catalogue = catalogue_of(services)
    for number in said.numbers:
        if found := await catalogue.scanned(number):
            return Scanned(found[0], found[1], said.batch, said.expires)
    return None


class Texts(dict[str, str]):
    """Texts by name; what is not there is "", as templates ask for every field."""

    def __missing__(self, name: str) -> str:
        """See the class."""
        return ""


def short(form: Mapping[str, Any]) -> Texts:
    """What a form holds, as short texts."""
    return Texts({name: str(value).strip()[:_LONGEST] for name, value in form.items()})


def kind_names() -> Texts:
    """What the kinds of lines are called."""
    named = {
        "delivered": _("Delivered"), "found": _("Put in"), "moved-in": _("From another unit"),
        "corrected": _("Corrected after counting"), "given": _("Given on the round"),
        "filled": _("Filled for a patient"), "taken-back": _("Taken back: signed by mistake"),
    }  # fmt: skip
    return Texts(named | {each.code: each.label for each in loading.stock_rules().out})


def said_amount(amount: Decimal) -> str:
    """An amount as pages write it."""
    return book.plain(amount)
