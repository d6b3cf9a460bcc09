"""CDS Hooks 2.0 as plain data: what services there are, requests read, cards written.

https://cds-hooks.hl7.org/2.0/
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.content.decision_shapes import OverrideReason
from helsevev.decision_support.cards import Advice, Card
from helsevev.fhir.reading import mapping, objects, text, texts
from helsevev.locale import gettext as _

_INDICATORS: Final = {"stop": "critical", "interrupt": "warning", "quiet": "info"}
_SUMMARY: Final = 139
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
REASONS: Final = "https://helsevev.example/fhir/CodeSystem/override-reason"
PREFETCH: Final = {
    "patient": ("Patient", "Patient/{{context.patientId}}"),
    "allergies": ("AllergyIntolerance", "AllergyIntolerance?patient={{context.patientId}}"),
    "problems": ("Condition", "Condition?patient={{context.patientId}}"),
    "orders": (
        "MedicationRequest", "MedicationRequest?patient={{context.patientId}}&status=active"
    ),
    "statements": (
        "MedicationStatement", "MedicationStatement?patient={{context.patientId}}&status=active"
    ),
    "observations": ("Observation", "Observation?patient={{context.patientId}}"),
}  # fmt: skip
"""What services want to be handed: the type, and how it is asked for."""
SERVICES: Final = {
    "medication-order-select": "order-select",
    "medication-order-sign": "order-sign",
    "medication-patient-view": "patient-view",
}
"""The services by id, and the hook of each."""


class BadRequest(ValueError):
    """A request that is not what the specification asks for; the message says where."""


class Asked(Struct, frozen=True):
    """A call of a service: whom it is about, what is being ordered, and what was handed along.

    `handed` are resources by type; a type that is not there was not handed.
    """

    hook: str
    patient_id: str
    orders: tuple[Mapping[str, Any], ...]
    handed: Mapping[str, list[dict[str, Any]]]
    server: str


def discovery() -> dict[str, Any]:
    """The answer at /cds-services."""
    titles = {
        "order-select": _("Checks of a medicine while it is chosen"),
        "order-sign": _("Checks of medicines before they are signed"),
        "patient-view": _("What to know of the medicines in use"),
    }
    described = _(
        "Interactions, allergy, duplicates, dose, kidney function, pregnancy, intervals; says so"
        " when a check cannot run."
    )
    return {"services": [
        {
            "id": name, "hook": hook, "title": titles[hook], "description": described,
            "prefetch": {key: query for key, (_kind, query) in PREFETCH.items()},
        }
        for name, hook in SERVICES.items()
    ]}  # fmt: skip


def asked_of(body: object, service: str) -> Asked:
    """The call that a request's body makes. Raises `BadRequest`."""
    request = mapping(body)
    hook, context = text(request.get("hook")), mapping(request.get("context"))
    if hook != SERVICES[service]:
        raise BadRequest(f"hook: {service} is for {SERVICES[service]}")
    try:
        uuid.UUID(text(request.get("hookInstance")))
    except ValueError:
        raise BadRequest("hookInstance: a UUID is required") from None
    for name in ("userId", "patientId"):
        if not text(context.get(name)):
            raise BadRequest(f"context.{name} is required")
    orders: list[Mapping[str, Any]] = []
    if hook != "patient-view":
        drafts = mapping(context.get("draftOrders"))
        if drafts.get("resourceType") != "Bundle":
            raise BadRequest("context.draftOrders: a Bundle is required")
        orders = [mapping(each.get("resource")) for each in objects(drafts.get("entry"))]
        orders = [each for each in orders if each.get("resourceType") == "MedicationRequest"]
    if hook == "order-select":
        if "selections" not in context:
            raise BadRequest("context.selections is required")
        chosen = set(texts(context.get("selections")))
        orders.sort(key=lambda each: f"MedicationRequest/{each.get('id')}" not in chosen)
    patient_id = text(context.get("patientId")).removeprefix("Patient/")
    if not _ID.fullmatch(patient_id):
        raise BadRequest("context.patientId: a FHIR id is required")
    server = text(request.get("fhirServer")).rstrip("/")
    return Asked(hook, patient_id, tuple(orders), _handed(request.get("prefetch")), server)


