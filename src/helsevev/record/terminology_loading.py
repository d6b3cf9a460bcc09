"""Takes releases of code systems, value sets and concept maps into the record's tables.

A release is one transaction: it is there whole, and only then the current one, or not at all.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.record.connection import Connection
from helsevev.record.database import Database
from helsevev.record.statements import load as statements
from helsevev.terminology.hierarchy import Hierarchy, number
from helsevev.terminology.shapes import ConceptMap, Definition, Release
from helsevev.terminology.words import fold

_SQL: Final = statements("terminology_loading")
_LARGE: Final = 1000
"""Concepts from which on the planner's counts are renewed."""

COMMON: Final = 15_000
"""Names from which on the beginning of a word is common: the index of words takes two milliseconds
for so many."""

_CONCEPT: Final = (
    "release", "number", "active", "abstract", "code", "display", "definition", "parents",
    "below", "properties",
)  # fmt: skip
_DESIGNATION: Final = (
    "release", "concept", "preferred", "language", "purpose", "value", "folded",
)  # fmt: skip
_MAPPING: Final = (
    "map", "place", "source_system", "source", "target_system", "target", "equivalence",
    "display", "comment",
)  # fmt: skip

Progress = Callable[[str, int], None]
"""Hears what is being loaded and how much of it has been."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a release: how many concepts it has, and whether it was here already."""

    system: str
    version: str
    concepts: int
    unchanged: bool = False


def _silent(_what: str, _count: int) -> None:
    """Nobody listens."""


