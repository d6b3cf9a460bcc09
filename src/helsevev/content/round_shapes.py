"""What the content of medicine rounds must contain: times of day, limits, reasons."""

from __future__ import annotations

from datetime import time

from .shapes import Document, Shape, unique


class DayTimes(Shape, frozen=True, kw_only=True):
    """The times of day of those units that are named (none: of all others)."""

    events: dict[str, time]
    daily: dict[str, tuple[time, ...]]
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table that says nothing of one dose a day, or another number than it names."""
        if "1" not in self.daily:
            raise ValueError("daily must say when one dose a day is given")
        for often, listed in self.daily.items():
            if len(listed) != int(often):
                raise ValueError(f"daily.{often} must name {often} times")


class TimingCode(Shape, frozen=True, kw_only=True):
    """What a code of http://hl7.org/fhir/R4/valueset-timing-abbreviation.html is short for."""

    code: str
    frequency: int = 1
    period: int = 1
    unit: str = "d"
    when: tuple[str, ...] = ()


class Tolerance(Shape, frozen=True, kw_only=True):
    """How far from its time a dose is on time, in minutes, for medicines (ATC) and spacing.

    It is refused when it is more than `early` before its time, or when less than `share` of the
    planned time has passed since the dose before it.
    """

    on_time: int
    critical: int
    weekly: int
    early: int
    weekly_early: int
    missed: int
    share: float
    critical_atc: tuple[str, ...]


class Reason(Shape, frozen=True, kw_only=True):
    """One reason that can be chosen. `code` is kept in the record."""

    code: str
    label: str


class Rounds(Document, frozen=True, kw_only=True):
    """All that professionals decide of a medicine round."""

    tolerance: Tolerance
    double_signature_atc: tuple[str, ...]
    follow_up_minutes: int
    acknowledge_hours: int
    said_time: dict[str, str]
    day: tuple[DayTimes, ...]
    code: tuple[TimingCode, ...]
    not_given: tuple[Reason, ...]
    not_scanned: tuple[Reason, ...]
    outside_plan: tuple[Reason, ...]
    stopped: tuple[Reason, ...]
    effect: tuple[Reason, ...]

    def __post_init__(self) -> None:
        """Refuse repeated codes, and content without times for units that are not named."""
        Document.__post_init__(self)
        chosen = (self.not_given, self.not_scanned, self.outside_plan, self.stopped, self.effect)
        for listed in chosen:
            unique("reason", (each.code for each in listed))
        if not any(not day.units for day in self.day):
            raise ValueError("day must have times for units that are not named")
