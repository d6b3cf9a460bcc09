"""Sorting by what only the resources themselves tell: codes, references and URLs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, Final

from helsevev.fhir.extraction import DATE, NUMBER, QUANTITY, STRING, extract
from helsevev.fhir.search_query import Sort, normalize
from helsevev.record.composites import kept_as
from helsevev.record.search_order import cursor_of, read_cursor
from helsevev.record.store import Stored

_Keys = tuple[str, ...]
_MIDDLE: Final = 1_000_000
"""Larger than the exponent of any number that is searched."""
_COMPLEMENT: Final = str.maketrans("0123456789", "9876543210")


def sorted_page(
    found: Sequence[Stored],
    sort: Sequence[Sort],
    count: int,
    cursor: str | None,
    values: Callable[[dict[str, Any]], Sequence[tuple[Any, ...]]] = extract,
    kind: str | None = None,
) -> tuple[list[Stored], str | None]:
    """The page of `found` in the order of `sort`, and the cursor that goes on after it.

    `values` gives what a resource is found by, by the parameters of `kind`: its own type, unless
    something in it is what was found. What has no value comes last, whichever way.
    Raises `SearchError` for a forged cursor.
    """
    compare = _comparison([key.descending for key in sort])
    keyed: list[tuple[_Keys, Stored]] = [
        (_keys(stored, values(stored.resource), sort, kind or stored.type), stored)
        for stored in found
    ]
    by_keys = cmp_to_key(compare)
    keyed.sort(key=lambda row: by_keys(row[0]))
    if cursor:
        place = tuple(read_cursor(cursor, ["text"] * (len(sort) + 2)))
        keyed = [row for row in keyed if compare(row[0], place) > 0]
    page = keyed[:count]
    following = cursor_of(page[-1][0]) if len(keyed) > count else None
    return [stored for _, stored in page], following


def _comparison(descending: Sequence[bool]) -> Callable[[_Keys, _Keys], int]:
    def compare(one: _Keys, other: _Keys) -> int:
        for a, b, down in zip(one, other, descending, strict=False):
            if a != b:
                if "" in (a, b):
                    return 1 if a == "" else -1
                return (-1 if down else 1) * (1 if a > b else -1)
        rest = one[len(descending) :], other[len(descending) :]
        return (rest[0] > rest[1]) - (rest[0] < rest[1])

    return compare


def _keys(
    stored: Stored, rows: Sequence[tuple[Any, ...]], sort: Sequence[Sort], kind: str
) -> _Keys:
    return (*(_key(stored, rows, key, kind) for key in sort), f"{stored.patient:020}", stored.id)


def _key(stored: Stored, rows: Sequence[tuple[Any, ...]], sort: Sort, kind: str) -> str:
    if sort.name == "_id":
        return stored.id
    if sort.name == "_lastUpdated":
        return stored.last_updated.isoformat(timespec="microseconds")
    names = kept_as(kind, sort.name)
    values = [_text(row) for row in rows if row[0] in names]
    return (max(values) if sort.descending else min(values)) if values else ""


def _text(row: tuple[Any, ...]) -> str:
    """A value as a text that sorts as the value does."""
    match row[1]:
        case kind if kind == DATE:
            return f"{row[2] + 2**62:020}"
        case kind if kind in (NUMBER, QUANTITY):
            return number_text(row[2])
        case kind if kind == STRING:
            return f"{normalize(row[2])}\x01{row[2]}"
    return "\x01".join(part or "" for part in reversed(row[2:]))


def number_text(number: Decimal) -> str:
    """A number of any size, exactly, as a text that sorts as the numbers do."""
    negative, digits, _ = number.as_tuple()
    said = "".join(map(str, digits)).lstrip("0").rstrip("0")
    if not said:
        return "1"
    if negative:
        return f"0{_MIDDLE - number.adjusted():07}{said.translate(_COMPLEMENT)}~"
    return f"1{_MIDDLE + number.adjusted():07}{said}"
