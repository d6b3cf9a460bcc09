"""Translates codes by concept maps, forwards and backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.access.code_systems import CodeSystems
from helsevev.access.terminology_errors import NotKnown
from helsevev.access.terminology_resources import Posted
from helsevev.record.terminology import MappingRow, MapRow
from helsevev.terminology.fhir_resources import ANY_CODE, SAME_CODE, map_of
from helsevev.terminology.value_set import edition

_BACKWARDS: Final = {
    "wider": "narrower",
    "narrower": "wider",
    "subsumes": "specializes",
    "specializes": "subsumes",
}
_NONE: Final = frozenset({"unmatched", "disjoint"})


@dataclass(frozen=True, slots=True)
class Match:
    """One translation; `code` is "" when the map says that there is none."""

    equivalence: str
    system: str
    code: str
    display: str
    source: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Translated:
    """What a code is translated to, best first; `message` says why when there is nothing."""

    matches: list[Match] = field(default_factory=list)
    message: str = ""

    @property
    def result(self) -> bool:
        """Whether there is a translation."""
        return any(match.code and match.equivalence not in _NONE for match in self.matches)


class Translator:
    """Finds the maps that fit a question, and follows them."""

    def __init__(self, systems: CodeSystems, posted: Posted) -> None:
        self._systems = systems
        self._posted = posted

    async def translate(
        self,
        system: str,
        code: str,
        *,
        url: str,
        version: str,
        source: str,
        target: str,
        target_system: str,
        reverse: bool,
        concept_map: dict[str, Any] | None,
    ) -> Translated:
        """See `Terminology.translate`."""
        system = edition(system, "")[0]
        systems = [*await self._systems.concepts.aliases(system), ""]
        others = await self._systems.concepts.aliases(target_system) if target_system else []
        if concept_map is not None:
            rows = _in_resource(concept_map, systems, code, others, reverse=reverse)
            return self._told(rows, {0: concept_map.get("url", "")}, code, reverse=reverse)
        maps = await self._maps(url, version, source, target)
        urls = {each.id: each.url for each in maps}
        rows = await self._systems.concepts.mapped(
            list(urls), systems, code, others, reverse=reverse
        )
        if not rows and not reverse:
            rows = await self._systems.concepts.mapped(
                list(urls), systems, ANY_CODE, others, reverse=False
            )
        told = self._told(rows, urls, code, reverse=reverse)
        return told if told.matches else Translated([], _nothing(system, code, target_system))

    async def _maps(self, url: str, version: str, source: str, target: str) -> list[MapRow]:
        if not version and "|" in url:
            url, _, version = url.partition("|")
        concepts = self._systems.concepts
        posted = set(await concepts.posted_maps(url, version))
        maps = await concepts.maps(url, version, source, target)
        missing = posted - {each.origin for each in await concepts.maps(url, version)}
        if missing:
            for origin in sorted(missing):
                await self._posted.load_map(origin)
            maps = await concepts.maps(url, version, source, target)
        usable = [each for each in maps if not each.origin or each.origin in posted]
        if url and not usable:
            raise NotKnown(f"The concept map {url} is not here.")
        if not usable:
            raise NotKnown("There is no concept map here that fits, so nothing can be translated.")
        return usable

    def _told(
        self, rows: Sequence[MappingRow], urls: dict[int, str], code: str, *, reverse: bool
    ) -> Translated:
        matches = [_match(row, urls[row.map], code, reverse=reverse) for row in rows]
        kept = list(dict.fromkeys(matches))
        return Translated(kept, "" if kept else "The map says nothing of this code.")


def _match(row: MappingRow, url: str, code: str, *, reverse: bool) -> Match:
    equivalence = row.equivalence
    if reverse:
        return Match(
            _BACKWARDS.get(equivalence, equivalence), row.source_system, row.source, "", url,
            row.comment,
        )  # fmt: skip
    target = code if row.target == SAME_CODE else row.target
    return Match(equivalence, row.target_system, target, row.display, url, row.comment)


def _nothing(system: str, code: str, target_system: str) -> str:
    where = f" to {target_system}" if target_system else ""
    return f"No map here translates {system}|{code[:80]}{where}."


def _in_resource(
    concept_map: dict[str, Any], systems: list[str], code: str, others: list[str], *, reverse: bool
) -> list[MappingRow]:
    """What a map that came with the question says, as its rows would."""
    lines = map_of({"url": "urn:inline", **concept_map}, "the request").lines()
    rows = [
        MappingRow(
            0, m.source_system, m.source, m.target_system, m.target, m.equivalence, m.display,
            m.comment,
        )
        for m in lines
    ]  # fmt: skip
    if reverse:
        return [
            row
            for row in rows
            if row.target == code and row.target_system in systems
            if not others or row.source_system in others
        ]
    fitting = [
        row
        for row in rows
        if row.source_system in systems
        if not others or row.target_system in others or not row.target
    ]
    exact = [row for row in fitting if row.source == code]
    return exact or [row for row in fitting if row.source == ANY_CODE]
