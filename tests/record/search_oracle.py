"""Searches answered in plain Python from the extracted values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import asin, cos, dist, radians, sin
from typing import Any

from helsevev.fhir import dates
from helsevev.fhir.extraction import REFERENCE
from helsevev.fhir.search_filters import AnyOf, Chain, Condition, Filter, Formula, Has
from helsevev.fhir.search_query import Query
from helsevev.fhir.search_terms import (
    CompositeTerm,
    DateTerm,
    NearTerm,
    NumberTerm,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    TokenTerm,
    UriTerm,
    normalize,
)
from helsevev.fhir.search_values import KINDS
from helsevev.record.search_values import EARTH

from .search_world import GRAMS, UCUM, VALUE_SETS, Kept, texts_of


def matches(query: Query, kept: Kept, world: Sequence[Kept] = ()) -> bool:
    """Whether every condition holds for the resource; joins look into `world` only."""
    return kept.resource["resourceType"] == query.resource_type and all(
        _fits_all(each, kept, world) for each in (*query.conditions, *query.joins)
    )


def _fits_all(asked: Filter, kept: Kept, world: Sequence[Kept]) -> bool:
    match asked:
        case Condition():
            return _holds(asked, kept)
        case AnyOf(conditions):
            return any(_holds(condition, kept) for condition in conditions)
        case Formula("not", (part,)):
            return not _fits_all(part, kept, world)
        case Formula(joined, parts):
            fitting = [_fits_all(part, kept, world) for part in parts]
            return all(fitting) if joined == "and" else any(fitting)
        case Chain(parameter, within):
            named = set(_names(kept, parameter.name))
            return any(
                f"{kind}/{other.place[1]}" in named and _fits_all(inner, other, world)
                for kind, inner in within
                for other in world
                if other.place[0] == kind
            )
        case Has(source, parameter, inner):
            return any(
                "/".join(kept.place) in _names(other, parameter.name)
                and _fits_all(inner, other, world)
                for other in world
                if other.place[0] == source
            )
    raise AssertionError(asked)


def _names(kept: Kept, name: str) -> list[str]:
    return [value[2] for value in kept.values if value[0] == name and value[1] == REFERENCE]


def _holds(condition: Condition, kept: Kept) -> bool:
    if condition.modifier == "text":
        name = condition.name.removeprefix("combo-")
        # What an order calls its code is an element of another name.
        names = (name, "medicationCodeableConcept") if name == "code" else (name,)
        said = [text for each in names for text in texts_of(kept.resource.get(each))]
        if condition.name.startswith("combo-"):
            said += [t for c in kept.resource.get("component", ()) for t in texts_of(c["code"])]
        words = " ".join(said).split()
        return any(
            word.casefold().startswith(term.normalized)
            for term in condition.terms if isinstance(term, StringTerm)
            for word in words
        )  # fmt: skip
    if condition.modifier in ("in", "not-in"):
        sets = {code for term in condition.terms if isinstance(term, UriTerm)
                for code in VALUE_SETS[term.uri]}  # fmt: skip
        inside = any(v[0] == condition.name and v[2:] in sets for v in kept.values)
        return inside is (condition.modifier == "in")
    if condition.modifier == "missing":
        always = condition.name in ("_id", "_lastUpdated")
        present = always or any(value[0] == condition.name for value in kept.values)
        return present is not condition.missing
    values: list[tuple[Any, ...]] = [
        value[2:]
        for value in kept.values
        if value[0] == condition.name and value[1] == KINDS[condition.kind]
    ]
    if condition.name == "_id":
        values = [("", kept.resource["id"])]
    if condition.name == "_lastUpdated":
        low = dates.microseconds(kept.updated)
        values = [(low, low + 1)]
    found = any(
        _fits(term, value, condition.modifier) for term in condition.terms for value in values
    )
    return not found if condition.modifier == "not" else found


def _fits(term: Any, value: tuple[Any, ...], modifier: str | None) -> bool:
    match term:
        case TokenTerm(system, code):
            of_system = system is None or system == (value[0] or "")
            return of_system and (code is None or code == value[1])
        case ReferenceTerm(texts):
            return value[0] in texts
        case StringTerm(text, normalized):
            if modifier == "exact":
                return bool(value[0] == text)
            own = normalize(value[0])
            return {
                "contains": normalized in own, "equal": own == normalized,
                "unequal": own != normalized, "ends": own.endswith(normalized),
            }.get(modifier or "", own.startswith(normalized))  # fmt: skip
        case DateTerm(prefix, low, high):
            return _in_time(prefix, low, high, *value)
        case NumberTerm():
            return _compares(term, value[0])
        case QuantityTerm(number, system, code):
            own_system, own_code, unit = value[1:]
            if code is not None and system is None and code not in (own_code, unit):
                return False
            if code is not None and system is not None and (own_system, own_code) != (system, code):
                if system != UCUM or own_system != UCUM or {code, own_code} - GRAMS.keys():
                    return False
                return _compares(number, value[0] * GRAMS[own_code] / GRAMS[code])
            return _compares(number, value[0])
        case NearTerm(latitude, longitude, metres):
            return _apart(latitude, longitude, float(value[0]), float(value[1])) <= metres
        case UriTerm(uri):
            if modifier == "below":
                return bool(value[0] == uri or value[0].startswith(uri.rstrip("/") + "/"))
            if modifier == "above":
                return bool(value[0] == uri or uri.startswith(value[0].rstrip("/") + "/"))
            return bool(value[0] == uri)
        case CompositeTerm(parts):
            return all(_fits(part, own[1:], None) for part, own in zip(parts, value, strict=True))
    raise AssertionError(term)


def _apart(one: float, east: float, other: float, farther_east: float) -> float:
    """Metres between two places on a globe, by the straight line between them."""
    a, b = ((radians(n), radians(e)) for n, e in ((one, east), (other, farther_east)))
    places = [(cos(n) * cos(e), cos(n) * sin(e), sin(n)) for n, e in (a, b)]
    return 2 * EARTH * asin(min(1.0, dist(*places) / 2))


def _in_time(prefix: str, low: int, high: int, first: int, last: int) -> bool:
    inside = low <= first and last <= high
    return {
        "eq": inside, "ne": not inside, "gt": last > high, "lt": first < low,
        "ge": last > high or inside, "le": first < low or inside, "sa": first >= high,
        "eb": last <= low, "ap": first < high and last > low,
    }[prefix]  # fmt: skip


def _compares(term: NumberTerm, number: Decimal) -> bool:
    near = term.low <= number < term.high
    return {
        "eq": near, "ap": near, "ne": not near, "gt": number > term.number,
        "sa": number > term.number, "lt": number < term.number, "eb": number < term.number,
        "ge": number >= term.number, "le": number <= term.number,
    }[term.prefix]  # fmt: skip


def places(found: Iterable[Kept]) -> set[tuple[str, str]]:
    """Type and id of each."""
    return {kept.place for kept in found}
