"""Functions that make one number of many, and those that ask how many points an answer gives.

`sum()`, `min()`, `max()` and `avg()` are those of the coming edition of FHIRPath
(https://build.fhir.org/ig/HL7/FHIRPath/#aggregates); `weight()` and its older name `ordinal()` are
those of Structured Data Capture (https://hl7.org/fhir/uv/sdc/expressions.html#fhirpath-supplements).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.path import quantities
from helsevev.fhir.path.site import Maker, Site, Typed
from helsevev.fhir.path.syntax import PathError
from helsevev.fhir.path.values import Env, Items, is_number, plain, plain_all

WEIGHTS: Final = frozenset({
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/StructureDefinition/questionnaire-ordinalValue",
})  # fmt: skip
"""Extensions that say how many points an answer gives, oldest last."""


def _of_numbers(make: Callable[[list[Any]], Any], empty: Items) -> Maker:
    def maker(site: Site) -> Typed:
        site.takes(0)
        source = site.source.run

        def run(this: Items, env: Env) -> Items:
            values = plain_all(source(this, env))
            if not values:
                return empty
            if all(is_number(value) for value in values):
                return [make(values)]
            if all(quantities.is_quantity(value) for value in values):
                units = {quantities.unit_of(value) for value in values}
                if len(units) == 1:
                    return [{**values[0], "value": make([each["value"] for each in values])}]
                raise PathError(f"{site.name}() takes quantities in one unit.")
            return _of_texts(site.name, make, values)

        return Typed(run)

    return maker


def _of_texts(name: str, make: Callable[[list[Any]], Any], values: Items) -> Items:
    if name in ("min", "max") and all(type(value) is str for value in values):
        return [make(values)]
    raise PathError(f"{name}() takes numbers.")


def _mean(values: list[Any]) -> Decimal:
    return Decimal(sum(values)) / len(values)


def _weight(site: Site) -> Typed:
    site.takes(0)
    source = site.source.run

    def run(this: Items, env: Env) -> Items:
        found = (_points(plain(item), env) for item in source(this, env))
        return [points for points in found if points is not None]

    return Typed(run)


def _points(value: Any, env: Env) -> Any:
    said = said_weight(value)
    if said is None and env.knows is not None and env.knows.weight is not None:
        return env.knows.weight(value)
    return said


def said_weight(value: Any) -> Any:
    """The points that an answer, an option or a Coding says itself that it gives, or None."""
    if type(value) is not dict:
        return None
    for each in value.get("extension", ()):
        if type(each) is dict and each.get("url") in WEIGHTS:
            return each.get("valueDecimal", each.get("valueInteger"))
    return None


FUNCTIONS: Final[dict[str, Maker]] = {
    "avg": _of_numbers(_mean, []),
    "max": _of_numbers(max, []),
    "min": _of_numbers(min, []),
    "ordinal": _weight,
    "sum": _of_numbers(sum, [0]),
    "weight": _weight,
}
