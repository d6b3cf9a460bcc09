"""Who asks for a person by an id that was merged into another's is led to the one who stayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from helsevev.fhir.person_merging import replaced_by
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula, Has
from helsevev.fhir.search_query import Query
from helsevev.fhir.search_terms import ReferenceTerm, Term, TokenTerm
from helsevev.record.store import Store

Join = Chain | Has | AnyOf | Formula
_PREFIX: Final = "Patient/"
_MOST: Final = 100
_STEPS: Final = 5
"""Persons of whom each was merged into the next."""


async def led_on(store: Store, query: Query, *, found: bool) -> Query | None:
    """The query that also finds what those have who replaced the persons it names.

    None when it names nobody who was replaced, or already names who replaced them; also when it
    `found` something by naming one person alone, whose record is there then.
    """
    named = [*_named(query.resource_type, (*query.conditions, *query.joins))]
    if not named or (found and _names_one(query, named)):
        return None
    survivors: dict[str, str] = {}
    newest = sorted(set(named))[:_MOST]
    for _ in range(_STEPS):
        read = await store.read_many([("Patient", each) for each in newest]) if newest else {}
        fresh = {place[1]: replaced_by(stored.resource) for place, stored in read.items()}
        survivors |= {old: new for old, new in fresh.items() if new is not None}
        newest = [new for new in fresh.values() if new is not None and new not in survivors]
    if not survivors:
        return None
    kind = query.resource_type
    led = replace(
        query,
        conditions=tuple(_led(kind, each, survivors) for each in query.conditions),
        joins=tuple(_led_within(kind, each, survivors) for each in query.joins),
    )
    return None if led == query else led


def _names_one(query: Query, named: list[str]) -> bool:
    """Whether one person is named and nobody else, by what the resources themselves say of whom
    they are; a Patient asked for by id is there still, and says who replaced it."""
    kind = query.resource_type
    own = [*_named(kind, query.conditions)]
    return own == named and len(own) == 1 and not any(_is_id(kind, c) for c in query.conditions)


def _named(kind: str, filters: Iterable[Filter]) -> Iterator[str]:
    for each in filters:
        if isinstance(each, Condition):
            for term in each.terms:
                if isinstance(term, ReferenceTerm):
                    yield from _ids(term)
                elif isinstance(term, TokenTerm) and term.code and _is_id(kind, each):
                    yield term.code
        elif isinstance(each, Chain):
            for target, inner in each.within:
                yield from _named(target, [inner])
        elif isinstance(each, Has):
            yield from _named(each.source, [each.asked])
        else:
            yield from _named(kind, each.conditions if isinstance(each, AnyOf) else each.parts)


def _is_id(kind: str, condition: Condition) -> bool:
    return kind == "Patient" and condition.name == "_id" and condition.modifier is None


def _led_within(kind: str, join: Join, survivors: dict[str, str]) -> Join:
    if isinstance(join, Chain):
        within = tuple(
            (target, _led_any(target, inner, survivors)) for target, inner in join.within
        )
        return replace(join, within=within)
    if isinstance(join, Has):
        return replace(join, asked=_led_any(join.source, join.asked, survivors))
    if isinstance(join, AnyOf):
        return AnyOf(tuple(_led(kind, each, survivors) for each in join.conditions))
    return replace(join, parts=tuple(_led_any(kind, each, survivors) for each in join.parts))


def _led_any(kind: str, each: Filter, survivors: dict[str, str]) -> Filter:
    if isinstance(each, Condition):
        return _led(kind, each, survivors)
    return _led_within(kind, each, survivors)


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
    return replace(condition, terms=tuple(dict.fromkeys(terms)))


def _ids(term: ReferenceTerm) -> list[str]:
    return [text[len(_PREFIX) :] for text in term.texts if text.startswith(_PREFIX)]


def _after(ids: Iterable[str], survivors: dict[str, str]) -> Iterator[str]:
    for each in ids:
        for _ in range(_STEPS):
            if each not in survivors:
                break
            each = survivors[each]
            yield each
