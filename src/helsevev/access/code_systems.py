"""Finds the release that a code system's URL means, and what its concepts are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.terminology_errors import NotKnown, unknown_code, unknown_system
from helsevev.access.terminology_resources import Posted, Unusable
from helsevev.record.terminology import ConceptRow, Concepts, Name, ReleaseRow
from helsevev.terminology.intervals import Intervals
from helsevev.terminology.shapes import FULLY_SPECIFIED, LANGUAGES
from helsevev.terminology.value_set import edition

_NORWEGIAN: Final = {"no": ("nb", "no", "nn"), "nb": ("nb", "no"), "nn": ("nn", "no")}
_MOST_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Property:
    """One thing said of a concept; `kind` is the type as FHIR names it (code, string, …)."""

    code: str
    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class LookUp:
    """All that is known of a concept."""

    release: ReleaseRow
    concept: ConceptRow
    display: str
    names: tuple[Name, ...]
    properties: tuple[Property, ...]


class CodeSystems:
    """The code systems that are here, by their URLs."""

    def __init__(self, concepts: Concepts, posted: Posted) -> None:
        self.concepts = concepts
        self._posted = posted
        self._inactive: dict[int, Intervals] = {}

    async def release(self, system: str, version: str = "") -> ReleaseRow:
        """The release that a URL and a version mean, the current one without a version.

        An edition of SNOMED CT may be named as the system or as the version, with its date or
        without. Raises `NotKnown`.
        """
        system, version = edition(system, version)
        found = await self._found(system, version)
        if not found and version:
            # An edition without a date means its newest release.
            dated = await self._found(system, "")
            found = [r for r in dated if r.version.startswith(f"{version}/version/")]
        if not found:
            raise unknown_system(system, version, await self.concepts.versions(system))
        best = max(found, key=lambda r: (r.content != "not-present", r.content == "complete"))
        if best.content == "not-present":
            text = f"{system} is known here by name alone ({best.origin or best.name})"
            raise NotKnown(f"{text}: its concepts are not loaded.")
        return best

    async def _found(self, system: str, version: str) -> list[ReleaseRow]:
        """Releases in order of preference; resources of the record are taken in first."""
        for again in (True, False):
            candidates = await self.concepts.candidates(system, version)
            posted = {c.origin for c in candidates if c.release is None}
            releases = [c.release for c in candidates if c.release is not None]
            missing = posted - {release.origin for release in releases}
            if not missing or not again:
                break
            for origin in sorted(missing):
                try:
                    await self._posted.load_code_system(origin)
                except Unusable as problem:
                    raise NotKnown(str(problem)) from problem
        usable = [r for r in releases if not r.origin or r.origin in posted]
        return [r for r in usable if r.content != "supplement"]

    async def concept(self, release: ReleaseRow, code: str) -> ConceptRow:
        """A concept by its code. Raises `NotKnown`."""
        found = await self.concepts.concept(release, code)
        if found is None:
            raise unknown_code(release.system, release.version, code, release.content)
        return found

    async def inactive(self, release: ReleaseRow) -> Intervals:
        """What is no longer in use in a release; releases never change."""
        if release.id not in self._inactive:
            if len(self._inactive) >= _MOST_KEPT:
                self._inactive.clear()
            self._inactive[release.id] = await self.concepts.inactive(release)
        return self._inactive[release.id]

    async def look_up(
        self, system: str, code: str, version: str, languages: Sequence[str], children: bool
    ) -> LookUp:
        """A concept with its names, properties, parents and, if asked, children.

        Raises `NotKnown`.
        """
        release = await self.release(system, version)
        concept = await self.concept(release, code)
        names = await self.concepts.names(release, concept.number)
        properties = [Property("inactive", "boolean", not concept.active)]
        if concept.abstract:
            properties.append(Property("notSelectable", "boolean", True))
        related = [("parent", number) for number in concept.parents]
        if children:
            below = await self.concepts.children(release, concept)
            related += [("child", number) for number in below]
        if related:
            shown = await self.concepts.shown(release, [number for _, number in related])
            properties += [Property(kind, "code", shown[number].code) for kind, number in related]
        known = {each.code for each in properties}
        for name, values in concept.properties.items():
            if name not in known:
                kind = release.properties.get(name, "string")
                properties += [Property(name, kind, value) for value in values]
        display = named(names, languages) or concept.display
        return LookUp(release, concept, display, tuple(names), tuple(properties))


def languages_of(asked: str) -> tuple[str, ...]:
    """The languages to name concepts in, from `displayLanguage` or Accept-Language."""
    wanted: list[str] = []
    for part in asked.split(","):
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        if language and language != "*":
            wanted += _NORWEGIAN.get(language, (language,))
    return tuple(dict.fromkeys([*wanted, *LANGUAGES]))


def named(names: Sequence[Name], languages: Sequence[str]) -> str:
    """The name to show, by the same order as the record's own lists; "" when there is none."""
    places = {language: place for place, language in enumerate(languages)}

    def order(name: Name) -> tuple[int, bool, bool, bool, str]:
        place = places.get(name.language.partition("-")[0], 99)
        fully = name.purpose == FULLY_SPECIFIED
        return place, fully, not name.preferred, name.purpose != "display", name.value

    return min(names, key=order).value if names else ""
