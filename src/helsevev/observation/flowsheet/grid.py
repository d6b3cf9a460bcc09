"""The grid: stored values and due times as columns, the newest to the right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.fhir.reading import OSLO
from helsevev.observation.flowsheet.cells import Cell, cell_of
from helsevev.observation.flowsheet.sheet import Sheet

LATE_HOURS: Final = 14
"""For how long a due time that nobody has measured at stands open: a shift and its hand-over."""


class Window(Struct, frozen=True):
    """The times that the grid shows; `is_now` when the present is at its end."""

    start: datetime
    end: datetime
    is_now: bool


class Column(Struct, frozen=True):
    """One time. `is_open` for due times and now, where nothing has been measured."""

    at: datetime
    cells: Mapping[str, Cell]
    is_open: bool = False
    is_now: bool = False

    @property
    def local(self) -> datetime:
        """When, by the clock on the wall."""
        return self.at.astimezone(OSLO)

    @property
    def unconfirmed(self) -> tuple[Cell, ...]:
        """What devices measured that nobody has confirmed."""
        return tuple(each for each in self.cells.values() if each.is_unconfirmed)


class Grid(Struct, frozen=True):
    """The columns, what stood in each row before them, and how many values found no place."""

    window: Window
    columns: tuple[Column, ...]
    before: Mapping[str, Cell]
    cells: tuple[Cell, ...]
    hidden: int = 0

    def last(self, key: str, until: datetime) -> Cell | None:
        """The newest confirmed value of a row before a time."""
        for column in reversed(self.columns):
            found = column.cells.get(key) if column.at < until else None
            if found is not None and not found.is_unconfirmed:
                return found
        return self.before.get(key)


def window_of(content: Flowsheet, now: datetime, day: datetime | None) -> Window:
    """The hours up to now, or those of the sheet's day that begins on `day`."""
    if day is None:
        return Window(now - timedelta(hours=content.hours), now, True)
    start = datetime.combine(day.date(), content.day_starts, OSLO)
    return Window(start, start + timedelta(hours=24), False)


def due_times(content: Flowsheet, window: Window) -> list[datetime]:
    """The times in the window at which the sheet wants a column."""
    day = window.start.astimezone(OSLO).date()
    last = window.end.astimezone(OSLO).date()
    found = []
    while day <= last:
        if content.times:
            found += [datetime.combine(day, each, OSLO) for each in content.times]
        else:
            first = datetime.combine(day, content.day_starts, OSLO) - timedelta(days=1)
            steps = range(0, 48 * 60, content.every)
            every = (first + timedelta(minutes=step) for step in steps)
            found += [at for at in every if at.date() == day]
        day += timedelta(days=1)
    return sorted({at for at in found if window.start <= at <= window.end})


def grid(
    sheet: Sheet,
    observations: Iterable[Mapping[str, Any]],
    window: Window,
    now: datetime,
    *,
    late: bool = False,
) -> Grid:
    """The grid of what was observed; `late` opens every due time of the window, however old."""
    cells = [c for each in observations if (c := cell_of(sheet, each)) is not None]
    cells.sort(key=lambda each: (each.at, each.stored))
    inside = [each for each in cells if window.start <= each.at <= window.end]
    due = due_times(sheet.content, window)
    placed, hidden = _placed(sheet.content, inside, due, now if window.is_now else None)
    columns = {at: Column(at, found) for at, found in placed.items()}
    opened_from = window.start if late else now - timedelta(hours=LATE_HOURS)
    reach = timedelta(minutes=sheet.content.every) / 2
    measured = [at for at, found in placed.items() if found]
    for at in due:
        is_met = any(abs(at - each) < reach for each in measured)
        if opened_from <= at <= now and not is_met:
            columns[at] = Column(at, {}, is_open=True)
    if window.is_now:
        minute = now.replace(second=0, microsecond=0)
        standing = columns.get(minute)
        columns[minute] = Column(minute, standing.cells if standing else {}, True, True)
    before = {each.parameter: each for each in cells if each.at < window.start
              and not each.is_unconfirmed}  # fmt: skip
    ordered = tuple(columns[at] for at in sorted(columns))
    return Grid(window, ordered, before, tuple(cells), hidden)


def _placed(
    content: Flowsheet, cells: Sequence[Cell], due: Sequence[datetime], now: datetime | None
) -> tuple[dict[datetime, dict[str, Cell]], int]:
    """Each value in its column: a due time nearby, now, or the minute it was measured.

    What devices send between the due times is not shown, but for what stands alone: a monitor
    that measures every minute would fill the page.
    """
    near = timedelta(minutes=content.near)
    anchors = [*due, *([now.replace(second=0, microsecond=0)] if now is not None else [])]
    found: dict[datetime, dict[str, Cell]] = {}
    waiting = []
    for cell in cells:
        anchor = min(anchors, key=lambda at: abs(at - cell.at), default=None)
        is_near = anchor is not None and abs(anchor - cell.at) <= near
        if now is not None and anchor == anchors[-1] and not cell.is_unconfirmed:
            # What was signed a minute ago has its own column: the next begins empty.
            is_near = is_near and anchor in due
        if anchor is not None and is_near:
            _keep(found.setdefault(anchor, {}), cell, anchor)
        elif cell.is_unconfirmed:
            waiting.append(cell)
        else:
            minute = cell.at.replace(second=0, microsecond=0)
            _keep(found.setdefault(minute, {}), cell, minute)
    hidden = 0
    reach = timedelta(minutes=content.every) / 2
    for cell in reversed(waiting):
        there = (at for at, row in found.items() if cell.parameter in row)
        if any(abs(at - cell.at) <= reach for at in there):
            hidden += 1
        else:
            minute = cell.at.replace(second=0, microsecond=0)
            _keep(found.setdefault(minute, {}), cell, minute)
    return found, hidden


def _keep(column: dict[str, Cell], cell: Cell, at: datetime) -> None:
    """Of two values for one place, what a person stands for, then the nearer, then the later."""
    standing = column.get(cell.parameter)
    if standing is None or _rank(standing, at) <= _rank(cell, at):
        column[cell.parameter] = cell


def _rank(cell: Cell, at: datetime) -> tuple[bool, timedelta, str]:
    apart = abs(cell.at - at) if cell.is_unconfirmed else timedelta()
    return not cell.is_unconfirmed, -apart, cell.stored


def with_columns(laid: Grid, times: Iterable[datetime]) -> Grid:
    """The grid with an open column at each of some times."""
    columns = {each.at: each for each in laid.columns}
    for at in times:
        columns.setdefault(at, Column(at, {}, is_open=True))
    return replace(laid, columns=tuple(columns[at] for at in sorted(columns)))
