"""What every distribution is read into: one release of a code system, whatever its file format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Content = Literal["complete", "fragment", "example", "not-present", "supplement"]
Value = str | int | bool | float

LANGUAGES: Final = ("nb", "nn", "no", "en")
"""The languages a name is chosen from when none is asked for, the first that there is."""

FULLY_SPECIFIED: Final = "900000000000003001"
SYNONYM: Final = "900000000000013009"
"""SNOMED CT's codes for what a designation is for; other systems' names are synonyms."""


class BadDistribution(Exception):
    """A file is not what it is said to be; the message names the file, the place and why."""


@dataclass(frozen=True, slots=True)
class Designation:
    """One name of a concept: its language (BCP 47), what it is for, whether it is the preferred."""

    code: str
    language: str
    value: str
    use: str = ""
    preferred: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: its code, its main name, what it is a kind of, and what else is said of it."""

    code: str
    display: str
    parents: tuple[str, ...] = ()
    definition: str = ""
    active: bool = True
    abstract: bool = False
    properties: dict[str, list[Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A concept's place in a named set of the release: a SNOMED refset, a LOINC answer list."""

    group: str
    code: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """One line of a concept map; `target` is "" when the source has no counterpart."""

    source_system: str
    source: str
    target_system: str
    target: str
    equivalence: str
    display: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """A concept map: its canonical URL and version, and its lines in order of preference."""

    url: str
    version: str
    name: str
    lines: Callable[[], Iterable[Mapping]]
    source_value_set: str = ""
    target_value_set: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A ValueSet resource that is known by its canonical URL, as FHIR."""

    url: str
    version: str
    resource: dict[str, Any]


def _none() -> Iterator[Any]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one code system. What is large is read anew at each call, never held whole.

    `properties` gives each property's type as FHIR names it (code, string, integer, boolean,
    dateTime, decimal); `aliases` are other URLs of the same system. Parents that are no concepts
    of the release are left out of the hierarchy. `ties` (code, parent) are what a large release
    says of its hierarchy apart from its concepts.
    """

    system: str
    version: str
    name: str
    language: str
    source: str
    concepts: Callable[[], Iterable[Concept]]
    ties: Callable[[], Iterable[tuple[str, str]]] = _none
    designations: Callable[[], Iterable[Designation]] = _none
    members: Callable[[], Iterable[Member]] = _none
    maps: tuple[ConceptMap, ...] = ()
    definitions: tuple[Definition, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    content: Content = "complete"
    case_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one path holds: releases, and value sets and maps that belong to none of them."""

    releases: tuple[Release, ...] = ()
    definitions: tuple[Definition, ...] = ()
    maps: tuple[ConceptMap, ...] = ()
