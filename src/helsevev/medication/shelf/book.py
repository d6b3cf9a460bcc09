"""What is on a unit's shelf: the sum of its book's lines, by product and batch. Pure.

Nothing here is written over: what was counted otherwise, taken back or moved is a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

import msgspec
from msgspec import Struct

from helsevev.access.stock import Balance, Booked, Check, Item, Line
from helsevev.content import loading
from helsevev.content.stock_shapes import Controlled, WayOut
from helsevev.fhir import units
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import codings, number, text
from helsevev.locale import gettext as _
from helsevev.medication.catalogue.product import Package, Product, SingleDose
from helsevev.medication.coding import ATC

IN: Final = frozenset({"delivered", "moved-in", "found"})
"""Kinds of lines that put something on the shelf; `corrected` goes either way."""
GIVEN: Final = "given"
TAKEN_BACK: Final = "taken-back"
BELOW: Final = "below-zero"
EXPIRED: Final = "expired"
_STRENGTH: Final = re.compile(r"\d+(?:[.,]\d+)?\s*(?:mikrog|mg|g|µg|mcg|mmol|IE|E|%)(?:/\w+)?")
_MOST: Final = Decimal(1_000_000)


class Kept(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that a unit keeps. `strength` is how much substance there is in one `unit` of it.

    Below `minimum` it is to be ordered, up to `fill_to`. `uses_round`: doses that are signed on the
    round are taken from it.
    """

    name: str
    unit: str
    atc: str = ""
    group: str = ""
    strength: Decimal | None = None
    strength_unit: str = ""
    minimum: Decimal = Decimal(0)
    fill_to: Decimal = Decimal(0)
    package: Decimal | None = None
    uses_round: bool = True

    @property
    def control(self) -> Controlled | None:
        """The rules it is accounted for by; None when it is not controlled."""
        for each in loading.stock_rules().controlled:
            if self.group == each.group or (each.atc and self.atc.startswith(each.atc)):
                return each
        return None


class Row(Struct, frozen=True):
    """One thing on the shelf: how much by batch, in all, and what has to be told about it."""

    product: str
    kept: Kept
    batches: tuple[Balance, ...]
    today: date

    @property
    def amount(self) -> Decimal:
        """How much there is in all, also of what has expired."""
        return sum((each.amount for each in self.batches), Decimal(0))

    @property
    def usable(self) -> Decimal:
        """How much there is that has not expired."""
        return sum((b.amount for b in self.batches if not is_expired(b, self.today)), Decimal(0))

    @property
    def expired(self) -> tuple[Balance, ...]:
        """Batches that are still there after their day."""
        return tuple(b for b in self.batches if b.amount > 0 and is_expired(b, self.today))

    @property
    def expiring(self) -> tuple[Balance, ...]:
        """Batches whose day comes soon."""
        soon = self.today + timedelta(days=loading.stock_rules().expiring_days)
        return tuple(
            b for b in self.batches
            if b.amount > 0 and b.expires is not None and self.today <= b.expires <= soon
        )  # fmt: skip

    @property
    def below_zero(self) -> tuple[Balance, ...]:
        """Batches of which more was taken than the book says there was."""
        return tuple(each for each in self.batches if each.amount < 0)

    @property
    def is_low(self) -> bool:
        """Whether there is less than the unit wants to have."""
        return self.usable < self.kept.minimum


def kept_of(item: Item) -> Kept:
    """The settings of something that a unit keeps."""
    return msgspec.json.decode(item.body, type=Kept)


def as_body(kept: Kept) -> str:
    """Settings as they are stored."""
    return msgspec.json.encode(kept).decode()


def kept_from(product: Product, held: Package | SingleDose | None = None) -> Kept:
    """What a product of the catalogue is kept as, in its own unit: tablets, millilitres."""
    only = product.ingredients[0] if len(product.ingredients) == 1 else None
    per = only.per if only is not None else None
    unit = product.units[0].display if product.units else (per.unit if per else "stk")
    strength = _decimal(only.strength.value) if only is not None and only.strength else None
    size = _decimal(held.size) if isinstance(held, Package) else None
    return Kept(
        name=product.name,
        unit=unit,
        atc=product.atc,
        group=product.group.code if product.group else "",
        strength=strength if per is None or (per.value == "1" and per.unit == unit) else None,
        strength_unit=only.strength.unit if only is not None and only.strength else "",
        package=size if size and size > 0 else None,
    )


def shelf(items: Iterable[Item], balances: Iterable[Balance], today: date) -> list[Row]:
    """Everything that a unit keeps, by name."""
    held: dict[str, list[Balance]] = {}
    for each in balances:
        if each.amount:
            held.setdefault(each.product, []).append(each)
    rows = [
        Row(item.product, kept_of(item), tuple(held.get(item.product, ())), today)
        for item in items
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.kept.name.casefold())


def replayed(lines: Iterable[Booked]) -> dict[tuple[str, str, date | None], Decimal]:
    """How much there is of each batch by reading all lines, in whatever order they come."""
    found: dict[tuple[str, str, date | None], Decimal] = {}
    for line in lines:
        if line.amount is not None:
            key = line.product, line.batch, line.expires
            found[key] = found.get(key, Decimal(0)) + line.amount
    return {key: amount for key, amount in found.items() if amount}


def is_expired(batch: Balance, today: date) -> bool:
    """Whether the batch's day has passed: it may be used on the day itself."""
    return batch.expires is not None and batch.expires < today


