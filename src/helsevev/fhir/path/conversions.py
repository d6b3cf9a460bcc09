"""Functions that turn values into other types (http://hl7.org/fhirpath/N1/#conversion)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.path import moments, quantities
from helsevev.fhir.path.site import FALSE, TRUE, Maker, Site, Typed
from helsevev.fhir.path.syntax import UNITS
from helsevev.fhir.path.values import Env, Items, is_number, single

_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
_QUANTITY: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-z]+))?", re.ASCII)


def _boolean(value: Any) -> bool | None:
    if type(value) is bool:
        return value
    if is_number(value):
        return True if value == 1 else False if value == 0 else None
    if type(value) is not str:
        return None
    word = value.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value
    if type(value) is bool:
        return int(value)
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    return None


def _decimal(value: Any) -> Decimal | None:
    if is_number(value) or type(value) is bool:
        return Decimal(value)
    if type(value) is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def _string(value: Any) -> str | None:
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if quantities.is_quantity(value):
        unit = quantities.unit_of(value)
        return f"{value['value']} {unit if unit in UNITS else repr(unit)}"
    return None


def _date(value: Any) -> str | None:
    if type(value) is not str or moments.parts(value) is None:
        return None
    return value.partition("T")[0]


def _date_time(value: Any) -> str | None:
    return value if type(value) is str and moments.parts(value) is not None else None


def _time(value: Any) -> str | None:
    if type(value) is not str or moments.time_parts(value) is None:
        return None
    return value.removeprefix("T")


def _quantity(value: Any) -> dict[str, Any] | None:
    if quantities.is_quantity(value):
        return dict(value)
    if type(value) is bool or is_number(value):
        return quantities.made(Decimal(value), "1")
    match = _QUANTITY.fullmatch(value) if type(value) is str else None
    if match is None:
        return None
    number, unit, word = match.groups()
    if word is not None:
        return {"value": Decimal(number), "unit": UNITS[word]} if word in UNITS else None
    return quantities.made(Decimal(number), unit or "1")


def _to(convert: Callable[[Any], Any], kind: str, *, quantity: bool = False) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(0, 1 if quantity else 0)
        source = site.source.run
        unit = site.value(0) if site.arguments else None

        def run(this: Items, env: Env) -> Items:
            value = single(source(this, env), f"{site.name}()")
            found = None if value is None else convert(value)
            if found is not None and unit is not None:
                found = _in_unit(found, single(unit(this, env), f"{site.name}()"))
            return [] if found is None else [found]

        return Typed(run, kind)

    return make


def _in_unit(quantity: dict[str, Any], unit: Any) -> dict[str, Any] | None:
    one = quantities.measure(quantity)
    other = quantities.measure(quantities.made(Decimal(1), unit)) if type(unit) is str else None
    if one is None or other is None or one[1] != other[1]:
        return None
    return quantities.made(one[0] / other[0], unit)


def _converts(convert: Callable[[Any], Any]) -> Maker:
    def make(site: Site) -> Typed:
        site.takes(0, 1)
        source = site.source.run

        def run(this: Items, env: Env) -> Items:
            value = single(source(this, env), f"{site.name}()")
            if value is None:
                return []
            return FALSE if convert(value) is None else TRUE

        return Typed(run, "System.Boolean")

    return make


_KINDS: Final[dict[str, Callable[[Any], Any]]] = {
    "Boolean": _boolean, "Integer": _integer, "Decimal": _decimal, "String": _string,
    "Date": _date, "DateTime": _date_time, "Time": _time, "Quantity": _quantity,
}  # fmt: skip

FUNCTIONS: Final[dict[str, Maker]] = {
    f"to{kind}": _to(convert, f"System.{kind}", quantity=kind == "Quantity")
    for kind, convert in _KINDS.items()
} | {f"convertsTo{kind}": _converts(convert) for kind, convert in _KINDS.items()}
