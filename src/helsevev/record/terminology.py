"""Reads code systems: one concept, what is below or above it, names that begin so, maps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database
from helsevev.record.statements import load as statements
from helsevev.terminology.intervals import Intervals
from helsevev.terminology.shapes import FULLY_SPECIFIED, LANGUAGES
from helsevev.terminology.words import fold

_SQL: Final = statements("terminology")
SMALL: Final = 2000
"""Concepts up to which all names of a set are looked at, instead of an index of all names."""

_TELLING: Final = 3
"""Letters from which on a typed word is looked up in the index of words."""

MOST_LOOKED_AT: Final = 10_000
"""Names that are looked at for words that many have."""

MOST_FOUND: Final = 500
"""Names found by their words among which the best are chosen."""

_BAD_PATTERN: Final = "2201B"
_LAST: Final = chr(0x10FFFF)


class BadPattern(Exception):
    """PostgreSQL cannot read a regular expression."""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release as it is kept; `origin` is the CodeSystem resource that it was made of, or ""."""

    id: int
    system: str
    version: str
    name: str
    language: str
    content: str
    origin: str
    case_sensitive: bool
    concepts: int
    properties: dict[str, str]

    @property
    def whole(self) -> Intervals:
        """All of its concepts."""
        return Intervals.of([(0, self.concepts - 1)])


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept as it is kept; `below` is itself and all that it subsumes."""

    number: int
    code: str
    display: str
    definition: str
    active: bool
    abstract: bool
    parents: tuple[int, ...]
    below: Intervals
    properties: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A concept as a list shows it, with its name in the language asked for."""

    number: int
    code: str
    display: str
    active: bool
    abstract: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a concept; `purpose` is "display" for the one that its system shows."""

    language: str
    purpose: str
    value: str
    preferred: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CodeSystem resource that a URL may mean and that no release was made of yet, or is."""

    origin: str
    release: ReleaseRow | None


