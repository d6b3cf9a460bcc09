"""Value sets and code systems as they stand in the record: lists and trees that are spelt out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.fhir import references
from helsevev.record.rows import token_hash
from helsevev.record.search_codes import Code
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

_SQL: Final = load("search")
_DEEPEST: Final = 10


class RecordedCodes:
    """What ValueSet and CodeSystem resources of the record say in so many words."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def in_value_set(self, url: str) -> set[Code] | None:
        """Every code of a value set, by its URL or `ValueSet/id`; None when it is not known."""
        return await self._members(url, _DEEPEST)

    async def below(self, system: str, code: str) -> set[Code] | None:
        """The code and all that it subsumes; None when the system is not known."""
        tree = await self._tree(system)
        if tree is None:
            return None
        found, newest = {code}, {code}
        while newest:
            newest = {child for child, parent in tree if parent in newest} - found
            found |= newest
        return {(system, each) for each in found}

    async def above(self, system: str, code: str) -> set[Code] | None:
        """The code and all that subsume it; None when the system is not known."""
        tree = await self._tree(system)
        if tree is None:
            return None
        found, newest = {code}, {code}
        while newest:
            newest = {parent for child, parent in tree if child in newest and parent} - found
            found |= newest
        return {(system, each) for each in found}

    async def _members(self, url: str, depth: int) -> set[Code] | None:
        stored = await self._named("ValueSet", url)
        if stored is None or not depth:
            return None
        value_set = stored.resource
        expansion = value_set.get("expansion")
        if expansion is not None and not {"offset"} & expansion.keys():
            return set(_contained(expansion.get("contains", ())))
        compose = value_set.get("compose", {})
        found: set[Code] = set()
        for part in compose.get("include", ()):
            codes = await self._part(part, depth)
            if codes is None:
                return None
            found |= codes
        for part in compose.get("exclude", ()):
            codes = await self._part(part, depth)
            if codes is None:
                return None
            found -= codes
        return found

    async def _part(self, part: dict[str, Any], depth: int) -> set[Code] | None:
        system = part.get("system")
        if "filter" in part:
            return None
        sets: list[set[Code]] = []
        if "concept" in part:
            sets.append({(system or "", each["code"]) for each in part["concept"]})
        elif system:
            tree = await self._tree(system)
            if tree is None:
                return None
            sets.append({(system, child) for child, _ in tree})
        for url in part.get("valueSet", ()):
            members = await self._members(url, depth - 1)
            if members is None:
                return None
            sets.append(members)
        return set.intersection(*sets) if sets else set()

    async def _tree(self, system: str) -> list[tuple[str, str | None]] | None:
        """(code, the code it stands under) of a code system that is complete."""
        stored = await self._named("CodeSystem", system)
        if stored is None or stored.resource.get("content") != "complete":
            return None
        return list(_branches(stored.resource.get("concept", ()), None))

    async def _named(self, kind: str, url: str) -> Stored | None:
        local = references.relative(url)
        if local is not None and local[0] == kind:
            return (await self._store.read_many([local])).get(local)
        rows = await self._store.shown.fetch(_SQL["by_url"], kind, [token_hash("url", None, url)])
        plain, _, version = url.partition("|")
        if not rows and version:
            rows = await self._store.shown.fetch(
                _SQL["by_url"], kind, [token_hash("url", None, plain)]
            )
        found = [Stored(*row) for row in rows]
        if version:
            found = [each for each in found if each.resource.get("version") == version]
        return found[0] if found else None


def _contained(concepts: Any) -> Iterator[Code]:
    for each in concepts:
        if "code" in each and not each.get("abstract"):
            yield each.get("system", ""), each["code"]
        yield from _contained(each.get("contains", ()))


def _branches(concepts: Any, parent: str | None) -> Iterator[tuple[str, str | None]]:
    for each in concepts:
        yield each["code"], parent
        for named in each.get("property", ()):
            if named.get("code") in ("parent", "subsumedBy") and "valueCode" in named:
                yield each["code"], named["valueCode"]
        yield from _branches(each.get("concept", ()), each["code"])
