"""Many new resources at once, copied into their tables by PostgreSQL's COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from helsevev.record import keys
from helsevev.record.connection import Connection, UniqueViolation, VersionMismatch
from helsevev.record.rows import Row
from helsevev.record.statements import load

if TYPE_CHECKING:
    from helsevev.record.store import Write

_SQL: Final = load("store")
_PLACE: Final = {"patient": "bigint", "type": "resource_type", "id": "text"}
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "resource": {
        **_PLACE, "version": "integer", "last_updated": "timestamptz", "code": "bigint",
        "date_low": "bigint", "date_high": "bigint", "token_set": "bigint", "keys": "bigint[]",
        "body": "bytea",
    },
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
"""What is copied into each table, in this order, with SQL types."""

_SEARCHED: Final = ("search_string", "search_date", "search_quantity")


async def append(connection: Connection, write: Write) -> None:
    """Copy the rows of `write`, all of them new, with search rows, directory and changes.

    Raises `VersionMismatch` when one is there already, `UniqueViolation` when its id is taken.
    """
    *searched, texts = search_rows(write.rows)
    for table, found in _copied(write, searched).items():
        if not found:
            continue
        try:
            await connection.copy_rows(table, _TABLES[table], found)
        except UniqueViolation as taken:
            if table == "resource":
                raise VersionMismatch(str(taken), taken.sqlstate) from taken
            raise
    if texts:
        await connection.execute(_SQL["append_texts"], *columns(texts, 5))


def _copied(write: Write, searched: Sequence[list[Any]]) -> dict[str, Sequence[Sequence[Any]]]:
    """Table -> its new rows, in the order of `_TABLES`."""
    at = write.at
    current = [
        (r.patient, r.type, r.id, r.version, at, r.code, r.date_low, r.date_high, r.token_set,
         r.keys, r.body)
        for r in write.rows
    ]  # fmt: skip
    return {
        "resource": current, **dict(zip(_SEARCHED, searched, strict=True)),
        "directory": listed(write.rows), "change": list(_changes(write)),
    }  # fmt: skip


def _changes(write: Write) -> Iterable[Sequence[Any]]:
    by_patient: dict[int, list[Row]] = {}
    for row in write.rows:
        by_patient.setdefault(row.patient, []).append(row)
    for patient, rows in by_patient.items():
        yield (
            *(write.transaction, patient, write.at, write.author.actor, "C" * len(rows)),
            *([r.type for r in rows], [r.id for r in rows], [1] * len(rows)),
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
