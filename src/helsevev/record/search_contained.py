"""Searches within resources: what is contained has no row of its own, and is read in its container.

A container has keys for what it contains, which find the few that may fit; their bodies tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir import contained, search_matching
from helsevev.fhir.extraction import REFERENCE
from helsevev.fhir.outcome import error
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula
from helsevev.fhir.search_parameters import FULL_TEXT
from helsevev.fhir.search_query import SearchError
from helsevev.record.rows import token_hash
from helsevev.record.search_codes import Resolver
from helsevev.record.search_cost import Costs, TooCostly
from helsevev.record.search_scope import Scope, scope_sql
from helsevev.record.search_values import Arguments
from helsevev.record.store import Store, Stored

MOST_READ: Final = 1000
"""Containers that are read to tell whether something in them fits."""

_ROW: Final = "r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body"
Follow = Callable[[Chain, Scope | None], Awaitable[set[str]]]
"""What a step of a chain may lead to, as references that fit."""


@dataclass(frozen=True, slots=True)
class Container:
    """A resource and those in it that fit, by their ids."""

    stored: Stored
    fitting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Naming:
    """It names one of these by a parameter."""

    name: str
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Joined:
    """One of the parts holds, all do, or the only one does not."""

    joined: str
    parts: tuple[_Asked, ...]


_Asked = Condition | _Naming | _Joined


class ContainedSearch:
    """Finds what is contained, and its containers."""

    def __init__(self, store: Store, costs: Costs, resolver: Resolver, follow: Follow) -> None:
        self._store = store
        self._costs = costs
        self._resolver = resolver
        self._follow = follow

    async def found(
        self,
        kind: str,
        filters: Sequence[Filter],
        scope: Scope | None,
        *,
        container: str | None = None,
        parameter: str = "",
    ) -> list[Container]:
        """Containers within the scope of resources of type `kind` that all filters fit.

        Only those of type `container` that name it by `parameter`, if these are given. Raises
        `TooCostly` when too many would be read, `SearchError` for what is not asked of contained
        resources.
        """
        plain = [await self._spelt_out(each, scope) for each in filters if _is_plain(each)]
        arguments = Arguments()
        parts = [f"r.type = {arguments.add(container, 'resource_type')}"] if container else []
        parts += _candidates(kind, parameter, plain, arguments)
        if scope is not None:
            parts.append(scope_sql(scope, arguments))
        statement = f"SELECT {_ROW} FROM resource r WHERE {' AND '.join(parts)}"
        rows = await self._costs.fetch(f"{statement} LIMIT {MOST_READ + 1}", arguments.values)
        if len(rows) > MOST_READ:
            raise TooCostly(
                f"More than {MOST_READ} resources contain a {kind} that may fit: ask for a code,"
                " an identifier or a reference that few have.",
                "_contained",
            )
        stored = [Stored(*row) for row in rows]
        return await self.among(stored, kind, filters, scope, parameter=parameter)

    async def among(
        self,
        stored: Sequence[Stored],
        kind: str,
        filters: Sequence[Filter],
        scope: Scope | None,
        *,
        parameter: str,
    ) -> list[Container]:
        """The containers among resources that were read. Raises `SearchError`."""
        if not stored:
            return []
        asked = [await self._spelt_out(each, scope) for each in filters]
        every = (self._within(each, kind, parameter, asked) for each in stored)
        return [each for each in every if each.fitting]

    async def _spelt_out(self, each: Filter, scope: Scope | None) -> _Asked:
        if not is_asked_of_contained(each):
            text = "_has, _text and _content are not asked of what is contained"
            raise SearchError([error("not-supported", text, "_contained")])
        if isinstance(each, Chain):
            texts = frozenset(await self._follow(each, scope))
            return _Naming(each.parameter.name, texts)
        if isinstance(each, Condition):
            resolved = await self._resolver.resolved(each, scope)
            assert isinstance(resolved, Condition)
            return resolved
        assert isinstance(each, AnyOf | Formula)
        joined = "or" if isinstance(each, AnyOf) else each.joined
        parts = _parts(each)
        return _Joined(joined, tuple([await self._spelt_out(part, scope) for part in parts]))

    def _within(
        self, stored: Stored, kind: str, parameter: str, asked: Sequence[_Asked]
    ) -> Container:
        resource = stored.resource
        named = contained.named_by(resource) if parameter else {}
        fitting = tuple(
            each["id"]
            for each in contained.contained_in(resource)
            if each["resourceType"] == kind
            and (not parameter or parameter in named.get(each["id"], ()))
            and self.fits(each, asked)
        )
        return Container(stored, fitting)

    def fits(self, resource: dict[str, Any], asked: Sequence[_Asked]) -> bool:
        """Whether all that is asked holds for a resource."""
        values = self._store.custom.values(resource)
        return all(_holds(each, resource, values) for each in asked)


def is_asked_of_contained(asked: Filter) -> bool:
    """Whether it can be told of a contained resource: nothing but its container names it, and its
    words are the container's."""
    if isinstance(asked, AnyOf | Formula):
        return all(is_asked_of_contained(part) for part in _parts(asked))
    if isinstance(asked, Condition):
        return asked.name not in FULL_TEXT
    return isinstance(asked, Chain)


def _parts(asked: AnyOf | Formula) -> tuple[Filter, ...]:
    return asked.conditions if isinstance(asked, AnyOf) else asked.parts


def _is_plain(asked: Filter) -> bool:
    return isinstance(asked, Condition)


def _holds(asked: _Asked, resource: dict[str, Any], values: Sequence[tuple[Any, ...]]) -> bool:
    if isinstance(asked, Condition):
        return search_matching.holds(asked, resource, values)
    if isinstance(asked, _Naming):
        own = {row[2] for row in values if row[0] == asked.name and row[1] == REFERENCE}
        return not asked.texts.isdisjoint(own)
    held = (_holds(part, resource, values) for part in asked.parts)
    if asked.joined == "not":
        return not any(held)
    return all(held) if asked.joined == "and" else any(held)


def _candidates(
    kind: str, parameter: str, asked: Sequence[_Asked], arguments: Arguments
) -> list[str]:
    """What tells, of a container, that something in it may fit."""
    every = [[contained.present(kind, parameter)]]
    for each in asked:
        if isinstance(each, Condition) and each.modifier is None:
            wanted = contained.wanted(kind, parameter, each.name, each.terms)
            if wanted is not None:
                every.append(wanted)
    hashes = [sorted({token_hash(*value) for value in values}) for values in every]
    return [f"r.keys && {arguments.add(each, 'bigint[]')}" for each in hashes]
