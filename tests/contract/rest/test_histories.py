"""What stood in the record at a time, and since a time, on every level of history."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.access.errors import Invalid, Refused

from .conftest import INHABITANT, NURSE, Api

PATIENT = {"resourceType": "Patient"}


async def versions(api: Api, number: int) -> list[dict[str, Any]]:
    """A new Patient's versions, oldest first."""
    written = [(await api.system.post("Patient", json=PATIENT)).json()]
    for n in range(1, number):
        body = {**PATIENT, "id": written[0]["id"], "birthDate": f"19{10 + n}-01-01"}
        headers = {"if-match": f'W/"{n}"'}
        answer = await api.system.put(f"Patient/{body['id']}", json=body, headers=headers)
        written.append(answer.json())
    return written


async def told(api: Api, path: str, resource_id: str, **parameters: str) -> list[str]:
    """The versions of one resource in a history."""
    bundle = (await api.system.get(path, params={"_count": "1000", **parameters})).json()
    return [
        entry["response"]["etag"]
        for entry in bundle.get("entry", [])
        if entry["fullUrl"].endswith(f"/{resource_id}")
    ]


async def test_a_history_tells_what_stood_at_a_time(api: Api) -> None:
    written = await versions(api, 3)
    resource_id = written[0]["id"]
    times = [version["meta"]["lastUpdated"] for version in written]
    for path in (f"Patient/{resource_id}/_history", "Patient/_history", "_history"):
        for n, time in enumerate(times, 1):
            assert await told(api, path, resource_id, _at=time) == [f'W/"{n}"'], (path, n)
        assert await told(api, path, resource_id, _since=times[1]) == ['W/"3"', 'W/"2"'], path
        assert await told(api, path, resource_id) == ['W/"3"', 'W/"2"', 'W/"1"'], path


async def test_a_deletion_is_a_part_of_every_history(api: Api) -> None:
    written = await versions(api, 1)
    resource_id = written[0]["id"]
    await api.system.delete(f"Patient/{resource_id}")
    for path in (f"Patient/{resource_id}/_history", "Patient/_history", "_history"):
        assert await told(api, path, resource_id) == ['W/"2"', 'W/"1"'], path


async def test_an_inhabitants_history_is_opened_like_the_record(api: Api) -> None:
    await api.system.put("Patient/own", json={**PATIENT, "id": "own"})
    await api.system.put(
        "Basic/b",
        json={
            "resourceType": "Basic",
            "id": "b",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/own"},
        },
    )
    history = api.services.history
    page = await history.of_patient(INHABITANT, "own", count=1)
    assert [stored.reference for stored in page.versions] == ["Basic/b"]
    page = await history.of_patient(INHABITANT, "own", cursor=page.next_cursor)
    assert [stored.reference for stored in page.versions] == ["Patient/own"]
    assert page.next_cursor is None
    with pytest.raises(Refused):
        await history.of_patient(NURSE, "own")
    with pytest.raises(Invalid):
        await history.of_patient(INHABITANT, "own", cursor="elsewhere")
    everything = await history.of_system(INHABITANT, count=1000)
    assert {stored.reference for stored in everything.versions} == {"Basic/b", "Patient/own"}


async def test_reading_a_history_leaves_a_trace(api: Api) -> None:
    (written,) = await versions(api, 1)
    await api.system.get(f"Patient/{written['id']}/_history")
    await api.system.get("_history?_count=1")
    rows = await api.services.gate.store.roles.owner.fetch(
        "SELECT interaction FROM audit_event WHERE target = $1 OR target LIKE '\\_history%'",
        f"Patient/{written['id']}",
    )
    assert {"history-instance", "history-system"} <= {row[0] for row in rows}
