"""From what a search asks to one condition in SQL: chains are followed, code sets looked up.

What cannot be said in SQL over the rows is read: the other conditions find at most `MOST_READ`
candidates, and their bodies tell which of them fit. Every step sees only what the scope shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from helsevev.fhir import references
from helsevev.fhir.extraction import REFERENCE
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula, Has
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_terms import TokenTerm
from helsevev.record import composites, leading
from helsevev.record.about import may_name_many
from helsevev.record.rows import ABOUT, NO_CODE, reference_hash, token_hash
from helsevev.record.search_checks import Checks, Place, needs_reading
from helsevev.record.search_codes import Codes, Resolver
from helsevev.record.search_conditions import Codings, ConditionSql
from helsevev.record.search_contained import ContainedSearch, is_asked_of_contained
from helsevev.record.search_cost import Costs, TooCostly
from helsevev.record.search_scope import Scope, scope_sql
from helsevev.record.search_strings import Texts
from helsevev.record.search_tokens import holding_all
from helsevev.record.search_values import Arguments
from helsevev.record.search_where import (
    Check,
    Naming,
    Walk,
    Where,
    about,
    any_where,
    embedded,
    exactly,
    is_light,
    met,
    naming_sql,
    negated,
    patients_of,
)
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

MOST_NAMED: Final = 2000
"""Resources that one step of a chain may lead to, when they have to be listed."""
MOST_READ: Final = 1000
"""Resources whose bodies are read to tell whether they fit."""

_SQL: Final = load("search")
_ROW: Final = "r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body"


class Planner:
    """Plans the conditions of searches over one store."""

    def __init__(self, store: Store, codes: Codes, costs: Costs) -> None:
        self._store = store
        self._costs = costs
        self._resolver = Resolver(codes, store, costs)
        self._checks = Checks(costs)
        self.contained = ContainedSearch(store, costs, self._resolver, self._fitting)

    async def where(
        self,
        kind: str,
        filters: Sequence[Filter | Naming],
        scope: Scope | None,
        *,
        shown: bool = False,
    ) -> Where:
        """What finds the resources of type `kind` that all filters fit, within the scope.

        With `shown` somebody else sees to it that they are within; what they lead to is seen to.

        Raises `SearchError` for what cannot be found, `TooCostly` for what would read too much.
        """
        written = await self._written(kind, filters, scope, shown=shown)
        if not written.checks:
            return written
        found = await self._read(written, MOST_READ)
        if found is None:
            raise TooCostly(
                f"Of {kind} this has to be read from the resources themselves, and the other"
                f" conditions find more than {MOST_READ}. Narrow them: name an inhabitant, a code"
                " or a time."
            )
        for check in written.checks:
            kept = await check(found) if found else set()
            found = [stored for stored in found if (stored.patient, stored.id) in kept]
        return exactly(kind, [(stored.patient, stored.id) for stored in found])

    async def rows(self, where: Where, most: int) -> list[Stored] | None:
        """All that a condition finds; None when that is more than `most`."""
        return await self._read(where, most)

    async def _written(
        self, kind: str, filters: Sequence[Filter | Naming], scope: Scope | None, *, shown: bool
    ) -> Where:
        plain = [each for each in filters if isinstance(each, Condition | AnyOf)]
        plain = [await self._resolver.resolved(each, scope) for each in plain]
        # How a date is best asked for depends on whether others name an inhabitant.
        plain.sort(key=lambda each: _is_of(each, leading.date_parameter(kind)))
        arguments = Arguments()
        conditions = await self._conditions(kind, plain, arguments)
        parts = [f"r.type = {arguments.add(kind, 'resource_type')}"]
        lone: list[str] = []
        strings: list[Texts] = []
        checks: list[Check] = []
        held = [hashes for each in plain if (hashes := conditions.held(each)) is not None]
        if held:
            parts.append(holding_all(held, arguments))
        for condition in (each for each in plain if conditions.held(each) is None):
            if needs_reading(kind, condition):
                assert isinstance(condition, Condition)
                checks.append(self._checks.of(condition))
                if condition.kind != "composite":
                    continue
            before, conditions.narrows, conditions.strings = conditions.narrows, False, None
            written = conditions.write(condition)
            if conditions.strings and conditions.strings.sql == written:
                strings.append(conditions.strings)
            else:
                parts.append(written)
                lone += [written] if conditions.narrows or not is_light(condition) else []
            conditions.narrows = conditions.narrows or before
        where = Where("", arguments, held=held)
        for each in filters:
            if isinstance(each, Naming):
                conditions.narrows = True
                parts.append(naming_sql(each, arguments))
            elif isinstance(each, Chain | Has | Formula):
                try:
                    joined = await self._join(kind, each, scope)
                except TooCostly:
                    if isinstance(each, Formula):
                        raise
                    # From the other side, then: what the other conditions find tells whom to ask.
                    checks.append(self._from_found(kind, each, scope))
                else:
                    parts.append(embedded(joined, arguments))
                    conditions.narrows = conditions.narrows or joined.narrows
        if scope is not None and not shown:
            parts.append(scope_sql(scope, arguments))
        if not (conditions.pins_patient or conditions.narrows or leading.code_parameter(kind)):
            # Such rows are all under one code, so that the index by code has them by date.
            parts.append(f"r.code = {NO_CODE}")
            conditions.pins_code = True
        where.sql = " AND ".join([*parts, *met(strings)])
        where.checks = checks
        where.pins_patient, where.pins_code = conditions.pins_patient, conditions.pins_code
        where.narrows, where.varies = conditions.narrows, conditions.varies or bool(held)
        others = lone or where.pins_patient or len(plain) < len(filters)
        if len(strings) == 1 and strings[0].in_order and not others:
            where.walk = Walk(strings[0], " AND ".join(parts))
        return where

    async def _conditions(
        self, kind: str, plain: Sequence[Condition | AnyOf], arguments: Arguments
    ) -> ConditionSql:
        every = [
            condition
            for each in plain
            for condition in (each.conditions if isinstance(each, AnyOf) else (each,))
        ]
        ids = [
            (kind, term.code)
            for condition in every if condition.name == "_id"
            for term in condition.terms if isinstance(term, TokenTerm) and term.code
        ]  # fmt: skip
        places = await self._store.places_of(ids) if ids else {}
        return ConditionSql(kind, arguments, places, await self._codings(kind, every))

    async def _codings(self, kind: str, conditions: Iterable[Condition]) -> Codings:
        name = leading.code_parameter(kind)
        asked = {
            token.code
            for condition in conditions
            for token in composites.leading_tokens(condition, name)
            if token.code
        }
        hashes: dict[str, list[int]] = {}
        among_keys: set[str] = set()
        if asked:
            rows = await self._store.database.fetch(_SQL["codings"], sorted(asked))
            for code, value, is_leading in rows:
                if is_leading:
                    hashes.setdefault(code, []).append(value)
                else:
                    among_keys.add(code)
        return Codings(hashes, among_keys)

    async def _join(self, kind: str, join: Chain | Has | Formula, scope: Scope | None) -> Where:
        if isinstance(join, Formula):
            return await self._formula(kind, join, scope)
        if isinstance(join, Chain):
            return await self._chain(kind, join, scope)
        return await self._has(kind, join, scope)

    async def _formula(self, kind: str, formula: Formula, scope: Scope | None) -> Where:
        if formula.joined == "and":
            return await self.where(kind, formula.parts, scope, shown=True)
        parts = [await self.where(kind, [each], scope, shown=True) for each in formula.parts]
        return any_where(parts) if formula.joined == "or" else negated(parts[0])

    async def _chain(self, kind: str, chain: Chain, scope: Scope | None) -> Where:
        alternatives: list[Where] = []
        for target, asked in chain.within:
            inner = await self.where(target, [asked], scope)
            own = chain.parameter.name in ABOUT and target == "Patient"
            if own:
                alternatives.append(about(kind, inner))
            if not own or may_name_many(kind):
                alternatives.append(await self._named_by_key(kind, chain, target, inner))
            within = await self._containing(kind, chain, target, asked, scope)
            alternatives += [within] if within is not None else []
        return any_where(alternatives)

    async def _containing(
        self, kind: str, chain: Chain, target: str, asked: Filter, scope: Scope | None
    ) -> Where | None:
        """Those that name, by the chain's parameter, what they contain; None when there are none.

        (http://hl7.org/fhir/R4/search.html#contained: chains look into contained resources.)
        """
        if not is_asked_of_contained(asked):
            return None
        found = await self.contained.found(
            target, [asked], scope, container=kind, parameter=chain.parameter.name
        )
        if not found:
            return None
        return exactly(kind, [(each.stored.patient, each.stored.id) for each in found])

    async def _fitting(self, chain: Chain, scope: Scope | None) -> set[str]:
        """The references that a chain may follow to something that fits."""
        found: set[str] = set()
        for target, asked in chain.within:
            inner = await self.where(target, [asked], scope)
            found |= {f"{target}/{i}" for _, i in await self._places(inner, chain.parameter.name)}
        return found

    async def _named_by_key(self, kind: str, chain: Chain, target: str, inner: Where) -> Where:
        name = chain.parameter.name
        if composites.is_canonical(kind, name) and "url" in PARAMETERS[target]:
            rows = await self._all(inner, chain.parameter.name)
            texts = [text for stored in rows for text in _names_of(stored)]
        else:
            texts = [f"{target}/{i}" for _, i in await self._places(inner, name)]
        arguments = Arguments()
        hashes = arguments.add([reference_hash(name, text) for text in texts], "bigint[]")
        return Where(f"r.keys && {hashes}", arguments, narrows=True)

    async def _has(self, kind: str, has: Has, scope: Scope | None) -> Where:
        inner = await self.where(has.source, [has.asked], scope)
        name = has.parameter.name
        if kind == "Patient" and name in ABOUT and not may_name_many(has.source):
            return patients_of(has.source, inner)
        rows = await self._all(inner, f"_has:{has.source}:{name}")
        return await self._targets(kind, name, rows)

    async def _targets(self, kind: str, name: str, rows: Sequence[Stored]) -> Where:
        texts = {text for stored in rows for text in self._named_by(stored, name)}
        local = [found for text in texts if (found := references.relative(text))]
        ids = [found for found in local if found[0] == kind]
        places = await self._store.places_of(ids)
        places_found = exactly(kind, [(patient, i) for (_, i), patient in places.items()])
        urls = [text for text in texts if references.relative(text) is None]
        if not urls or "url" not in PARAMETERS[kind]:
            return places_found
        arguments = Arguments()
        hashes = arguments.add([token_hash("url", None, url) for url in urls], "bigint[]")
        by_url = Where(f"r.keys && {hashes}", arguments, narrows=True)
        return any_where([places_found, by_url])

    def _from_found(self, kind: str, join: Chain | Has, scope: Scope | None) -> Check:
        async def check(found: Sequence[Stored]) -> set[Place]:
            if isinstance(join, Chain):
                return await self._chained_of(found, join, scope)
            return await self._had_of(kind, found, join, scope)

        return check

    async def _chained_of(
        self, found: Sequence[Stored], chain: Chain, scope: Scope | None
    ) -> set[Place]:
        named = {
            (stored.patient, stored.id): set(self._named_by(stored, chain.parameter.name))
            for stored in found
        }
        fitting: set[str] = set()
        for target, asked in chain.within:
            local = {r for texts in named.values() for t in texts if (r := references.relative(t))}
            ids = sorted(i for kind, i in local if kind == target)
            if ids:
                inner = await self.where(target, [asked, _one_of(target, ids)], scope)
                fitting |= {f"{target}/{i}" for _, i in await self._places(inner, "")}
        near = {place for place, texts in named.items() if not fitting.isdisjoint(texts)}
        return near | await self._containing_among(found, chain, scope)

    async def _containing_among(
        self, found: Sequence[Stored], chain: Chain, scope: Scope | None
    ) -> set[Place]:
        places: set[Place] = set()
        for target, asked in chain.within:
            if is_asked_of_contained(asked):
                name = chain.parameter.name
                some = await self.contained.among(found, target, [asked], scope, parameter=name)
                places |= {(each.stored.patient, each.stored.id) for each in some}
        return places

    async def _had_of(
        self, kind: str, found: Sequence[Stored], has: Has, scope: Scope | None
    ) -> set[Place]:
        name = has.parameter.name
        own = kind == "Patient" and name in ABOUT
        naming = Naming(
            [reference_hash(name, stored.reference) for stored in found],
            [stored.patient for stored in found] if own else [],
        )
        inner = await self.where(has.source, [has.asked, naming], scope)
        rows = await self._all(inner, f"_has:{has.source}:{name}")
        texts = {text for stored in rows for text in self._named_by(stored, name)}
        return {(stored.patient, stored.id) for stored in found if stored.reference in texts}

    def _named_by(self, stored: Stored, name: str) -> list[str]:
        """The references of a resource by one parameter, as they are compared."""
        found = self._store.custom.values(stored.resource)
        return [entry[2] for entry in found if entry[0] == name and entry[1] == REFERENCE]

    async def _places(self, where: Where, what: str) -> list[Place]:
        statement = f"SELECT r.patient, r.id FROM resource r WHERE {where.sql}"
        rows = await self._limited(where, statement, MOST_NAMED)
        if rows is None:
            raise _too_many(what)
        return [(row[0], row[1]) for row in rows]

    async def _all(self, where: Where, what: str) -> list[Stored]:
        rows = await self._read(where, MOST_NAMED)
        if rows is None:
            raise _too_many(what)
        return rows

    async def _read(self, where: Where, most: int) -> list[Stored] | None:
        statement = f"SELECT {_ROW} FROM resource r WHERE {where.sql}"
        rows = await self._limited(where, statement, most)
        return None if rows is None else [Stored(*row) for row in rows]

    async def _limited(self, where: Where, statement: str, most: int) -> list[Any] | None:
        limited = f"{statement} LIMIT {most + 1}"
        rows = await self._costs.fetch(limited, where.arguments.values)
        return None if len(rows) > most else rows


def _is_of(condition: Condition | AnyOf, name: str | None) -> bool:
    return isinstance(condition, Condition) and condition.name == name


def _names_of(stored: Stored) -> list[str]:
    resource = stored.resource
    url, version = resource.get("url"), resource.get("version")
    return [stored.reference, *([url] if url else []), *([f"{url}|{version}"] if version else [])]


def _too_many(what: str) -> TooCostly:
    return TooCostly(
        f"{what} leads to more than {MOST_NAMED} resources, and the other conditions find too many"
        " to try each: ask for something rarer in one of them."
    )


def _one_of(kind: str, ids: Iterable[str]) -> Condition:
    return Condition(
        "_id", "token", PARAMETERS[kind]["_id"], tuple(TokenTerm(None, i) for i in ids)
    )
