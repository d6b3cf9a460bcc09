"""Results side by side: each analysis a row, each time of sampling a column, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import OSLO, sort_key
from helsevev.observation.reading import Reading
from helsevev.observation.results import Series, results

_COLUMNS: Final = 8
_CATEGORIES: Final = frozenset({"laboratory", "imaging"})


class Row(Struct, frozen=True):
    """One analysis: its name, unit and range, and its reading of each column, if there is one."""

    group: str
    name: str
    unit: str
    cells: tuple[Reading | None, ...]


class Compared(Struct, frozen=True):
    """The table: `columns` are the times (FHIR dateTimes), `older` where the next ones begin."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    older: str


def compared(
    resources: Iterable[Mapping[str, Any]],
    before: datetime | None = None,
    *,
    abnormal_only: bool = False,
) -> Compared:
    """The newest columns of what laboratories have measured, or those before a time.

    Readings within one minute are of one column. With `abnormal_only`, rows without any abnormal
    value in them are left out.
    """
    found = [
        series for series in results(resources)
        if series.category in _CATEGORIES or _named(series)[1]
    ]  # fmt: skip
    times: dict[datetime, str] = {}
    for series in found:
        for read in series.readings:
            if read.at is not None and (before is None or read.at.at < before):
                times.setdefault(_minute(read.at.at), read.at.text)
    newest = sorted(times, reverse=True)
    columns = newest[:_COLUMNS]
    older = times[columns[-1]] if len(newest) > len(columns) else ""
    rows = [row for series in found if (row := _row(series, columns, abnormal_only)) is not None]
    rows.sort(key=lambda pair: pair[0])
    return Compared(tuple(times[c] for c in columns), tuple(row for _, row in rows), older)


def _row(
    series: Series, columns: list[datetime], abnormal_only: bool
) -> tuple[tuple[int, str], Row] | None:
    by_time: dict[datetime, Reading] = {}
    for read in sorted(series.readings, key=lambda r: sort_key(r.at), reverse=True):
        if read.at is not None:
            by_time.setdefault(_minute(read.at.at), read)
    cells = tuple(by_time.get(column) for column in columns)
    here = [cell for cell in cells if cell is not None]
    if not here or (abnormal_only and not any(cell.is_abnormal for cell in here)):
        return None
    place, group, name = _named(series)
    return (place, name), Row(group, name, series.unit, cells)


def _named(series: Series) -> tuple[int, str, str]:
    place = 0
    for group in loading.results().group:
        for result in group.result:
            if series.code in (*result.nlk, *result.loinc):
                return place, group.label, result.label
            place += 1
    return place, "", series.title


def _minute(at: datetime) -> datetime:
    return at.astimezone(OSLO).replace(second=0, microsecond=0)
