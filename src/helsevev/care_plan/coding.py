"""The codes and addresses by which plans, their tasks and decisions are known in the record."""

from __future__ import annotations

from typing import Any, Final

_BASE: Final = "http://helsevev.no/fhir"
PLAN_KIND: Final = f"{_BASE}/CodeSystem/plan-kind"
CARE: Final = "care"
PATHWAY: Final = "pathway"
INDIVIDUAL: Final = "individual"
KINDS: Final = (CARE, PATHWAY, INDIVIDUAL)

TASK_KIND: Final = f"{_BASE}/CodeSystem/planned-task"
MEASURE: Final = "measure"
STEP: Final = "step"
EVALUATION: Final = "evaluation"
REASON: Final = f"{_BASE}/CodeSystem/not-done-reason"
PLAN_CHANGED: Final = "plan-changed"
"""The reason of a task that the plan no longer holds: nobody left it undone."""

DEADLINE: Final = f"{_BASE}/StructureDefinition/step-deadline"
DISCIPLINE: Final = f"{_BASE}/StructureDefinition/discipline"
EVALUATE: Final = f"{_BASE}/StructureDefinition/evaluation-due"
AGREED: Final = f"{_BASE}/StructureDefinition/plan-agreed"
DECIDED: Final = f"{_BASE}/StructureDefinition/decided-service"
DECISION: Final = f"{_BASE}/CodeSystem/decision"

SERVICE_TYPE: Final = "urn:oid:2.16.578.1.12.4.1.1.9151"
FUNCTION: Final = "urn:oid:2.16.578.1.12.4.1.1.9111"
LEVEL: Final = "urn:oid:2.16.578.1.12.4.1.1.9112"
ACHIEVEMENT: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"
UCUM: Final = "http://unitsofmeasure.org"


def concept(system: str, code: str, words: str = "") -> dict[str, Any]:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}], **({"text": words} if words else {})}


def reference(key: str, name: str = "") -> dict[str, Any]:
    """A Reference, with a name where there is one."""
    return {"reference": key, **({"display": name} if name else {})}
