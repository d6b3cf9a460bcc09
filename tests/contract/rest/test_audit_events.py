"""The trail is read as R4 AuditEvents by those who may: whose record it is, and who follows up."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import Actor
from helsevev.fhir.validation import validate

from .conftest import NURSE, Api

OFFICER = Actor(
    kind="practitioner", id="Practitioner/officer", name="Olga", profession="privacy-officer",
    role="personvernombud", organisation="Organization/ward", organisations=("Organization/ward",),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def own(api: Api) -> None:
    """Ola has a record, which others have tried to open."""
    await api.system.put("Patient/own", json={"resourceType": "Patient", "id": "own"})
    pulse = {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
             "subject": {"reference": "Patient/own"}, "id": "own-pulse"}  # fmt: skip
    await api.system.put("Observation/own-pulse", json=pulse)
    assert (await api.clients["nurse"].get("Observation/own-pulse")).status_code == 403
    assert (await api.clients["inhabitant"].get("Observation/own-pulse")).status_code == 200


async def events(client: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    answer = await client.get("AuditEvent", params={"patient": "Patient/own", **asked})
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def test_an_inhabitant_reads_the_own_trail_and_each_event_is_valid(api: Api) -> None:
    found = await events(api.clients["inhabitant"])
    assert len(found) >= 4
    for event in found:
        assert [issue for issue in validate(event) if issue.is_error] == []
        again = await api.clients["inhabitant"].get(f"AuditEvent/{event['id']}")
        assert again.json() == event
    refused = next(event for event in found if event["outcome"] == "8")
    assert refused["agent"][0]["who"] == {"reference": NURSE.id, "display": NURSE.name}
    assert "treatment relation" in refused["outcomeDesc"]
    assert [event["recorded"] for event in found] == sorted(
        (event["recorded"] for event in found), reverse=True
    )


async def test_pages_follow_each_other_and_dates_narrow(api: Api) -> None:
    whole = await events(api.system, date="le2030", _count="500")
    answer = await api.system.get("AuditEvent?patient=own&_count=2")
    first = answer.json()
    link = next(each["url"] for each in first["link"] if each["relation"] == "next")
    second = (await api.system.get(link)).json()
    ids = [entry["resource"]["id"] for page in (first, second) for entry in page["entry"]]
    assert len(set(ids)) == 4
    # Each look left an event of its own before the ones that were there.
    assert set(ids) & {event["id"] for event in whole}
    assert await events(api.system, date="lt2020") == []
    assert (await api.system.get("AuditEvent?patient=own&date=soon")).status_code == 400


async def test_nobody_else_reads_it_but_the_privacy_officer(api: Api) -> None:
    answer = await api.clients["nurse"].get("AuditEvent?patient=Patient/own")
    assert answer.status_code == 403
    one = (await events(api.system))[0]["id"]
    assert (await api.clients["nurse"].get(f"AuditEvent/{one}")).status_code == 403
    token = await api.services.credentials.issue_token(OFFICER)
    officer = httpx.AsyncClient(
        transport=httpx.ASGITransport(api.application), base_url="http://record.example/fhir/",
        headers={"authorization": f"Bearer {token}"},
    )  # fmt: skip
    async with officer:
        found = await events(officer)
        assert found[0]["agent"][0]["who"]["reference"] == OFFICER.id
        assert (await officer.get(f"AuditEvent/{found[1]['id']}")).status_code == 200
        assert (await officer.get("Observation/own-pulse")).status_code == 403


@pytest.mark.parametrize(
    "number", ["nothing", "0" * 16 + "-" + "0" * 16, "x" * 16 + "-" + "y" * 16]
)
async def test_an_event_that_is_none_is_not_found(api: Api, number: str) -> None:
    assert (await api.system.get(f"AuditEvent/{number}")).status_code == 404


async def test_events_that_systems_send_are_kept_as_before(api: Api) -> None:
    sent = (await events(api.clients["inhabitant"]))[0]
    made = await api.system.post("AuditEvent", json=sent)
    assert made.status_code == 201
    assert (await api.system.get(f"AuditEvent/{made.json()['id']}")).status_code == 200
