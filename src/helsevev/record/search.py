"""Search: a query becomes one statement over the rows that writes leave; pages are keysets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from helsevev.fhir.contained import contained_in
from helsevev.fhir.outcome import error
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import Query, SearchError
from helsevev.record import keys, leading, search_order, search_recent, search_sorted, search_walk
from helsevev.record.rows import ABOUT, ELSEWHERE, NO_CODE, reference_hash, token_hash
from helsevev.record.search_codes import Codes
from helsevev.record.search_cost import ADVICE, Costs, TooCostly
from helsevev.record.search_order import Key
from helsevev.record.search_plan import MOST_READ, Planner
from helsevev.record.search_reading import sorted_page
from helsevev.record.search_scope import Scope
from helsevev.record.search_tokens import Rarity
from helsevev.record.search_values import Arguments
from helsevev.record.search_where import Where, beyond
from helsevev.record.statements import PlannedAnew, PlannedOnce, load
from helsevev.record.store import Store, Stored
from helsevev.record.value_sets import RecordedCodes

__all__ = ["DEFAULT_COUNT", "LARGEST_COUNT", "Matches", "Scope", "Search"]

DEFAULT_COUNT: Final = 50
LARGEST_COUNT: Final = 1000
MOST_REFERRING: Final = 5000
_OTHERS: Final = "others."
"""Before the cursor of what is contained nowhere, when both is asked for."""

_SQL: Final = load("search")


NOTHING_WITHIN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Matches:
    """One page of matches; `next_cursor` goes on after it, `total` counts all when known.

    `within` are the ids of what fits in a match that is there for what it contains.
    """

    rows: list[Stored]
    next_cursor: str | None
    total: int | None
    within: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING_WITHIN)


class Search:
    """Runs queries over one store."""

    def __init__(self, store: Store, codes: Codes | None = None) -> None:
        self._store = store
        self._costs = Costs(store.shown)
        self._rarity = Rarity(self._costs)
        self._planner = Planner(store, codes or RecordedCodes(store), self._costs)

    async def run(self, query: Query, scope: Scope | None = None) -> Matches:
        """The page of `query` within `scope`.

        Raises `SearchError` for what cannot be searched, `TooCostly` for what would read too much.
        """
        for name, value in query.applied:
            if "\0" in value or _is_torn(value):
                raise SearchError([error("value", f"{name} holds what no text holds.", name)])
        if query.contained in ("true", "both"):
            return await self._contained(query, scope)
        return await self._found(query, await self._where(query, scope))

    async def _where(self, query: Query, scope: Scope | None) -> Where:
        filters = (*query.conditions, *query.joins)
        return await self._planner.where(query.resource_type, filters, scope)

    async def _found(self, query: Query, where: Where) -> Matches:
        if query.only_count:
            return Matches([], None, await self._total(where, query.total))
        if not all(search_order.is_stored(sort) for sort in query.sort):
            return await self._sorted(query, where)
        return await self._page(query, where)

    async def _contained(self, query: Query, scope: Scope | None) -> Matches:
        """What is contained comes first, in the order of its containers, then the others.

        In an order that was asked for all are sorted together.
        """
        kind, count = query.resource_type, min(query.count or DEFAULT_COUNT, LARGEST_COUNT)
        filters = (*query.conditions, *query.joins)
        containers = await self._planner.contained.found(kind, filters, scope)
        within = {each.stored.reference: each.fitting for each in containers}
        found = [each.stored for each in containers]
        others = None
        if query.contained == "both":
            others = beyond(await self._where(query, scope), found)
        if query.only_count:
            besides = await self._total(others, query.total) if others is not None else 0
            return Matches([], None, len(found) + besides)
        if query.sort:
            return await self._contained_sorted(query, found, others, within)
        begun = (query.cursor or "").startswith(_OTHERS)
        page: list[Stored] = []
        following = None
        if not begun:
            page, following = sorted_page(found, (), count, query.cursor)
        if others is None or following is not None:
            return Matches(page, following, None if others else len(found), within)
        cursor = (query.cursor or "").removeprefix(_OTHERS) if begun else None
        left = replace(query, cursor=cursor or None, count=max(count - len(page), 1))
        more = Matches([], "", None)
        if len(page) < count:
            more = await self._found(left, others)
        following = None if more.next_cursor is None else f"{_OTHERS}{more.next_cursor}"
        total = None if more.total is None else len(found) + more.total
        return Matches([*page, *more.rows], following, total, within)

    async def _contained_sorted(
        self,
        query: Query,
        found: list[Stored],
        others: Where | None,
        within: Mapping[str, tuple[str, ...]],
    ) -> Matches:
        more = await self._planner.rows(others, MOST_READ) if others is not None else []
        if more is None:
            raise TooCostly(f"There are more than {MOST_READ} to sort. {ADVICE}", "_sort")
        count = min(query.count or DEFAULT_COUNT, LARGEST_COUNT)

        def values(resource: dict[str, Any]) -> list[tuple[Any, ...]]:
            ids = within.get(f"{resource['resourceType']}/{resource['id']}")
            if ids is None:
                return self._store.custom.values(resource)
            fitting = (each for each in contained_in(resource) if each["id"] in ids)
            return [value for each in fitting for value in self._store.custom.values(each)]

        page, following = sorted_page(
            [*found, *more], query.sort, count, query.cursor, values, query.resource_type
        )
        return Matches(page, following, len(found) + len(more), within)

    async def _page(self, query: Query, where: Where) -> Matches:
        every = where
        count = min(query.count or DEFAULT_COUNT, LARGEST_COUNT)
        where = await search_recent.narrowed(self._costs, query, where, count + 1) or where
        arguments = Arguments()
        arguments.values += where.arguments.values
        index = search_sorted.index_of(query)
        if index is not None:
            rows = await search_sorted.page(self._costs, query, where, index, count + 1)
            if rows is not None:
                return await self._matches(query, every, [row[:-1] for row in rows], count)
        if where.walk is not None and not query.sort:
            statement = search_walk.statement(where.walk, arguments, query.cursor, count + 1)
            fenced = ""
        else:
            statement, fenced = await self._ordered(query, where, arguments, count + 1)
        if where.pins_patient or where.walk is not None:
            # One index has them in order, whoever is named: planning takes longer than finding.
            statement = PlannedOnce(statement)
        elif where.varies:
            statement, fenced = PlannedAnew(statement), PlannedAnew(fenced)
        rows = await self._costs.fetch(statement, arguments.values, fenced=fenced)
        return await self._matches(query, every, rows, count)

    async def _ordered(
        self, query: Query, where: Where, arguments: Arguments, limit: int
    ) -> tuple[str, str]:
        """The statement for a page in the query's order, and the same where all is found first."""
        by_code = not (where.pins_patient or where.pins_code or where.narrows)
        order = search_order.order(query, arguments, by_code=by_code)
        after = search_order.after(query.cursor, order, arguments) if query.cursor else "true"
        # Find the few first, then order them; the planner would rather walk the order.
        find_first = where.narrows
        if find_first and await self._many_by_date(query, where):
            # Under no code at all, so that the index by code has them by date.
            after, find_first = f"{after} AND r.code = {NO_CODE}", False
        elif where.held and not (find_first or where.pins_patient):
            few = await self._rarity.few(query.resource_type, where.held)
            if few is not None:
                among = f"r.token_set = ANY ({arguments.add(few, 'bigint[]')})"
                after, find_first = f"{after} AND {among}", True
        fenced = _statement(where, order, after, limit, fenced=True)
        if find_first:
            return fenced, fenced
        return _statement(where, order, after, limit, fenced=False), fenced

    async def _matches(
        self, query: Query, where: Where, rows: Sequence[Any], count: int
    ) -> Matches:
        page = [Stored(*row[:7]) for row in rows[:count]]
        following = search_order.cursor_of(rows[count - 1][7:]) if len(rows) > count else None
        total = len(page) if following is None and not query.cursor else None
        if total is None and query.total in ("accurate", "estimate"):
            total = await self._total(where, query.total)
        return Matches(page, following, total)

    async def _many_by_date(self, query: Query, where: Where) -> bool:
        """Whether many are to be shown by their date, and an index has all of the type by it."""
        name = query.resource_type
        if leading.code_parameter(name) or where.pins_patient or not query.sort:
            return False
        by_date = query.sort[0].name == leading.date_parameter(name)
        return by_date and await search_sorted.finds_many(self._costs, where)

    async def _total(self, where: Where, wanted: str | None) -> int:
        values = where.arguments.values
        statement = f"SELECT count(*) FROM resource r WHERE {where.sql}"
        if wanted == "estimate":
            counted = await self._costs.fetch_quick(statement, values)
            if counted is not None:
                return int(counted[0][0])
            rows = f"SELECT FROM resource r WHERE {where.sql}"
            return (await self._costs.expected(rows, values))[1]
        advice = f"{ADVICE} Or ask for _total=estimate."
        return int((await self._costs.fetch(statement, values, advice=advice))[0][0])

    async def _sorted(self, query: Query, where: Where) -> Matches:
        rows = await self._planner.rows(where, MOST_READ)
        if rows is None:
            names = ", ".join(sort.name for sort in query.sort)
            text = (
                f"Sorting by {names} reads every match, and there are more than {MOST_READ}."
                " Narrow the search, or sort by a date, a text or a number."
            )
            raise TooCostly(text, "_sort")
        count = min(query.count or DEFAULT_COUNT, LARGEST_COUNT)
        page, following = sorted_page(
            rows, query.sort, count, query.cursor, self._store.custom.values
        )
        return Matches(page, following, len(rows))

    async def referring(
        self, source: str, names: frozenset[str], found: Sequence[Stored]
    ) -> list[Stored]:
        """What of type `source` refers to `found` by one of the parameters (`_revinclude`).

        Raises `SearchError` when it is too much.
        """
        hashes = [reference_hash(name, text) for name in names for text in _names(found)]
        own = not names.isdisjoint(ABOUT)
        patients = [stored.patient for stored in found if stored.type == "Patient"] if own else []
        asked = (source, hashes, patients, MOST_REFERRING + 1, [ELSEWHERE])
        rows = await self._costs.fetch(_SQL["referring"], asked)
        if len(rows) > MOST_REFERRING:
            text = (
                f"_revinclude={source}:{', '.join(sorted(names))} finds more than {MOST_REFERRING}"
                " resources; ask for fewer at once with _count."
            )
            raise SearchError([error("too-costly", text, "_revinclude")])
        return [Stored(*row) for row in rows]

    async def by_url(self, types: Iterable[str], urls: Iterable[str]) -> list[Stored]:
        """Resources of these types that give themselves one of the URLs."""
        hashes = [token_hash("url", None, url) for url in urls]
        rows = await self._store.shown.fetch(_SQL["by_urls"], sorted(types), hashes)
        return [Stored(*row) for row in rows]

    async def condition(self, query: Query) -> tuple[str, list[Any]]:
        """What rows `r` must fulfil to match, as SQL and its arguments, for other statements."""
        where = await self._where(query, None)
        return where.sql, where.arguments.values


def _statement(where: Where, order: Sequence[Key], after: str, limit: int, *, fenced: bool) -> str:
    keys_sql = ", ".join(f"{key.sql} AS k{n}" for n, key in enumerate(order))
    inner = f"SELECT r.*, {keys_sql} FROM resource r WHERE {where.sql} AND {after}"
    inner += " OFFSET 0" if fenced else ""
    directions = ", ".join(f"k{n} {'DESC' if k.descending else 'ASC'}" for n, k in enumerate(order))
    keys_out = ", ".join(f"k{n}" for n in range(len(order)))
    return (
        "SELECT patient, type, id, version, last_updated, false AS deleted, body,"
        f" {keys_out} FROM ({inner}) AS r ORDER BY {directions} LIMIT {limit}"
    )


def _names(found: Sequence[Stored]) -> list[str]:
    """How others may refer to these: by type and id, or by the URL they give themselves."""
    texts = [stored.reference for stored in found]
    for stored in found:
        if stored.patient == keys.REFERENCE and "url" in PARAMETERS[stored.type]:
            url = stored.resource.get("url")
            texts += [url] if url else []
    return texts


def _is_torn(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)
