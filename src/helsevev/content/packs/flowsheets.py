"""Flowsheets as professionals write them: which parameters stand in the grid, and how often."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import ClassVar, Final

import msgspec

from helsevev.content.packs.item import Item
from helsevev.content.shapes import NormalRange, Shape, unique

KINDS: Final = ("vital", "number", "choice", "text", "sum", "news2")
CATEGORIES: Final = ("vital-signs", "exam", "therapy", "procedure", "activity", "survey")
_MINUTES_OF_A_DAY: Final = 1440


class Option(Shape, frozen=True, kw_only=True):
    """One answer of a choice: the key that is typed, what it says, its code and its points."""

    key: str
    label: str
    snomed: str = ""
    points: int | None = None


class Row(Shape, frozen=True, kw_only=True):
    """One parameter of the grid.

    `kind` is `vital` (`vital` names the sign of the content's vital signs, or `consciousness`),
    `number`, `choice`, `text`, `sum` (the points of the choices `of`), or `news2`. `carry` says
    that "as before" may repeat it: a setting or a finding, never a number that was read off.
    `balance` is `in` or `out` where it counts in the fluid balance. `read_only` is what others
    measure. Codes are LOINC or SNOMED CT; without one, the key is a code of our own.
    """

    key: str
    kind: str
    label: str = ""
    short: str = ""
    vital: str = ""
    loinc: str = ""
    snomed: str = ""
    display: str = ""
    unit: str = ""
    ucum: str = "1"
    decimals: int = 0
    lowest: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    refused: str = ""
    normal: tuple[NormalRange, ...] = ()
    option: tuple[Option, ...] = ()
    of: tuple[str, ...] = ()
    balance: str = ""
    carry: bool = False
    curve: bool = False
    category: str = "exam"

    def __post_init__(self) -> None:
        """Refuse a row that says too little to be measured, or that cannot be what it says."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.key}: kind must be one of {', '.join(KINDS)}")
        if "." in self.key or " " in self.key:
            raise ValueError(f"{self.key}: a key has neither point nor space")
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.key}: category must be one of {', '.join(CATEGORIES)}")
        if not self.label and self.kind not in ("vital", "news2"):
            raise ValueError(f"{self.key}: needs a label")
        if self.kind == "number" and (self.lowest >= self.highest or not self.refused):
            raise ValueError(f"{self.key}: needs lowest under highest, and what is refused")
        if self.kind == "choice" and not self.option:
            raise ValueError(f"{self.key}: needs options")
        if (self.kind == "vital") != bool(self.vital) or (self.kind == "sum") != bool(self.of):
            raise ValueError(f"{self.key}: vital is for a vital sign, of is for a sum")
        if self.balance not in ("", "in", "out") or (self.balance and self.ucum != "mL"):
            raise ValueError(f"{self.key}: balance is in or out, in mL")
        unique(f"{self.key}: option", (each.key.casefold() for each in self.option))


class Group(Shape, frozen=True, kw_only=True):
    """Parameters that stand together under a heading."""

    label: str
    row: tuple[Row, ...]


class SheetCase(Shape, frozen=True, kw_only=True):
    """One worked example: who it is, what is typed in one column, and what must become of it.

    `stored` is what stands in the grid afterwards by row, `refused` the rows that are refused,
    `judged` the rows that are high or low, `net` the balance in mL.
    """

    name: str
    months: int = 480
    sex: str = ""
    typed: dict[str, str] = msgspec.field(default_factory=dict)
    stored: dict[str, str] = msgspec.field(default_factory=dict)
    refused: tuple[str, ...] = ()
    judged: dict[str, str] = msgspec.field(default_factory=dict)
    net: Decimal | None = None


class Flowsheet(Item, frozen=True, kw_only=True):
    """A flowsheet: a column is due `every` so many minutes, or at `times`.

    `near` is how many minutes from a due time a value may be and still stand in its column,
    `day_starts` when the day of the fluid balance begins. It is meant for ages `from_months` up to
    (not including) `to_months`, and for one sex where `sex` says so (R4's codes).
    """

    folder: ClassVar[str] = "flowsheets"

    group: tuple[Group, ...]
    every: int = 240
    times: tuple[time, ...] = ()
    near: int = 5
    hours: int = 24
    day_starts: time = time(7)
    from_months: int = 0
    to_months: int | None = None
    sex: str = ""
    case: tuple[SheetCase, ...]

    def __post_init__(self) -> None:
        """Refuse rows that occur twice, sums of what is no choice, and a sheet without cases."""
        super().__post_init__()
        rows = self.rows
        unique("row", (each.key for each in rows))
        unique("code", (each.loinc or each.snomed for each in rows if each.loinc or each.snomed))
        choices = {each.key for each in rows if each.kind == "choice"}
        for each in rows:
            if not choices.issuperset(each.of):
                raise ValueError(f"{each.key}: is a sum of what is no choice here")
        if not 5 <= self.every <= _MINUTES_OF_A_DAY or not 0 <= self.near <= self.every // 2:
            raise ValueError("every is 5 to 1440 minutes, near at most half of it")
        if not self.case:
            raise ValueError("a flowsheet needs cases")
        keys = {each.key for each in rows}
        for example in self.case:
            named = {*example.typed, *example.stored, *example.refused, *example.judged}
            if unknown := named - keys:
                raise ValueError(f"{example.name}: no rows {', '.join(sorted(unknown))}")

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row, in order."""
        return tuple(row for group in self.group for row in group.row)

    def is_for(self, months: int | None, sex: str) -> bool:
        """Whether the sheet is meant for somebody of this age and sex; unknown shuts none out."""
        if months is not None and months < self.from_months:
            return False
        if months is not None and self.to_months is not None and months >= self.to_months:
            return False
        return not (self.sex and sex in ("male", "female") and sex != self.sex)
