"""Search parameters that were added: which there are, how far they are, and what rows they add.

Every write names the state of the list that its writer knows. When another one holds, nothing is
stored, and the writer learns of what was added and writes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec

from helsevev.fhir.custom_parameters import Custom, Unusable, merged, read
from helsevev.fhir.extraction import Parameter, extract
from helsevev.kit.projection import Projection
from helsevev.record.connection import Connection
from helsevev.record.database import Database
from helsevev.record.rows import Row, add_value, array_text
from helsevev.record.statements import load

_SQL: Final = load("indexing")
_NONE: Final = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The parameters that can be searched, and words about those that cannot be yet."""

    parameters: Mapping[str, Mapping[str, Parameter]]
    pending: Mapping[tuple[str, str], str]


class _Indexing(Projection):
    """The list of added parameters, kept with the SearchParameter resources."""

    @property
    def forget(self) -> str:
        return _SQL["forget"]

    @property
    def add(self) -> str:
        return _SQL["add"]


def _listed(resource: dict[str, Any]) -> Iterable[tuple[str, str]]:
    try:
        custom = read(resource)
    except Unusable:
        custom = None
    if custom is not None:
        kept = {name: resource[name] for name in _KEPT if name in resource}
        yield msgspec.json.encode(kept).decode(), " ".join(custom.types)


_KEPT: Final = ("status", "code", "base", "type", "expression", "target", "url")

PROJECTION: Final = _Indexing(
    "search_indexing",
    frozenset({"SearchParameter"}),
    MappingProxyType({"definition": "jsonb", "types": "text"}),
    _listed,
)


class CustomParameters:
    """The added parameters of one database, as this process knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state = _NONE
        self._customs: list[Custom] = []

    async def refresh(self) -> Known:
        """Read the list anew; what can be searched now."""
        rows = await self._database.fetch(_SQL["listed"])
        self._take([(row["definition"], row["state"]) for row in rows])
        ready: list[Custom] = []
        pending: dict[tuple[str, str], str] = {}
        for row, custom in zip(rows, self._customs, strict=True):
            if row["finished"]:
                ready.append(custom)
                continue
            text = (
                f"{custom.parameter.name} was added lately and is being worked out for what was"
                f" there before: {row['done']} of some {max(row['total'], row['done'])} resources"
                " are done. Ask again in a while."
            )
            pending |= {(kind, custom.parameter.name): text for kind in custom.types}
        return Known(merged(ready), pending)

    def _take(self, rows: Sequence[tuple[Any, str]]) -> None:
        # A definition was judged when it was listed; one that fails now is a fault, not input.
        found = [read(msgspec.json.decode(definition)) for definition, _ in rows]
        self._customs = [custom for custom in found if custom is not None]
        self._state = ",".join(state for _, state in rows)

    def values(self, resource: dict[str, Any]) -> list[tuple[Any, ...]]:
        """All that a resource is found by: R4's parameters and those added."""
        found = extract(resource)
        for custom in self._customs:
            if resource["resourceType"] in custom.types:
                found += custom.values(resource)
        return found

    def extend(self, rows: Iterable[Row]) -> str:
        """Add what the added parameters find to rows that are about to be written.

        Returns the state of the list that was known, which the write is to be held against.
        """
        for custom in self._customs:
            for row in rows:
                if row.type in custom.types and custom.parameter.url not in row.added:
                    row.added.append(custom.parameter.url)
                    for value in custom.values(row.resource):
                        add_value(row, value)
        return self._state


async def add_values(
    connection: Connection, custom: Custom, found: Sequence[tuple[Any, dict[str, Any]]]
) -> None:
    """Work a parameter's values out for (row or Stored, resource), unless it has changed since."""
    made: list[Row] = []
    for place, resource in found:
        values = custom.values(resource)
        if values:
            row = Row(place.patient, place.type, place.id, place.version, resource, b"")
            for value in values:
                add_value(row, value)
            made.append(row)
    if not made:
        return
    name = custom.parameter.name
    places = _columns([(r.patient, r.type, r.id) for r in made], 3)
    held = {
        tuple(row)[:3]: row["tokens"] for row in await connection.fetch(_SQL["tokens"], *places)
    }
    for row in made:
        row.tokens = sorted({*row.tokens, *(held.get((row.patient, row.type, row.id)) or ())})
    sets = sorted({row.token_set: row.tokens for row in made if row.tokens}.items())
    await connection.execute(
        _SQL["add_values"], name, *places,
        [r.version for r in made], [array_text(r.keys) for r in made],
        [r.token_set for r in made],
        *_columns([(n, v[1]) for n, r in enumerate(made, 1) for v in r.strings], 2),
        *_columns([(n, *v[1:]) for n, r in enumerate(made, 1) for v in r.dates], 3),
        *_columns([(n, *v[1:4]) for n, r in enumerate(made, 1) for v in r.quantities], 4),
        *_columns(sorted({c for r in made for c in r.codings}), 4),
        [number for number, _ in sets], [array_text(tokens) for _, tokens in sets],
    )  # fmt: skip


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
