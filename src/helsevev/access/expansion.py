"""The expansion of a value set: one page of its concepts, named, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.access.code_systems import CodeSystems
from helsevev.access.terminology_errors import CannotTell
from helsevev.access.value_sets import Chosen, Versions
from helsevev.record.terminology import Name, Shown
from helsevev.terminology.shapes import FULLY_SPECIFIED, LANGUAGES, SYNONYM
from helsevev.terminology.value_set import SNOMED, Listed
from helsevev.terminology.words import fold, matches

MOST: Final = 5000
"""Concepts that one answer lists; who wants more asks for them in pages."""

_DESIGNATION_USE: Final = "http://terminology.hl7.org/CodeSystem/designation-usage"
_SNOMED_USES: Final = {
    FULLY_SPECIFIED: "Fully specified name",
    SYNONYM: "Synonym",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an expansion is to hold: `filter` is typed text, `count` None is all that there is."""

    filter: str = ""
    offset: int = 0
    count: int | None = None
    active_only: bool = False
    include_designations: bool = False
    include_definition: bool = False
    exclude_not_for_ui: bool = False
    languages: Sequence[str] = LANGUAGES
    designations: tuple[str, ...] = ()
    versions: Versions = field(default_factory=Versions)


@dataclass(frozen=True, slots=True)
class Expansion:
    """One page: `contains` as FHIR; `total` None when it was not counted; the systems used."""

    contains: list[dict[str, Any]]
    total: int | None
    offset: int
    used: list[Chosen]


class Expander:
    """Makes expansions of what evaluation chose."""

    def __init__(self, systems: CodeSystems) -> None:
        self._systems = systems

    async def expand(self, chosen: list[Chosen], asked: Asked) -> Expansion:
        """The page asked for. Raises `CannotTell` (too-costly) when all would be too many."""
        if asked.exclude_not_for_ui:
            chosen = [await self._selectable(each) for each in chosen]
        if fold(asked.filter):
            return await self._found(chosen, asked)
        total = sum(len(each) for each in chosen)
        if asked.count is None and total - asked.offset > MOST:
            raise too_costly(total)
        wanted = MOST if asked.count is None else min(asked.count, MOST)
        contains: list[dict[str, Any]] = []
        skipped = asked.offset
        for each in chosen:
            room = wanted - len(contains)
            if room <= 0:
                break
            if skipped >= len(each):
                skipped -= len(each)
                continue
            contains += await self._page(each, skipped, room, asked)
            skipped = 0
        return Expansion(contains, total, asked.offset, chosen)

    async def _selectable(self, chosen: Chosen) -> Chosen:
        if chosen.release is None:
            return chosen
        grouping = await self._systems.concepts.abstract(chosen.release)
        gone = Chosen(chosen.system, chosen.version, chosen.release, grouping)
        return chosen - gone

    async def _page(
        self, chosen: Chosen, offset: int, count: int, asked: Asked
    ) -> list[dict[str, Any]]:
        if chosen.release is None:
            listed = chosen.listed[offset : offset + count]
            return [_unknown(chosen, each) for each in listed]
        if chosen.order is None:
            numbers = chosen.numbers.page(offset, count)
        else:
            kept = [number for number in chosen.order if number in chosen.numbers]
            numbers = kept[offset : offset + count]
        return await self._contained(chosen, numbers, asked)

    async def _found(self, chosen: list[Chosen], asked: Asked) -> Expansion:
        """What fits the typed text; counted only when it is all on this page."""
        count = MOST if asked.count is None else min(asked.count, MOST)
        most = asked.offset + count + 1
        words = fold(asked.filter).split(" ")
        found: list[tuple[Chosen, int | Listed]] = []
        for each in chosen:
            if len(found) >= most:
                break
            if each.release is None:
                found += [(each, n) for n in each.listed if _fits(n, words, asked.filter)]
            else:
                numbers = await self._systems.concepts.search(
                    each.release, each.numbers, asked.filter, most - len(found)
                )
                said = [n for n, listed in each.said.items() if _fits(listed, words, "")]
                kept = dict.fromkeys([*numbers, *(n for n in said if n in each.numbers)])
                found += [(each, number) for number in kept]
        if asked.count is None and len(found) > asked.offset + MOST:
            raise too_costly(None)
        page = found[asked.offset : asked.offset + count]
        contains: list[dict[str, Any]] = []
        for each, places in _by_chosen(page):
            numbers = [place for place in places if isinstance(place, int)]
            contains += await self._contained(each, numbers, asked) if numbers else []
            contains += [_unknown(each, place) for place in places if isinstance(place, Listed)]
        total = len(found) if len(found) < most else None
        return Expansion(contains, total, asked.offset, chosen)

    async def _contained(
        self, chosen: Chosen, numbers: list[int], asked: Asked
    ) -> list[dict[str, Any]]:
        assert chosen.release is not None
        concepts = self._systems.concepts
        shown = await concepts.shown(chosen.release, numbers, asked.languages)
        names: dict[int, list[Name]] = {}
        if asked.include_designations:
            names = await concepts.names_of(chosen.release, numbers)
        return [
            _contains(chosen, shown[number], names.get(number, []), asked) for number in numbers
        ]


