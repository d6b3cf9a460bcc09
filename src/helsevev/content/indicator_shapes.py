"""What the content of the medication chapter's indicators must say."""

from __future__ import annotations

from datetime import date
from typing import Literal

from .shapes import Document, Shape, unique


class OnTime(Shape, frozen=True, kw_only=True):
    """How far from its time a dose is on time, in minutes, for doses due from a day on.

    `weekly` is for doses at least seven days apart, `critical` for medicines by ATC code. Absence
    counts when it was said `said_within` minutes after the dose was due, by a reason in `absent`.
    """

    since: date
    on_time: int
    critical: int
    weekly: int
    critical_atc: tuple[str, ...]
    said_within: int
    absent: tuple[str, ...]


class Indicator(Shape, frozen=True, kw_only=True):
    """One indicator: what it counts of what, and what is left out."""

    id: Literal["M1", "M2", "M3"]
    title: str
    version: str
    measure: Literal["share", "per-thousand"]
    definition: str
    numerator: str
    denominator: str
    exclusions: tuple[str, ...]
    source: str


class OnTimeCase(Shape, frozen=True, kw_only=True):
    """What becomes of a dose given so many `minutes` after its time (None: it was not).

    `reason` is why not, said `said_after` minutes after its time; it is judged at `asked_after`.
    """

    says: str
    kind: Literal["usual", "critical", "weekly"]
    expects: str
    minutes: int | None = None
    reason: str = ""
    said_after: int = 0
    asked_after: int = 10_000


class Indicators(Document, frozen=True, kw_only=True):
    """The indicators, from when which tolerance holds, and cases of it.

    Of fewer than `fewest` no share is told. A week is closed `closes_after_days` after its end.
    """

    fewest: int
    closes_after_days: int
    weeks_shown: int
    giving_services: tuple[str, ...]
    tolerance: tuple[OnTime, ...]
    indicator: tuple[Indicator, ...]
    case: tuple[OnTimeCase, ...]

    def __post_init__(self) -> None:
        """Refuse repeated indicators, and tolerances that are not in the order of their days."""
        super().__post_init__()
        unique("indicator", (each.id for each in self.indicator))
        days = [each.since for each in self.tolerance]
        if not days or days != sorted(set(days)):
            raise ValueError("tolerance must be in the order of its days, each once")

    def of(self, figure: str) -> Indicator:
        """The indicator with an id. StopIteration when there is none."""
        return next(each for each in self.indicator if each.id == figure)

    def tolerance_on(self, day: date) -> OnTime:
        """The tolerance for doses due on a day; the first one for what was before it."""
        held = [each for each in self.tolerance if each.since <= day]
        return held[-1] if held else self.tolerance[0]
