"""Shapes of the content that helps with doses: by weight, by kidney function, and drops in a ml."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from .shapes import Document, Shape, unique


class Drops(Shape, frozen=True, kw_only=True):
    """How many drops of a product make one millilitre.

    `trade` and `strength` are words of the product's name.
    """

    atc: str
    trade: str
    per_ml: Decimal
    source: str
    strength: str = ""

    def __post_init__(self) -> None:
        """Refuse no drops."""
        if self.per_ml <= 0:
            raise ValueError(f"{self.trade}: how many drops in a millilitre?")


class DoseAdvice(Shape, frozen=True, kw_only=True):
    """A usual dose: so much each time (`amount`, or `per_kg` for each kilogram), `often` a day.

    `hours` between doses stand in for `often`. At most `most` each time. Neither amount: `text`
    says what to do instead.
    """

    unit: Literal["mg", "IU"] = "mg"
    amount: Decimal | None = None
    per_kg: Decimal | None = None
    often: int = 1
    hours: int = 0
    most: Decimal | None = None
    text: str = ""

    def __post_init__(self) -> None:
        """Refuse advice that says nothing, or two things."""
        if self.amount is not None and self.per_kg is not None:
            raise ValueError("an amount, or one for each kilogram: not both")
        if self.amount is None and self.per_kg is None and not self.text:
            raise ValueError("advice needs an amount or a text")


class ByWeight(Shape, frozen=True, kw_only=True):
    """A dose for each kilogram, from an age and up to (not including) another, in months."""

    id: str
    atc: tuple[str, ...]
    title: str
    dose: DoseAdvice
    source: str
    from_months: int = 0
    to_months: int | None = None

    def is_for(self, codes: Sequence[str], months: int) -> bool:
        """Whether it is for one of these medicines at this age."""
        old_enough = self.from_months <= months
        return (
            old_enough
            and (self.to_months is None or months < self.to_months)
            and any(code.startswith(self.atc) for code in codes)
        )


class KidneyBand(DoseAdvice, frozen=True, kw_only=True):
    """A dose below a kidney function (ml/min); without `below`, above all other bands."""

    below: Decimal | None = None


class ByKidney(Shape, frozen=True, kw_only=True):
    """Doses by kidney function, as eGFR or as clearance by Cockcroft and Gault; of adults."""

    id: str
    atc: tuple[str, ...]
    title: str
    by: Literal["egfr", "cockcroft-gault"]
    band: tuple[KidneyBand, ...]
    source: str

    def __post_init__(self) -> None:
        """Refuse bands that do not rise, and a last one that has an end."""
        limits = [each.below for each in self.band]
        said = [each for each in limits[:-1] if each is not None]
        if not limits or limits[-1] is not None or len(said) != len(limits) - 1:
            raise ValueError(f"{self.id}: only the last band is without a limit")
        if said != sorted(set(said)):
            raise ValueError(f"{self.id}: the bands do not rise")

    def of(self, function: Decimal) -> KidneyBand:
        """The band of a kidney function."""
        return next(
            band for band in self.band if band.below is None or function < band.below
        )  # fmt: skip


class LiquidStep(Shape, frozen=True, kw_only=True):
    """How finely a volume can be given, up to so many millilitres."""

    to_ml: Decimal
    step: Decimal


class DoseHelp(Document, frozen=True, kw_only=True):
    """Doses by weight and kidney function, what products can give, and drops in a millilitre.

    `largest_rounding` is the share by which what can be given may differ from what was reckoned.
    """

    largest_rounding: Decimal
    liquid: tuple[LiquidStep, ...]
    by_weight: tuple[ByWeight, ...]
    by_kidney: tuple[ByKidney, ...]
    drops: tuple[Drops, ...]

    def __post_init__(self) -> None:
        """Refuse one id for two."""
        super().__post_init__()
        unique("by_weight", (each.id for each in self.by_weight))
        unique("by_kidney", (each.id for each in self.by_kidney))
