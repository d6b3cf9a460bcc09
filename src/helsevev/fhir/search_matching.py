"""Whether a resource at hand fits what a search asks, by the values that it would be found by.

What names a set (`:in`, `:below` of a code) is spelt out before; words and distances are others'.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from helsevev.fhir.search_filters import Condition
from helsevev.fhir.search_terms import (
    CompositeTerm,
    DateTerm,
    NumberTerm,
    QuantityTerm,
    ReferenceTerm,
    StringTerm,
    Term,
    TokenTerm,
    UriTerm,
    normalize,
)
from helsevev.fhir.search_texts import has_text
from helsevev.fhir.search_values import KINDS

Values = Iterable[tuple[Any, ...]]
"""Rows as `extraction.extract` gives them."""


def holds(condition: Condition, resource: dict[str, Any], extracted: Values) -> bool:
    """Whether a condition holds for a resource with these values."""
    if condition.modifier == "text":
        terms = [term for term in condition.terms if isinstance(term, StringTerm)]
        return any(has_text(resource, condition.name, term) for term in terms)
    if condition.name == "_id":
        values: list[tuple[Any, ...]] = [("", resource.get("id"))]
    else:
        kind = KINDS[condition.kind]
        values = [row[2:] for row in extracted if row[0] == condition.name and row[1] == kind]
    if condition.modifier == "missing":
        return bool(values) is not condition.missing
    found = any(_fits(term, v, condition.modifier) for term in condition.terms for v in values)
    return not found if condition.modifier == "not" else found


def _fits(term: Term, value: tuple[Any, ...], modifier: str | None) -> bool:
    match term:
        case TokenTerm(system, code):
            of_system = system is None or system == (value[0] or "")
            return of_system and (code is None or code == value[1])
        case ReferenceTerm(texts):
            return value[0] in texts
        case StringTerm(text, _):
            return bool(value[0] == text) if modifier == "exact" else _reads(term, value, modifier)
        case DateTerm(prefix, low, high):
            return _in_time(prefix, low, high, value[0], value[1])
        case NumberTerm():
            return _compares(term, value[0])
        case QuantityTerm():
            return _measures(term, value)
        case UriTerm(uri):
            return _names(uri, value[0], modifier)
        case CompositeTerm(parts):
            return all(_fits(part, own[1:], None) for part, own in zip(parts, value, strict=True))
    return False


def _reads(term: StringTerm, value: tuple[Any, ...], modifier: str | None) -> bool:
    own, asked = normalize(value[0]), term.normalized
    match modifier:
        case "contains":
            return asked in own
        case "equal":
            return own == asked
        case "unequal":
            return own != asked
        case "ends":
            return own.endswith(asked)
    return own.startswith(asked)


def _names(uri: str, value: str, modifier: str | None) -> bool:
    if modifier == "below":
        return value == uri or value.startswith(uri.rstrip("/") + "/")
    if modifier == "above":
        return value == uri or uri.startswith(value.rstrip("/") + "/")
    return value == uri


def _measures(term: QuantityTerm, value: tuple[Any, ...]) -> bool:
    number, system, code, unit = value
    if term.code is not None:
        fitting = (code, unit) if term.system is None else (code,)
        if term.code not in fitting or term.system not in (None, system):
            return False
    return _compares(term.number, number)


def _compares(term: NumberTerm, number: Decimal) -> bool:
    near = term.low <= number < term.high
    return {
        "eq": near, "ap": near, "ne": not near, "gt": number > term.number,
        "sa": number > term.number, "lt": number < term.number, "eb": number < term.number,
        "ge": number >= term.number, "le": number <= term.number,
    }[term.prefix]  # fmt: skip


def _in_time(prefix: str, low: int, high: int, first: int, last: int) -> bool:
    inside = low <= first and last <= high
    return {
        "eq": inside, "ne": not inside, "gt": last > high, "lt": first < low,
        "ge": last > high or inside, "le": first < low or inside, "sa": first >= high,
        "eb": last <= low, "ap": first < high and last > low,
    }[prefix]  # fmt: skip
