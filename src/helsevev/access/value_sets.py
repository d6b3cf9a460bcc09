"""Evaluates value sets: from what one says it holds to sets of numbers of concepts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from helsevev.access.code_systems import CodeSystems
from helsevev.access.terminology_errors import CannotTell, NotKnown
from helsevev.access.terminology_included import value_set_of_r4
from helsevev.access.terminology_resources import Posted
from helsevev.record.terminology import BadPattern, ReleaseRow
from helsevev.terminology.intervals import Intervals
from helsevev.terminology.value_set import (
    BadValueSet,
    Filter,
    Listed,
    Part,
    ValueSet,
    edition,
    implicit,
    read,
)

_DEEPEST: Final = 20
_LONGEST_PATTERN: Final = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Concepts of one system that a value set holds.

    `release` is None when the system is not here and the value set lists its codes itself.
    `order` is set when the value set gives them one; `said` are the names it gives them.
    """

    system: str
    version: str
    release: ReleaseRow | None = None
    numbers: Intervals = field(default_factory=Intervals)
    order: tuple[int, ...] | None = None
    said: dict[int, Listed] = field(default_factory=dict)
    listed: tuple[Listed, ...] = ()

    def __len__(self) -> int:
        """How many concepts."""
        return len(self.numbers) if self.release else len(self.listed)

    def __and__(self, other: Chosen) -> Chosen:
        """What is in both."""
        if self.release and other.release:
            return replace(self, numbers=self.numbers & other.numbers)
        known = {each.code for each in other.listed}
        return replace(self, listed=tuple(each for each in self.listed if each.code in known))

    def __sub__(self, other: Chosen) -> Chosen:
        """What is in this one alone."""
        if self.release and other.release:
            return replace(self, numbers=self.numbers - other.numbers)
        known = {each.code for each in other.listed}
        return replace(self, listed=tuple(each for each in self.listed if each.code not in known))

    def is_like(self, other: Chosen) -> bool:
        """Whether both are about the same concepts."""
        if self.release and other.release:
            return self.release.id == other.release.id
        return self.release is other.release and self.system == other.system


