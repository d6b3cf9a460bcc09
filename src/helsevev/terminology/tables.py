"""Reads tables of codes: delimited text of any dialect, and the directorate's lists as JSON.

Columns are known by their letters and digits alone, small and ASCII: `Gyldig_til`, `gyldig til`
and `gyldigTil` are the same column `gyldigtil`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from .opening import File
from .shapes import BadDistribution

CODE: Final = ("code", "kode", "icpc2code", "amfcode", "loincnum", "codevalue")
DISPLAY: Final = (
    "tekstutenlengdebegrensning", "display", "text", "tekst", "norskbruksnavn", "title", "term",
    "kodetekst", "betegnelse", "navn", "name", "decriptionno",
)  # fmt: skip
PARENT: Final = ("foreldrekode", "parentcode", "parent", "overordnet")
END: Final = ("gyldigtil", "validto", "tildato")

_DELIMITERS: Final = ("\t", ";", "#", "|", ",")
_COLUMNS: Final = "--Columns:"
_LARGEST_FIELD: Final = 10_000_000

Row = Mapping[str, str]


def column(name: str) -> str:
    """A column's name as it is looked for."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def pick(row: Row, names: tuple[str, ...]) -> str:
    """The first of the columns that has anything, "" when none has."""
    return next((row[name].strip() for name in names if row.get(name, "").strip()), "")


def rows(file: File) -> Iterator[Row]:
    """The rows of a table, by column. Raises `BadDistribution` for what is none."""
    if file.name.endswith(".json"):
        yield from _of_json(file)
    else:
        yield from _delimited(file)


def document(file: File) -> Any:
    """A whole JSON file. Raises `BadDistribution`."""
    try:
        with file.text() as text:
            return json.load(text)
    except ValueError as problem:
        raise BadDistribution(f"{file.name} is not JSON: {problem}") from problem


def _of_json(file: File) -> Iterator[Row]:
    read = document(file)
    listed = read.get("concepts", read.get("codes")) if isinstance(read, dict) else read
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise BadDistribution(f"{file.name} holds no list of codes.")
    for each in listed:
        yield {column(k): str(v) for k, v in each.items() if v is not None}


def _delimited(file: File) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST_FIELD)
    with file.text() as text:
        heading: list[str] | None = None
        lines = (line for line in text if line.strip())
        first = next(lines, "")
        while first.startswith("--"):
            if first.startswith(_COLUMNS):
                heading = first.removeprefix(_COLUMNS).strip().split(",")
            first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        if not first.count(delimiter):
            raise BadDistribution(f"{file.name} is no table: its first line has one column.")
        # In tab-separated files a quotation mark is a character like any other.
        every = _all(first, lines)
        if delimiter == "\t":
            found = csv.reader(every, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        else:
            found = csv.reader(every, delimiter=delimiter)
        if heading is None:
            heading = next(found)
        names = [column(name) for name in heading]
        for cells in found:
            yield dict(zip(names, cells, strict=False))


def _all(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def is_over(end: str) -> bool:
    """Whether a date ("" is none) lies in the past: the code is no longer in use."""
    try:
        last = date.fromisoformat(end[:10])
    except ValueError:
        return False
    return last < datetime.now(UTC).date()


def codes(file: File) -> Iterator[tuple[str, str, Row]]:
    """(code, name, row) of each row that has a code. Raises `BadDistribution` when none has."""
    found = False
    for row in rows(file):
        code = pick(row, CODE)
        if code:
            found = True
            yield code, pick(row, DISPLAY), row
    if not found:
        known = ", ".join(CODE[:2])
        raise BadDistribution(f"{file.name} has no column of codes (looked for {known} and alike).")
