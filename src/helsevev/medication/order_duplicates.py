"""What the record refuses: the same substance by the same route ordered twice, unless it is meant.

It holds for orders that say their use as the national model does, whichever door they come through.
Others tell what was ordered elsewhere: they come in as they are, and the list marks the repetition.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from helsevev.decision_support.reading import MEANT_BESIDE
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    codes,
    codings,
    concept_text,
    contained,
    mapping,
    objects,
    reference_key,
    reference_text,
    start_and_end,
    text,
)
from helsevev.kit.chapter import Around, Beside, RuleBeside
from helsevev.locale import gettext as _
from helsevev.medication.coding import ATC, repeat_of, said_by, use_of

_SUBSTANCE: Final = 7
"""Characters of an ATC code that names one substance."""
_ORDERS: Final = frozenset({"order", "original-order"})
"""What others hang on (filler, instance, reflex) is not another order of the medicine."""
_PLACE: Final = "MedicationRequest.medication"


def wants(order: dict[str, Any]) -> Beside | None:
    """All orders of the inhabitant; None for what the rule is not about."""
    if not _is_new_order(order) or said_by(order, MEANT_BESIDE).strip():
        return None
    return Beside(("MedicationRequest", text(order.get("id"))), None, turn="orders-in-use")


def check(order: dict[str, Any], around: Around) -> list[Issue]:
    """Why the order cannot stand beside the others; empty when it can.

    One that stood already and is only dosed otherwise is no new order.
    """
    before = around.versions[-1][1] if around.versions else {}
    stood = _stands(before) and substances(before) == substances(order)
    if stood and _is_as_needed(before) == _is_as_needed(order):
        return []
    for other in around.others:
        if _stands(other) and _is_the_same(order, other) and not _are_linked(order, other):
            said = _(
                "%(medicine)s is ordered already, since %(day)s. Change or stop that order, or say"
                " why both are meant."
            ) % {"medicine": _name(other), "day": text(other.get("authoredOn"))[:10] or "–"}
            return [error("duplicate", said, _PLACE)]
    return []


RULE: Final = RuleBeside(wants, check)


def substances(order: Mapping[str, Any]) -> frozenset[str]:
    """The ATC codes of one substance that an order names."""
    concept = order.get("medicationCodeableConcept")
    product = contained(order, order.get("medicationReference"))
    found = [*codings(concept), *codings(product.get("code"))]
    return frozenset(
        code.upper() for system, code in found if system == ATC and len(code) == _SUBSTANCE
    )


def _is_new_order(order: Mapping[str, Any]) -> bool:
    return _stands(order) and any(use_of(d) for d in objects(order.get("dosageInstruction")))


def _stands(order: Mapping[str, Any]) -> bool:
    return (
        order.get("status") == "active"
        and order.get("intent") in _ORDERS
        and order.get("doNotPerform") is not True
        and order.get("reportedBoolean") is not True
    )


def _is_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same substance, route, use and setting, on some of the same days."""
    return (
        bool(substances(one) & substances(other))
        and _is_as_needed(one) == _is_as_needed(other)
        and _may_meet(_routes(one), _routes(other))
        and ("inpatient" in codes(one.get("category")))
        == ("inpatient" in codes(other.get("category")))
        and _overlap(_days(one), _days(other))
    )


def _are_linked(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Parts of one course or order set, and an order and what it takes the place of."""
    group = mapping(one.get("groupIdentifier"))
    if group.get("value") and group == mapping(other.get("groupIdentifier")):
        return True
    return f"MedicationRequest/{other.get('id')}" in _names(one) or (
        f"MedicationRequest/{one.get('id')}" in _names(other)
    )


def _names(order: Mapping[str, Any]) -> set[str]:
    named = [order.get("priorPrescription"), *objects(order.get("basedOn"))]
    return {key for each in named if (key := reference_key(each))}


def _is_as_needed(order: Mapping[str, Any]) -> bool:
    dosages = objects(order.get("dosageInstruction"))
    return bool(dosages) and all(
        d.get("asNeededBoolean") is True or bool(d.get("asNeededCodeableConcept")) for d in dosages
    )


def _routes(order: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for dosage in objects(order.get("dosageInstruction")):
        route = dosage.get("route")
        said = concept_text(route).casefold()
        found |= codes(route) or ({said} if said else set())
    return found


def _may_meet(one: set[str], other: set[str]) -> bool:
    """A route that nobody has said may be the same."""
    return not one or not other or bool(one & other)


def _days(order: Mapping[str, Any]) -> tuple[date, date]:
    """The first and the last day of an order, as far as it says."""
    first, last = [], []
    for dosage in objects(order.get("dosageInstruction")):
        start, end = start_and_end(repeat_of(dosage).get("boundsPeriod"))
        first.append(start.day if start else date.min)
        last.append(end.day if end else date.max)
    return min(first, default=date.min), max(last, default=date.max)


def _overlap(one: tuple[date, date], other: tuple[date, date]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _name(order: Mapping[str, Any]) -> str:
    reference = order.get("medicationReference")
    return concept_text(order.get("medicationCodeableConcept")) or reference_text(reference)
