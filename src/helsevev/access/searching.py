"""Searching through the gate: within what the actor may see, every person found in the trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final
from urllib.parse import parse_qsl

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, Refused
from helsevev.access.gate import Gate
from helsevev.access.naming_withheld import ABOUT
from helsevev.access.policy import Facts, decide, may_treat
from helsevev.access.search_bounds import SearchBounds
from helsevev.access.survivors import led_on
from helsevev.fhir import references
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.dates import microseconds
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.extraction import REFERENCE
from helsevev.fhir.outcome import error
from helsevev.fhir.search_parameters import PARAMETERS, Parameter
from helsevev.fhir.search_query import Include, Query, SearchError, parse, parse_known
from helsevev.fhir.search_terms import ReferenceTerm
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.search import NOTHING_WITHIN, Matches, Scope, Search
from helsevev.record.search_codes import Codes
from helsevev.record.store import Stored

MOST_STEPS: Final = 8
"""From match to included to what that names, and so on, with `:iterate`."""
MOST_INCLUDED: Final = 5000
_COUNTED: Final = 500
"""Matches that are looked at together where a total has to be counted by looking."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page: what matched, what was asked for along with it, and where to go on.

    `within` are the ids of what fits in a match that is there for what it contains.
    """

    total: int | None
    matches: list[Stored]
    included: list[Stored]
    next_cursor: str | None
    within: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING_WITHIN)


class Searcher:
    """Runs searches for an actor."""

    def __init__(self, gate: Gate, codes: Codes | None = None) -> None:
        self._gate = gate
        self._search = Search(gate.store, codes)
        self._bounds = SearchBounds(gate.permits, gate.store)

    async def search(self, actor: Actor, query: Query) -> SearchPage:
        """The page of `query` that `actor` may see.

        A search about one inhabitant is refused (`Refused`) without a right to that record; any
        other shows what the actor may see. Raises `SearchError` for what cannot be searched.
        """
        for patient_id in named_patients(query):
            await self._gate.open_chart(actor, patient_id, interaction="search-type")
        if is_clinical(query.resource_type) and not may_treat(actor):
            # Found nothing would be half the truth: whatever there is, the role opens none of it.
            closed = decide(actor, "read", Facts("inhabitant"))
            await self._gate.refuse(actor, keys.REFERENCE, closed, "search-type")
        matches = await self._within(actor, query, "search-type")
        # What a person had who was merged is kept with the one who stayed.
        led = await led_on(self._gate.store, query, found=bool(matches.rows or matches.total))
        if led is not None:
            return await self.search(actor, led)
        rows = app_bounds.shown(actor, matches.rows, "search-type")
        rows = await self._gate.allow_read(actor, rows, "search-type", _asked(query))
        if not rows:
            await self._gate.trace_nothing(actor, "search-type", _asked(query))
        included = await self._included(actor, query, rows)
        return SearchPage(matches.total, rows, included, matches.next_cursor, matches.within)

    async def read(
        self, resource_type: str, pairs: Sequence[tuple[str, str]], *, strict: bool, base: str
    ) -> Query:
        """Read a query by R4's parameters, and by those added here when it names another.

        Raises `SearchError`.
        """
        now = microseconds(clock.now())
        try:
            return parse_known(resource_type, pairs, base, now)
        except SearchError:
            known = await self._gate.store.custom.refresh()
        return parse(
            resource_type, pairs, strict=strict, base=base, now=now,
            parameters=known.parameters, pending=known.pending,
        )  # fmt: skip

    async def added(self) -> dict[str, list[Parameter]]:
        """The search parameters added here that can be searched now, by resource type."""
        known = await self._gate.store.custom.refresh()
        return {
            kind: [found[name] for name in sorted(found.keys() - PARAMETERS[kind].keys())]
            for kind, found in known.parameters.items()
            if found.keys() - PARAMETERS[kind].keys()
        }

    async def match(
        self, actor: Actor, resource_type: str, query_string: str, most: int = 2
    ) -> list[Stored]:
        """At most so many resources that fit a conditional request, among those the actor may see.

        Not audited: what is done with them is. Raises `Invalid` when the condition cannot be read.
        """
        try:
            pairs = parse_qsl(query_string, keep_blank_values=True)
            asked = [*pairs, ("_count", str(most))]
            query = await self.read(resource_type, asked, strict=True, base="")
            return (await self._within(actor, query, "match")).rows[:most]
        except SearchError as problem:
            raise Invalid(problem.issues) from problem

    async def _within(self, actor: Actor, query: Query, interaction: str) -> Matches:
        """What the actor may see, as far as the scopes of the app that asks reach."""
        try:
            query, only = app_bounds.narrowed(actor, query)
        except Refused as refused:
            await self._gate.refuse(actor, keys.REFERENCE, refused.decision, interaction)
        await self._gate.permits.reach_all(actor)
        scope = await self._bounds.of(actor, query)
        if only is not None:
            own = Scope(actor.id, (), clock.now(), own=only)
            scope = own if scope is None else replace(scope, only=only)
        return await self._run(actor, query, scope)

    async def _run(self, actor: Actor, query: Query, scope: Scope | None) -> Matches:
        found = await self._search.run(query, scope)
        if scope is None or query.resource_type not in ABOUT or not found.total:
            return found
        # What is about withheld entries alone is withheld with them, and nobody's to count.
        total, page = 0, replace(query, count=_COUNTED, summary=None, total=None, cursor=None)
        while True:
            some = await self._search.run(page, scope)
            total += len(await self._gate.as_seen(actor, some.rows))
            if some.next_cursor is None:
                return replace(found, total=total)
            page = replace(page, cursor=some.next_cursor)

    async def _included(self, actor: Actor, query: Query, matches: list[Stored]) -> list[Stored]:
        """What is included, step by step; only what the actor may see is followed further."""
        target = _asked(query)
        found: dict[tuple[str, str], Stored] = {}
        there = {(stored.type, stored.id) for stored in matches}
        includes, revincludes = query.includes, query.revincludes
        newest = matches
        for _ in range(MOST_STEPS):
            if not newest or not (includes or revincludes):
                break
            near = await self._named(actor, newest, includes, there)
            for source, group in groupby(sorted(revincludes, key=_source), key=_source):
                near += await self._referring(source, list(group), newest)
            fresh = {(s.type, s.id): s for s in near if (s.type, s.id) not in there}
            newest = await self._gate.visible(actor, list(fresh.values()), "search-type", target)
            found |= {(stored.type, stored.id): stored for stored in newest}
            there |= fresh.keys()
            if len(found) > MOST_INCLUDED:
                text = (
                    f"More than {MOST_INCLUDED} resources would be included; ask for fewer matches"
                    " at once with _count, or include less."
                )
                raise SearchError([error("too-costly", text, "_include")])
            includes = tuple(include for include in includes if include.iterate)
            revincludes = tuple(include for include in revincludes if include.iterate)
        return list(found.values())

    async def _named(
        self,
        actor: Actor,
        rows: list[Stored],
        includes: Sequence[Include],
        there: Collection[tuple[str, str]],
    ) -> list[Stored]:
        wanted: set[tuple[str, str]] = set()
        urls: dict[str, set[str]] = {}
        for stored in rows if includes else ():
            for name, text in self._references(stored):
                for include in includes:
                    if (include.source, include.parameter) != (stored.type, name):
                        continue
                    local = references.relative(text)
                    if local is None:
                        urls.setdefault(text, set()).update(_targets(include))
                    elif include.target in (None, local[0]):
                        wanted.add(local)
        missing = wanted.difference(there)
        await self._gate.reach(actor, missing)
        near = list((await self._gate.store.read_many(missing)).values())
        if urls:
            types = {kind for kinds in urls.values() for kind in kinds}
            near += await self._search.by_url(types, urls)
        return near

    def _references(self, stored: Stored) -> list[tuple[str, str]]:
        found = self._gate.store.custom.values(stored.resource)
        return [(entry[0], entry[2]) for entry in found if entry[1] == REFERENCE]

    async def _referring(
        self, source: str, includes: Sequence[Include], rows: list[Stored]
    ) -> list[Stored]:
        found: list[Stored] = []
        for kind in {stored.type for stored in rows}:
            names = frozenset(i.parameter for i in includes if kind in _targets(i))
            if names:
                of_kind = [stored for stored in rows if stored.type == kind]
                found += await self._search.referring(source, names, of_kind)
        return found


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


def _asked(query: Query) -> str:
    """What was searched, for the trail: by which parameters, never for which values."""
    names = dict.fromkeys(condition.name for condition in query.conditions)
    return f"{query.resource_type}?{'&'.join(names)}"


def _source(include: Include) -> str:
    return include.source


def _targets(include: Include) -> Collection[str]:
    """The types that an include may lead to."""
    if include.target is not None:
        return (include.target,)
    parameter = PARAMETERS[include.source].get(include.parameter)
    return (parameter.targets if parameter else ()) or RESOURCE_TYPES
