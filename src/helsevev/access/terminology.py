"""Terminology: what a code means, whether it is one, what is below it, and what it maps to.

It is reference data: about nobody, and open to everyone signed in (`policy.decide`). It is loaded
by command, or written as CodeSystem, ValueSet and ConceptMap resources by those who may. What is
not here is said (`NotKnown`), never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from helsevev.access.code_systems import CodeSystems, LookUp, named
from helsevev.access.expansion import Asked, Expander, Expansion
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.access.terminology_included import SOURCE, included
from helsevev.access.terminology_resources import Posted
from helsevev.access.translation import Translated, Translator
from helsevev.access.value_sets import Chosen, Evaluation, same_system
from helsevev.record.store import Store
from helsevev.record.terminology import Concepts, ReleaseRow
from helsevev.record.terminology_loading import Loaded, Loading, Progress
from helsevev.terminology.fhir_resources import release_of
from helsevev.terminology.intervals import Intervals
from helsevev.terminology.shapes import LANGUAGES, Distribution
from helsevev.terminology.value_set import BadValueSet, ValueSet, edition, read
from helsevev.terminology.words import fold

Subsumption = Literal["equivalent", "subsumes", "subsumed-by", "not-subsumed"]
MOST_CODES: Final = 200_000
"""Codes that `codes_below` and `member_codes` hand out at most, unless less is asked for."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with the system, version and display it was sent with."""

    system: str
    code: str
    version: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a code is valid; why not, or what to mind; and what it is called."""

    result: bool
    message: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class CodeSet:
    """The codes of a value set in one system."""

    system: str
    codes: list[str] = field(default_factory=list)


class Terminology:
    """Answers questions about codes."""

    def __init__(self, store: Store) -> None:
        self._loading = Loading(store.roles.owner)
        self._posted = Posted(store, self._loading)
        self._concepts = Concepts(store.database)
        self._systems = CodeSystems(self._concepts, self._posted)
        self._expander = Expander(self._systems)
        self._translator = Translator(self._systems, self._posted)

    async def lookup(
        self,
        system: str,
        code: str,
        version: str = "",
        *,
        languages: Sequence[str] = LANGUAGES,
        children: bool = False,
    ) -> LookUp:
        """All that is known of a concept. Raises `NotKnown`."""
        return await self._systems.look_up(system, code, version, languages, children)

    async def subsumes(
        self, system: str, code_a: str, code_b: str, version: str = ""
    ) -> Subsumption:
        """How concept A stands to concept B of the same system. Raises `NotKnown`."""
        release = await self._systems.release(system, version)
        a = await self._systems.concept(release, code_a)
        b = await self._systems.concept(release, code_b)
        if a.number == b.number:
            return "equivalent"
        if b.number in a.below:
            return "subsumes"
        return "subsumed-by" if a.number in b.below else "not-subsumed"

    async def validate_code(
        self,
        coded: Coded,
        *,
        languages: Sequence[str] = LANGUAGES,
        abstract: bool = True,
        code_system: dict[str, Any] | None = None,
    ) -> Verdict:
        """Whether a code is in its system, with the display it was sent with.

        `abstract` False refuses codes that only group others. Raises `NotKnown` when the system
        is not here: then it cannot be told.
        """
        if code_system is not None:
            return _in_resource(coded, code_system)
        release = await self._systems.release(coded.system, coded.version)
        concept = await self._concepts.concept(release, coded.code)
        if concept is None:
            if release.content != "complete":
                await self._systems.concept(release, coded.code)
            known = f"{release.system} {release.version}".strip()
            return Verdict(False, f"{coded.code[:80]!r} is no code of {known}.")
        if concept.abstract and not abstract:
            text = f"{concept.code!r} only groups other codes and is not for use by itself."
            return Verdict(False, text)
        names = await self._concepts.names(release, concept.number)
        display = named(names, languages) or concept.display
        wrong = _wrong_display(coded.display, [name.value for name in names], display)
        if wrong:
            return Verdict(False, wrong, display)
        hint = "" if concept.active else f"{concept.code!r} is no longer in use."
        return Verdict(True, hint, display)

    async def validate_in(
        self,
        value_set: str | dict[str, Any],
        coded: Coded,
        *,
        version: str = "",
        languages: Sequence[str] = LANGUAGES,
        abstract: bool = True,
    ) -> Verdict:
        """Whether a code is in a value set, given by its URL or as a resource.

        Raises `NotKnown` or `CannotTell` when it cannot be told.
        """
        evaluation = Evaluation(self._systems, self._posted, only=coded.code)
        definition = await self._definition(evaluation, value_set, version)
        chosen = await evaluation.evaluate(definition)
        told = definition.url or "the value set"
        found: str | None = None
        for each in chosen:
            if await self._is_of(each, coded):
                found = await self._display_in(each, coded)
                if found is not None:
                    break
        if found is None:
            text = f"{coded.system or 'without a system'}|{coded.code[:80]} is not in {told}."
            return Verdict(False, text)
        try:
            verdict = await self.validate_code(coded, languages=languages, abstract=abstract)
        except NotKnown:
            # The value set lists the code of a system that is not here.
            wrong = _wrong_display(coded.display, [found], found)
            return Verdict(not wrong, wrong, found)
        if found and not verdict.result and fold(found) == fold(coded.display):
            return Verdict(True, "", found)
        return replace(verdict, display=found or verdict.display)

    async def _is_of(self, chosen: Chosen, coded: Coded) -> bool:
        if coded.version and chosen.version and chosen.release is not None:
            asked = await self._systems.release(coded.system, coded.version)
            return asked.id == chosen.release.id
        if same_system(chosen.system, coded.system):
            return True
        return edition(coded.system, "")[0] in await self._concepts.aliases(chosen.system)

    async def _display_in(self, chosen: Chosen, coded: Coded) -> str | None:
        """The name a value set gives to a code, "" for none of its own; None: it is not in it."""
        if chosen.release is None:
            codes = {each.code: each.display for each in chosen.listed}
            return codes.get(coded.code)
        concept = await self._concepts.concept(chosen.release, coded.code)
        if concept is None or concept.number not in chosen.numbers:
            return None
        said = chosen.said.get(concept.number)
        return said.display if said else ""

    async def expand(
        self, value_set: str | dict[str, Any], asked: Asked | None = None, *, version: str = ""
    ) -> tuple[ValueSet, Expansion]:
        """A page of a value set's concepts. Raises `NotKnown` or `CannotTell`."""
        asked = asked or Asked()
        evaluation = Evaluation(
            self._systems, self._posted, versions=asked.versions, active_only=asked.active_only
        )
        definition = await self._definition(evaluation, value_set, version)
        chosen = await evaluation.evaluate(definition)
        return definition, await self._expander.expand(chosen, asked)

    async def _definition(
        self, evaluation: Evaluation, value_set: str | dict[str, Any], version: str
    ) -> ValueSet:
        if isinstance(value_set, str):
            return await evaluation.definition(value_set, version)
        try:
            return read(value_set)
        except BadValueSet as problem:
            raise CannotTell(str(problem), "invalid") from problem

    async def translate(
        self,
        coded: Coded,
        *,
        url: str = "",
        version: str = "",
        source: str = "",
        target: str = "",
        target_system: str = "",
        reverse: bool = False,
        concept_map: dict[str, Any] | None = None,
    ) -> Translated:
        """Where the maps that fit lead from a code, best first. Raises `NotKnown`."""
        return await self._translator.translate(
            coded.system, coded.code, url=url, version=version, source=source, target=target,
            target_system=target_system, reverse=reverse, concept_map=concept_map,
        )  # fmt: skip

    async def codes_below(self, system: str, code: str, most: int = MOST_CODES) -> list[str]:
        """A code and all that it subsumes. Raises `NotKnown`, or `CannotTell` beyond `most`."""
        release = await self._systems.release(system)
        concept = await self._systems.concept(release, code)
        return await self._codes(release, concept.below, most)

    async def codes_above(self, system: str, code: str) -> list[str]:
        """A code and all that subsumes it. Raises `NotKnown`."""
        release = await self._systems.release(system)
        concept = await self._systems.concept(release, code)
        above = await self._concepts.above(release, concept.number)
        numbers = Intervals.of_numbers([concept.number, *above])
        return await self._concepts.codes(release, numbers)

    async def member_codes(self, value_set_url: str, most: int = MOST_CODES) -> list[CodeSet]:
        """All codes of a value set, by system. Raises `NotKnown`, or `CannotTell` beyond `most`."""
        evaluation = Evaluation(self._systems, self._posted)
        definition = await evaluation.definition(value_set_url)
        sets: list[CodeSet] = []
        for chosen in await evaluation.evaluate(definition):
            if chosen.release is None:
                sets.append(CodeSet(chosen.system, [each.code for each in chosen.listed]))
            else:
                codes = await self._codes(chosen.release, chosen.numbers, most)
                sets.append(CodeSet(chosen.system, codes))
        return sets

    async def aliases(self, system: str) -> list[str]:
        """Every URL by which a system is known here, the one given first."""
        return await self._concepts.aliases(system)

    async def _codes(self, release: ReleaseRow, numbers: Intervals, most: int) -> list[str]:
        if len(numbers) > most:
            text = f"{len(numbers)} codes of {release.system} are meant, and {most} is the most."
            raise CannotTell(text, "too-costly")
        return await self._concepts.codes(release, numbers)

    async def load(
        self,
        distribution: Distribution,
        fingerprint: str,
        *,
        make_current: bool = True,
        progress: Progress,
    ) -> list[Loaded]:
        """Load what a distribution holds, each release whole or not at all.

        For the command line alone: no request comes here. Raises `BadDistribution`.
        """
        loaded = [
            await self._loading.load(
                release, fingerprint, make_current=make_current, progress=progress
            )
            for release in distribution.releases
        ]
        for definition in distribution.definitions:
            await self._loading.load_definition(definition)
        for concept_map in distribution.maps:
            await self._loading.load_map(concept_map, progress=progress)
        return loaded

    async def load_included(self) -> None:
        """Load what comes with the program, unless it is here or the system is here in full."""
        distribution = included()
        known = {row["system"] for row in await self.releases() if row["source"] != SOURCE}
        for release in distribution.releases:
            if release.system not in known:
                await self._loading.load(release, f"{SOURCE} {release.version}")

    async def releases(self) -> list[Any]:
        """Every release that is here, for a list."""
        return await self._concepts.releases()


def _in_resource(coded: Coded, code_system: dict[str, Any]) -> Verdict:
    release = release_of({"url": "urn:inline", **code_system}, "the request")
    for concept in release.concepts():
        same = concept.code == coded.code
        if same or (not release.case_sensitive and concept.code.lower() == coded.code.lower()):
            names = [d.value for d in release.designations() if d.code == concept.code]
            wrong = _wrong_display(coded.display, [concept.display, *names], concept.display)
            return Verdict(not wrong, wrong, concept.display)
    return Verdict(False, f"{coded.code[:80]!r} is no code of {release.system}.")


def _wrong_display(display: str, names: list[str], right: str) -> str:
    """What is wrong with a display, "" when it is one of the concept's names or none was sent."""
    if not display or fold(display) in {fold(name) for name in names}:
        return ""
    return f"{display[:80]!r} is none of the code's names; it is called {right!r}."
