"""Systems and codes by which orders say what they are, on which side, and how far they came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from helsevev.fhir.reading import codings, mapping, objects, text
from helsevev.locale import gettext as _

CATALOGUE: Final = "http://helsevev.no/fhir/CodeSystem/orders"
"""Code system of the keys of what can be ordered."""
NLK: Final = "urn:oid:2.16.578.1.12.4.1.1.7280"
"""The Norwegian laboratory code system."""
SNOMED: Final = "http://snomed.info/sct"
REQUISITION: Final = "http://helsevev.no/fhir/requisition"
"""Identifier system of what was ordered together; each order has the same with its place."""
STEP: Final = "http://helsevev.no/fhir/CodeSystem/order-step"
COLLECT, PERFORM, AWAIT = "collect", "perform", "await"
"""What a Task of an order asks for: taking the sample, doing it, or seeing that an answer comes."""
SIDES: Final = {"right": "24028007", "left": "7771000", "both": "51440002"}
"""SNOMED CT: Right, Left, Right and left."""
# R4's servicerequest-category, and SNOMED CT's procedure and patient referral.
CATEGORIES: Final = {
    "laboratory": ("108252007", "Laboratory procedure"),
    "imaging": ("363679005", "Imaging"),
    "procedure": ("71388002", "Procedure"),
    "referral": ("3457005", "Patient referral"),
}


def side_name(side: str) -> str:
    """What a side is called; "" for none."""
    return {"right": _("right side"), "left": _("left side"), "both": _("both sides")}.get(side, "")


def kind_name(kind: str) -> str:
    """What a kind of order is called."""
    return {
        "laboratory": _("Laboratory"), "imaging": _("Imaging"),
        "procedure": _("Examinations and procedures"), "referral": _("Referrals"),
    }.get(kind, "")  # fmt: skip


def kind_of(order: Mapping[str, Any]) -> str:
    """The kind of a ServiceRequest by its category; "" when it says none that is known."""
    found = {code for each in objects(order.get("category")) for _, code in codings(each)}
    return next((kind for kind, (code, _) in CATEGORIES.items() if code in found), "")


def key_of(order: Mapping[str, Any]) -> str:
    """Its key in the catalogue; "" when it was not ordered from one."""
    return next((c for s, c in codings(order.get("code")) if s == CATALOGUE), "")


def side_of(order: Mapping[str, Any]) -> str:
    """The side that a ServiceRequest names; "" for none."""
    found = {c for each in objects(order.get("bodySite")) for s, c in codings(each) if s == SNOMED}
    return next((side for side, code in SIDES.items() if code in found), "")


def requisition_of(order: Mapping[str, Any]) -> str:
    """The key of what it was ordered together with; "" for orders of other doors."""
    said = mapping(order.get("requisition"))
    return text(said.get("value")) if said.get("system") == REQUISITION else ""


def step_of(task: Mapping[str, Any]) -> str:
    """Which step of an order a Task asks for; "" for another task."""
    return next((c for s, c in codings(task.get("code")) if s == STEP), "")
