"""What the checks know: rules of the content, and the list of interactions that is in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from helsevev.content import decision_loading as content
from helsevev.content.decision_shapes import (
    Allergies,
    CheckRule,
    Contraindications,
    Doses,
    Duplicates,
    Facts,
    InteractionRule,
    Intervals,
    Level,
    Levels,
)
from helsevev.decision_support.situation import Dosing, Medicine, below


class BadList(ValueError):
    """A list of interactions that cannot be read; the message says what is wrong with it."""


class InteractionList:
    """Interactions that can be asked for two medicines, whoever made the list.

    `name` and `version` say which list, as cards show it.
    """

    def __init__(self, name: str, version: str, rules: Sequence[InteractionRule]) -> None:
        self.name = name
        self.version = version
        self.rules = tuple(rules)
        self._first: dict[str, list[InteractionRule]] = defaultdict(list)
        for rule in self.rules:
            for code in {*rule.first, *rule.second}:
                self._first[code].append(rule)

    def between(
        self, one: Sequence[str], other: Sequence[str]
    ) -> Iterator[tuple[InteractionRule, str, str]]:
        """The interactions of two medicines by their codes, each with the codes that met.

        A rule for a group is for all that is below it in ATC.
        """
        for rule in self._about(one):
            if below((*one, *other), rule.unless):
                continue
            for mine, theirs in ((rule.first, rule.second), (rule.second, rule.first)):
                met, against = below(one, mine), below(other, theirs)
                if met and against:
                    yield rule, met[0], against[0]
                    break

    def _about(self, codes: Sequence[str]) -> list[InteractionRule]:
        found: dict[str, InteractionRule] = {}
        for code in codes:
            for length in (1, 3, 4, 5, 7):
                for rule in self._first.get(code[:length], ()):
                    found[rule.id] = rule
        return list(found.values())


class _Kept(Struct, forbid_unknown_fields=True):
    """A list as it is kept: plain JSON."""

    name: str
    version: str
    interaction: tuple[InteractionRule, ...]


def encoded(made: InteractionList) -> bytes:
    """The list as JSON, for keeping."""
    return msgspec.json.encode(_Kept(made.name, made.version, made.rules))


def decoded(body: bytes) -> InteractionList:
    """The list that was kept. Raises `BadList`."""
    try:
        kept = msgspec.json.decode(body, type=_Kept)
    except msgspec.MsgspecError as problem:
        raise BadList(str(problem)) from problem
    return InteractionList(kept.name, kept.version, kept.interaction)


class Knowledge(Struct, frozen=True):
    """All that is known; `interactions` is None while the knowledge base does not answer.

    `stopped` says why, in words for the banner.
    """

    interactions: InteractionList | None
    allergies: Allergies
    duplicates: Duplicates
    doses: Doses
    contraindications: Contraindications
    intervals: Intervals
    levels: Levels
    facts: Facts
    stopped: str = ""

    def codes(self, medicine: Medicine) -> tuple[str, ...]:
        """The codes of a medicine, and of each substance of a product of several."""
        parts = [
            part
            for each in self.duplicates.contains
            if below(medicine.atc, (each.atc,))
            for part in each.parts
        ]
        return tuple(dict.fromkeys((*medicine.atc, *parts)))

    def amounts(self, medicine: Medicine, rule: CheckRule) -> tuple[Dosing, ...] | None:
        """The dosings of the substance that a rule is for; None where it is not told apart.

        Of a product of several substances, by the ingredient's own code, or by what the content
        says that the substance's name begins with.
        """
        if len(medicine.atc) == 1 and rule.is_about(medicine.atc):
            return medicine.dosings
        words = [
            word
            for each in self.duplicates.contains
            if below(medicine.atc, (each.atc,))
            for part, word in zip(each.parts, each.words, strict=False)
            if rule.is_about((part,))
        ]
        found = [
            each
            for each in medicine.ingredients
            if rule.is_about(each.atc) or each.name.casefold().startswith(tuple(words) or ("-",))
        ]
        return found[0].dosings if len(found) == 1 else None

    def loudness(self, rule: InteractionRule) -> Level | None:
        """How loud an interaction is told; None when it needs no measure."""
        if rule.level is not None:
            return rule.level
        by_relevance: dict[int, Any] = {
            1: self.levels.relevance_1, 2: self.levels.relevance_2,
        }  # fmt: skip
        level: Level | None = by_relevance.get(rule.relevance)
        return level


@cache
def included() -> InteractionList:
    """The list that comes with the program, until another is loaded."""
    found = content.interactions()
    return InteractionList(found.title, found.version, found.interaction)


def knowledge(interactions: InteractionList | None, stopped: str = "") -> Knowledge:
    """The content with this list of interactions, or with none and why."""
    return Knowledge(
        interactions=interactions, allergies=content.allergies(), duplicates=content.duplicates(),
        doses=content.doses(), contraindications=content.contraindications(),
        intervals=content.intervals(), levels=content.levels(), facts=content.facts(),
        stopped=stopped,
    )  # fmt: skip
