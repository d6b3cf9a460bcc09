"""Ordering from the pharmacy: what is needed, was ordered, came, and differs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct

from helsevev.access.stock import Note, Said
from helsevev.fhir.reading import mapping, number, objects, text
from helsevev.locale import gettext as _
from helsevev.medication.shelf.book import Kept, Row, fits, in_unit_of
from helsevev.medication.timing import Due

ORDER: Final = "order"
LINES: Final = "order-lines"
SENT: Final = "sent"
DELIVERED: Final = "delivered"
CLOSED: Final = "closed"
KINDS: Final = (ORDER, LINES, SENT, DELIVERED, CLOSED)


class OrderLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing to order: a product that the unit keeps, or ("") only a name."""

    name: str
    amount: Decimal
    unit: str
    product: str = ""
    why: str = ""


class Delivered(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What came of one product, in one batch."""

    product: str
    name: str
    amount: Decimal
    unit: str
    batch: str = ""


class Body(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is kept of an order, of its sending or of a delivery."""

    lines: tuple[OrderLine, ...] = ()
    came: tuple[Delivered, ...] = ()
    words: str = ""


class Difference(Struct, frozen=True):
    """One product of which something else came than was ordered."""

    name: str
    unit: str
    ordered: Decimal
    came: Decimal


class Order(Struct, frozen=True):
    """An order as it stands. `state`: draft, sent, partly, delivered or closed."""

    id: str
    at: datetime
    by: str
    lines: tuple[OrderLine, ...]
    state: str
    sent: Note | None
    deliveries: tuple[Note, ...]
    closed: Note | None

    @property
    def sent_how(self) -> str:
        """How it was sent, in words."""
        return read(self.sent).words if self.sent else ""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What has come otherwise than ordered, by now."""
        return differences(self.lines, [d for n in self.deliveries for d in read(n).came])

    @property
    def closed_because(self) -> str:
        """Why no more is awaited."""
        return read(self.closed).words if self.closed else ""


class Need(Struct, frozen=True):
    """What may have to be ordered: how much there is, is wanted, will be used, and is suggested."""

    product: str
    name: str
    unit: str
    have: Decimal
    minimum: Decimal
    planned: Decimal
    suggested: Decimal

    @property
    def why(self) -> str:
        """Why it is suggested, in words."""
        reasons = []
        if self.product and self.have < self.minimum:
            reasons.append(_("below the minimum"))
        if self.planned:
            reasons.append(_("planned doses"))
        return ", ".join(reasons)


class Planned(Struct, frozen=True):
    """The doses of one order that will be due: what is ordered, what it is called, and when."""

    order: Mapping[str, Any]
    name: str
    doses: Sequence[Due]


def needs(rows: Iterable[Row], planned: Iterable[Planned]) -> list[Need]:
    """What there is and will be used of each thing, what has to be ordered first.

    What is planned and not kept is told by name: whether to order it is for a person.
    """
    listed = list(rows)
    used: dict[str, Decimal] = {}
    others: dict[tuple[str, str], Decimal] = {}
    for each in planned:
        row = next((r for r in listed if fits(each.order, each.name, r.product, r.kept)), None)
        for dose in each.doses:
            amount = _dose(dose.dosage)
            if row is not None:
                known = in_unit_of(row.kept, amount)
                if known is not None:
                    used[row.product] = used.get(row.product, Decimal(0)) + known
                    continue
            value = number(amount.get("value"))
            key = each.name, text(amount.get("unit"))
            others[key] = others.get(key, Decimal(0)) + (value or 0)
    found = [_need(row, used.get(row.product, Decimal(0))) for row in listed]
    found += [
        Need("", name, unit, Decimal(0), Decimal(0), amount, Decimal(0))
        for (name, unit), amount in sorted(others.items())
    ]
    found.sort(key=lambda need: (not need.suggested, not need.product))
    return found


def orders(notes: Iterable[Note]) -> list[Order]:
    """All orders as they stand, the newest first."""
    listed = list(notes)
    about: dict[str, list[Note]] = {}
    for note in listed:
        about.setdefault(note.about, []).append(note)
    found = [_order(note, about.get(note.id, [])) for note in listed if note.kind == ORDER]
    return list(reversed(found))


def differences(ordered: Iterable[OrderLine], came: Iterable[Delivered]) -> tuple[Difference, ...]:
    """Line by line, what differs between what was ordered and what came."""
    wanted: dict[str, tuple[str, str, Decimal]] = {}
    for line in ordered:
        key = line.product or line.name
        before = wanted.get(key, (line.name, line.unit, Decimal(0)))
        wanted[key] = (line.name, line.unit, before[2] + line.amount)
    there: dict[str, tuple[str, str, Decimal]] = {}
    for each in came:
        key = each.product or each.name
        before = there.get(key, (each.name, each.unit, Decimal(0)))
        there[key] = (each.name, each.unit, before[2] + each.amount)
    found = []
    for key in dict.fromkeys((*wanted, *there)):
        name, unit, much = wanted.get(key) or (*there[key][:2], Decimal(0))
        arrived = there[key][2] if key in there else Decimal(0)
        if arrived != much:
            found.append(Difference(name, unit, much, arrived))
    return tuple(found)


def said(kind: str, identifier: str, about: str, body: Body) -> Said:
    """Something that is kept of an order."""
    return Said(identifier, kind, about, msgspec.json.encode(body).decode())


def read(note: Note) -> Body:
    """What a note of an order says."""
    return msgspec.json.decode(note.body, type=Body)


def _order(note: Note, about: Sequence[Note]) -> Order:
    lines = read(note).lines
    for each in about:
        if each.kind == LINES:
            lines = read(each).lines
    sent = next((n for n in about if n.kind == SENT), None)
    closed = next((n for n in about if n.kind == CLOSED), None)
    came = tuple(n for n in about if n.kind == DELIVERED)
    state = "draft" if sent is None else "sent"
    if came:
        missing = [
            d for d in differences(lines, [d for n in came for d in read(n).came])
            if d.came < d.ordered
        ]  # fmt: skip
        state = "partly" if missing else "delivered"
    if closed is not None:
        state = "closed"
    return Order(note.id, note.at, note.actor_name, lines, state, sent, came, closed)


def _need(row: Row, planned: Decimal) -> Need:
    kept, have = row.kept, row.usable
    left = have - planned
    suggested = Decimal(0)
    if left < kept.minimum or left < 0:
        suggested = _whole(max(kept.fill_to, kept.minimum) - left, kept)
    return Need(row.product, kept.name, kept.unit, have, kept.minimum, planned, suggested)


def _whole(amount: Decimal, kept: Kept) -> Decimal:
    """As many whole packages as it takes, where the package's size is known."""
    size = kept.package or Decimal(1)
    return (amount / size).to_integral_value(ROUND_CEILING) * size


def _dose(dosage: Mapping[str, Any]) -> Mapping[str, Any]:
    given = objects(dosage.get("doseAndRate"))
    return mapping(given[0].get("doseQuantity")) if given else {}
