"""Fluid balance: what came in and went out, by the day that the sheet counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.fhir.reading import OSLO
from helsevev.observation.flowsheet.cells import Cell
from helsevev.observation.flowsheet.sheet import Sheet


class Total(Struct, frozen=True):
    """One row's sum in mL, and how many values it is the sum of."""

    key: str
    label: str
    sum: Decimal
    count: int


class Balance(Struct, frozen=True):
    """In and out from `start` to `end`, in mL; `is_whole` when the time has passed."""

    start: datetime
    end: datetime
    is_whole: bool
    into: tuple[Total, ...]
    out: tuple[Total, ...]

    @property
    def sum_in(self) -> Decimal:
        """All that came in."""
        return sum((each.sum for each in self.into), Decimal(0))

    @property
    def sum_out(self) -> Decimal:
        """All that went out."""
        return sum((each.sum for each in self.out), Decimal(0))

    @property
    def net(self) -> Decimal:
        """In less out."""
        return self.sum_in - self.sum_out

    @property
    def count(self) -> int:
        """How many values it rests on."""
        return sum(each.count for each in (*self.into, *self.out))


def has_balance(sheet: Sheet) -> bool:
    """Whether the sheet counts fluids at all."""
    return any(each.row.balance for each in sheet.parameters)


def fluid_day(content: Flowsheet, at: datetime) -> tuple[datetime, datetime]:
    """The sheet's day that a time is in: from its start to the next one, by the wall's clock."""
    local = at.astimezone(OSLO)
    day = local.date() if local.time() >= content.day_starts else local.date() - timedelta(days=1)
    start = datetime.combine(day, content.day_starts, OSLO)
    return start, datetime.combine(day + timedelta(days=1), content.day_starts, OSLO)


def balance(
    sheet: Sheet,
    cells: Iterable[Cell],
    start: datetime,
    end: datetime,
    now: datetime,
    typed: Mapping[str, Sequence[Decimal]] | None = None,
) -> Balance:
    """The balance of `start` up to (not including) `end`; what nobody has confirmed is left out.

    `typed` is what is about to be signed, by row.
    """
    counted: dict[str, list[Decimal]] = {key: list(found) for key, found in (typed or {}).items()}
    for cell in cells:
        if start <= cell.at < end and not cell.is_unconfirmed:
            counted.setdefault(cell.parameter, []).extend(cell.numbers.values())
    totals = {
        side: tuple(
            Total(each.key, each.label, sum(counted[each.key], Decimal(0)), len(counted[each.key]))
            for each in sheet.parameters
            if each.row.balance == side and counted.get(each.key)
        )
        for side in ("in", "out")
    }
    return Balance(start, end, now >= end, totals["in"], totals["out"])