@dataclass(frozen=True, slots=True)
class MapRow:
    """One concept map as it is kept."""

    id: int
    url: str
    version: str
    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One line of a map."""

    map: int
    source_system: str
    source: str
    target_system: str
    target: str
    equivalence: str
    display: str
    comment: str


class Concepts:
    """Reads terminology. Nothing here is about an inhabitant; every method is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidates(self, system: str, version: str = "") -> list[Candidate]:
        """What a system's URL may mean: releases, the current one first, and resources."""
        rows = await self._database.fetch(_SQL["candidates"], system, version)
        return [Candidate(row["origin"], _release(row) if row["id"] else None) for row in rows]

    async def versions(self, system: str) -> list[str]:
        """The versions of a system that are here."""
        return [row[0] for row in await self._database.fetch(_SQL["versions"], system)]

    async def aliases(self, system: str) -> list[str]:
        """Every URL of the system, the one given among them."""
        rows = await self._database.fetch(_SQL["aliases"], system)
        return list(dict.fromkeys([system, *(row[0] for row in rows)]))

    async def releases(self) -> list[Any]:
        """Every release, for a list."""
        return await self._database.fetch(_SQL["releases"])

    async def concept(self, release: ReleaseRow, code: str) -> ConceptRow | None:
        """One concept by its code, None when the release has none."""
        row = await self._database.fetchrow(
            _SQL["concept"], release.id, code, release.case_sensitive
        )
        if row is None:
            return None
        return ConceptRow(
            row["number"], row["code"], row["display"], row["definition"], row["active"],
            row["abstract"], tuple(row["parents"]), _below(row), json.loads(row["properties"]),
        )  # fmt: skip

    async def by_code(
        self, release: ReleaseRow, codes: Sequence[str]
    ) -> dict[str, tuple[int, Intervals]]:
        """The number and the runs below it of each of the codes that the release has."""
        rows = await self._database.fetch(
            _SQL["concepts_by_code"], release.id, list(codes), release.case_sensitive
        )
        known = {row["code"]: (row["number"], _below(row)) for row in rows}
        if release.case_sensitive:
            return known
        folded = {code.lower(): found for code, found in known.items()}
        return {code: folded[code.lower()] for code in codes if code.lower() in folded}

    async def names(self, release: ReleaseRow, number: int) -> list[Name]:
        """Every name of a concept, the preferred ones first."""
        rows = await self._database.fetch(_SQL["designations"], release.id, number)
        return [Name(*row) for row in rows]

    async def names_of(self, release: ReleaseRow, numbers: list[int]) -> dict[int, list[Name]]:
        """Every name of several concepts."""
        rows = await self._database.fetch(_SQL["designations_of_many"], release.id, numbers)
        found: dict[int, list[Name]] = {number: [] for number in numbers}
        for number, *name in rows:
            found[number].append(Name(*name))
        return found

    async def shown(
        self, release: ReleaseRow, numbers: list[int], languages: Sequence[str] = LANGUAGES
    ) -> dict[int, Shown]:
        """Concepts by number, named in the first of the languages that they have a name in."""
        rows = await self._database.fetch(
            _SQL["shown"], release.id, numbers, list(languages), FULLY_SPECIFIED
        )
        return {row["number"]: Shown(*row) for row in rows}

    async def codes(self, release: ReleaseRow, numbers: Intervals) -> list[str]:
        """The codes of a set of concepts, in the hierarchy's order."""
        bounds = list(numbers.low), list(numbers.high)
        return [row[0] for row in await self._database.fetch(_SQL["codes"], release.id, *bounds)]

    async def above(self, release: ReleaseRow, number: int) -> list[int]:
        """All that a concept is a kind of, itself left out."""
        rows = await self._database.fetch(_SQL["above"], release.id, number)
        return [row[0] for row in rows]

    async def children(self, release: ReleaseRow, concept: ConceptRow) -> list[int]:
        """What a concept is the direct parent of."""
        bounds = list(concept.below.low), list(concept.below.high)
        rows = await self._database.fetch(_SQL["children"], release.id, concept.number, *bounds)
        return [row[0] for row in rows]

    async def inactive(self, release: ReleaseRow) -> Intervals:
        """What is no longer in use."""
        return await self._numbers("inactive", release.id)

    async def abstract(self, release: ReleaseRow) -> Intervals:
        """What only groups other concepts."""
        return await self._numbers("abstract", release.id)

    async def with_property(
        self, release: ReleaseRow, name: str, values: Iterable[Any]
    ) -> Intervals:
        """What has one of some values of a property."""
        wanted = [json.dumps({name: [value]}) for value in values]
        return await self._numbers("with_property", release.id, wanted)

    async def having_property(self, release: ReleaseRow, name: str) -> Intervals:
        """What says anything of a property."""
        return await self._numbers("having_property", release.id, name)

    async def matching(self, release: ReleaseRow, name: str, pattern: str) -> Intervals:
        """What has a code, a name ("display") or a property wholly like a regular expression.

        Raises `BadPattern`.
        """
        whole = f"^(?:{pattern})$"
        try:
            if name in ("code", "display"):
                return await self._numbers(f"{name}_matching", release.id, whole)
            return await self._numbers("property_matching", release.id, name, whole)
        except DatabaseError as problem:
            if problem.sqlstate == _BAD_PATTERN:
                raise BadPattern(str(problem)) from problem
            raise

    async def members(self, release: ReleaseRow, group: str) -> Intervals | None:
        """The concepts in a named set ("*": the sets themselves), None when there is none such."""
        found = await self._numbers("members", release.id, group)
        if found or group == "*":
            return found
        there = await self._database.fetchval(_SQL["has_member_set"], release.id, group)
        return found if there else None

    async def search(
        self, release: ReleaseRow, within: Intervals, text: str, most: int
    ) -> list[int]:
        """At most `most` concepts of a set that have a name with words that begin as the text's.

        First what begins with the whole text, in the alphabet's order, then the shortest names.
        """
        folded = fold(text)
        if not folded or not within:
            return []
        words = folded.split(" ")
        if len(within) <= SMALL:
            rows = await self._database.fetch(
                _SQL["names_within"], release.id, list(within.low), list(within.high),
                [f"% {word}%" for word in words],
            )  # fmt: skip
            codes = await self._codes(release, within, text, most)
            return [*dict.fromkeys([*codes, *_ranked(rows, folded)])][:most]
        inside = _multirange(within)
        found = dict.fromkeys(await self._codes(release, within, text, most))
        rows = await self._database.fetch(
            _SQL["names_that_start"], release.id, folded, folded + _LAST, inside, most * 4
        )
        found.update(dict.fromkeys(row["concept"] for row in rows))
        if len(found) < most:
            found.update(dict.fromkeys(await self._with_words(release, within, words, most)))
        return list(found)[:most]

    async def _with_words(
        self, release: ReleaseRow, within: Intervals, words: list[str], most: int
    ) -> list[int]:
        """Concepts of a set that have a name with words that begin so, the shortest names first.

        Where every word is common they are among the first names that are looked at, which takes
        less time than to ask the index of words for all that have them.
        """
        folded, patterns = " ".join(words), [f"% {word}%" for word in words]
        rows = await self._database.fetch(_SQL["common_starts"], release.id, ["", *words])
        common = {row["start"]: row["names"] for row in rows}
        rare = [word for word in words if word not in common]
        if common and not rare:
            share = prod(common[word] / common[""] for word in words)
            wanted = most * 2
            if wanted <= share * MOST_LOOKED_AT:
                first = Intervals.of_numbers(within.page(0, MOST_LOOKED_AT // 2))
                rows = await self._database.fetch(
                    _SQL["names_by_looking"], release.id, list(first.low), list(first.high),
                    patterns, MOST_LOOKED_AT, wanted,
                )  # fmt: skip
                ranked = _ranked(rows, folded)
                if len(ranked) >= most:
                    return ranked
        among = rare or [min(words, key=lambda word: common.get(word, 0))]
        # Short words begin too many others for the index to be of help with them.
        telling = [word for word in among if len(word) >= _TELLING] or [max(among, key=len)]
        query = " & ".join(f"'{release.id}.{word}':*" for word in telling)
        rows = await self._database.fetch(
            _SQL["names_with_words"], query, _multirange(within), patterns,
            max(MOST_FOUND, most * 4), folded, most * 4,
        )  # fmt: skip
        return [row["concept"] for row in rows]

    async def _codes(
        self, release: ReleaseRow, within: Intervals, text: str, most: int
    ) -> list[int]:
        begun = text.strip().lower()
        if " " in begun or "\x00" in begun:
            return []
        rows = await self._database.fetch(
            _SQL["codes_that_start"], release.id, begun, begun + _LAST, _multirange(within), most
        )
        return [row["number"] for row in rows]

    async def value_sets(self, url: str, version: str = "") -> list[tuple[str, str, str | None]]:
        """(version, origin, JSON) of what a URL may mean; no JSON for a resource of the record."""
        rows = await self._database.fetch(_SQL["value_sets"], url, version)
        return [(row["version"], row["origin"], row["resource"]) for row in rows]

    async def maps(
        self, url: str = "", version: str = "", source: str = "", target: str = ""
    ) -> list[MapRow]:
        """The maps that fit; "" fits all."""
        rows = await self._database.fetch(_SQL["maps"], url, version, source, target)
        return [MapRow(*row) for row in rows]

    async def posted_maps(self, url: str = "", version: str = "") -> list[str]:
        """The origins (`ConceptMap/id/version`) of the resources that fit."""
        rows = await self._database.fetch(_SQL["posted_maps"], url, version)
        return [row["origin"] for row in rows]

    async def mapped(
        self, maps: list[int], systems: list[str], code: str, others: list[str], *, reverse: bool
    ) -> list[MappingRow]:
        """Where some maps lead from a code (or, in reverse, to it), best first."""
        name = "mapped_backwards" if reverse else "mapped"
        rows = await self._database.fetch(_SQL[name], maps, systems, code, others)
        return [MappingRow(*row) for row in rows]

    async def _numbers(self, name: str, *arguments: Any) -> Intervals:
        rows = await self._database.fetch(_SQL[name], *arguments)
        return Intervals.of_numbers(row[0] for row in rows)


def _release(row: Any) -> ReleaseRow:
    return ReleaseRow(
        row["id"], row["system"], row["version"], row["name"], row["language"], row["content"],
        row["origin"], row["case_sensitive"], row["concepts"], json.loads(row["properties"]),
    )  # fmt: skip


def _below(row: Any) -> Intervals:
    number = row["number"]
    return Intervals.flat(row["below"] or (number, number))


def _ranked(rows: Iterable[Any], folded: str) -> list[int]:
    ordered = sorted(
        (not name.startswith(folded), name if name.startswith(folded) else "", len(name), name, n)
        for n, name in rows
    )
    return list(dict.fromkeys(row[-1] for row in ordered))


def _multirange(numbers: Intervals) -> str:
    return "{" + ",".join(f"[{low},{high}]" for low, high in numbers.runs) + "}"