class Loading:
    """Writes terminology."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(
        self,
        release: Release,
        fingerprint: str,
        *,
        origin: str = "",
        make_current: bool = True,
        progress: Progress = _silent,
    ) -> Loaded:
        """Load a release with its maps and value sets, in the place of the same version.

        One with the same fingerprint is left as it is, and becomes the current one if asked. With
        an `origin` (`CodeSystem/id/version`) it takes the place of what that resource said before.
        Raises `BadDistribution` when the release contradicts itself.
        """
        async with self._database.transaction() as connection:
            await connection.fetch(_SQL["turn"], release.system)
            known = await connection.fetchrow(
                _SQL["known"], release.system, release.version, origin
            )
            if known is not None and known["fingerprint"] == fingerprint:
                if make_current and not origin:
                    await connection.execute(_SQL["step_forward"], known["id"])
                    await connection.execute(_SQL["step_back"], release.system, known["id"])
                return Loaded(release.system, release.version, 0, unchanged=True)
            await self._forget(connection, known, origin)
            hierarchy = number(((c.code, c.parents) for c in release.concepts()), release.ties())
            progress("hierarchy", len(hierarchy.numbers))
            current = bool(origin) or make_current or (known is not None and known["is_current"])
            key = await connection.fetchval(
                _SQL["add_release"],
                *(release.system, release.version, release.name, release.language),
                *(release.content, release.source, origin, fingerprint, release.case_sensitive),
                *(json.dumps(release.properties), len(hierarchy.numbers), current),
            )
            urls = [release.system, *release.aliases]
            await connection.execute(_SQL["add_aliases"], key, urls)
            if current and not origin:
                await connection.execute(_SQL["step_back"], release.system, key)
            await _copy(connection, key, release, hierarchy, progress)
            for concept_map in release.maps:
                await _copy_map(connection, concept_map, origin, progress)
            for definition in release.definitions:
                await _keep(connection, definition)
        if len(hierarchy.numbers) >= _LARGE:
            await self._database.execute(_SQL["count_names"])
        return Loaded(release.system, release.version, len(hierarchy.numbers))

    async def load_definition(self, definition: Definition) -> None:
        """Keep a value set, in the place of the same version."""
        async with self._database.transaction() as connection:
            await _keep(connection, definition)

    async def load_map(
        self, concept_map: ConceptMap, origin: str = "", progress: Progress = _silent
    ) -> None:
        """Keep a concept map, in the place of the same version."""
        async with self._database.transaction() as connection:
            await connection.fetch(_SQL["turn"], concept_map.url)
            await _copy_map(connection, concept_map, origin, progress)

    async def _forget(self, connection: Connection, known: Any, origin: str) -> None:
        gone = [known["id"]] if known is not None else []
        if origin:
            earlier = await connection.fetch(_SQL["releases_of_origin"], _any_version(origin))
            gone += [row["id"] for row in earlier]
        if gone:
            for name in ("concepts", "designations", "members", "common", "releases"):
                await connection.execute(_SQL[f"drop_{name}"], gone)


async def _copy(
    connection: Connection, key: int, release: Release, hierarchy: Hierarchy, progress: Progress
) -> None:
    concepts = _counted("concepts", _concepts(key, release, hierarchy), progress)
    await connection.copy_records("terminology_concept", _CONCEPT, concepts)
    words: Counter[str] = Counter()
    designations = _words_counted(_designations(key, release, hierarchy), words)
    names = _counted("designations", designations, progress)
    await connection.copy_records("terminology_designation", _DESIGNATION, names)
    common = ((key, start, count) for start, count in common_starts(words).items())
    await connection.copy_records("terminology_common", ("release", "start", "names"), common)
    numbers = hierarchy.numbers
    members: dict[str, array[int]] = {}
    for each in release.members():
        if each.code in numbers:
            members.setdefault(each.group, array("i")).append(numbers[each.code])
    await connection.copy_records(
        "terminology_member",
        ("release", "member_of", "concept"),
        ((key, group, n) for group in sorted(members) for n in sorted(set(members[group]))),
    )


def _concepts(key: int, release: Release, hierarchy: Hierarchy) -> Iterator[tuple[Any, ...]]:
    for concept in release.concepts():
        place = hierarchy.numbers[concept.code]
        yield (
            key, place, concept.active, concept.abstract, concept.code, _clean(concept.display),
            _clean(concept.definition), hierarchy.parents[place],
            hierarchy.below.get(place, ()),
            json.dumps(concept.properties).replace("\\u0000", "") if concept.properties else "{}",
        )  # fmt: skip


def _designations(key: int, release: Release, hierarchy: Hierarchy) -> Iterator[tuple[Any, ...]]:
    numbers = hierarchy.numbers
    for concept in release.concepts():
        if concept.display:
            place, display = numbers[concept.code], _clean(concept.display)
            yield key, place, True, release.language, "display", display, fold(display)
    for each in release.designations():
        found = numbers.get(each.code)
        if found is not None:
            value = _clean(each.value)
            yield key, found, each.preferred, each.language, each.use, value, fold(value)


def _words_counted(
    rows: Iterable[tuple[Any, ...]], words: Counter[str]
) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        words[""] += 1
        words.update(row[-1].split(" "))
        yield row


def common_starts(words: Mapping[str, int]) -> dict[str, int]:
    """The beginnings of words that at least `COMMON` names have, and how many that are.

    `words` says how many names have each word, and with "" how many names there are.
    """
    starts = {"": words.get("", 0)}
    waiting = [("", [word for word in words if word])]
    while waiting:
        start, among = waiting.pop()
        longer: dict[str, list[str]] = {}
        for word in among:
            if len(word) > len(start):
                longer.setdefault(word[: len(start) + 1], []).append(word)
        for begun, found in longer.items():
            count = sum(words[word] for word in found)
            if count >= COMMON:
                starts[begun] = count
                waiting.append((begun, found))
    return starts if len(starts) > 1 else {}


async def _copy_map(
    connection: Connection, concept_map: ConceptMap, origin: str, progress: Progress
) -> None:
    await connection.execute(
        _SQL["drop_map"], concept_map.url, concept_map.version, origin,
        _any_version(origin) if origin else "",
    )  # fmt: skip
    key = await connection.fetchval(
        _SQL["add_map"], concept_map.url, concept_map.version, concept_map.name,
        concept_map.source_value_set, concept_map.target_value_set, origin,
    )  # fmt: skip
    lines = (
        (
            *(key, place, m.source_system, m.source, m.target_system, m.target, m.equivalence),
            *(_clean(m.display), _clean(m.comment)),
        )
        for place, m in enumerate(concept_map.lines())
    )
    await connection.copy_records(
        "terminology_mapping", _MAPPING, _counted("mappings", lines, progress)
    )


async def _keep(connection: Connection, definition: Definition) -> None:
    text = json.dumps(definition.resource, default=str)
    await connection.execute(_SQL["add_value_set"], definition.url, definition.version, text)


def _counted(
    what: str, rows: Iterable[Sequence[Any]], progress: Progress
) -> Iterator[Sequence[Any]]:
    count = 0
    for count, row in enumerate(rows, 1):
        if not count % 10_000:
            progress(what, count)
        yield row
    progress(what, count)


def _clean(text: str) -> str:
    # PostgreSQL keeps no NUL in a text.
    return text.replace("\x00", "")


def _any_version(origin: str) -> str:
    return f"{origin.rpartition('/')[0]}/%"