def _handed(prefetch: object) -> dict[str, list[dict[str, Any]]]:
    given = mapping(prefetch)
    found: dict[str, list[dict[str, Any]]] = {}
    for key, (kind, _query) in PREFETCH.items():
        resource = given.get(key)
        if not isinstance(resource, dict):
            continue
        entries = [each.get("resource") for each in objects(resource.get("entry"))]
        listed = entries if resource.get("resourceType") == "Bundle" else [resource]
        found[kind] = [r for r in listed if isinstance(r, dict) and r.get("resourceType") == kind]
    return found


def answer(
    advices: Sequence[Advice], reasons: Sequence[OverrideReason], base: str
) -> dict[str, Any]:
    """The cards of all orders, loudest first; the banner first of all while there is one."""
    cards = [card for advice in advices for card in advice.cards]
    return {"cards": [_written(card, reasons, base) for card in cards]}


def _written(card: Card, reasons: Sequence[OverrideReason], base: str) -> dict[str, Any]:
    rests = "\n".join(f"- {each}" for each in card.rests_on)
    written: dict[str, Any] = {
        "uuid": card.id,
        "summary": card.title[:_SUMMARY],
        "detail": "\n\n".join(part for part in (card.text, rests) if part),
        "indicator": _INDICATORS[card.level],
        "source": {
            "label": card.source or "Helsevev", "url": f"{base}/advice/rules",
            "topic": {"system": f"{base}/advice/rules", "code": card.rule, "display": card.version},
        },
    }  # fmt: skip
    made = [
        {
            "label": each.label, "uuid": str(uuid.uuid5(uuid.UUID(card.id), each.id)),
            "actions": [
                {"type": "delete", "description": each.label, "resourceId": each.reference}
            ],
        }
        for each in card.suggestions
        if each.action == "delete" and each.reference
    ]  # fmt: skip
    if made:
        written["suggestions"] = made
        written["selectionBehavior"] = "at-most-one"
    if card.level != "quiet":
        written["overrideReasons"] = [
            {"code": each.code, "system": REASONS, "display": each.label} for each in reasons
        ]
    return written


class Feedback(Struct, frozen=True):
    """What somebody did about one card."""

    card: str
    event: str
    reason: str
    words: str


def feedback_of(body: object) -> tuple[Feedback, ...]:
    """What a request to a feedback endpoint says. Raises `BadRequest`."""
    listed = mapping(body).get("feedback")
    if not isinstance(listed, list) or not listed or len(listed) > 100:
        raise BadRequest("feedback: from 1 to 100 are required")
    return tuple(_one(mapping(each), place) for place, each in enumerate(listed))


def _one(each: Mapping[str, Any], place: int) -> Feedback:
    outcome, card = text(each.get("outcome")), text(each.get("card"))
    if outcome not in ("accepted", "overridden"):
        raise BadRequest(f"feedback[{place}].outcome: accepted or overridden")
    if not card:
        raise BadRequest(f"feedback[{place}].card is required")
    if not text(each.get("outcomeTimestamp")):
        raise BadRequest(f"feedback[{place}].outcomeTimestamp is required")
    if outcome == "accepted" and not objects(each.get("acceptedSuggestions")):
        raise BadRequest(f"feedback[{place}].acceptedSuggestions is required")
    why = mapping(each.get("overrideReason"))
    # A system need not ask for a reason (2.0, "Feedback"): then that is what is kept.
    reason = text(mapping(why.get("reason")).get("code")) or (
        "not-stated" if outcome == "overridden" else ""
    )
    return Feedback(card, outcome, reason, text(why.get("userComment")))
