"""Rows of effective access as CSV or JSON."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final, Literal

import msgspec

Format = Literal["csv", "json"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "json")
MEDIA: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_FORMULA: Final = frozenset("=+-@\t\r")


def exported(rows: Sequence[dict[str, str]], form: Format) -> str:
    """The rows, with every column that one of them has."""
    if form == "json":
        return msgspec.json.encode(list(rows)).decode() + "\n"
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _plain(value: str) -> str:
    """A value that no spreadsheet works out as a formula."""
    return f"'{value}" if value[:1] in _FORMULA else value