def first_out(
    batches: Sequence[Balance], amount: Decimal, today: date
) -> list[tuple[str, date | None, Decimal]]:
    """Which batches an amount is taken from: what expires first goes first, nothing expired.

    What the book has too little of is taken from the last batch, which goes below zero and is told.
    """
    usable = [b for b in batches if b.amount > 0 and not is_expired(b, today)]
    usable.sort(key=lambda b: (b.expires or date.max, b.batch))
    taken: list[tuple[str, date | None, Decimal]] = []
    left = amount
    for each in usable:
        part = min(each.amount, left)
        if part > 0:
            taken.append((each.batch, each.expires, part))
            left -= part
    if left > 0:
        batch, expires, part = taken.pop() if taken else ("", None, Decimal(0))
        taken.append((batch, expires, part + left))
    return taken


def allowed(lines: Sequence[Line], today: date, unit: str, *, even_so: bool) -> Check:
    """What stands in the way of taking these out: more than there is, or what has expired.

    `even_so`: the one who takes has been told, and says why in the lines.
    """

    def check(balances: Sequence[Balance]) -> list[Issue]:
        there = {(b.product, b.batch, b.expires): b.amount for b in balances}
        issues: list[Issue] = []
        for line in lines:
            left = there.get((line.product, line.batch, line.expires), Decimal(0))
            if line.amount < 0 and left < 0:
                said = _("The book says that there are only %(amount)s %(unit)s of this.")
                had = plain(left - line.amount)
                issues.append(error(BELOW, said % {"amount": had, "unit": unit}, "amount"))
            gives = line.kind == "dispensed" and line.expires is not None
            if gives and line.expires is not None and line.expires < today:
                said = _("It expired on %(day)s.")
                day = f"{line.expires:%d.%m.%Y}"
                issues.append(error(EXPIRED, said % {"day": day}, "batch"))
        if not even_so:
            return issues
        unsaid = issues and any(len(line.reason.strip()) < 3 for line in lines)
        return (
            [error("required", _("Say why it is taken all the same."), "reason")] if unsaid else []
        )

    return check


def way_out(code: str) -> WayOut | None:
    """A way in which something leaves the shelf."""
    return next((each for each in loading.stock_rules().out if each.code == code), None)


def in_unit_of(kept: Kept, dose: Mapping[str, Any]) -> Decimal | None:
    """A dose (Quantity) in the stock's own unit; None when that cannot be told."""
    value = number(dose.get("value"))
    if value is None:
        return None
    named = text(dose.get("unit")).casefold() or text(dose.get("code")).strip("{}").casefold()
    if named and (named == kept.unit.casefold() or _stem(named) == _stem(kept.unit.casefold())):
        return value
    if not kept.strength:
        return None
    source, target = (
        units.scale(_UCUM.get(each, each))
        for each in (text(dose.get("code")) or named, kept.strength_unit)
    )
    if source is None or target is None or not source.dimensions:
        return None
    if source.dimensions != target.dimensions:
        return None
    exact = units.convert(Fraction(value), source, target) / Fraction(kept.strength)
    found = Decimal(exact.numerator) / Decimal(exact.denominator)
    return found.quantize(Decimal("0.001")).normalize() + 0


def fits(order: Mapping[str, Any], name: str, product: str, kept: Kept) -> bool:
    """Whether what is ordered (and called `name`) is what is kept: the product, or one like it.

    Like it is the same substance in the same strength, as the names say it.
    """
    said = codings(order.get("medicationCodeableConcept"))
    if any(code == product for _system, code in said):
        return True
    if not kept.atc or (ATC, kept.atc) not in said:
        return False
    strengths = _strengths(kept.name)
    return bool(strengths) and strengths == _strengths(name)


def with_balance(before: Decimal, lines: Iterable[Booked]) -> list[tuple[Booked, Decimal]]:
    """Each line of a book with how much there was after it."""
    found, now = [], before
    for line in lines:
        now += line.amount or 0
        found.append((line, now))
    return found


def amount_typed(said: str) -> Decimal | None:
    """An amount as people type it, above zero; None for anything else."""
    found = _decimal(said.strip().replace(" ", "").replace(",", "."))
    return found if found is not None and 0 < found <= _MOST else None


def plain(amount: Decimal) -> str:
    """An amount without needless zeros, with a comma."""
    return f"{amount.normalize() + 0:f}".replace(".", ",")


def day_typed(said: str) -> date | None:
    """A day as a date field or a package says it: a day, or a month, which lasts to its end."""
    said = said.strip()
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%y%m%d"):
        try:
            return datetime.strptime(said, pattern).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    for pattern in ("%Y-%m", "%m.%Y", "%m/%Y", "%m-%Y"):
        try:
            first = datetime.strptime(said, pattern).date()  # noqa: DTZ007
        except ValueError:
            continue
        following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        return following - timedelta(days=1)
    return None


_UCUM: Final[Mapping[str, str]] = {
    "mikrog": "ug", "µg": "ug", "mcg": "ug", "ie": "[iU]", "e": "[iU]", "ml": "mL", "IE": "[iU]",
    "E": "[iU]",
}  # fmt: skip


def _stem(unit: str) -> str:
    return re.sub(r"(er|r)$", "", unit)


def _strengths(name: str) -> frozenset[str]:
    found = _STRENGTH.findall(name)
    return frozenset(re.sub(r"\s", "", each).replace(",", ".").casefold() for each in found)


def _decimal(said: str) -> Decimal | None:
    try:
        found = Decimal(said.replace(",", "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
