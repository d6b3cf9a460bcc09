"""Touches as R4 AuditEvents, after IHE's Basic Audit Log Patterns and the Norwegian AuditEvent.

http://hl7.org/fhir/R4/auditevent.html. The trail's own words stay in `purposeOfEvent.text` and
`outcomeDesc`; who, role, unit and address are agents; the record and its entries are entities.
"""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.touch import Touch
from helsevev.fhir import serialization
from helsevev.record import body, keys, rows
from helsevev.record.store import Stored

_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_REST: Final = "http://hl7.org/fhir/restful-interaction"
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_REASONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_PARTS: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
_ACTIONS: Final = {"create": "C", "update": "U", "patch": "U", "delete": "D", "import": "C",
                   "transaction": "U"}  # fmt: skip
_OFFERED: Final = frozenset(
    {"read", "vread", "update", "patch", "delete", "create", "history-instance", "history-type",
     "history-system", "search-type", "search-system", "transaction", "operation"}
)  # fmt: skip


def event_of(touch: Touch, patient_id: str = "") -> Stored:
    """The touch as the AuditEvent that tells of it; `patient_id` is whose record it was."""
    resource = _resource(touch, patient_id)
    stamped = rows.stamped(resource, 1, touch.at)
    packed = body.pack(serialization.encode(stamped))
    return Stored(touch.patient, "AuditEvent", touch.fhir_id, 1, touch.at, False, packed)


def _resource(touch: Touch, patient_id: str) -> dict[str, Any]:
    login = touch.action == "login"
    kind = ("110114", "User Authentication") if login else ("rest", "RESTful Operation")
    resource: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": touch.fhir_id,
        "type": {"system": _DICOM if login else _TYPES, "code": kind[0], "display": kind[1]},
        "action": _action(touch),
        "recorded": body.time_text(touch.at),
        "outcome": "8" if touch.refused else "0",
        "purposeOfEvent": [_purpose(touch)],
        "agent": _agents(touch),
        "source": {
            "observer": {"display": "Helsevev"},
            "type": [{"system": _SOURCE, "code": "4", "display": "Application Server"}],
        },
    }
    if touch.interaction in _OFFERED:
        resource["subtype"] = [{"system": _REST, "code": touch.interaction}]
    if touch.refused and touch.reason:
        resource["outcomeDesc"] = touch.reason
    if entities := _entities(touch, patient_id):
        resource["entity"] = entities
    return resource


def _action(touch: Touch) -> str:
    if touch.action == "write":
        return _ACTIONS.get(touch.interaction, "U")
    return "E" if touch.action in ("login", "emergency", "list") else "R"


def _purpose(touch: Touch) -> dict[str, Any]:
    words = " ".join(part for part in (touch.basis, touch.reason) if part and not touch.refused)
    purpose: dict[str, Any] = {"coding": [{"system": _REASONS, "code": touch.purpose}]}
    return purpose | ({"text": words} if words else {})


def _agents(touch: Touch) -> list[dict[str, Any]]:
    who: dict[str, Any] = {"reference": touch.actor, "display": touch.name}
    agent: dict[str, Any] = {"who": who, "requestor": True}
    if touch.role:
        agent["role"] = [{"text": touch.role}]
    if touch.address:
        agent["network"] = {"address": touch.address, "type": "2"}
    agents = [agent]
    if touch.unit:
        unit = {"reference": touch.unit}
        if name := touch.unit_name or touch.organisation:
            unit["display"] = name
        custodian = [{"system": _PARTS, "code": "CST", "display": "custodian"}]
        agents.append({"type": {"coding": custodian}, "who": unit, "requestor": False})
    if touch.app or touch.program:
        source = [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]
        program = {"display": touch.app or touch.program}
        agents.append({"type": {"coding": source}, "who": program, "requestor": False})
    return agents


def _entities(touch: Touch, patient_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if touch.patient > keys.REFERENCE and patient_id:
        found.append({
            "what": {"reference": f"Patient/{patient_id}"},
            "type": {"system": _ENTITY, "code": "1", "display": "Person"},
            "role": {"system": _ROLE, "code": "1", "display": "Patient"},
        })  # fmt: skip
    for word in touch.target.split():
        if "/" in word and word[:1].isupper():
            found.append({
                "what": {"reference": word},
                "type": {"system": _ENTITY, "code": "2", "display": "System Object"},
                "role": {"system": _ROLE, "code": "4", "display": "Domain Resource"},
            })  # fmt: skip
        elif word[:1].isupper() or word.startswith("$"):
            found.append({"description": word})
    if touch.request:
        number = {"identifier": {"value": touch.request}}
        found.append({"what": number, "description": "X-Request-Id"})
    return found
