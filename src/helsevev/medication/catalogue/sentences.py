"""Order sentences: how a product is usually ordered, from content, then as it is ordered here.

Only what can be counted is learned: amount, times, route, as needed and its most. Words, dates and
names are left out, and what fewer than five people have is not told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from helsevev.content import loading
from helsevev.content.medication_shapes import OrderSentence
from helsevev.fhir.reading import codings, mapping, objects, reference_key, text
from helsevev.medication.catalogue.product import Product, resource_id, system_of

_SIGNED: Final = frozenset({"active", "on-hold", "completed", "stopped"})
_ORDERED: Final = frozenset({"order", "original-order", "instance-order", "filler-order"})
_REPEAT: Final = (
    "frequency", "frequencyMax", "period", "periodMax", "periodUnit", "dayOfWeek", "timeOfDay",
    "when", "offset", "duration", "durationUnit",
)  # fmt: skip
_QUANTITY: Final = ("value", "unit", "system", "code")
_MOST_DOSAGES: Final = 6
UCUM: Final = "http://unitsofmeasure.org"


class Sentence(msgspec.Struct, frozen=True):
    """One way to order a product: `dosage` is R4's `dosageInstruction`; `source` says whose way.

    `source` is "content" or "use".
    """

    dosage: list[dict[str, Any]]
    source: str


def written_for(product: Product) -> list[list[dict[str, Any]]]:
    """The ways of the content to order a product as dosages, the most usual first.

    A falling course is left to the form that draws it, which knows the day it begins.
    """
    form = product.form.display if product.form else ""
    found = loading.order_sentences().of(product.atc, form)
    return [[_dosage(each)] for each in found if each.how != "taper"]


def _dosage(sentence: OrderSentence) -> dict[str, Any]:
    """A way of the content as R4's Dosage."""
    quantity = {"value": sentence.amount, "unit": sentence.unit}
    made: dict[str, Any] = {"doseAndRate": [{"doseQuantity": quantity}]}
    if sentence.how == "daily":
        repeat: dict[str, Any] = {"frequency": sentence.often, "period": 1, "periodUnit": "d"}
        if sentence.at:
            repeat = {"timeOfDay": [_clock(each) for each in sentence.at]}
    else:
        repeat = {"frequency": 1, "period": sentence.hours or 24, "periodUnit": "h"}
    if sentence.course_days:
        bounds = {"value": sentence.course_days, "unit": "d", "system": UCUM, "code": "d"}
        repeat["boundsDuration"] = bounds
    made["timing"] = {"repeat": repeat}
    if sentence.how == "as-needed":
        made["asNeededBoolean"] = True
        if sentence.most is not None:
            made["maxDosePerPeriod"] = {
                "numerator": {"value": sentence.most, "unit": sentence.unit},
                "denominator": {"value": 24, "unit": "h", "system": UCUM, "code": "h"},
            }
    return made


def _clock(said: str) -> str:
    """`8`, `08` or `08:30` as FHIR's time."""
    hours, _, minutes = said.partition(":")
    return f"{int(hours):02}:{int(minutes or 0):02}:00"


def usual(dosage: object) -> str | None:
    """What of an order's dosage others may share, as JSON; None when it says no amount or time."""
    listed = sorted(objects(dosage), key=lambda each: str(each.get("sequence", "")))
    if not listed or len(listed) > _MOST_DOSAGES:
        return None
    kept = [_usual(each) for each in listed]
    if not all("doseAndRate" in each and _is_timed(each) for each in kept):
        return None
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), default=_number)


def _usual(dosage: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    if timed := {name: repeat[name] for name in _REPEAT if name in repeat}:
        kept["timing"] = {"repeat": timed}
    if dosage.get("asNeededBoolean") is True or dosage.get("asNeededCodeableConcept"):
        # What it is needed for may be somebody's own words.
        kept["asNeededBoolean"] = True
    if route := _codes(dosage.get("route")):
        kept["route"] = route
    given = [_amounts(each) for each in objects(dosage.get("doseAndRate"))]
    if any(given):
        kept["doseAndRate"] = [each for each in given if each]
    if most := _ratio(dosage.get("maxDosePerPeriod")):
        kept["maxDosePerPeriod"] = most
    if "sequence" in dosage:
        kept["sequence"] = dosage["sequence"]
    return kept


def _is_timed(dosage: Mapping[str, Any]) -> bool:
    return "timing" in dosage or "asNeededBoolean" in dosage


def _amounts(given: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in ("doseQuantity", "rateQuantity"):
        if quantity := _quantity(given.get(name)):
            kept[name] = quantity
    for name in ("doseRange", "rateRange"):
        sides = mapping(given.get(name))
        ends = {end: found for end in ("low", "high") if (found := _quantity(sides.get(end)))}
        if ends:
            kept[name] = ends
    if ratio := _ratio(given.get("rateRatio")):
        kept["rateRatio"] = ratio
    return kept


def _quantity(value: object) -> dict[str, Any]:
    said = mapping(value)
    return {name: said[name] for name in _QUANTITY if name in said} if "value" in said else {}


def _ratio(value: object) -> dict[str, Any]:
    said = mapping(value)
    ends = {end: _quantity(said.get(end)) for end in ("numerator", "denominator")}
    return ends if all(ends.values()) else {}


def _codes(concept: object) -> dict[str, Any]:
    listed = [
        {name: each[name] for name in ("system", "code", "display") if name in each}
        for each in objects(mapping(concept).get("coding"))
        if each.get("code")
    ]
    return {"coding": listed} if listed else {}


def _number(value: object) -> float | int:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is no part of a dosage.")
    return int(value) if value == value.to_integral_value() else float(value)


class Learner:
    """Counts for how many people each product is ordered in which way."""

    def __init__(self, products: Iterable[str]) -> None:
        known = list(products)
        self._products = {each: each for each in known}
        self._products |= {f"Medication/{resource_id(each)}": each for each in known}
        self._counted: dict[tuple[str, str], int] = {}
        self._person: int | None = None
        self._of_person: set[tuple[str, str]] = set()
        self.orders = 0

    def see(self, patient: int, order: Mapping[str, Any]) -> None:
        """An order; those of one person come one after another, and count once for each way."""
        if patient != self._person:
            self._person = patient
            self._of_person = set()
        product = self._product(order)
        if product is None or text(order.get("status")) not in _SIGNED:
            return
        if text(order.get("intent")) not in _ORDERED:
            return
        dosage = usual(order.get("dosageInstruction"))
        if dosage is None:
            return
        self.orders += 1
        way = product, dosage
        if way not in self._of_person:
            self._of_person.add(way)
            self._counted[way] = self._counted.get(way, 0) + 1

    def counted(self) -> Iterable[tuple[str, str, int]]:
        """(product, dosage, people)."""
        return ((product, dosage, people) for (product, dosage), people in self._counted.items())

    def _product(self, order: Mapping[str, Any]) -> str | None:
        for system, code in codings(order.get("medicationCodeableConcept")):
            if code in self._products and system == system_of(code):
                return code
        return self._products.get(reference_key(mapping(order.get("medicationReference"))))