@dataclass(frozen=True, slots=True)
class Versions:
    """Which versions of systems to use: what is asked for wins over what a value set says.

    From `force-system-version`, `system-version` and `check-system-version` of $expand.
    """

    forced: dict[str, str] = field(default_factory=dict)
    default: dict[str, str] = field(default_factory=dict)
    checked: dict[str, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()

    def of(self, system: str, said: str) -> str:
        """The version to use. Raises `CannotTell` when a check fails."""
        version = self.forced.get(system) or said or self.default.get(system, "")
        wanted = self.checked.get(system)
        if wanted and version and version != wanted:
            text = f"The value set uses {system} {version}, and {wanted} is asked for."
            raise CannotTell(text, "exception")
        return version or wanted or ""


class Evaluation:
    """Evaluates one value set, and those that it refers to, once each."""

    def __init__(
        self,
        systems: CodeSystems,
        posted: Posted,
        *,
        versions: Versions | None = None,
        active_only: bool = False,
        only: str | None = None,
    ) -> None:
        self._systems = systems
        self._posted = posted
        self._versions = versions or Versions()
        self._active_only = active_only
        self._only = only.lower() if only is not None else None
        self._under_way: list[str] = []

    async def definition(self, url: str, version: str = "") -> ValueSet:
        """The value set that a URL means. Raises `NotKnown` or `CannotTell`."""
        if not version and "|" in url:
            url, _, version = url.partition("|")
        try:
            found = await self._stored(url, version) or implicit(url) or value_set_of_r4(url)
        except BadValueSet as problem:
            raise CannotTell(f"{url}: {problem}", "invalid") from problem
        if found is None:
            named = f"{url}|{version}" if version else url
            raise NotKnown(f"The value set {named} is not here.")
        return found

    async def _stored(self, url: str, version: str) -> ValueSet | None:
        for _, origin, text in await self._systems.concepts.value_sets(url, version):
            resource = json.loads(text) if text else await self._posted.value_set(origin)
            if resource is not None:
                return read(resource)
        return None

    async def evaluate(self, value_set: ValueSet) -> list[Chosen]:
        """What the value set holds, in the order it says it. Raises `NotKnown`, `CannotTell`."""
        name = value_set.url or f"value set {id(value_set)}"
        if name in self._under_way or len(self._under_way) >= _DEEPEST:
            chain = " includes ".join([*self._under_way, name])
            raise CannotTell(f"A value set includes itself: {chain}.", "processing")
        self._under_way.append(name)
        try:
            included: list[Chosen] = []
            for part in value_set.include:
                for chosen in await self._part(part, active=not value_set.inactive):
                    fresh = _without(chosen, included)
                    if len(fresh):
                        included.append(fresh)
            for part in value_set.exclude:
                for gone in await self._part(part, active=False):
                    included = [c - gone if c.is_like(gone) else c for c in included]
            return [chosen for chosen in included if len(chosen)]
        finally:
            self._under_way.pop()

    async def _part(self, part: Part, *, active: bool) -> list[Chosen]:
        found: list[Chosen] | None = None
        if part.system:
            if part.system in self._versions.excluded:
                return []
            found = [await self._of_system(part)]
        for url in part.value_sets:
            inner = await self.evaluate(await self.definition(url))
            found = inner if found is None else _both(found, inner)
        chosen = found or []
        if active or self._active_only:
            chosen = [await self._in_use(each) for each in chosen]
        return chosen

    async def _in_use(self, chosen: Chosen) -> Chosen:
        if chosen.release is None:
            return chosen
        inactive = await self._systems.inactive(chosen.release)
        return replace(chosen, numbers=chosen.numbers - inactive)

    async def _of_system(self, part: Part) -> Chosen:
        version = self._versions.of(part.system, part.version)
        try:
            release = await self._systems.release(part.system, version)
        except NotKnown:
            if not part.listed:
                raise
            return Chosen(part.system, version, listed=part.listed)
        if part.listed:
            return await self._listed(release, part)
        numbers = release.whole
        for each in part.filters:
            numbers &= await self._filtered(release, each)
        if part.member_of:
            members = await self._systems.concepts.members(release, part.member_of)
            if members is None:
                text = f"{release.system} {release.version} has no set {part.member_of}."
                raise NotKnown(text)
            numbers &= members
        return Chosen(release.system, release.version, release, numbers)

    async def _listed(self, release: ReleaseRow, part: Part) -> Chosen:
        listed = part.listed
        if self._only is not None:
            listed = tuple(each for each in listed if each.code.lower() == self._only)
        known = await self._systems.concepts.by_code(release, [each.code for each in listed])
        if release.content != "complete" and len(known) < len(listed):
            # What is loaded is a part: the value set itself knows more of these codes.
            return Chosen(part.system, release.version, listed=listed)
        said = {known[each.code][0]: each for each in listed if each.code in known}
        return Chosen(
            release.system, release.version, release, Intervals.of_numbers(said), tuple(said), said
        )

    async def _filtered(self, release: ReleaseRow, asked: Filter) -> Intervals:
        match asked.operator:
            case "is-a":
                return await self._below(release, asked.value)
            case "descendent-of":
                number, below = await self._place(release, asked.value)
                return below - Intervals.of_numbers([number])
            case "is-not-a":
                return release.whole - await self._below(release, asked.value)
            case "generalizes":
                number, _ = await self._place(release, asked.value)
                above = await self._systems.concepts.above(release, number)
                return Intervals.of_numbers([number, *above])
            case "regex":
                return await self._like(release, asked)
            case "exists":
                return await self._existing(release, asked)
            case "in" | "not-in":
                values = [value.strip() for value in asked.value.split(",")]
                found = await self._equal(release, asked.property, values)
                return found if asked.operator == "in" else release.whole - found
            case _:
                return await self._equal(release, asked.property, [asked.value])

    async def _place(self, release: ReleaseRow, code: str) -> tuple[int, Intervals]:
        concept = await self._systems.concept(release, code)
        return concept.number, concept.below

    async def _below(self, release: ReleaseRow, code: str) -> Intervals:
        return (await self._place(release, code))[1]

    async def _like(self, release: ReleaseRow, asked: Filter) -> Intervals:
        if len(asked.value) > _LONGEST_PATTERN:
            text = f"A regular expression longer than {_LONGEST_PATTERN} characters."
            raise CannotTell(text, "too-costly")
        try:
            return await self._systems.concepts.matching(release, asked.property, asked.value)
        except BadPattern as problem:
            text = f"The regular expression {asked.value[:80]!r} cannot be read: {problem}."
            raise CannotTell(text, "invalid") from problem

    async def _existing(self, release: ReleaseRow, asked: Filter) -> Intervals:
        if asked.value not in ("true", "false"):
            raise CannotTell("The operator exists asks for true or false.", "invalid")
        found = await self._systems.concepts.having_property(release, asked.property)
        return found if asked.value == "true" else release.whole - found

    async def _equal(self, release: ReleaseRow, name: str, values: list[str]) -> Intervals:
        concepts = self._systems.concepts
        match name:
            case "code" | "concept":
                known = await concepts.by_code(release, values)
                return Intervals.of_numbers(number for number, _ in known.values())
            case "parent":
                found = Intervals()
                for value in values:
                    parent = await self._systems.concept(release, value)
                    found |= Intervals.of_numbers(await concepts.children(release, parent))
                return found
            case "child":
                numbers: list[int] = []
                for value in values:
                    numbers += (await self._systems.concept(release, value)).parents
                return Intervals.of_numbers(numbers)
            case "inactive":
                inactive = await self._systems.inactive(release)
                wanted = Intervals()
                for value in values:
                    wanted |= inactive if value == "true" else release.whole - inactive
                return wanted
            case "notSelectable" | "abstract":
                grouping = await concepts.abstract(release)
                return grouping if "true" in values else release.whole - grouping
            case "expressions" if release.system.startswith("http://snomed.info"):
                # Only concepts are here, never expressions: true and false are the same.
                return release.whole
        return await concepts.with_property(release, name, _typed(release, name, values))


def _typed(release: ReleaseRow, name: str, values: Iterable[str]) -> list[Any]:
    """Values as the property keeps them. Raises `CannotTell` for a property that there is not."""
    kind = release.properties.get(name)
    if kind is None:
        known = ", ".join(sorted(release.properties)) or "none"
        text = f"{release.system} has no property {name[:80]!r} to filter by; it has: {known}."
        raise CannotTell(text)
    typed: list[Any] = []
    for value in values:
        try:
            match kind:
                case "integer":
                    typed.append(int(value))
                case "decimal":
                    typed.append(float(value))
                case "boolean":
                    typed.append({"true": True, "false": False}[value])
                case _:
                    typed.append(value)
        except (ValueError, KeyError):
            text = f"{value[:80]!r} is no {kind}, which {name} is."
            raise CannotTell(text, "invalid") from None
    return typed


def _without(chosen: Chosen, before: Sequence[Chosen]) -> Chosen:
    for each in before:
        if each.is_like(chosen):
            chosen = chosen - each
    return chosen


def _both(found: Iterable[Chosen], inner: Sequence[Chosen]) -> list[Chosen]:
    """What is in one of `found` and in one of `inner`."""
    common: list[Chosen] = []
    for chosen in found:
        same = [other for other in inner if other.is_like(chosen)]
        parts = [chosen & other for other in same]
        if chosen.release:
            numbers = Intervals.of(run for part in parts for run in part.numbers.runs)
            common.append(replace(chosen, numbers=numbers))
        else:
            codes = {each.code: each for part in parts for each in part.listed}
            common.append(replace(chosen, listed=tuple(codes.values())))
    return common


def same_system(one: str, other: str) -> bool:
    """Whether two URLs name the same system, editions of SNOMED CT apart."""
    return edition(one, "")[0] == edition(other, "")[0]
