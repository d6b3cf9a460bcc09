"""Pages in the order of texts, dates or numbers that are rows of their own: an index is walked.

`_sort=family` of all inhabitants would read them all to show ten. The index has the texts in order,
so a stretch of it is taken, those whose first text it is are looked up, and the next stretch
only when the page is not full. What has no such text comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from helsevev.fhir.search_query import Query
from helsevev.record import leading, search_order
from helsevev.record.composites import kept_as, stands_with_code
from helsevev.record.database import Row
from helsevev.record.rows import NO_CODE
from helsevev.record.search_cost import Costs
from helsevev.record.search_order import Key
from helsevev.record.search_values import Arguments
from helsevev.record.search_where import Where

MOST_SORTED: Final = 2000
"""Resources that are rather found first and sorted then."""

MOST_WALKED: Final = 50_000
"""Entries of the index that are walked for one page."""

_LONGEST: Final = 10_000
"""Entries of one stretch."""

_WALKED: Final = ("string", "date", "number", "quantity")
_MEASURES: Final = ("number", "quantity")
_RESOURCE: Final = "r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body"
_NOTHING: Final = (
    "NULL::bigint, NULL::resource_type, NULL::text, NULL::integer, NULL::timestamptz,"
    " NULL::boolean, NULL::bytea"
)


@dataclass(frozen=True, slots=True)
class _Index:
    """The rows whose index has the order: those of one parameter of one type."""

    table: str
    column: str
    sql_type: str
    kind: str
    name: str
    descending: bool
    under: str
    """What the index goes by before the value, in SQL."""
    last: str
    """What stands for the value of a resource that has none, in SQL."""

    def of(self, resource: str, arguments: Arguments) -> str:
        """The condition that rows `s` are those of a resource."""
        name = arguments.add(self.name, "text")
        return (
            f"s.patient = {resource}.patient AND s.type = {self.type(arguments)}"
            f" AND s.id = {resource}.id AND s.name = {name}{self.under}"
        )

    def type(self, arguments: Arguments) -> str:
        """The resource type as an argument."""
        return arguments.add(self.kind, "resource_type")

    @property
    def apart(self) -> str:
        """The value so that no index of values is thought of."""
        return f"(s.{self.column} || '')" if self.sql_type == "text" else f"(s.{self.column} + 0)"


def index_of(query: Query) -> _Index | None:
    """What to walk for a query's order, None when it has to be sorted."""
    if not query.sort or query.sort[0].kind not in _WALKED:
        return None
    first = query.sort[0]
    names = kept_as(query.resource_type, first.name)
    own = ("_lastUpdated", leading.date_parameter(query.resource_type))
    if first.name in own or len(names) != 1:
        return None
    if first.kind in _MEASURES and stands_with_code(query.resource_type, names[0]):
        return None
    table, column, sql_type, lowest, highest = search_order.STORED[first.kind]
    return _Index(
        table, column, sql_type, query.resource_type, names[0], first.descending,
        under=f" AND s.code = {NO_CODE}" if first.kind in _MEASURES else "",
        last=lowest if first.descending else highest,
    )  # fmt: skip


