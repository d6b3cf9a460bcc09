"""Damages that leave every element well-formed and break one of R4's invariants."""

from __future__ import annotations

from typing import Any

from .damages import DAMAGES, Damage
from .resource_places import Place

_VERIFIED = "http://terminology.hl7.org/CodeSystem/"
_IN_ERROR = {"code": "entered-in-error"}

# Key -> the type or path it is about, what the object gets (None: what it loses), and the path
# below the object that is told.
_BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "per-1": ("Period", {"start": "2020-02-01", "end": "2020-01-01"}, ""),
    "qty-3": ("Quantity", {"code": "kg", "system": None}, ""),
    "rng-2": ("Range", {"low": {"value": 2}, "high": {"value": 1}}, ""),
    "rat-1": ("Ratio", {"denominator": None, "numerator": {"value": 1}}, ""),
    "cpt-2": ("ContactPoint", {"value": "22000000", "system": None}, ""),
    "att-1": ("Attachment", {"data": "YWJj", "contentType": None}, ""),
    "age-1": ("Age", {"value": -1}, ""),
    "drt-1": ("Duration", {"code": "min", "system": "http://example.org"}, ""),
    "exp-1": ("Expression", {"expression": None, "reference": None}, ""),
    "tim-1": ("Timing.repeat", {"duration": 1, "durationUnit": None}, ".durationUnit"),
    "tim-2": ("Timing.repeat", {"period": 1, "periodUnit": None}, ".periodUnit"),
    "tim-4": ("Timing.repeat", {"duration": -1, "durationUnit": "h"}, ".duration"),
    "tim-5": ("Timing.repeat", {"period": -1, "periodUnit": "h"}, ".period"),
    "tim-6": ("Timing.repeat", {"periodMax": 2, "period": None}, ".period"),
    "tim-8": ("Timing.repeat", {"countMax": 2, "count": None}, ".count"),
    "tim-9": ("Timing.repeat", {"offset": 5, "when": ["C"]}, ".offset"),
    "tim-10": ("Timing.repeat", {"timeOfDay": ["10:00:00"], "when": ["AC"]}, ".timeOfDay"),
    "obs-3": ("Observation.referenceRange", {"low": None, "high": None, "text": None,
                                             "appliesTo": [{"text": "x"}]}, ""),
    "obs-6": ("Observation", {"valueQuantity": {"value": 1}, "valueString": None,
                              "dataAbsentReason": {"text": "x"}}, ""),
    "pat-1": ("Patient.contact", {"name": None, "telecom": None, "address": None,
                                  "organization": None, "gender": "female"}, ""),
    "con-5": ("Condition", {"clinicalStatus": {"text": "x"}, "verificationStatus": {"coding": [
        {"system": f"{_VERIFIED}condition-ver-status", **_IN_ERROR}]}}, ""),
    "ait-1": ("AllergyIntolerance", {"clinicalStatus": None, "verificationStatus": None}, ""),
    "org-1": ("Organization", {"name": None, "identifier": None}, ""),
    "org-3": ("Organization", {"telecom": [{"system": "phone", "value": "1", "use": "home"}]},
              ".telecom"),
    "app-2": ("Appointment", {"end": None, "start": "2020-01-01T10:00:00Z"}, ""),
    "app-1": ("Appointment.participant", {"type": None, "actor": None}, ""),
    "sev-1": ("AuditEvent.entity", {"name": "x", "query": "YWJj"}, ""),
    "bdl-1": ("Bundle", {"type": "collection", "total": 1}, ".total"),
    "bdl-5": ("Bundle", {"type": "collection", "entry": [{"fullUrl": "urn:a:b"}]}, ".entry[0]"),
    "bdl-8": ("Bundle", {"type": "collection", "entry": [
        {"fullUrl": "http://x/Patient/1/_history/1", "resource": {"resourceType": "Patient",
         "active": True}}]}, ".entry[0].fullUrl"),
    "bdl-9": ("Bundle", {"type": "document", "identifier": None}, ".identifier"),
    "bdl-12": ("Bundle", {"type": "message", "entry": [
        {"resource": {"resourceType": "Patient", "active": True}}]}, ".entry"),
    "cpl-3": ("CarePlan.activity", {"reference": {"display": "x"},
                                    "detail": {"status": "completed"}}, ""),
    "cmp-2": ("Composition.section", {"emptyReason": {"text": "x"}, "entry": [{"display": "x"}]},
              ""),
    "ppc-1": ("Consent", {"policy": None, "policyRule": None}, ""),
    "fhs-2": ("FamilyMemberHistory", {"ageString": None, "ageAge": None, "ageRange": None,
                                      "estimatedAge": True}, ""),
    "lnk-1": ("Linkage", {"item": [{"type": "source", "resource": {"display": "x"}}]}, ""),
    "lst-1": ("List", {"emptyReason": {"text": "x"}, "entry": [{"item": {"display": "x"}}]}, ""),
    "prr-1": ("ServiceRequest", {"orderDetail": [{"text": "x"}], "code": None}, ""),
    "inv-1": ("Parameters.parameter", {"name": "x", "valueString": "x", "valueCode": None,
                                       "part": [{"name": "y", "valueString": "z"}]}, ""),
    "que-1": ("Questionnaire.item", {"type": "group", "item": None, "answerOption": None,
                                     "answerValueSet": None, "initial": None}, ""),
    "que-7": ("Questionnaire.item.enableWhen", {"operator": "exists", "answerBoolean": None,
                                                "answerString": "x"}, ".answer"),
    "que-12": ("Questionnaire.item", {"enableWhen": [
        {"question": "a", "operator": "exists", "answerBoolean": True}] * 3,
        "enableBehavior": None}, ""),
    "vsd-1": ("ValueSet.compose.include", {"system": None, "valueSet": None}, ""),
    "sdf-4": ("StructureDefinition", {"abstract": False, "baseDefinition": None}, ""),
    "cpb-14": ("CapabilityStatement", {"kind": "instance", "implementation": None}, ""),
    "eld-2": ("ElementDefinition", {"min": 2, "max": "1"}, ""),
}  # fmt: skip


def _breaks(key: str, structure: str, change: dict[str, Any], below: str) -> Damage:
    def one(place: Place) -> str | None:
        if place.structure != structure:
            return None
        for name, value in change.items():
            place.holder.pop(f"_{name}", None)
            if value is None:
                place.holder.pop(name, None)
            else:
                place.holder[name] = value
        return f"{place.inside}{below}"

    one.__name__ = key
    return one


INVARIANT_DAMAGES: dict[str, Damage] = {
    key: _breaks(key, *broken) for key, broken in _BROKEN.items()
}
ALL: dict[str, Damage] = {**DAMAGES, **INVARIANT_DAMAGES}
