"""Figures as the page of a unit shows them: by week, drawn over time, small numbers left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec import Struct

from helsevev.access.medicine_figures import Week
from helsevev.content.indicator_shapes import Indicator, Indicators
from helsevev.locale import gettext as _
from helsevev.medication.figures import right_time
from helsevev.medication.figures.counting import PARTS, Counts, Share, share_of

_TENTH: Final = Decimal("0.1")


class Point(Struct, frozen=True):
    """One week in a curve."""

    time: date
    value: Decimal
    source: str
    href: str


class Line(Struct, frozen=True):
    """One week of a figure: as it was closed, or as far as it has come.

    `why` says why there is no share. `later` is what it would be now, when that is another figure.
    """

    week: date
    href: str
    share: Share | None
    counts: Counts
    is_closed: bool
    as_of: datetime | None
    definition: str
    why: str = ""
    later: Share | None = None
    later_counts: Counts | None = None

    @property
    def name(self) -> str:
        """The ISO week, such as 2026-W46."""
        year, week, _day = self.week.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def number(self) -> int:
        """The number of the week."""
        return self.week.isocalendar().week

    @property
    def tells(self) -> bool:
        """Whether numerator and denominator may be shown."""
        return self.share is not None


class Figure(Struct, frozen=True):
    """One figure of a unit: its definition and its weeks, the newest first."""

    indicator: Indicator
    lines: tuple[Line, ...]
    points: tuple[Point, ...]
    parts: tuple[str, ...]

    @property
    def newest(self) -> Line | None:
        """The newest week that has a share, closed before one that is not."""
        told = [line for line in self.lines if line.share is not None]
        return next((line for line in told if line.is_closed), told[0] if told else None)

    @property
    def unit(self) -> str:
        """What the value is counted in."""
        return "%" if self.indicator.measure == "share" else "‰"


def part_name(part: str) -> str:
    """What a part of a figure is called."""
    return {
        right_time.ON_TIME: _("On time"), right_time.EARLY: _("Too early"),
        right_time.LATE: _("Too late"), right_time.NOT_GIVEN: _("Not given, with a reason"),
        right_time.UNANSWERED: _("Never signed"), right_time.ABSENT: _("Left out: away"),
        right_time.OPEN: _("Not decided yet"),
        "stops": _("Wrong medicine or dose"), "acted-on": _("Acted on"),
        "other-stops": _("Other stops"), "administrations": _("Doses that were given"),
        "discrepancies": _("Discrepancies"), "medicines": _("Medicines compared"),
    }[part]  # fmt: skip


def figures_of(
    weeks: Sequence[Week], unit: str, content: Indicators, scanned: Collection[date]
) -> tuple[Figure, ...]:
    """The figures of one unit; `scanned` are the weeks in which it scanned anything."""
    now = {(w.figure, w.week): w for w in weeks if w.unit == unit and w.as_of is None}
    closed = {(w.figure, w.week): w for w in weeks if w.unit == unit and w.as_of is not None}
    found = []
    for indicator in content.indicator:
        days = {week for figure, week in now | closed if figure == indicator.id}
        lines = [
            _line(indicator, unit, week, now.get((indicator.id, week)),
                  closed.get((indicator.id, week)), content, scanned)
            for week in sorted(days, reverse=True)
        ]  # fmt: skip
        points = [
            Point(line.week, rounded(line.share.value), _fraction(line.counts), line.href)
            for line in reversed(lines) if line.share is not None
        ]  # fmt: skip
        found.append(Figure(indicator, tuple(lines), tuple(points), PARTS[indicator.id]))
    return tuple(found)


def rounded(value: float) -> Decimal:
    """A share with one decimal."""
    return Decimal(value).quantize(_TENTH)


def rows_of(figures: Sequence[Figure], name: str) -> list[dict[str, str]]:
    """The figures as rows of a table, for a file; what is not shown on the page is not in it."""
    return [_row(figure, line, name) for figure in figures for line in figure.lines]


def _line(
    indicator: Indicator, unit: str, week: date, now: Week | None, closed: Week | None,
    content: Indicators, scanned: Collection[date],
) -> Line:  # fmt: skip
    stood = closed or now
    assert stood is not None
    counts, current = _counts(stood), _counts(now) if now else Counts(indicator.id, {})
    why = _why_not(indicator, counts, week, content, scanned)
    share = None if why else share_of(counts, indicator, content.fewest)
    is_other = closed is not None and counts.parts != current.parts
    return Line(
        week, f"/figures/{unit.partition('/')[2]}/{week}", share, counts, closed is not None,
        stood.as_of, stood.definition or indicator.version, why,
        share_of(current, indicator, content.fewest) if is_other and not why else None,
        current if is_other and not why else None,
    )  # fmt: skip


def _why_not(
    indicator: Indicator, counts: Counts, week: date, content: Indicators,
    scanned: Collection[date],
) -> str:  # fmt: skip
    was_stopped = counts.numerator or counts.parts.get("other-stops")
    if indicator.id == "M2" and week not in scanned and not was_stopped:
        return _("Cannot be worked out: nothing was scanned")
    if counts.denominator == 0:
        return _("Cannot be worked out: there was nothing to count")
    if counts.denominator < content.fewest:
        return _("Not shown: fewer than %(count)s") % {"count": content.fewest}
    return ""


def _counts(week: Week) -> Counts:
    return Counts(week.figure, dict(zip(PARTS[week.figure], week.counts, strict=False)))


def _fraction(counts: Counts) -> str:
    return _("%(number)s of %(whole)s") % {
        "number": counts.numerator, "whole": counts.denominator
    }  # fmt: skip


def _row(figure: Figure, line: Line, name: str) -> dict[str, str]:
    row = {
        "unit": name, "week": line.name, "monday": line.week.isoformat(),
        "figure": figure.indicator.id, "definition": line.definition,
        "closed": line.as_of.isoformat(timespec="seconds") if line.as_of else "",
        "numerator": "", "denominator": "", "value": "", "low": "", "high": "",
        "per": "100" if figure.indicator.measure == "share" else "1000", "why_not": line.why,
        "numerator_now": "", "denominator_now": "",
    }  # fmt: skip
    if line.share is not None:
        row |= _fields(line.counts, "") | {
            "value": str(rounded(line.share.value)), "low": str(rounded(line.share.low)),
            "high": str(rounded(line.share.high)),
        }  # fmt: skip
    if line.later is not None and line.later_counts is not None:
        row |= _fields(line.later_counts, "_now")
    return row


def _fields(counts: Counts, ending: str) -> dict[str, str]:
    return {
        f"numerator{ending}": str(counts.numerator), f"denominator{ending}": str(counts.denominator)
    }  # fmt: skip


def monday_of(text: str) -> date | None:
    """The Monday that a text says; None when it says no Monday."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day == day - timedelta(days=day.weekday()) else None
