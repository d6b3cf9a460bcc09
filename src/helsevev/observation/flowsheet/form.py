"""What a flowsheet's form says: columns with a time, and in each what was typed by row.

Fields: `d.N` and `t.N` date and time of column N, `v.N.row` a value, `b.N.row` the id of the value
that "as before" repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO
from helsevev.locale import gettext as _
from helsevev.observation.flowsheet.grid import Column, Grid
from helsevev.observation.flowsheet.sheet import Sheet
from helsevev.observation.flowsheet.taking import Typed

_CLOCK_SKEW: Final = timedelta(minutes=5)
_LONGEST: Final = 500
_CLOCK: Final = re.compile(r"(\d{1,2})[:.]?(\d{2})")
_MOST_COLUMNS: Final = 200


class Sent(Struct, frozen=True):
    """A column as it was sent: its number in the page, its time, or what is wrong with that."""

    number: int
    at: datetime | None
    cells: Mapping[str, str]
    before: Mapping[str, str]
    problem: Issue | None = None

    def typed(self) -> Typed:
        """The column for reading; one without a time is never read."""
        assert self.at is not None
        return Typed(self.at, self.cells, self.before)


def sent_columns(form: Mapping[str, Any], now: datetime) -> list[Sent]:
    """The columns in which something was typed, as they stand in the page."""
    cells: dict[int, dict[str, str]] = {}
    before: dict[int, dict[str, str]] = {}
    for name, value in form.items():
        kind, _sep, rest = str(name).partition(".")
        number, _sep, row = rest.partition(".")
        said = str(value).strip()[:_LONGEST]
        if kind in ("v", "b") and row and said and number.isdecimal() and len(number) < 5:
            (cells if kind == "v" else before).setdefault(int(number), {})[row] = said
    found = []
    for place in sorted(cells)[:_MOST_COLUMNS]:
        at, problem = _time(str(form.get(f"d.{place}", "")), str(form.get(f"t.{place}", "")), now)
        found.append(Sent(place, at, cells[place], before.get(place, {}), problem))
    return found


def _time(day: str, clock: str, now: datetime) -> tuple[datetime | None, Issue | None]:
    found = _CLOCK.fullmatch(clock.strip())
    try:
        if found is None:
            raise ValueError(clock)
        hour = time(int(found[1]), int(found[2]))
        at = datetime.combine(date.fromisoformat(day), hour, OSLO)
    except ValueError:
        return None, error("value", _("Write date and time."), "time")
    if at > now + _CLOCK_SKEW:
        words = _("%(time)s: the time has not come yet.") % {"time": f"{at:%H:%M}"}
        return None, error("value", words, "time")
    return at, None


def standing_at(grid: Grid, at: datetime) -> Column | None:
    """The column of the grid at a time."""
    return next((each for each in grid.columns if each.at == at), None)


def honest(sheet: Sheet, grid: Grid, sent: Sent) -> dict[str, str]:
    """What was repeated by "as before" and is as it was: row -> id of its source.

    A source has to be an earlier value of that row of this patient, which says the same, in a row
    that may be repeated at all.
    """
    by_id = {each.id: each for each in grid.cells}
    found = {}
    for key, source in sent.before.items():
        cell, parameter = by_id.get(source), sheet.by_key.get(key)
        if cell is None or parameter is None or not parameter.row.carry:
            continue
        same = cell.typed.casefold() == sent.cells.get(key, "").casefold()
        earlier = sent.at is not None and cell.at < sent.at
        if cell.parameter == key and same and earlier and not cell.is_unconfirmed:
            found[key] = source
    return found
