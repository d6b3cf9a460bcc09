"""Searching through the gate: within what the actor may see, every person found in the trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid
from helsevev.access.gate import Gate
from helsevev.fhir import references
from helsevev.fhir.extraction import REFERENCE, extract
from helsevev.fhir.search_query import Include, Query, SearchError, parse
from helsevev.fhir.search_terms import ReferenceTerm
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.search import Scope, Search
from helsevev.record.store import Stored


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page: what matched, what was asked for along with it, and where to go on."""

    total: int | None
    matches: list[Stored]
    included: list[Stored]
    next_cursor: str | None


class Searcher:
    """Runs searches for an actor."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._search = Search(gate.store)

    async def search(self, actor: Actor, query: Query) -> SearchPage:
        """The page of `query` that `actor` may see.

        A search about one inhabitant is refused (`Refused`) without a right to that record; any
        other shows what the actor may see. Raises `SearchError` for what cannot be searched.
        """
        for patient_id in named_patients(query):
            await self._gate.open_chart(actor, patient_id, interaction="search-type")
        matches = await self._search.run(query, scope_of(actor))
        included = await self._included(query, matches.rows)
        target = f"{query.resource_type}?"
        await self._gate.allow_read(actor, matches.rows, "search-type", target)
        seen = await self._gate.visible(actor, included, "search-type", target)
        return SearchPage(matches.total, matches.rows, seen, matches.next_cursor)

    async def match(self, actor: Actor, resource_type: str, query_string: str) -> list[Stored]:
        """At most two resources that fit a conditional request, among those the actor may see.

        Not audited: what is done with them is. Raises `Invalid` when the condition cannot be read.
        """
        try:
            pairs = parse_qsl(query_string, keep_blank_values=True)
            query = parse(resource_type, [*pairs, ("_count", "2")])
            return (await self._search.run(query, scope_of(actor))).rows[:2]
        except SearchError as problem:
            raise Invalid(problem.issues) from problem

    async def _included(self, query: Query, matches: list[Stored]) -> list[Stored]:
        if not (query.includes or query.revincludes) or not matches:
            return []
        found: dict[tuple[str, str], Stored] = {}
        wanted = {t for stored in matches for t in _targets(stored, query.includes)}
        wanted -= {(stored.type, stored.id) for stored in matches}
        if wanted:
            found.update(await self._gate.store.read_many(wanted))
        for include in query.revincludes:
            for stored in await self._search.referring(include, matches):
                found[stored.type, stored.id] = stored
        for stored in matches:
            found.pop((stored.type, stored.id), None)
        return list(found.values())


def scope_of(actor: Actor) -> Scope | None:
    """What a search by this actor looks into; None: everything."""
    if actor.kind == "system":
        return None
    own = keys.patient_key(actor.patient[8:]) if actor.patient else keys.REFERENCE
    return Scope(actor.id, actor.grantees, clock.now(), own if actor.kind == "inhabitant" else None)


def named_patients(query: Query) -> list[str]:
    """The ids of the inhabitants that the query is about by `patient` or `subject`."""
    named: list[str] = []
    for condition in query.conditions:
        if condition.name not in ("patient", "subject") or condition.modifier:
            continue
        texts = [
            t for term in condition.terms if isinstance(term, ReferenceTerm) for t in term.texts
        ]
        named += [text[8:] for text in texts if text.startswith("Patient/")]
    return named


def _targets(stored: Stored, includes: Iterable[Include]) -> Iterable[tuple[str, str]]:
    wanted = {(include.parameter, include.target) for include in includes}
    for entry in extract(stored.resource):
        if entry[1] == REFERENCE:
            target = references.relative(entry[2])
            if target and not wanted.isdisjoint({(entry[0], None), (entry[0], target[0])}):
                yield target
