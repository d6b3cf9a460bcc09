"""Quantities: values in units, compared when the units measure the same."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from helsevev.fhir.path.values import is_number

UCUM: Final = "http://unitsofmeasure.org"
# Calendar durations that are as long as UCUM's units; years and months are not.
CALENDAR: Final = {
    "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}  # fmt: skip
_NAMES: Final = {ucum: name for name, ucum in CALENDAR.items()} | {"a": "year", "mo": "month"}
_PREFIXES: Final = {
    "k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "M": 6, "G": 9,
}  # fmt: skip
_PREFIXED: Final = frozenset({"g", "m", "L", "l", "s", "mol", "Pa", "J", "W", "V", "Hz", "[IU]"})
_SECONDS: Final = {"min": 60, "h": 3600, "d": 86_400, "wk": 604_800}

Measure = tuple[Decimal, str]


@lru_cache(maxsize=4096)
def _scale(unit: str) -> Measure:
    """By what to multiply a value in `unit`, and the unit it is then in."""
    unit = CALENDAR.get(unit, unit)
    if unit in _SECONDS:
        return Decimal(_SECONDS[unit]), "s"
    above, slash, below = unit.partition("/")
    if slash and "/" not in below:
        (one, of), (other, per) = _scale(above), _scale(below)
        return one / other, f"{of}/{per}"
    if unit not in _PREFIXED and unit[:1] in _PREFIXES and unit[1:] in _PREFIXED:
        return Decimal(10) ** _PREFIXES[unit[0]], "L" if unit[1:] == "l" else unit[1:]
    return Decimal(1), "L" if unit == "l" else unit


def measure(quantity: Any) -> Measure | None:
    """The value and its unit, brought to the unit without prefixes; None when it has no value."""
    if is_number(quantity):
        return Decimal(quantity), "1"
    if type(quantity) is not dict or not is_number(quantity.get("value")):
        return None
    factor, unit = _scale(unit_of(quantity))
    return Decimal(quantity["value"]) * factor, unit


def unit_of(quantity: dict[str, Any]) -> str:
    """The unit that counts: a UCUM code, or what is written; "1" when there is none."""
    unit = quantity.get("code") if quantity.get("system") == UCUM else None
    unit = unit or quantity.get("unit") or quantity.get("code") or "1"
    return unit if type(unit) is str else "1"


def calendar_unit(quantity: dict[str, Any]) -> str:
    """The unit as a calendar names it; UCUM's as it is when the calendar has none."""
    unit = unit_of(quantity)
    return _NAMES.get(unit, unit)


def compare(left: Any, right: Any) -> int | None:
    """-1, 0 or 1; None when they do not measure the same."""
    one, other = measure(left), measure(right)
    if one is None or other is None or one[1] != other[1]:
        return None
    return (one[0] > other[0]) - (one[0] < other[0])


def made(value: Decimal, unit: str) -> dict[str, Any]:
    """A quantity in a UCUM or calendar unit."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def is_quantity(value: Any) -> bool:
    """Whether a plain value has the form of a Quantity."""
    return type(value) is dict and "value" in value and is_number(value["value"])
