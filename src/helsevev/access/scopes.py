"""What an app was granted, as SMART's scopes: read, put in order, and held against an interaction.

The grammar is https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. Scopes never
widen what the policy allows: something is permitted when the policy and the scopes both allow it.
Stands beside `apps`, which builds on the gate, because the gate itself asks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.subscription_topics import conditions, holds

Level = Literal["patient", "user", "system"]
Letter = Literal["c", "r", "u", "d", "s"]
"""create · read, vread, history of one · update, patch · delete · search, history of a type."""

LETTERS: Final = "cruds"
OF_LAUNCH: Final = frozenset({"launch", "launch/patient", "launch/encounter"})
OF_IDENTITY: Final = frozenset({"openid", "fhirUser", "profile"})
OF_LASTING: Final = frozenset({"offline_access", "online_access"})
PLAIN: Final = OF_LAUNCH | OF_IDENTITY | OF_LASTING
"""Scopes that open no resource by themselves."""

LONGEST: Final = 4000
"""Most characters of all the scopes that one request asks for."""

MOST: Final = 100
_MOST_JOINS: Final = 64
_NOT_IN_BODY: Final = frozenset({"_lastUpdated", "_text", "_content"})
_VERSION_1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE: Final = re.compile(
    r"(patient|user|system)/(\*|[A-Z][A-Za-z]*)\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope for resources: of whom, which type ("*": every), which acts, under what condition.

    A resource is within when all of `narrowed` hold for it.
    """

    level: Level
    type: str
    letters: str
    query: str = ""
    narrowed: tuple[Condition, ...] = ()

    @property
    def text(self) -> str:
        """The scope as version 2 writes it."""
        return f"{self.level}/{self.type}.{self.letters}" + (f"?{self.query}" if self.query else "")

    def reaches(self, letter: Letter, resource_type: str) -> bool:
        """Whether the scope says anything of such an act on such a type."""
        return letter in self.letters and self.type in ("*", resource_type)

    def within(self, other: Scope) -> bool:
        """Whether `other` allows at least all that this one does."""
        return (
            (self.level == other.level)
            and other.type in ("*", self.type)
            and set(self.letters) <= set(other.letters)
            and set(other.narrowed) <= set(self.narrowed)
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """All the scopes of one token."""

    scopes: tuple[Scope, ...]

    def reaches(self, letter: Letter, resource_type: str) -> bool:
        """Whether any resource of the type can be within, for such an act."""
        return any(scope.reaches(letter, resource_type) for scope in self.scopes)

    def covers(
        self,
        letter: Letter,
        resource_type: str,
        resource: Mapping[str, Any] | None = None,
        *,
        of_patient: bool,
    ) -> bool:
        """Whether the act on this resource is within.

        `of_patient` tells that it is kept with the inhabitant of the launch, or is reference data:
        `patient/` scopes are for those alone. Without a resource, a scope that narrows within the
        type does not cover it.
        """
        return any(
            not scope.narrowed or (resource is not None and holds(scope.narrowed, dict(resource)))
            for scope in self.scopes
            if scope.reaches(letter, resource_type) and (of_patient or scope.level != "patient")
        )

    def is_of_patient_alone(self) -> bool:
        """Whether all of it is for the inhabitant of the launch."""
        return all(scope.level == "patient" for scope in self.scopes)

    def narrows(self, letter: Letter, resource_type: str) -> bool:
        """Whether what is within has to be told from the resource itself."""
        reaching = [scope for scope in self.scopes if scope.reaches(letter, resource_type)]
        return bool(reaching) and all(scope.narrowed for scope in reaching)

    def of_search(self, resource_type: str) -> Within | None:
        """What a search of the type may find; None when it may find nothing.

        Scopes of a user and of the patient for the same type are answered by the patient's, unless
        those of the user take in the whole type: one search asks one thing.
        """
        reaching = [scope for scope in self.scopes if scope.reaches("s", resource_type)]
        if not reaching:
            return None
        wide = [scope for scope in reaching if scope.level != "patient"]
        if any(not scope.narrowed for scope in wide):
            return Within(False, ())
        bound = [scope for scope in reaching if scope.level == "patient"]
        chosen = bound or wide
        if any(not scope.narrowed for scope in chosen):
            return Within(bool(bound), ())
        return Within(bool(bound), _joined(chosen))


@dataclass(frozen=True, slots=True)
class Within:
    """What a search is narrowed by: the launch's inhabitant alone, and conditions that all hold."""

    only_patient: bool
    joins: tuple[AnyOf, ...]


def read(text: str) -> Scope | None:
    """The scope for resources that `text` is, of version 1 or 2; None when it is none.

    A type that R4 does not have, letters out of order and parameters that cannot be held against
    a single resource make it none.
    """
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    level, resource_type, letters, query = match.groups()
    if (resource_type != "*" and resource_type not in RESOURCE_TYPES) or not letters:
        return None
    letters = _VERSION_1.get(letters, letters)
    narrowed: tuple[Condition, ...] = ()
    if query:
        if resource_type == "*":
            return None
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
            narrowed = conditions(resource_type, pairs)
        except (SearchError, ValueError):
            return None
        if len(narrowed) != len(pairs) or any(each.name in _NOT_IN_BODY for each in narrowed):
            return None
    return Scope(cast("Level", level), resource_type, letters, query or "", narrowed)


def is_known(text: str) -> bool:
    """Whether such a scope can be granted at all."""
    return text in PLAIN or read(text) is not None


def split(text: str) -> tuple[str, ...]:
    """The scopes of a request's `scope`, each once; () when it is far too long."""
    found = tuple(dict.fromkeys(text.split())) if len(text) <= LONGEST else ()
    return found if len(found) <= MOST else ()


def granted(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """Those asked for that are known and within what is allowed, in version 2's form, each once.

    What is only partly allowed shrinks to that part: `patient/*.cruds` where `patient/*.rs` is
    allowed becomes `patient/*.rs`.
    """
    plain, within = _apart(allowed)
    found: dict[str, None] = {}
    for text in asked:
        if text in PLAIN:
            if text in plain:
                found[text] = None
        elif (scope := read(text)) is not None:
            for other in within:
                if (common := _common(scope, other)) is not None:
                    found[common.text] = None
    return tuple(found)


def is_within(asked: Iterable[str], allowed: Iterable[str]) -> bool:
    """Whether every scope asked for is wholly within what is allowed."""
    plain, within = _apart(allowed)
    for text in asked:
        if text in plain:
            continue
        scope = read(text)
        if scope is None or not any(scope.within(other) for other in within):
            return False
    return True


@lru_cache(maxsize=4096)
def grant_of(texts: tuple[str, ...]) -> Grant:
    """The grant that a token's scopes make; what opens no resource is left out."""
    return Grant(tuple(scope for text in texts if (scope := read(text)) is not None))


def _apart(texts: Iterable[str]) -> tuple[set[str], list[Scope]]:
    plain, scopes = set[str](), list[Scope]()
    for text in texts:
        if text in PLAIN:
            plain.add(text)
        elif (scope := read(text)) is not None:
            scopes.append(scope)
    return plain, scopes


def _common(one: Scope, other: Scope) -> Scope | None:
    """What both allow, as one scope; None when that is nothing."""
    letters = "".join(letter for letter in one.letters if letter in other.letters)
    fits = one.level == other.level and (one.type == other.type or "*" in (one.type, other.type))
    if not fits or not letters:
        return None
    kind = other.type if one.type == "*" else one.type
    # All conditions of both hold, each once.
    asked = "&".join(dict.fromkeys(f"{one.query}&{other.query}".strip("&").split("&")))
    return read(f"{one.level}/{kind}.{letters}" + (f"?{asked}" if asked else ""))


def _joined(scopes: Iterable[Scope]) -> tuple[AnyOf, ...]:
    """That all conditions of one of the scopes hold, as alternatives that each have to hold."""
    kept = list(scopes)
    while len(kept) > 1 and _combinations(kept) > _MOST_JOINS:
        kept.pop()
    combined = product(*(scope.narrowed for scope in kept))
    return tuple(AnyOf(tuple(dict.fromkeys(each))) for each in combined)


def _combinations(scopes: Iterable[Scope]) -> int:
    count = 1
    for scope in scopes:
        count *= len(scope.narrowed)
    return count
