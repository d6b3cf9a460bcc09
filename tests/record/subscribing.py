"""Subscriptions as tests ask for them, and a gate whose notifications are being sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from helsevev.access.services import Services, services_over
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.sending import Patience
from helsevev.access.subscriptions.wiring import Outward
from helsevev.record.database import Database

IG = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPIC = "https://helsevev.example/fhir/SubscriptionTopic"
HASTE = Patience(first=0.05, longest=0.2, attempts=3, give_up=timedelta(seconds=60))


def subscription(
    url: str, topic: str = "new-result", content: str = "id-only", **more: Any
) -> dict[str, Any]:
    """A Subscription of the backport to a topic, by rest-hook."""
    filters = more.pop("filters", ())
    channel = more.pop("channel", {})
    extensions = [
        {"url": f"{IG}/backport-{name}", **value} for name, value in more.pop("asks", {}).items()
    ]
    made = {
        "resourceType": "Subscription",
        "meta": {"profile": [f"{IG}/backport-subscription"]},
        "status": "requested",
        "reason": "test",
        "criteria": f"{TOPIC}/{topic}",
        "channel": {
            "type": "rest-hook",
            "endpoint": url,
            "payload": "application/fhir+json",
            "_payload": {
                "extension": [{"url": f"{IG}/backport-payload-content", "valueCode": content}]
            },
        }
        | channel
        | ({"extension": extensions} if extensions else {}),
    }
    if filters:
        made["_criteria"] = {
            "extension": [
                {"url": f"{IG}/backport-filter-criteria", "valueString": f} for f in filters
            ]
        }
    return made | more


@asynccontextmanager
async def running(database: Database, patience: Patience = HASTE) -> AsyncIterator[Services]:
    """The gate with its notifications being sent."""
    outward = Outward("http://record.example/fhir", Endpoints(loopback=True), patience)
    made = services_over(database, {}, (), outward)
    await made.feed.start()
    await made.notifier.start()
    try:
        yield made
    finally:
        await made.notifier.stop()
        await made.feed.stop()


def result_of(patient_id: str, **more: Any) -> dict[str, Any]:
    """A laboratory result."""
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": system, "code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": "2026-01-02T10:00:00Z",
    } | more
