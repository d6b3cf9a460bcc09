"""Conditions that name a set: value sets, what is above or below, units of the same measure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, Protocol

from helsevev.fhir import references, units
from helsevev.fhir.extraction import REFERENCE, extract
from helsevev.fhir.outcome import error
from helsevev.fhir.search_filters import AnyOf, Condition
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.search_terms import (
    CompositeTerm,
    NumberTerm,
    QuantityTerm,
    ReferenceTerm,
    Term,
    TokenTerm,
    UriTerm,
)
from helsevev.record.rows import UCUM, reference_hash
from helsevev.record.statements import load
from helsevev.record.store import Store, Stored

_SQL: Final = load("search")
MOST_CODES: Final = 20_000
_DEEPEST: Final = 20
_MOST_PLACES: Final = 5000
_HIERARCHIES: Final = ("partof", "part-of")
_EXACT: Final = Context(prec=60)

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

    def __init__(self, codes: Codes, store: Store) -> None:
        self._codes = codes
        self._store = store

    async def resolved(self, kind: str, condition: Condition | AnyOf) -> Condition | AnyOf:
        """The condition with every set spelt out. Raises `SearchError` for unknown ones."""
        if isinstance(condition, AnyOf):
            return condition
        if condition.modifier in ("in", "not-in"):
            return await self._in(condition)
        if condition.modifier in ("above", "below") and condition.kind == "token":
            return await self._subsumed(condition)
        if condition.modifier in ("above", "below") and condition.kind == "reference":
            return await self._placed(condition)
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

    async def _placed(self, condition: Condition) -> Condition:
        names = {
            t for term in condition.terms if isinstance(term, ReferenceTerm) for t in term.texts
        }
        up = condition.modifier == "above"
        found: set[str] = set()
        for kind in {text.partition("/")[0] for text in names if "/" in text}:
            hierarchy = _hierarchy(kind)
            some = {
                text for text in names if references.relative(text) and text.startswith(kind + "/")
            }
            if hierarchy is None:
                if len({text.partition("/")[0] for text in names}) == 1:
                    raise _unknown(condition, f"a hierarchy of {kind}")
                continue
            found |= await (self._ancestors if up else self._descendants)(kind, hierarchy, some)
        return replace(condition, terms=(ReferenceTerm(tuple(sorted(found))),), modifier=None)

    async def _descendants(self, kind: str, name: str, some: set[str]) -> set[str]:
        found, newest = set(some), some
        for _ in range(_DEEPEST):
            hashes = [reference_hash(name, text) for text in newest]
            rows = await self._store.database.fetch(_SQL["parts"], kind, hashes, _MOST_PLACES)
            newest = {f"{kind}/{row[0]}" for row in rows} - found
            found |= newest
            if not newest or len(found) > _MOST_PLACES:
                break
        return found

    async def _ancestors(self, kind: str, name: str, some: set[str]) -> set[str]:
        found, newest = set(some), some
        for _ in range(_DEEPEST):
            wanted = [local for text in newest if (local := references.relative(text))]
            rows = await self._store.read_many(wanted)
            newest = {text for stored in rows.values() for text in _named(stored, name)} - found
            found |= newest
            if not newest:
                break
        return found


def _named(stored: Stored, name: str) -> list[str]:
    return [e[2] for e in extract(stored.resource) if e[0] == name and e[1] == REFERENCE]


def _hierarchy(kind: str) -> str | None:
    known = PARAMETERS.get(kind, {})
    return next((n for n in _HIERARCHIES if n in known and kind in known[n].targets), None)


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
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
