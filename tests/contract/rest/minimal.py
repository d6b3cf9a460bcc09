"""The least that a resource of each type may be, made from R4's definitions alone."""

from __future__ import annotations

from typing import Any

from helsevev.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, codes, elements

TEXTS = {
    "boolean": True, "integer": 1, "positiveInt": 1, "unsignedInt": 1, "decimal": 1,
    "date": "2026-01-01", "dateTime": "2026-01-01", "instant": "2026-01-01T00:00:00Z",
    "time": "12:00:00", "base64Binary": "aGVp", "uri": "urn:x", "url": "http://x.example/",
    "canonical": "http://x.example/", "oid": "urn:oid:1.2.3", "id": "x", "code": "x",
    "uuid": "urn:uuid:00000000-0000-4000-8000-000000000000", "markdown": "x", "string": "x",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}  # fmt: skip
TYPES: dict[str, Any] = {
    "Resource": {"resourceType": "Basic", "code": {"text": "x"}},
    "Reference": {"display": "x"},
    "CodeableConcept": {"text": "x"},
}
INVARIANTS: dict[str, dict[str, Any]] = {
    "AllergyIntolerance": {
        "verificationStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/"
                    "allergyintolerance-verification",
                    "code": "entered-in-error",
                }
            ]
        }
    },
    "Organization": {"name": "x"},
    "Appointment.participant": {"actor": {"display": "x"}},
    "Appointment": {"status": "waitlist"},
    "CapabilityStatement": {"kind": "requirements", "rest": [{"mode": "server"}],
                            "description": "x"},
    "Consent": {"policyRule": {"text": "x"}},
    "ImmunizationRecommendation.recommendation": {"targetDisease": {"text": "x"}},
    "InsurancePlan": {"name": "x"},
    "Linkage": {"item": [{"type": "source", "resource": {"display": "x"}}] * 2},
    "StructureDefinition": {"differential": {"element": [{"id": "x", "path": "x"}]}},
    "TerminologyCapabilities": {"kind": "requirements", "description": "x"},
    "TriggerDefinition": {"type": "named-event", "name": "x"},
    "AppointmentResponse": {"actor": {"display": "x"}},
    # One that is loaded tells where its values stand.
    "SearchParameter": {"base": ["Basic"], "type": "token", "expression": "Basic.code"},
}  # fmt: skip
"""What no cardinality says, but an invariant of the type, or what the server does with it."""


def minimal(structure: str) -> dict[str, Any]:
    """A value with the required elements of a type, and nothing else."""
    made: dict[str, Any] = {"resourceType": structure} if structure in RESOURCE_TYPES else {}
    for element in elements(structure).values():
        if element.least:
            name, kind = next(iter(element.json_names().items()))
            value = _value(kind.name, element.binding)
            made[name] = [value] if element.repeats else value
    return made | INVARIANTS.get(structure, {})


def _value(kind: str, binding: str | None) -> Any:
    if kind in PRIMITIVES or kind == "xhtml":
        bound = codes(binding) if binding else None
        return sorted(next(iter(bound.values())))[0] if bound else TEXTS[kind]
    return TYPES.get(kind) or minimal(kind) or {"id": "x"}
