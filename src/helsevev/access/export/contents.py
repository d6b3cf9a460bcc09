"""What an export writes of resources: whole, some elements of them, or the rows of views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Protocol

from helsevev.access.export.asked import Asked
from helsevev.access.export.files import KINDS, Lines, Tables, Written, csv_lines
from helsevev.fhir import serialization
from helsevev.fhir.definitions import elements
from helsevev.fhir.views.compiling import Table, table_of
from helsevev.record.store import Stored

_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules"})
_SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
DELETED: Final = "deleted"
_RESOURCE_COLUMNS: Final = (
    ("id", "string"), ("version", "integer"), ("last_updated", "string"), ("resource", "string"),
)  # fmt: skip


class Sink(Protocol):
    """Takes pages of resources, in whatever thread, and leaves files."""

    def take(self, page: Sequence[Stored]) -> None:
        """Write a page."""

    def close(self) -> list[Written]:
        """All that was written."""

    def abandon(self) -> None:
        """Let go of open files."""


class Resources:
    """Resources as NDJSON: their stored bytes, parsed only when elements are asked for."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self._lines = Lines(folder)
        self._json = _shape(asked.elements)

    def take(self, page: Sequence[Stored]) -> None:
        """Write a page, each type to its own file."""
        for kind, rows in groupby(page, key=lambda stored: stored.type):
            self._lines.write(kind, [self._json(stored) for stored in rows])

    def close(self) -> list[Written]:
        """All that was written."""
        return self._lines.close()

    def abandon(self) -> None:
        """Let go of open files."""
        self._lines.abandon()


class ResourceTables:
    """Resources as Parquet: id, version, time, and the resource's JSON in a column of its own."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self._tables = Tables(folder)
        self._json = _shape(asked.elements)

    def take(self, page: Sequence[Stored]) -> None:
        """Write a page, each type to its own table."""
        for kind, rows in groupby(page, key=lambda stored: stored.type):
            cells = [
                (s.id, s.version, s.last_updated.isoformat(), self._json(s).decode()) for s in rows
            ]
            size = sum(len(row[3]) for row in cells)
            self._tables.write(kind, _RESOURCE_COLUMNS, cells, size)

    def close(self) -> list[Written]:
        """All that was written."""
        return self._tables.close()

    def abandon(self) -> None:
        """Let go of what is gathered."""
        self._tables.abandon()


class ViewRows:
    """The rows of views, each view to its own files."""

    def __init__(self, folder: Path, asked: Asked) -> None:
        self._format = asked.format
        self._header = asked.header
        self._views = [(name, Rows(table)) for name, table in named_tables(asked.views)]
        self._lines = Lines(folder, ending=asked.format)
        self._tables = Tables(folder)
        self._begun: set[str] = set()

    def take(self, page: Sequence[Stored]) -> None:
        """Write the rows of a page."""
        for kind, stored in groupby(page, key=lambda each: each.type):
            resources = None
            for name, rows in self._views:
                if rows.table.resource == kind:
                    resources = resources or [each.resource for each in stored]
                    self._write(name, rows, resources)

    def _write(self, name: str, rows: Rows, resources: Sequence[dict[str, Any]]) -> None:
        found = [row for resource in resources for row in rows.table.rows(resource)]
        if self._format == "parquet":
            size = sum(len(str(cell)) for row in found for cell in row)
            if found:
                self._tables.write(name, rows.kinds, found, size)
        elif self._format == "csv":
            begin = self._header and name not in self._begun
            self._begun.add(name)
            lines = csv_lines([rows.names, *found] if begin else found)
            if lines:
                self._lines.write(name, [lines[:-1]], len(found))
        elif found:
            self._lines.write(name, [rows.line(row) for row in found])

    def close(self) -> list[Written]:
        """All that was written."""
        return [*self._lines.close(), *self._tables.close()]

    def abandon(self) -> None:
        """Let go of open files."""
        self._lines.abandon()
        self._tables.abandon()


class Rows:
    """A view's rows as bytes."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = [column.name for column in table.columns]
        self.kinds = [
            (c.name, "string" if c.collection else KINDS.get(c.type, "string"))
            for c in table.columns
        ]

    def line(self, row: Sequence[Any]) -> bytes:
        """A row as a JSON object; what has no value is null."""
        return serialization.encode(dict(zip(self.names, row, strict=True)))


def named_tables(views: Sequence[dict[str, Any]]) -> list[tuple[str, Table]]:
    """The tables of views, under names that no two share. Raises `ViewError`."""
    found: dict[str, Table] = {}
    for view in views:
        table = table_of(view)
        plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in table.name)[:60] or "view"
        name, number = plain, 1
        while name in found:
            number += 1
            name = f"{plain}_{number}"
        found[name] = table
    return list(found.items())


def _shape(names: Sequence[str]) -> Callable[[Stored], bytes]:
    if not names:
        return lambda stored: stored.json
    wanted = frozenset(names)

    def cut(stored: Stored) -> bytes:
        kept = _kept(stored.type, wanted)
        resource = stored.resource
        left = {name: value for name, value in resource.items() if name.removeprefix("_") in kept}
        if len(left) < len(resource):
            meta = dict(left.get("meta", {}))
            meta["tag"] = [*meta.get("tag", ()), _SUBSETTED]
            left["meta"] = meta
        return serialization.encode(left)

    return cut


@cache
def _kept(resource_type: str, wanted: frozenset[str]) -> frozenset[str]:
    """JSON names of the elements asked for (`name` or `Patient.name`), and of required ones."""
    found = set(_ALWAYS)
    for name, element in elements(resource_type).items():
        stem = name.removesuffix("[x]")
        if element.least or not wanted.isdisjoint({stem, name, f"{resource_type}.{stem}"}):
            found |= element.json_names().keys()
    return frozenset(found)
