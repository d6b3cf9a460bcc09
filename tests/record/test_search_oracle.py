"""A search finds exactly what its conditions say, and in an order that pages cannot tear."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from helsevev.fhir import dates
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import SearchError, normalize, parse
from helsevev.record import keys, leading, rows, search_plan, search_sorted, search_tokens
from helsevev.record.search import Matches, Scope, Search
from helsevev.record.search_cost import TooCostly
from helsevev.record.store import Store, Write

from . import search_oracle as oracle
from . import search_world as world
from .search_drawing import KEPT, MET, TYPES, formulas, joins, pairs, searches

NOW = dates.microseconds(world.BEGUN)
UNHURRIED = [
    HealthCheck.filter_too_much,
    HealthCheck.too_slow,
    HealthCheck.function_scoped_fixture,
]


def usual(examples: int) -> settings:
    """So many examples, the same ones each time."""
    return settings(
        deadline=None,
        max_examples=examples,
        derandomize=True,
        suppress_health_check=UNHURRIED,
    )


def row_of(kept: Any, version: int = 1) -> rows.Row:
    stamped = rows.stamped(kept.resource, version, kept.updated)
    return rows.build(stamped, version, rows.locality(kept.resource))


async def store_all(store: Store, author: Any, some: list[Any]) -> None:
    for updated in dict.fromkeys(kept.updated for kept in some):
        built = [row_of(kept) for kept in some if kept.updated == updated]
        await store.write(Write(keys.next_key(), updated, author, built))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def search(store: Store, author: Any) -> Search:
    """A record of small resources."""
    await store_all(store, author, KEPT)
    sets = [world.keep(each, world.BEGUN) for each in world.value_sets()]
    await store_all(store, author, sets)
    return Search(store)


def read(kind: str, said: list[tuple[str, str]]) -> Any:
    try:
        return parse(kind, said, now=NOW)
    except SearchError:
        assume(False)
    raise AssertionError


def found(page: Matches) -> set[tuple[str, str]]:
    return {(stored.type, stored.id) for stored in page.rows}


@usual(700)
@given(searches())
async def test_what_is_found_is_what_the_conditions_say(search: Search, asked: Any) -> None:
    kind, said = asked
    query = read(kind, [*said, ("_count", "1000")])
    expected = {kept.place for kept in KEPT if oracle.matches(query, kept, KEPT)}
    page = await search.run(query)
    assert found(page) == expected, (kind, said)
    assert len(page.rows) == page.total == len(expected)


def scopes() -> st.SearchStrategy[Scope]:
    """Personas tied to none, some or all."""
    return st.builds(
        Scope,
        st.sampled_from(("Practitioner/p", "Practitioner/emergency", "Practitioner/none")),
        st.lists(st.sampled_from([f"Organization/o{n}" for n in range(6)]), max_size=2).map(tuple),
        st.sampled_from((world.BEGUN, world.BEGUN - timedelta(days=700))),
        st.sampled_from((None, None, None, *map(keys.patient_key, world.PEOPLE), keys.UNASSIGNED)),
    )


async def seen_by(store: Store, scope: Scope) -> set[int]:
    if scope.own is not None:
        return {keys.REFERENCE, scope.own}
    now = dates.microseconds(scope.now)
    ties = await store.roles.owner.fetch("SELECT * FROM treatment_relation")
    return {keys.REFERENCE} | {
        tie["patient"]
        for tie in ties
        if tie["grantee"] in scope.grantees and tie["start_at"] <= now < tie["end_at"]
    }


@usual(250)
@given(searches(), scopes(), st.data())
async def test_a_search_shows_nobody_whom_the_one_asking_is_not_tied_to(
    search: Search, store: Store, asked: Any, scope: Scope, data: Any
) -> None:
    kind, said = asked
    sort = data.draw(st.sampled_from(sortable(kind)))
    query = read(kind, [*said, ("_count", "7"), ("_total", "accurate"), ("_sort", sort)])
    patients = await seen_by(store, scope) - {keys.UNASSIGNED}
    shown = [kept for kept in KEPT if rows.locality(kept.resource) in patients]
    expected = {kept.place for kept in shown if oracle.matches(query, kept, shown)}
    page = await search.run(query, scope)
    assert page.total == len(expected)
    assert found(page) <= expected
    assert len(page.rows) == min(7, len(expected))
    counted = await search.run(read(kind, [*said, ("_summary", "count")]), scope)
    assert (counted.total, counted.rows) == (len(expected), [])


@usual(400)
@given(st.data(), scopes())
async def test_chains_find_what_they_say_and_nothing_through_what_is_hidden(
    search: Search, store: Store, data: Any, scope: Scope
) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    said = [data.draw(joins(kind)) for _ in range(data.draw(st.sampled_from((1, 1, 2))))]
    said += data.draw(pairs(kind, 1))
    query = read(kind, [*said, ("_count", "1000")])
    everything = {kept.place for kept in KEPT if oracle.matches(query, kept, KEPT)}
    assert found(await search.run(query)) == everything
    patients = await seen_by(store, scope) - {keys.UNASSIGNED}
    shown = [kept for kept in KEPT if rows.locality(kept.resource) in patients]
    expected = {kept.place for kept in shown if oracle.matches(query, kept, shown)}
    page = await search.run(query, scope)
    assert found(page) == expected
    assert page.total == len(expected)


@usual(300)
@given(st.data(), scopes())
async def test_filters_find_what_they_say_and_nothing_through_what_is_hidden(
    search: Search, store: Store, data: Any, scope: Scope
) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    query = read(kind, [("_filter", data.draw(formulas(kind))), ("_count", "1000")])
    everything = {kept.place for kept in KEPT if oracle.matches(query, kept, KEPT)}
    assert found(await search.run(query)) == everything
    patients = await seen_by(store, scope) - {keys.UNASSIGNED}
    shown = [kept for kept in KEPT if rows.locality(kept.resource) in patients]
    expected = {kept.place for kept in shown if oracle.matches(query, kept, shown)}
    assert found(await search.run(query, scope)) == expected


@usual(150)
@given(st.data(), scopes())
async def test_chains_from_either_side_find_the_same(
    search: Search, store: Store, data: Any, scope: Scope
) -> None:
    """Where a step leads to too many, what the others find is asked instead."""
    kind = data.draw(st.sampled_from(TYPES))
    query = read(kind, [data.draw(joins(kind)), *data.draw(pairs(kind, 1)), ("_count", "1000")])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search_plan, "MOST_NAMED", 3)
        try:
            few = found(await search.run(query, scope))
        except TooCostly:
            return
    assert few == found(await search.run(query, scope))


def sortable(kind: str) -> list[str]:
    kinds = ("date", "string", "number", "quantity")
    names = [
        n for n in MET[kind] if PARAMETERS[kind][n].kind in kinds and not n.startswith("combo")
    ]
    names += ["_id", "_lastUpdated"]
    return [sign + name for name in names for sign in ("", "-")]


def sorted_by(kept: Any, name: str, descending: bool) -> Any:
    """What stands in the way of comparing texts: a value, or None when there is none."""
    if name == "_id":
        return None
    if name == "_lastUpdated":
        return kept.updated
    values = [v for v in kept.values if v[0] == name]
    kind = PARAMETERS[kept.place[0]][name].kind
    readers: dict[str, Any] = {
        "string": lambda v: rows.string_value(normalize(v[2]), v[2]).encode(),
        "date": lambda v: v[2], "number": lambda v: v[2], "quantity": lambda v: v[2],
    }  # fmt: skip
    some = [readers[kind](v) for v in values]
    return (max(some) if descending else min(some)) if some else None


async def page_through(search: Search, kind: str, said: Any, count: int) -> list[tuple[str, str]]:
    every: list[tuple[str, str]] = []
    cursor: list[tuple[str, str]] = []
    for _ in range(1000):
        page = await search.run(parse(kind, [*said, ("_count", str(count)), *cursor], now=NOW))
        every += [(s.type, s.id) for s in page.rows]
        if page.next_cursor is None:
            return every
        assert len(page.rows) == count
        cursor = [("_cursor", page.next_cursor)]
    raise AssertionError("the pages have no end")


@usual(250)
@given(searches(), st.data())
async def test_pages_of_any_size_hold_each_match_once_in_the_order_asked_for(
    search: Search, asked: Any, data: Any
) -> None:
    kind, said = asked
    asked_for = data.draw(
        st.lists(st.sampled_from(sortable(kind)), max_size=2, unique_by=lambda s: s.strip("-"))
    )
    if asked_for:
        said = [*said, ("_sort", ",".join(asked_for))]
    query = read(kind, said)
    expected = {kept.place: kept for kept in KEPT if oracle.matches(query, kept, KEPT)}
    # As in a small record, where few are found and sorted, and as in a large one.
    most = data.draw(st.sampled_from((0, 2000)))
    with (
        mock.patch.object(search_sorted, "MOST_SORTED", most),
        mock.patch.object(search_tokens, "FEW", most),
    ):
        size = data.draw(st.sampled_from((1, 2, 3, 7, 50)))
        paged = await page_through(search, kind, said, size)
    assert len(paged) == len(set(paged))
    assert set(paged) == set(expected)
    if asked_for:
        name, descending = asked_for[0].lstrip("-"), asked_for[0].startswith("-")
        values = [sorted_by(expected[place], name, descending) for place in paged]
        there = [value for value in values if value is not None]
        assert there == sorted(there, reverse=descending)
        if name != "birthdate" and name not in LEADING:
            assert None not in values[: len(there)] or name == "_id"


LEADING = {leading.date_parameter(kind) for kind in TYPES}


async def test_pages_are_not_torn_by_what_others_write(
    search: Search, store: Store, author: Any
) -> None:
    """What was there before and stays is seen once; what comes and goes may be seen or not."""
    said = [("status", "final"), ("_sort", "-date"), ("_count", "3")]
    query = parse("Observation", said)
    before = {kept.place for kept in KEPT if oracle.matches(query, kept, KEPT)}
    seen: list[tuple[str, str]] = []
    cursor: list[tuple[str, str]] = []
    n = 0
    while True:
        page = await search.run(parse("Observation", [*said, *cursor]))
        seen += [(s.type, s.id) for s in page.rows]
        if page.next_cursor is None:
            break
        cursor = [("_cursor", page.next_cursor)]
        for day in ("2024", "2026-01-01", "9999-12-31"):
            n += 1
            made = {"resourceType": "Observation", "id": f"meanwhile{n}", "status": "final",
                    "effectiveDateTime": day, "subject": {"reference": "Patient/anne"}}  # fmt: skip
            await store_all(store, author, [world.keep(made, world.BEGUN)])
    for number in range(1, n + 1):
        stored = await store.read("Observation", f"meanwhile{number}")
        assert stored
        await store.delete(stored, keys.next_key(), world.BEGUN, author)
    assert len(seen) == len(set(seen))
    assert {place for place in seen if not place[1].startswith("meanwhile")} == before


@usual(60)
@given(searches(), st.data())
async def test_includes_are_what_the_matches_name_and_what_names_them(
    search: Search, asked: Any, data: Any
) -> None:
    kind, said = asked
    query = read(kind, [*said, ("_count", "1000")])
    page = await search.run(query)
    source = data.draw(st.sampled_from(TYPES))
    names = [
        n
        for n in MET[source]
        if PARAMETERS[source][n].kind == "reference"
        and kind in (PARAMETERS[source][n].targets or (kind,))
    ]
    assume(names)
    name = data.draw(st.sampled_from(names))
    matched = {f"{k}/{i}" for k, i in found(page)}
    expected = {
        kept.place
        for kept in KEPT
        if kept.place[0] == source and any(v[0] == name and v[2] in matched for v in kept.values)
    }
    assert {
        (s.type, s.id) for s in await search.referring(source, frozenset({name}), page.rows)
    } == expected