@dataclass(slots=True)
class _Walk:
    """One page that is being filled."""

    costs: Costs
    query: Query
    where: Where
    index: _Index

    async def rows(self, limit: int) -> list[Row] | None:
        """The page, None when too much of the index would be walked for it."""
        found: list[Row] = []
        place = self._begin()
        size, walked, begun = 2 * limit, 0, bool(place)
        while not place or str(place[0]) != self.index.last.strip("'"):
            *fitting, end = await self._stretch(place, size, limit - len(found), begun) or [None]
            if end is None:
                break
            found += fitting
            walked += end[-1]
            if len(found) == limit:
                return found
            if end[-1] < size:
                break
            if walked >= MOST_WALKED:
                return None
            place, begun = (end[7], end[-3], end[-2]), False
            size = min(size * 4, _LONGEST)
        return found + await self._without(limit - len(found))

    def _begin(self) -> tuple[Any, ...]:
        """Where in the index the page begins: a value, an inhabitant, an id; nowhere at first."""
        if not self.query.cursor:
            return ()
        order = self._order(Arguments(), "")
        values = search_order.read_cursor(self.query.cursor, [key.type for key in order])
        return values[0], values[-2], values[-1]

    def _order(self, arguments: Arguments, first: str) -> list[Key]:
        """The keys of the order, the first of which is given in SQL."""
        down = self.index.descending
        key = Key(first, self.index.sql_type, down)
        if len(self.query.sort) == 1:
            return [key, Key("r.patient", "bigint", down), Key("r.id", "text", down)]
        others = replace(self.query, sort=self.query.sort[1:])
        return [key, *search_order.order(others, arguments, by_code=False)]

    async def _stretch(
        self, place: tuple[Any, ...], size: int, limit: int, begun: bool
    ) -> list[Row]:
        """Those of the next `size` entries that fit, and a last row that tells where they end."""
        index, arguments = self.index, self._arguments()
        entries = self._entries(place, size, begun, arguments)
        order = self._order(arguments, f"k.{index.column}")
        keys = ", ".join(f"{key.sql} AS k{n}" for n, key in enumerate(order))
        nulls = "".join(f"NULL::{key.type}, " for key in order[1:-2])
        back = ", ".join(
            f"k.{column} {'ASC' if index.descending else 'DESC'}"
            for column in (index.column, "patient", "id")
        )
        other = f"SELECT FROM {index.table} s WHERE {index.of('k', arguments)}"
        statement = (
            f"WITH k AS MATERIALIZED ({entries})"
            f" (SELECT {_RESOURCE}, {keys}, 0 AS entries FROM k JOIN resource r"
            f" ON r.patient = k.patient AND r.id = k.id"
            f" WHERE {self.where.sql}{self._after(order, arguments)}"
            f" AND NOT EXISTS ({other} AND {index.apart} {'>' if index.descending else '<'}"
            f" k.{index.column}) ORDER BY {_directions(order)} LIMIT {limit})"
            f" UNION ALL (SELECT {_NOTHING}, k.{index.column}, {nulls}k.patient, k.id,"
            f" (SELECT count(*) FROM k)::integer FROM k ORDER BY {back} LIMIT 1)"
        )
        return await self.costs.fetch(statement, arguments.values)

    def _entries(self, place: tuple[Any, ...], size: int, begun: bool, arguments: Arguments) -> str:
        index, add = self.index, arguments.add
        column = f"s.{index.column}"
        direction, beyond = ("DESC", "<") if index.descending else ("ASC", ">")
        sql = (
            f"SELECT DISTINCT {column}, s.patient, s.id FROM {index.table} s"
            f" WHERE s.type = {index.type(arguments)} AND s.name = {add(index.name, 'text')}"
            f"{index.under}"
        )
        if len(self.query.sort) > 1:
            # What is alike in the first key is ordered by the others, and so taken whole.
            if place:
                sql += f" AND {column} {beyond}{'=' if begun else ''}"
                sql += f" {add(place[0], index.sql_type)}"
            return f"{sql} ORDER BY {column} {direction} FETCH FIRST {size} ROWS WITH TIES"
        if place:
            at = (
                f"({add(place[0], index.sql_type)}, {add(place[1], 'bigint')},"
                f" {add(place[2], 'text')})"
            )
            sql += f" AND ({column}, s.patient, s.id) {beyond} {at}"
        by = f"{column} {direction}, s.patient {direction}, s.id {direction}"
        return f"{sql} ORDER BY {by} LIMIT {size}"

    async def _without(self, limit: int) -> list[Row]:
        """Those that have no value, after all that have."""
        index, arguments = self.index, self._arguments()
        order = self._order(arguments, f"{index.last}::{index.sql_type}")
        keys = ", ".join(f"{key.sql} AS k{n}" for n, key in enumerate(order))
        statement = (
            f"SELECT {_RESOURCE}, {keys}, 0 AS entries FROM resource r"
            f" WHERE {self.where.sql}{self._after(order, arguments)} AND NOT EXISTS"
            f" (SELECT FROM {index.table} s WHERE {index.of('r', arguments)})"
            f" ORDER BY {_directions(order)} LIMIT {limit}"
        )
        return await self.costs.fetch(statement, arguments.values)

    def _arguments(self) -> Arguments:
        arguments = Arguments()
        arguments.values += self.where.arguments.values
        return arguments

    def _after(self, order: Sequence[Key], arguments: Arguments) -> str:
        if not self.query.cursor:
            return ""
        return f" AND {search_order.after(self.query.cursor, order, arguments)}"


def _directions(order: Sequence[Key]) -> str:
    return ", ".join(f"k{n} {'DESC' if k.descending else 'ASC'}" for n, k in enumerate(order))


async def page(
    costs: Costs, query: Query, where: Where, index: _Index, limit: int
) -> list[Row] | None:
    """At most `limit` rows, each with the keys of its place behind it and one number more.

    None when few are found, which are rather sorted, or when too much would be walked. Raises
    `TooCostly` when those that have no value are too many to look for.
    """
    if where.pins_patient:
        return None
    if where.narrows and not await finds_many(costs, where):
        return None
    return await _Walk(costs, query, where, index).rows(limit)


async def finds_many(costs: Costs, where: Where) -> bool:
    """Whether the conditions find so many that they are better taken in their order."""
    probe = f"SELECT FROM resource r WHERE {where.sql} LIMIT {MOST_SORTED + 1}"
    found = await costs.glance(probe, where.arguments.values)
    return found is None or len(found) > MOST_SORTED
