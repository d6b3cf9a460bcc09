"""Many at once: nothing is lost, nothing happens twice, pages neither skip nor repeat."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from .conftest import Api

PATIENT = {"resourceType": "Patient", "name": [{"family": "Samtidig"}]}


def identified(value: str) -> dict[str, Any]:
    return {**PATIENT, "identifier": [{"system": "urn:together", "value": value}]}


async def test_of_many_updates_of_one_version_one_wins(api: Api) -> None:
    created = (await api.system.post("Patient", json=PATIENT)).json()
    place = f"Patient/{created['id']}"

    async def update(n: int) -> int:
        body = {**PATIENT, "id": created["id"], "birthDate": f"19{n:02}-01-01"}
        response = await api.system.put(place, json=body, headers={"if-match": 'W/"1"'})
        return response.status_code

    statuses = await asyncio.gather(*(update(n) for n in range(20)))
    assert sorted(statuses) == [200] + [412] * 19
    assert (await api.system.get(f"{place}/_history")).json()["total"] == 2


async def test_one_condition_creates_once(api: Api) -> None:
    async def create() -> tuple[int, str]:
        headers = {"if-none-exist": "identifier=urn:together|once"}
        response = await api.system.post("Patient", json=identified("once"), headers=headers)
        return response.status_code, response.json()["id"]

    async def transact() -> int:
        entry = {
            "resource": identified("bundle"),
            "request": {
                "method": "POST",
                "url": "Patient",
                "ifNoneExist": "identifier=urn:together|bundle",
            },
        }
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        return (await api.system.post("", json=bundle)).status_code

    answers = await asyncio.gather(*(create() for _ in range(12)))
    assert sorted(status for status, _ in answers) == [200] * 11 + [201]
    assert len({found for _, found in answers}) == 1
    await asyncio.gather(*(transact() for _ in range(8)))
    counted = await api.system.get(
        "Patient", params={"identifier": "urn:together|bundle", "_summary": "count"}
    )
    assert counted.json()["total"] == 1


async def test_one_key_writes_once(api: Api) -> None:
    async def create() -> str:
        headers = {"idempotency-key": "same"}
        response = await api.system.post("Patient", json=PATIENT, headers=headers)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    assert len(set(await asyncio.gather(*(create() for _ in range(10))))) == 1


async def test_history_pages_neither_skip_nor_repeat_while_others_write(api: Api) -> None:
    known = set()
    for n in range(30):
        created = (await api.system.post("Patient", json=identified(f"page-{n}"))).json()
        known.add(created["id"])
    writing = True

    async def others() -> None:
        while writing:
            await api.system.post("Patient", json=PATIENT)

    other = asyncio.create_task(others())
    seen: list[tuple[str, str]] = []
    url: str | None = "Patient/_history?_count=7"
    while url and len(seen) < 400:
        page = (await api.system.get(url)).json()
        seen += [
            (entry["resource"]["id"], entry["response"]["etag"]) for entry in page.get("entry", [])
        ]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    writing = False
    await other
    assert len(seen) == len(set(seen))
    assert known <= {resource_id for resource_id, _ in seen}


async def test_a_write_is_found_as_soon_as_it_is_answered(api: Api) -> None:
    async def write_and_find(n: int) -> None:
        await api.system.post("Patient", json=identified(f"soon-{n}"))
        found = await api.system.get("Patient", params={"identifier": f"urn:together|soon-{n}"})
        assert len(found.json()["entry"]) == 1

    await asyncio.gather(*(write_and_find(n) for n in range(20)))


async def test_transactions_in_any_order_of_entries_leave_the_same(api: Api) -> None:
    order = random.Random(1)
    patient, encounter = "urn:uuid:p", "urn:uuid:e"
    entries: list[dict[str, Any]] = [
        {"fullUrl": patient, "resource": PATIENT},
        {
            "fullUrl": encounter,
            "resource": {
                "resourceType": "Encounter",
                "status": "finished",
                "class": {"code": "AMB"},
                "subject": {"reference": patient},
            },
        },
        {
            "resource": {
                "resourceType": "Appointment",
                "status": "booked",
                "start": "2026-11-20T10:00:00+01:00",
                "end": "2026-11-20T10:30:00+01:00",
                "participant": [{"actor": {"reference": patient}, "status": "accepted"}],
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "puls"},
                "subject": {"reference": patient},
                "encounter": {"reference": encounter},
            }
        },
    ]
    for entry in entries:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    for _ in range(5):
        order.shuffle(entries)
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await api.system.post("", json=bundle)
        assert answer.status_code == 200, answer.text
        places = [entry["response"]["location"] for entry in answer.json()["entry"]]
        (own,) = (place.split("/")[1] for place in places if place.startswith("Patient/"))
        everything = (await api.system.get(f"Patient/{own}/*")).json()
        assert len(everything["entry"]) == 4
        for place in places:
            assert (await api.system.get(place.partition("/_history")[0])).status_code == 200