def _by_chosen(
    page: list[tuple[Chosen, int | Listed]],
) -> Iterator[tuple[Chosen, list[int | Listed]]]:
    gathered: dict[int, tuple[Chosen, list[int | Listed]]] = {}
    for each, place in page:
        gathered.setdefault(id(each), (each, []))[1].append(place)
    yield from gathered.values()


def _fits(listed: Listed, words: list[str], code: str) -> bool:
    if code and listed.code.lower().startswith(code.strip().lower()):
        return True
    names = [listed.display, *(each.get("value", "") for each in listed.designations)]
    return any(matches(fold(name), words) for name in names if name)


def _unknown(chosen: Chosen, listed: Listed) -> dict[str, Any]:
    found: dict[str, Any] = {"system": chosen.system}
    if chosen.version:
        found["version"] = chosen.version
    found["code"] = listed.code
    if listed.display:
        found["display"] = listed.display
    if listed.designations:
        found["designation"] = list(listed.designations)
    return found


def _contains(chosen: Chosen, shown: Shown, names: Sequence[Name], asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {"system": chosen.system}
    if shown.abstract:
        found["abstract"] = True
    if not shown.active:
        found["inactive"] = True
    if chosen.version:
        found["version"] = chosen.version
    found["code"] = shown.code
    said = chosen.said.get(shown.number)
    display = (said.display if said else "") or shown.display
    if display:
        found["display"] = display
    if asked.include_designations:
        designations = [*(said.designations if said else ())]
        designations += [
            designation(chosen.system, name)
            for name in names
            if (name.purpose != "display" or name.value != display) and _wanted(name, asked)
        ]
        if designations:
            found["designation"] = designations
    if asked.include_definition and shown.definition:
        found["extension"] = [{"url": _DEFINITION, "valueString": shown.definition}]
    return found


_DEFINITION: Final = "http://hl7.org/fhir/StructureDefinition/valueset-concept-definition"


def _wanted(name: Name, asked: Asked) -> bool:
    """Whether the parameter `designation` (a language, or use as system|code) asks for it."""
    if not asked.designations:
        return True
    return any(
        wanted.rpartition("|")[2] in (name.purpose, name.language) for wanted in asked.designations
    )


def designation(system: str, name: Name) -> dict[str, Any]:
    """A name as FHIR's designation."""
    found: dict[str, Any] = {"language": name.language} if name.language else {}
    if name.purpose == "display":
        found["use"] = {"system": _DESIGNATION_USE, "code": "display"}
    elif name.purpose in _SNOMED_USES and system == SNOMED:
        use = {"system": SNOMED, "code": name.purpose, "display": _SNOMED_USES[name.purpose]}
        found["use"] = use
    elif name.purpose:
        found["use"] = {"code": name.purpose}
    return found | {"value": name.value}


def too_costly(total: int | None) -> CannotTell:
    """An expansion that is too large for one answer, and what to ask instead."""
    size = f"{total} concepts" if total is not None else f"more than {MOST} concepts"
    text = f"The expansion has {size}, and one answer holds {MOST} at most"
    return CannotTell(f"{text}: ask for pages with count and offset, or narrow it by filter.",
                      "too-costly")  # fmt: skip
