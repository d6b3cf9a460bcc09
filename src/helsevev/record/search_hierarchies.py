"""What stands above or below something in its hierarchy (`partOf`), as far as the scope shows it.

Each step is taken within the scope: what is hidden neither is named nor leads any further, so that
it cannot tell that two things that may be seen belong together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from helsevev.fhir import references
from helsevev.fhir.extraction import REFERENCE, extract
from helsevev.fhir.outcome import error
from helsevev.fhir.search_filters import Condition
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.search_terms import ReferenceTerm
from helsevev.record.rows import reference_hash
from helsevev.record.search_cost import Costs, TooCostly
from helsevev.record.search_scope import Scope, scope_sql
from helsevev.record.search_values import Arguments
from helsevev.record.store import Store, Stored

DEEPEST: Final = 20
MOST_PLACES: Final = 5000
_NAMES: Final = ("partof", "part-of")
_ROW: Final = "r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body"


class Hierarchies:
    """Walks hierarchies of one store."""

    def __init__(self, store: Store, costs: Costs) -> None:
        self._store = store
        self._costs = costs

    async def resolved(self, condition: Condition, scope: Scope | None) -> Condition:
        """An `:above` or `:below` on references as the plain references that it stands for.

        Raises `SearchError` for types without a hierarchy, `TooCostly` for hierarchies too large.
        """
        names = {
            t for term in condition.terms if isinstance(term, ReferenceTerm) for t in term.texts
        }
        by_kind: dict[str, set[str]] = {}
        for text in names:
            if local := references.relative(text):
                by_kind.setdefault(local[0], set()).add(text)
        known = {kind: name for kind in by_kind if (name := _hierarchy(kind))}
        if not known:
            what = f"a hierarchy of {', '.join(sorted(by_kind)) or 'what is named'}"
            text = f"{condition.name}:{condition.modifier}: {what} is not known here."
            raise SearchError([error("not-found", text, condition.name)])
        found: set[str] = set()
        for kind, name in known.items():
            found |= await self._walked(condition, kind, name, by_kind[kind], scope)
        return replace(condition, terms=(ReferenceTerm(tuple(sorted(found))),), modifier=None)

    async def _walked(
        self, condition: Condition, kind: str, name: str, some: set[str], scope: Scope | None
    ) -> set[str]:
        step = self._above if condition.modifier == "above" else self._below
        found, newest = set(some), some
        for _ in range(DEEPEST):
            newest = await step(kind, name, newest, scope) - found
            found |= newest
            if not newest:
                return found
            if len(found) > MOST_PLACES:
                break
        raise TooCostly(
            f"{condition.name}:{condition.modifier} leads to more than {MOST_PLACES} resources or"
            f" {DEEPEST} levels: name one further down.",
            condition.name,
        )

    async def _below(
        self, kind: str, name: str, some: Collection[str], scope: Scope | None
    ) -> set[str]:
        arguments = Arguments()
        hashes = arguments.add([reference_hash(name, text) for text in some], "bigint[]")
        where = f"r.keys && {hashes}"
        rows = await self._rows("r.id", kind, where, arguments, scope)
        return {f"{kind}/{row[0]}" for row in rows}

    async def _above(
        self, kind: str, name: str, some: Collection[str], scope: Scope | None
    ) -> set[str]:
        wanted = [local for text in some if (local := references.relative(text))]
        places = await self._store.places_of(each for each in wanted if each[0] == kind)
        arguments = Arguments()
        patients = arguments.add(list(places.values()), "bigint[]")
        ids = arguments.add([resource_id for _, resource_id in places], "text[]")
        where = f"(r.patient, r.id) IN (SELECT * FROM unnest({patients}, {ids}))"
        rows = await self._rows(_ROW, kind, where, arguments, scope)
        return {text for row in rows for text in _named(Stored(*row), name)}

    async def _rows(
        self, columns: str, kind: str, where: str, arguments: Arguments, scope: Scope | None
    ) -> list[Any]:
        where = f"r.type = {arguments.add(kind, 'resource_type')} AND {where}"
        if scope is not None:
            where += f" AND {scope_sql(scope, arguments)}"
        # One more than the most, so that too many are noticed.
        statement = f"SELECT {columns} FROM resource r WHERE {where} LIMIT {MOST_PLACES + 1}"
        return await self._costs.fetch(statement, arguments.values)


def _named(stored: Stored, name: str) -> list[str]:
    return [e[2] for e in extract(stored.resource) if e[0] == name and e[1] == REFERENCE]


def _hierarchy(kind: str) -> str | None:
    known = PARAMETERS.get(kind, {})
    return next((n for n in _NAMES if n in known and kind in known[n].targets), None)
