"""Conditions that rows cannot tell: each says, of resources that were read, which of them fit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from helsevev.fhir.extraction import COMPOSITE, extract
from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.fhir.search_terms import CompositeTerm, NumberTerm, StringTerm, Term, TokenTerm
from helsevev.fhir.search_texts import has_text
from helsevev.record import composites, words
from helsevev.record.composites import Layout
from helsevev.record.search_cost import Costs
from helsevev.record.statements import load
from helsevev.record.store import Stored

Place = tuple[int, str]
"""Of a resource of a known type: the inhabitant's key and the id."""

_SQL: Final = load("search")


def needs_reading(kind: str, condition: Condition | AnyOf) -> bool:
    """Whether the resources themselves have to be read to tell whether the condition holds."""
    if isinstance(condition, AnyOf):
        return False
    if condition.modifier == "text":
        return True
    if condition.name == "_content":
        return kind not in words.PROSE
    return (
        condition.kind == "composite"
        and condition.modifier is None
        and condition.name not in composites.UNIONS
        and composites.layout(kind, condition.name) is Layout.CHECKED
    )


class Checks:
    """Makes the checks of conditions; full text is PostgreSQL's in any case."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs

    def of(self, condition: Condition) -> Callable[[Sequence[Stored]], Awaitable[set[Place]]]:
        """The check of a condition that `needs_reading`."""
        if condition.name == "_content":
            return lambda found: self._content(found, condition)

        async def check(found: Sequence[Stored]) -> set[Place]:
            return {(s.patient, s.id) for s in found if _holds(condition, s)}

        return check

    async def _content(self, found: Sequence[Stored], condition: Condition) -> set[Place]:
        resources = [stored.resource for stored in found]
        asked = [term.text for term in condition.terms if isinstance(term, StringTerm)]
        told = [words.narrative(each) for each in resources]
        more = [words.content(each) for each in resources]
        rows = await self._costs.fetch(_SQL["with_words"], (told, more, asked))
        return {(found[row[0] - 1].patient, found[row[0] - 1].id) for row in rows}


def _holds(condition: Condition, stored: Stored) -> bool:
    resource = stored.resource
    if condition.modifier == "text":
        terms = [term for term in condition.terms if isinstance(term, StringTerm)]
        names = composites.kept_as(resource["resourceType"], condition.name)
        return any(has_text(resource, name, term) for name in names for term in terms)
    elements = [e[2:] for e in extract(resource) if e[0] == condition.name and e[1] == COMPOSITE]
    return any(
        all(_fits(part, value) for part, value in zip(term.parts, element, strict=True))
        for term in condition.terms if isinstance(term, CompositeTerm)
        for element in elements
    )  # fmt: skip


def _fits(term: Term, part: tuple[object, ...]) -> bool:
    if isinstance(term, TokenTerm):
        of_system = term.system is None or term.system == (part[1] or "")
        return of_system and term.code in (None, part[2])
    assert isinstance(term, NumberTerm)
    number = part[1]
    near = term.low <= number < term.high  # type: ignore[operator]
    return {
        "eq": near, "ap": near, "ne": not near,
        "gt": number > term.number, "sa": number > term.number,  # type: ignore[operator]
        "lt": number < term.number, "eb": number < term.number,  # type: ignore[operator]
        "ge": number >= term.number, "le": number <= term.number,  # type: ignore[operator]
    }[term.prefix]  # fmt: skip
