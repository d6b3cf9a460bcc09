"""Answers compared: as enableWhen asks, as limits ask, and whether two say the same."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from helsevev.fhir import units
from helsevev.fhir.path import moments
from helsevev.fhir.questionnaire.places import Answer


def value_of(answer: Answer) -> Any:
    """The value of an answer, None when it has none."""
    return next((value for key, value in answer.items() if key.startswith("value")), None)


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: a code counts with its system, not with its name."""
    if type(one) is dict and type(other) is dict:
        if "code" in one and "code" in other and "value" not in one:
            if one["code"] != other["code"]:
                return False
            systems = one.get("system"), other.get("system")
            return systems[0] == systems[1] or not all(systems)
        if "value" in one and "value" in other:
            return order(one, other) == 0
        if "reference" in one or "reference" in other:
            return one.get("reference") == other.get("reference")
        if "display" in one and "display" in other and "url" not in one:
            return bool(one["display"] == other["display"])
        return one == other
    if type(one) is bool or type(other) is bool:
        return one is other
    if type(one) is dict or type(other) is dict:
        code, text = (one, other) if type(one) is dict else (other, one)
        return text in (code.get("code"), code.get("display"))
    return bool(one == other)


def order(one: Any, other: Any) -> int | None:
    """-1, 0 or 1 as the first is less than, equal to or greater than the second; None: unknown."""
    if _is_number(one) and _is_number(other):
        return int(one > other) - int(one < other)
    if type(one) is dict and type(other) is dict and "value" in one and "value" in other:
        return _order_of_quantities(one, other)
    if type(one) is dict and _is_number(other) and _is_number(one.get("value")):
        return order(one["value"], other)
    if type(other) is dict and _is_number(one) and _is_number(other.get("value")):
        return order(one, other["value"])
    if type(one) is str and type(other) is str:
        return _order_of_moments(one, other)
    return None


def _is_number(value: Any) -> bool:
    return type(value) is int or isinstance(value, Decimal)


def _order_of_quantities(one: dict[str, Any], other: dict[str, Any]) -> int | None:
    values = one["value"], other["value"]
    if not all(_is_number(each) for each in values):
        return None
    codes = [each.get("code") or each.get("unit") or "" for each in (one, other)]
    if codes[0] == codes[1] or not all(codes):
        return order(*values)
    scales = [units.scale(code) for code in codes]
    if scales[0] is None or scales[1] is None or scales[0].dimensions != scales[1].dimensions:
        return None
    left = units.convert(Fraction(values[0]), scales[0], scales[1])
    right = Fraction(values[1])
    return (left > right) - (left < right)


def _order_of_moments(one: str, other: str) -> int | None:
    for kind in ("DateTime", "Date", "Time"):
        read = moments.time_parts if kind == "Time" else moments.parts
        if read(one) is not None and read(other) is not None:
            return moments.compare(one, other, kind)
    return (one > other) - (one < other)
