"""Pages by the time of the last update: a span of time is found that holds a page, and little more.

No index has resources in that order, which would cost each write; a BRIN index knows which blocks
hold what was written when. So spans are tried until one has enough, and only that is sorted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from helsevev.fhir.search_query import Query
from helsevev.kit import clock
from helsevev.record import search_order
from helsevev.record.search_cost import Costs
from helsevev.record.search_sorted import finds_many
from helsevev.record.search_values import Arguments
from helsevev.record.search_where import Where

MOST_IN_SPAN: Final = 5000
"""Resources of one span that are sorted for a page."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST: Final = timedelta(milliseconds=1)
_FIRST: Final = timedelta(seconds=10)
_FURTHER: Final = 30
_LONGEST: Final = timedelta(days=18_000)


async def narrowed(costs: Costs, query: Query, where: Where, limit: int) -> Where | None:
    """The conditions with a span of time that holds the next `limit` matches by `_lastUpdated`.

    None when the order is another, when few are found anyway, or when no such span is found soon.
    """
    if not query.sort or query.sort[0].name != "_lastUpdated" or where.pins_patient:
        return None
    if where.narrows and not await finds_many(costs, where):
        return None
    descending = query.sort[0].descending
    begin = _begin(query, descending)
    end = _BEGINNING if descending else clock.now()
    few, many, reach, enough = begin, end, _FIRST, None
    # First away from where the page begins, then between what was too little and too much.
    while abs(many - few) > _SHORTEST:
        further = begin - reach if descending else begin + reach
        reach = min(reach * _FURTHER, _LONGEST)
        is_between = min(few, many) < further < max(few, many)
        trial = further if many == end and is_between else few + (many - few) / 2
        tried = _within(where, begin, trial)
        count = await _count(costs, tried)
        if count is not None and limit <= count <= MOST_IN_SPAN:
            return tried
        if count is not None and count < limit:
            few = trial
            continue
        many = trial
        if count is not None:
            enough = tried
    return enough


def _begin(query: Query, descending: bool) -> datetime:
    if query.cursor:
        order = search_order.order(query, Arguments(), by_code=False)
        time = search_order.read_cursor(query.cursor, [key.type for key in order])[0]
        assert isinstance(time, datetime)
        return time
    return clock.now() if descending else _BEGINNING


def _within(where: Where, one: datetime, other: datetime) -> Where:
    arguments = Arguments()
    arguments.values += where.arguments.values
    low = arguments.add(min(one, other), "timestamptz")
    high = arguments.add(max(one, other), "timestamptz")
    sql = f"{where.sql} AND r.last_updated >= {low} AND r.last_updated <= {high}"
    return replace(where, sql=sql, arguments=arguments, narrows=True, walk=None)


async def _count(costs: Costs, where: Where) -> int | None:
    """How many there are, up to one more than may be; None when that takes long to tell."""
    some = f"SELECT FROM resource r WHERE {where.sql} LIMIT {MOST_IN_SPAN + 1}"
    counted = await costs.glance(f"SELECT count(*) FROM ({some}) AS s", where.arguments.values)
    return None if counted is None else int(counted[0][0])
