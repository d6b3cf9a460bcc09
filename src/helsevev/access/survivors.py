"""Who asks for a person by an id that was merged into another's is led to the one who stayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from helsevev.fhir.person_merging import replaced_by
from helsevev.fhir.search_filters import Condition
from helsevev.fhir.search_query import Query
from helsevev.fhir.search_terms import ReferenceTerm, Term, TokenTerm
from helsevev.record.store import Store

_PREFIX: Final = "Patient/"
_MOST: Final = 100
_STEPS: Final = 5
"""Persons of whom each was merged into the next."""


async def led_on(store: Store, query: Query) -> Query | None:
    """The query that also finds what those have who replaced the persons it names.

    None when it names nobody who was replaced, or already names who replaced them.
    """
    named = set(_named(query))
    survivors: dict[str, str] = {}
    newest = sorted(named)[:_MOST]
    for _ in range(_STEPS):
        found = await store.read_many([("Patient", each) for each in newest]) if newest else {}
        fresh = {place[1]: replaced_by(stored.resource) for place, stored in found.items()}
        survivors |= {old: new for old, new in fresh.items() if new is not None}
        newest = [new for new in fresh.values() if new is not None and new not in survivors]
    if not survivors or named.issuperset(survivors.values()):
        return None
    conditions = tuple(_led(query.resource_type, each, survivors) for each in query.conditions)
    return replace(query, conditions=conditions)


def _named(query: Query) -> Iterator[str]:
    for condition in query.conditions:
        for term in condition.terms:
            if isinstance(term, ReferenceTerm):
                yield from (t[len(_PREFIX) :] for t in term.texts if t.startswith(_PREFIX))
            elif isinstance(term, TokenTerm) and _is_id(query.resource_type, condition):
                yield term.code or ""


def _is_id(kind: str, condition: Condition) -> bool:
    return kind == "Patient" and condition.name == "_id" and condition.modifier is None


def _led(kind: str, condition: Condition, survivors: dict[str, str]) -> Condition:
    terms: list[Term] = []
    for term in condition.terms:
        if isinstance(term, ReferenceTerm):
            more = [f"{_PREFIX}{each}" for each in _after(_ids(term), survivors)]
            terms.append(replace(term, texts=tuple(dict.fromkeys([*term.texts, *more]))))
            continue
        terms.append(term)
        if isinstance(term, TokenTerm) and term.code and _is_id(kind, condition):
            terms += [TokenTerm(term.system, each) for each in _after([term.code], survivors)]
    return replace(condition, terms=tuple(terms))


def _ids(term: ReferenceTerm) -> list[str]:
    return [text[len(_PREFIX) :] for text in term.texts if text.startswith(_PREFIX)]


def _after(ids: Iterable[str], survivors: dict[str, str]) -> Iterator[str]:
    for each in ids:
        for _ in range(_STEPS):
            if each not in survivors:
                break
            each = survivors[each]
            yield each
