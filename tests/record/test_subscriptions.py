"""Systems that listen are told of every event, in order, and of no more than they may see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.access.subscriptions.sending import Patience
from helsevev.access.subscriptions.wiring import Outward
from helsevev.record.database import Database

from .receiver import events_in, receiving, said

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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(database: Database) -> AsyncIterator[Services]:
    async with running(database) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(told: Services, patient: Any, stay: Any) -> None:
    for person in ("gro", "hege"):
        await told.writer.write(SYSTEM, patient(person))
        await told.writer.write(SYSTEM, stay(person))


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


async def active(services: Services, subscribed: dict[str, Any], actor: Actor = SYSTEM) -> str:
    """Ask for a subscription, and wait until it is active; its id."""
    name = (await services.writer.write(actor, subscribed, create=True)).stored.id
    await until_status(services, name, "active")
    return name


async def until_status(services: Services, name: str, status: str) -> dict[str, Any]:
    """Wait until the resource says this status."""
    async with asyncio.timeout(20):
        while True:
            resource = (await services.subscriptions.open(SYSTEM, name)).resource
            if resource["status"] == status:
                return resource
            await asyncio.sleep(0.02)


async def test_a_result_is_told_of_after_a_handshake(told: Services) -> None:
    async with receiving() as receiver:
        name = await active(told, subscription(receiver.url, content="full-resource"))
        assert [said(b, "type") for b in receiver.bundles] == ["handshake"]
        written = (await told.writer.write(SYSTEM, result_of("gro"))).stored
        await receiver.until(1)
        (bundle,) = receiver.of_kind("event-notification")
        assert bundle["type"] == "history"
        assert [e["resource"] for e in bundle["entry"][1:]] == [written.resource]
        assert bundle["entry"][1]["fullUrl"] == f"http://record.example/fhir/{written.reference}"
        assert bundle["entry"][1]["request"] == {"method": "POST", "url": "Observation"}
        assert events_in(bundle)[0]["focus"] == written.reference
        await told.writer.delete(SYSTEM, "Subscription", name)


async def test_only_what_passes_the_filters_is_an_event(told: Services, pulse: Any) -> None:
    async with receiving() as receiver:
        asked = subscription(receiver.url, filters=["Observation?patient=Patient/gro"])
        name = await active(told, asked)
        await told.writer.write(SYSTEM, result_of("hege"))
        await told.writer.write(SYSTEM, pulse("gro"))
        mine = (await told.writer.write(SYSTEM, result_of("gro"))).stored
        await receiver.until(1)
        await asyncio.sleep(0.2)
        assert [event["focus"] for event in receiver.events] == [mine.reference]
        await told.writer.delete(SYSTEM, "Subscription", name)
