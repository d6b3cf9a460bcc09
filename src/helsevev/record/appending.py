"""Many new resources at once, copied into their tables by PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from helsevev.record import copying, keys
from helsevev.record.connection import Connection, UniqueViolation, VersionMismatch
from helsevev.record.copying import encoded, resources
from helsevev.record.rows import Row
from helsevev.record.statements import load

_SQL: Final = load("store")
_PLACE: Final = {"patient": "bigint", "type": "resource_type", "id": "text"}
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "search_string": {**_PLACE, "name": "text", "value": "text"},
    "search_date": {**_PLACE, "name": "text", "low": "bigint", "high": "bigint"},
    "search_quantity": {
        **_PLACE, "name": "text", "unit": "bigint", "system_unit": "bigint", "value": "numeric",
        "code": "bigint",
    },
    "directory": {"key": "bigint", "patient": "bigint"},
    "change": {
        "transaction": "bigint", "patient": "bigint", "at": "timestamptz", "actor": "text",
        "verbs": "text", "types": "text[]", "ids": "text[]", "versions": "integer[]",
    },
}  # fmt: skip
"""What is copied beside the rows: columns with SQL types."""


async def append(
    connection: Connection, rows: Sequence[Row], transaction: int, at: datetime, actor: str
) -> None:
    """Copy rows, all of them new, with search rows, directory and changes, by an actor at a time.

    Raises `VersionMismatch` when one is there already, `UniqueViolation` when its id is taken.
    """
    try:
        await connection.copy("resource", copying.RESOURCE, resources(rows, at))
    except UniqueViolation as taken:
        raise VersionMismatch(str(taken), taken.sqlstate) from taken
    await add_search_rows(connection, rows)
    await _copy(connection, "directory", listed(rows))
    await _copy(connection, "change", list(_changes(rows, transaction, at, actor)))


async def add_search_rows(connection: Connection, rows: Iterable[Row]) -> None:
    """Copy what rows are found by, besides themselves, into the tables of search."""
    strings, dates, quantities, texts = search_rows(rows)
    await _copy(connection, "search_string", strings)
    await _copy(connection, "search_date", dates)
    await _copy(connection, "search_quantity", quantities)
    if texts:
        await connection.execute(_SQL["append_texts"], *columns(texts, 5))


async def _copy(connection: Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        types = _TABLES[table]
        await connection.copy(table, types, encoded(types.values(), rows))


def _changes(
    rows: Iterable[Row], transaction: int, at: datetime, actor: str
) -> Iterable[Sequence[Any]]:
    by_patient: dict[int, list[Row]] = {}
    for row in rows:
        by_patient.setdefault(row.patient, []).append(row)
    for patient, new in by_patient.items():
        yield (
            *(transaction, patient, at, actor, "C" * len(new)),
            *([r.type for r in new], [r.id for r in new], [1] * len(new)),
        )


def listed(rows: Iterable[Row]) -> list[tuple[int, int]]:
    """The rows of the directory, in one order so that two writers never wait for each other."""
    return sorted(
        (keys.directory_key(row.type, row.id), row.patient)
        for row in rows
        if row.version == 1 and row.in_directory
    )


def search_rows(rows: Iterable[Row]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """The rows of search_string, search_date, search_quantity and search_text, in column order."""
    strings, dates, quantities, texts = [], [], [], []
    for row in rows:
        place = (row.patient, row.type, row.id)
        strings += [(*place, name, value) for name, value in row.strings]
        dates += [(*place, name, low, high) for name, low, high in row.dates]
        quantities += [(*place, *quantity) for quantity in row.quantities]
        if row.words is not None:
            texts.append((*place, *row.words))
    return strings, dates, quantities, texts


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """The rows as columns, for a statement that takes an array for each."""
    found = [list(column) for column in zip(*rows, strict=True)]
    return found or [[] for _ in range(width)]
