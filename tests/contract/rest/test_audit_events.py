"""The trail is read as R4 AuditEvents by those who may: whose record it is, and who follows up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import Actor
from helsevev.fhir.validation import validate
from helsevev.kit import clock

from .conftest import NURSE, Api

OUTCOMES = "http://hl7.org/fhir/audit-event-outcome"
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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def officer(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """The privacy officer's program."""
    token = await api.services.credentials.issue_token(OFFICER)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.application), base_url="http://record.example/fhir/",
        headers={"authorization": f"Bearer {token}"},
    ) as client:  # fmt: skip
        yield client


ACROSS: list[tuple[dict[str, str], Callable[[dict[str, Any]], bool]]] = [
    ({"agent": NURSE.id}, lambda e: e["agent"][0]["who"]["reference"] == NURSE.id),
    ({"agent": "nurse"}, lambda e: e["agent"][0]["who"]["reference"] == NURSE.id),
    ({"agent": NURSE.id, "outcome": "8", "date": "ge2020"}, lambda e: e["outcome"] == "8"),
    ({"entity": "Observation/own-pulse"}, lambda e: "Observation/own-pulse" in str(e["entity"])),
    ({"entity": "Patient/own", "outcome": "0"}, lambda e: "Patient/own" in str(e["entity"])),
    ({"patient": "own", "agent": NURSE.id}, lambda e: "Patient/own" in str(e["entity"])),
    ({"outcome": "8", "date": "TODAY"}, lambda e: e["outcome"] == "8"),
    ({"date": "TODAY"}, lambda e: bool(e["recorded"])),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "fits"), ACROSS, ids=[str(asked) for asked, _ in ACROSS])
async def test_the_privacy_officer_asks_the_whole_trail_by_who_when_what_and_outcome(
    api: Api,
    officer: httpx.AsyncClient,
    asked: dict[str, str],
    fits: Callable[[dict[str, Any]], bool],
) -> None:
    today = f"ge{clock.now() - timedelta(days=1):%Y-%m-%d}"
    given = {name: today if value == "TODAY" else value for name, value in asked.items()}
    answer = await officer.get("AuditEvent", params=given)
    assert answer.status_code == 200, answer.text
    found = [entry["resource"] for entry in answer.json().get("entry", [])]
    assert found
    assert all(map(fits, found))
    assert (await api.system.get("AuditEvent", params=given)).status_code == 200
    for other in ("nurse", "inhabitant"):
        assert (await api.clients[other].get("AuditEvent", params=given)).status_code == 403


@pytest.mark.parametrize("outcome", ["4", "12", "urn:other|8", "warm", "4,12", f"{OUTCOMES}|4"])
async def test_an_outcome_that_nothing_had_finds_nothing(
    api: Api, officer: httpx.AsyncClient, outcome: str
) -> None:
    for more in ({}, {"agent": NURSE.id}, {"date": "ge2020"}):
        answer = await officer.get("AuditEvent", params={"outcome": outcome, **more})
        assert (answer.status_code, "entry" in answer.json()) == (200, False), answer.text
    refused = await api.clients["nurse"].get("AuditEvent", params={"outcome": outcome})
    assert refused.status_code == 403


async def test_an_outcome_may_name_its_code_system_and_stand_beside_others(
    officer: httpx.AsyncClient,
) -> None:
    for outcome, expected in ((f"{OUTCOMES}|8", {"8"}), ("4,8", {"8"}), ("0,8", {"0", "8"})):
        given = {"agent": NURSE.id, "outcome": outcome, "_count": "1000"}
        answer = (await officer.get("AuditEvent", params=given)).json()
        assert {entry["resource"]["outcome"] for entry in answer["entry"]} == expected


async def test_pages_of_the_whole_trail_tell_each_touch_once(
    api: Api, officer: httpx.AsyncClient
) -> None:
    for _ in range(6):
        await api.clients["nurse"].get("Observation/own-pulse")
    since = f"ge{clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    for asked in ({"agent": NURSE.id}, {"date": since, "outcome": "8"}, {"date": since}):
        seen: list[str] = []
        link: str | None = "AuditEvent"
        params: dict[str, str] | None = {**asked, "_count": "2"}
        for _page in range(3):
            assert link is not None
            answer = (await officer.get(link, params=params)).json()
            seen += [entry["resource"]["id"] for entry in answer["entry"]]
            params = None
            link = next((x["url"] for x in answer["link"] if x["relation"] == "next"), None)
        assert len(seen) == len(set(seen)) == 6


async def test_what_the_officer_saw_of_a_record_is_in_that_record_s_log(
    api: Api, officer: httpx.AsyncClient
) -> None:
    await officer.get("AuditEvent", params={"agent": NURSE.id})
    newest = (await events(api.clients["inhabitant"]))[:3]
    assert any(event["agent"][0]["who"]["reference"] == OFFICER.id for event in newest)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("outcome=8", 422), ("date=ge2020", 422), ("entity=Organization/ward", 422),
        ("date=2020", 422), ("date=ge2020&date=lt2020-02-15", 422), ("outcome=", 400),
        ("outcome=a|b|c", 400), ("agent=nurse&outcome=|", 400), ("outcome=0,8", 422),
        ("agent=a,b", 400), ("agent=a&agent=b", 400), ("patient=own&entity=Patient/own", 400),
        ("agent=nurse&_cursor=x", 400), ("agent=nurse&_cursor=-5-9", 400),
        (f"agent=nurse&_cursor={'9' * 30}-1", 400), ("agent=nurse&_count=many", 400),
        ("agent=nurse&date=soon", 400), ("agent=nurse&_cursor=1-99999999999999999999999", 400),
        ("date=ge2020-01-01&date=lt2020-01-15", 200), ("agent=%00", 400),
    ],
)  # fmt: skip
async def test_what_would_go_through_the_whole_trail_is_refused_with_words(
    officer: httpx.AsyncClient, asked: str, status: int
) -> None:
    answer = await officer.get(f"AuditEvent?{asked}")
    assert answer.status_code == status, answer.text
    if status == 422:
        assert "name an agent" in answer.json()["issue"][0]["diagnostics"]
