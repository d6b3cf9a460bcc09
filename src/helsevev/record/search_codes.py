"""Conditions that name a set: value sets, what is above or below, units of the same measure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, Protocol

from helsevev.fhir import units
from helsevev.fhir.outcome import error
from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.search_terms import (
    CompositeTerm,
    NumberTerm,
    QuantityTerm,
    Term,
    TokenTerm,
    UriTerm,
)
from helsevev.record.rows import UCUM
from helsevev.record.search_cost import Costs
from helsevev.record.search_hierarchies import Hierarchies
from helsevev.record.search_scope import Scope
from helsevev.record.statements import load
from helsevev.record.store import Store

_SQL: Final = load("search")
MOST_CODES: Final = 20_000
_DIGITS: Final = 60
"""Digits of a converted number beyond those that it was given with."""

Code = tuple[str, str]
"""System and code."""


class Codes(Protocol):
    """What is known of code systems and value sets."""

    async def in_value_set(self, url: str) -> Collection[Code] | None:
        """Every code of a value set, by its URL or `ValueSet/id`; None when it is not known."""

    async def below(self, system: str, code: str) -> Collection[Code] | None:
        """The code and all that it subsumes; None when the system is not known."""

    async def above(self, system: str, code: str) -> Collection[Code] | None:
        """The code and all that subsume it; None when the system is not known."""


class Resolver:
    """Puts the members of a set in the place of its name."""

    def __init__(self, codes: Codes, store: Store, costs: Costs) -> None:
        self._codes = codes
        self._store = store
        self._hierarchies = Hierarchies(store, costs)

    async def resolved(
        self, condition: Condition | AnyOf, scope: Scope | None
    ) -> Condition | AnyOf:
        """The condition with every set spelt out, as far as the scope shows its members.

        Raises `SearchError` for unknown ones.
        """
        if isinstance(condition, AnyOf):
            return condition
        if condition.modifier in ("in", "not-in"):
            return await self._in(condition)
        if condition.modifier in ("above", "below") and condition.kind == "token":
            return await self._subsumed(condition)
        if condition.modifier in ("above", "below") and condition.kind == "reference":
            return await self._hierarchies.resolved(condition, scope)
        if any(_measures(term) for term in condition.terms):
            known = [row[0] for row in await self._store.database.fetch(_SQL["units"], UCUM)]
            return replace(
                condition,
                terms=tuple(t for term in condition.terms for t in _wordings(term, known)),
            )
        return condition

    async def _in(self, condition: Condition) -> Condition:
        found: set[Code] = set()
        for term in condition.terms:
            assert isinstance(term, UriTerm)
            codes = await self._codes.in_value_set(term.uri)
            if codes is None:
                raise _unknown(condition, f"the value set {term.uri}")
            found |= set(codes)
        negated = "not" if condition.modifier == "not-in" else None
        return replace(condition, terms=_tokens(condition, found), modifier=negated)

    async def _subsumed(self, condition: Condition) -> Condition:
        found: set[Code] = set()
        for term in condition.terms:
            assert isinstance(term, TokenTerm)
            assert term.system
            assert term.code
            ask = self._codes.below if condition.modifier == "below" else self._codes.above
            codes = await ask(term.system, term.code)
            if codes is None:
                raise _unknown(condition, f"the code system {term.system}")
            found |= {(term.system, term.code), *codes}
        return replace(condition, terms=_tokens(condition, found), modifier=None)


def _tokens(condition: Condition, codes: Iterable[Code]) -> tuple[Term, ...]:
    found = sorted(codes)
    if len(found) > MOST_CODES:
        text = f"{condition.name}: the set has more than {MOST_CODES} codes; name a smaller one."
        raise SearchError([error("too-costly", text, condition.name)])
    return tuple(TokenTerm(system, code) for system, code in found)


def _unknown(condition: Condition, what: str) -> SearchError:
    text = f"{condition.name}:{condition.modifier}: {what} is not known here."
    return SearchError([error("not-found", text, condition.name)])


def _measures(term: Term) -> bool:
    if isinstance(term, CompositeTerm):
        return any(_measures(part) for part in term.parts)
    return isinstance(term, QuantityTerm) and term.system == UCUM and term.code is not None


def _wordings(term: Term, known: Sequence[str]) -> list[Term]:
    """The term in every unit seen in the record that measures the same, itself first."""
    if isinstance(term, CompositeTerm):
        *first, last = term.parts
        return [CompositeTerm((*first, each)) for each in _wordings(last, known)]
    if not _measures(term):
        return [term]
    assert isinstance(term, QuantityTerm)
    own = units.scale(term.code or "")
    if own is None:
        return [term]
    found: list[Term] = [term]
    for code in known:
        other = units.scale(code)
        if code != term.code and other is not None and other.dimensions == own.dimensions:
            found.append(QuantityTerm(_converted(term.number, own, other), UCUM, code))
    return found


def _converted(number: NumberTerm, own: units.Scale, other: units.Scale) -> NumberTerm:
    low, middle, high = (
        _decimal(units.convert(Fraction(each), own, other))
        for each in (number.low, number.number, number.high)
    )
    return NumberTerm(number.prefix, middle, low, high)


def _decimal(value: Fraction) -> Decimal:
    exactly = Context(prec=_DIGITS + value.numerator.bit_length() // 3)
    return exactly.divide(Decimal(value.numerator), Decimal(value.denominator))
