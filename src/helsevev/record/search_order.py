"""The order of a search's matches in SQL, and cursors: a place in that order, not a count."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import Query, SearchError, Sort
from helsevev.record import leading
from helsevev.record.composites import kept_as
from helsevev.record.search_values import Arguments

_LAST: Final = chr(0x10FFFF)
_LARGEST_EXPONENT: Final = 2000

STORED: Final = {
    "date": ("search_date", "low", "bigint", "-4611686018427387904", "4611686018427387904"),
    "string": ("search_string", "value", "text", "''", f"'{_LAST}'"),
    "number": ("search_quantity", "value", "numeric", "'-Infinity'", "'Infinity'"),
    "quantity": ("search_quantity", "value", "numeric", "'-Infinity'", "'Infinity'"),
}
"""Where the values that can be sorted by stand; of tokens and references there are only hashes."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the order: its SQL, its SQL type, and its direction."""

    sql: str
    type: str
    descending: bool


def order(query: Query, arguments: Arguments, *, by_code: bool) -> list[Key]:
    """The keys of the order, the last of which tell any two rows apart.

    Without `_sort` the newest come first; `by_code` puts the leading code before the date.
    """
    keys = [_sort_key(sort, query.resource_type, arguments) for sort in query.sort]
    if not keys:
        keys = [Key("r.date_low", "bigint", True)]
        if by_code:
            keys.insert(0, Key("r.code", "bigint", True))
    descending = keys[-1].descending
    return [*keys, Key("r.patient", "bigint", descending), Key("r.id", "text", descending)]


def _sort_key(sort: Sort, resource_type: str, arguments: Arguments) -> Key:
    if sort.name == "_id":
        return Key("r.id", "text", sort.descending)
    if sort.name == "_lastUpdated":
        return Key("r.last_updated", "timestamptz", sort.descending)
    if sort.name == leading.date_parameter(resource_type):
        return Key("r.date_low", "bigint", sort.descending)
    table, column, sql_type, first, last = STORED[sort.kind]
    # What has no value comes last, whichever way the others go (a leading date: as the earliest).
    name = arguments.add(kept_as(resource_type, sort.name)[0], "text")
    value = (
        f"coalesce((SELECT {'max' if sort.descending else 'min'}(s.{column}) FROM {table} s"
        f" WHERE s.patient = r.patient AND s.type = r.type AND s.id = r.id"
        f" AND s.name = {name}), {first if sort.descending else last})"
    )
    return Key(value, sql_type, sort.descending)


def is_stored(sort: Sort) -> bool:
    """Whether SQL can sort by it."""
    return sort.kind in STORED or sort.name in ("_id", "_lastUpdated")


def after(cursor: str, keys: Sequence[Key], arguments: Arguments) -> str:
    """The condition that a row comes after the cursor. Raises `SearchError`."""
    values = read_cursor(cursor, [key.type for key in keys])
    placeholders = [arguments.add(v, k.type) for v, k in zip(values, keys, strict=True)]
    if len({key.descending for key in keys}) == 1:
        # One comparison, from which an index can start in the midst of what is alike.
        columns = ", ".join(key.sql for key in keys)
        return f"({columns}) {'<' if keys[0].descending else '>'} ({', '.join(placeholders)})"
    alternatives = []
    for n, key in enumerate(keys):
        equal = [f"{k.sql} = {p}" for k, p in zip(keys[:n], placeholders[:n], strict=True)]
        beyond = f"{key.sql} {'<' if key.descending else '>'} {placeholders[n]}"
        alternatives.append(" AND ".join([*equal, beyond]))
    # Said once more of the first key alone, as a bound that an index can start from.
    first = f"{keys[0].sql} {'<=' if keys[0].descending else '>='} {placeholders[0]}"
    return f"{first} AND (({') OR ('.join(alternatives)}))"


def cursor_of(values: Sequence[Any]) -> str:
    """The place of a row with these keys."""
    plain = [str(v) if isinstance(v, Decimal | datetime) else v for v in values]
    return base64.urlsafe_b64encode(msgspec.json.encode(plain)).decode().rstrip("=")


def read_cursor(cursor: str, types: Sequence[str]) -> list[Any]:
    """The keys in a cursor, by their SQL types. Raises `SearchError` for a forged one."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[int | str])
        return [_READERS[kind](value) for kind, value in zip(types, values, strict=True)]
    except (ValueError, ArithmeticError, msgspec.DecodeError) as problem:
        text = "This link to a page was not made for this search."
        raise SearchError([error("value", text, "_cursor")]) from problem


def _whole(value: int | str) -> int:
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError("not a number that a row has")
    return value


def _text(value: int | str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a text that a row has")
    return value


def _number(value: int | str) -> Decimal:
    number = Decimal(_text(value))
    if number.is_nan() or (number.is_finite() and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise ValueError("not a number that a row has")
    return number


def _moment(value: int | str) -> datetime:
    return datetime.fromisoformat(_text(value)).astimezone(UTC)


_READERS: Final[dict[str, Any]] = {
    "bigint": _whole, "text": _text, "numeric": _number, "timestamptz": _moment,
}  # fmt: skip
