"""Rows in PostgreSQL's binary COPY format, at a third of the driver's own cost.

The format is https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS; values
are written as their types' receive functions read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from struct import Struct
from typing import Any, Final

from helsevev.record.rows import Row

_START: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_FIELDS: Final = Struct(">h")
_LENGTH: Final = Struct(">i").pack
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BIGINT_OID: Final = 20
_INTEGER_OID: Final = 23
_TEXT_OID: Final = 25
_NEGATIVE: Final = 0x4000

_bigint: Final = partial(Struct(">iq").pack, 8)
_integer: Final = partial(Struct(">ii").pack, 4)


def _bytea(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _text(value: str) -> bytes:
    plain = value.encode()
    return _LENGTH(len(plain)) + plain


@lru_cache(maxsize=64)
def _timestamptz(value: datetime) -> bytes:
    return _bigint((value - _EPOCH) // _MICROSECOND)


@lru_cache(maxsize=256)
def _array_of(length: int) -> Callable[..., bytes]:
    """Packs an array of so many numbers, each given after its own length."""
    head = (20 + 12 * length, 1, 0, _BIGINT_OID, length, 1)
    return partial(Struct(">6i" + "iq" * length).pack, *head)


def _bigints(values: Sequence[int]) -> bytes:
    if not values:
        return Struct(">4i").pack(12, 0, 0, _BIGINT_OID)
    pairs = [8] * (2 * len(values))
    pairs[1::2] = values
    return _array_of(len(values))(*pairs)


def _array(oid: int, write: Callable[[Any], bytes]) -> Callable[[Sequence[Any]], bytes]:
    """The writer of an array of values that another writes."""

    def array(values: Sequence[Any]) -> bytes:
        items = b"".join(map(write, values))
        head = (20 + len(items), 1, 0, oid, len(values), 1)
        return Struct(">6i").pack(*head) + items

    return array


def _numeric(value: Decimal) -> bytes:
    # By its text: 72.5 and 72.50 are equal, and not the same.
    return _numeric_of(str(value))


@lru_cache(maxsize=20_000)
def _numeric_of(number: str) -> bytes:
    """Groups of four digits, the place of the first one, the sign, and digits after the point."""
    sign, digits, exponent = Decimal(number).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not a number that is kept")
    scale = max(-exponent, 0)
    text = "".join(map(str, digits)) + "0" * max(exponent, 0)
    # Filled up on both sides, so that the decimal point stands between two groups.
    text += "0" * (-scale % 4)
    text = text.rjust(len(text) + -len(text) % 4, "0")
    after = (scale + 3) // 4
    groups = [int(text[i : i + 4]) for i in range(0, len(text), 4)]
    weight = len(groups) - after - 1
    while groups and groups[0] == 0:
        del groups[0]
        weight -= 1
    while groups and groups[-1] == 0:
        del groups[-1]
    if not groups:
        weight = 0
    minus = _NEGATIVE if sign and groups else 0
    head = (8 + 2 * len(groups), len(groups), weight, minus, scale)
    return Struct(f">ihhHH{len(groups)}h").pack(*head, *groups)


_WRITERS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "bigint": _bigint,
    "bigint[]": _bigints,
    "bytea": _bytea,
    "integer": _integer,
    "integer[]": _array(_INTEGER_OID, _integer),
    "numeric": _numeric,
    "resource_type": lru_cache(maxsize=512)(_text),
    "text": _text,
    "text[]": _array(_TEXT_OID, _text),
    "timestamptz": _timestamptz,
}


_PLACE: Final = Struct(">hiq").pack
_NUMBERS: Final = Struct(">ii" + "iq" * 5).pack
RESOURCE: Final[Mapping[str, str]] = {
    "patient": "bigint", "type": "resource_type", "id": "text", "version": "integer",
    "last_updated": "timestamptz", "code": "bigint", "date_low": "bigint", "date_high": "bigint",
    "token_set": "bigint", "keys": "bigint[]", "body": "bytea",
}  # fmt: skip
"""The columns that `resources` writes, in its order."""


def resources(rows: Iterable[Row], at: datetime) -> bytes:
    """Current rows last updated at one time as one COPY stream: `encoded` for the widest table."""
    moment = (at - _EPOCH) // _MICROSECOND
    kind = _WRITERS["resource_type"]
    parts = [_START]
    for r in rows:
        parts += (
            _PLACE(len(RESOURCE), 8, r.patient), kind(r.type), _text(r.id),
            _NUMBERS(4, r.version, 8, moment, 8, r.code, 8, r.date_low, 8, r.date_high,
                     8, r.token_set),
            _bigints(r.keys), _LENGTH(len(r.body)), r.body,
        )  # fmt: skip
    parts.append(_END)
    return b"".join(parts)


def encoded(types: Iterable[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The rows as one COPY stream, their values of these SQL types; none may be NULL."""
    writers = [_WRITERS[sql_type] for sql_type in types]
    count = _FIELDS.pack(len(writers))
    parts = [_START]
    for row in rows:
        parts.append(count)
        parts += [write(value) for write, value in zip(writers, row, strict=True)]
    parts.append(_END)
    return b"".join(parts)
