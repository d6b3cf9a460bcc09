"""Subscriptions by HTTP: asking for one, how it stands, what was missed, and a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio
import uvicorn

from .conftest import Api

IG = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
CHANNELS = "https://helsevev.example/fhir/CodeSystem/subscription-channel"
STREAM = {
    "resourceType": "Subscription",
    "meta": {"profile": [f"{IG}/backport-subscription"]},
    "status": "requested",
    "reason": "Watch over results",
    "criteria": "https://helsevev.example/fhir/SubscriptionTopic/new-result",
    "channel": {
        "type": "rest-hook",
        "_type": {
            "extension": [
                {"url": f"{IG}/backport-channel-type",
                 "valueCoding": {"system": CHANNELS, "code": "sse"}}
            ]
        },
        "payload": "application/fhir+json",
        "_payload": {
            "extension": [{"url": f"{IG}/backport-payload-content", "valueCode": "id-only"}]
        },
    },
}  # fmt: skip
RESULT = {
    "resourceType": "DiagnosticReport",
    "status": "final",
    "code": {"text": "Hb"},
    "subject": {"reference": "Patient/siri"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(api: Api) -> AsyncIterator[str]:
    """The API behind a real server, with what sends notifications running beside it."""
    await api.services.feed.start()
    await api.services.notifier.start()
    config = uvicorn.Config(
        api.application, port=0, log_level="warning", lifespan="off", ws="none", access_log=False
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}/fhir/"
    server.should_exit = True
    await running
    await api.services.notifier.stop()
    await api.services.feed.stop()


async def until_active(client: httpx.AsyncClient, name: str) -> None:
    """Wait until the subscription says that it is active."""
    async with asyncio.timeout(10):
        while (await client.get(f"Subscription/{name}")).json()["status"] != "active":
            await asyncio.sleep(0.05)


async def test_a_reader_catches_up_and_follows(api: Api, address: str) -> None:
    system, nurse = api.system, api.clients["nurse"]
    await system.put("Patient/siri", json={"resourceType": "Patient", "id": "siri"})
    stay = {
        "resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
        "subject": {"reference": "Patient/siri"},
        "serviceProvider": {"reference": "Organization/ward"},
    }  # fmt: skip
    assert (await system.post("Encounter", json=stay)).status_code == 201
    asked = await nurse.post("Subscription", json=STREAM)
    assert asked.status_code == 201, asked.text
    name = asked.json()["id"]
    await until_active(nurse, name)
    found = (await nurse.get("Subscription")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [name]
    for path in ("", "/$status", "/$events", "/$stream"):
        refused = await api.clients["secretary"].get(f"Subscription/{name}{path}")
        assert refused.status_code == 403, path
    first = (await system.post("DiagnosticReport", json=RESULT)).json()["id"]
    async with asyncio.timeout(20):
        headers = {**nurse.headers, "accept": "text/event-stream", "last-event-id": "0"}
        async with (
            httpx.AsyncClient(base_url=address, headers=headers, timeout=20) as client,
            client.stream("GET", f"Subscription/{name}/$stream") as stream,
        ):
            assert stream.headers["content-type"] == "text/event-stream"
            lines = stream.aiter_lines()
            assert focuses(await next_numbered(lines, 1)) == [f"DiagnosticReport/{first}"]
            second = (await system.post("DiagnosticReport", json=RESULT)).json()["id"]
            assert focuses(await next_numbered(lines, 2)) == [f"DiagnosticReport/{second}"]
    missed = await nurse.get(f"Subscription/{name}/$events?eventsSinceNumber=2")
    assert focuses(missed.json()) == [f"DiagnosticReport/{second}"]
    more = await nurse.get(f"Subscription/{name}/$events?content=full-resource")
    assert all("resource" not in entry for entry in more.json()["entry"][1:]), "more than agreed"
    status = (await nurse.get("Subscription/$status?status=active")).json()
    said = {p["name"]: p for p in status["entry"][0]["resource"]["parameter"]}
    assert said["events-since-subscription-start"]["valueString"] == "2"
    assert "parameter" not in (await nurse.get("Subscription/$dead-letters")).json()
    assert (await nurse.post(f"Subscription/{name}/$set-aside")).status_code == 200
    assert (await nurse.delete(f"Subscription/{name}")).status_code == 204
    assert (await nurse.get(f"Subscription/{name}/$events")).status_code == 404


async def test_what_is_asked_wrongly_is_told(api: Api, address: str) -> None:
    nurse = api.clients["nurse"]
    hook = STREAM | {"channel": STREAM["channel"] | {"endpoint": "https://x.example"}}  # type: ignore[operator]
    del hook["channel"]["_type"]
    refused = await nurse.post("Subscription", json=hook)
    assert refused.status_code == 422
    assert "not among those" in refused.json()["issue"][0]["diagnostics"]
    assert (await nurse.post("Subscription", json=STREAM | {"status": "active"})).status_code == 422
    name = (await nurse.post("Subscription", json=STREAM)).json()["id"]
    for path in ("$events?eventsSinceNumber=x", "$events?content=all", "$events?count=1"):
        assert (await nurse.get(f"Subscription/{name}/{path}")).status_code == 400, path
    assert (await nurse.get("Subscription/none/$status")).status_code == 404
    assert (await nurse.delete(f"Subscription/{name}")).status_code == 204


async def test_a_subscription_of_r4_s_own_kind_is_kept_as_it_came(api: Api) -> None:
    plain = {
        "resourceType": "Subscription", "id": "plain", "status": "requested", "reason": "old",
        "criteria": "Observation?code=1", "channel": {"type": "rest-hook", "header": ["A: b"]},
    }  # fmt: skip
    assert (await api.system.put("Subscription/plain", json=plain)).status_code == 201
    kept = (await api.system.get("Subscription/plain")).json()
    assert kept["channel"] == plain["channel"]
    assert (await api.clients["nurse"].get("Subscription/plain")).status_code == 403
    assert (await api.clients["nurse"].put("Subscription/plain", json=plain)).status_code == 403


async def test_the_topics_are_told_of_in_the_capability_statement(api: Api) -> None:
    statement = (await api.system.get("metadata")).json()
    (described,) = [r for r in statement["rest"][0]["resource"] if r["type"] == "Subscription"]
    topics = [extension["valueCanonical"] for extension in described["extension"]]
    assert STREAM["criteria"] in topics
    assert len(topics) == 8


async def next_numbered(lines: Any, number: int) -> dict[str, Any]:
    """The notification of the event with this number."""
    async for line in lines:
        if line == f"id: {number}":
            assert await anext(lines) == "event: notification"
            bundle: dict[str, Any] = json.loads((await anext(lines)).removeprefix("data: "))
            return bundle
    raise AssertionError("the stream ended")


def focuses(bundle: dict[str, Any]) -> list[str]:
    """What the events of a notification are about: its entries, by their whole addresses."""
    told = [
        part["valueReference"]["reference"]
        for parameter in bundle["entry"][0]["resource"]["parameter"]
        for part in parameter.get("part", ())
        if part["name"] == "focus"
    ]
    assert told == [entry["fullUrl"] for entry in bundle["entry"][1:]]
    return ["/".join(each.split("/")[-2:]) for each in told]
