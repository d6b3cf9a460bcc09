"""$everything: all of a record, or the part asked for, in pages that miss and repeat nothing."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from .conftest import Api

WARD = {"reference": "Organization/ward"}


def _about(kind: str, resource_id: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind, "id": resource_id, "subject": {"reference": "Patient/eva"},
        "code": {"text": "x"},
    } | more  # fmt: skip


def _resources() -> list[dict[str, Any]]:
    stay = {
        "resourceType": "Encounter", "id": "stay", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/eva"}, "serviceProvider": WARD,
        "period": {"start": "2026-01-01", "end": "2026-01-10"},
    }  # fmt: skip
    during = {"encounter": {"reference": "Encounter/stay"}, "status": "final"}
    return [
        {"resourceType": "Organization", "id": "ward", "name": "Ward"},
        {"resourceType": "Practitioner", "id": "lege", "name": [{"family": "Lege"}]},
        {"resourceType": "Patient", "id": "eva", "birthDate": "1950-01-01"},
        {"resourceType": "Patient", "id": "other"},
        {"resourceType": "Patient", "id": "here"},
        stay,
        stay | {"id": "now", "subject": {"reference": "Patient/here"},
                "period": {"start": "2026-01-01"}},
        _about("Observation", "jan", effectiveDateTime="2026-01-05", **during,
               performer=[{"reference": "Practitioner/lege"}]),
        _about("Observation", "march", effectiveDateTime="2026-03", status="final"),
        _about("Condition", "undated"),
        _about("Observation", "stranger", status="final", subject={"reference": "Patient/other"}),
    ]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def record(api: Api) -> None:
    """An inhabitant with a stay, and another who has nothing to do with it."""
    for resource in _resources():
        url = f"{resource['resourceType']}/{resource['id']}"
        response = await api.system.put(url, json=resource)
        assert response.status_code == 201, response.text


ALL = ["Condition/undated", "Encounter/stay", "Observation/jan", "Observation/march", "Patient/eva"]
NAMED = ["Organization/ward", "Practitioner/lege"]


def _found(bundle: dict[str, Any], mode: str) -> list[str]:
    return sorted(
        f"{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in bundle.get("entry", ())
        if e["search"]["mode"] == mode
    )


@pytest.mark.parametrize(
    ("url", "matches", "included"),
    [
        ("Patient/eva/$everything", ALL, NAMED),
        ("Patient/eva/$everything?_type=Observation", ["Observation/jan", "Observation/march"], []),
        ("Patient/eva/$everything?_type=Observation,Practitioner",
         ["Observation/jan", "Observation/march"], ["Practitioner/lege"]),
        ("Patient/eva/$everything?start=2026-02-01",
         ["Condition/undated", "Observation/march", "Patient/eva"], []),
        ("Patient/eva/$everything?end=2026-02",
         ["Condition/undated", "Encounter/stay", "Observation/jan", "Patient/eva"], NAMED),
        ("Patient/eva/$everything?start=2026-01-07&end=2026-01-08",
         ["Condition/undated", "Encounter/stay", "Patient/eva"], ["Organization/ward"]),
        ("Patient/eva/$everything?_since=2100-01-01T00:00:00Z", [], []),
        ("Encounter/stay/$everything", ["Encounter/stay", "Observation/jan", "Patient/eva"], NAMED),
        ("Patient/other/$everything", ["Observation/stranger", "Patient/other"], []),
    ],
)  # fmt: skip
async def test_what_is_asked_for_is_there_and_nothing_else(
    api: Api, url: str, matches: list[str], included: list[str]
) -> None:
    response = await api.system.get(url)
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert (_found(bundle, "match"), _found(bundle, "include")) == (matches, included)
    assert bundle["total"] == len(matches)


async def test_parameters_can_be_posted(api: Api) -> None:
    parameters = [{"name": "_type", "valueCode": "Patient"}, {"name": "_count", "valueInteger": 5}]
    body = {"resourceType": "Parameters", "parameter": parameters}
    response = await api.system.post("Patient/eva/$everything", json=body)
    assert _found(response.json(), "match") == ["Patient/eva"]


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_pages_hold_everything_once(api: Api, count: int) -> None:
    url: str | None = f"Patient/eva/$everything?_count={count}"
    found: list[str] = []
    while url:
        bundle = (await api.system.get(url)).json()
        found += _found(bundle, "match")
        assert len(_found(bundle, "match")) <= count
        url = next((x["url"] for x in bundle["link"] if x["relation"] == "next"), None)
    assert sorted(found) == ALL


async def test_a_long_record_comes_in_pieces_and_is_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (await api.system.get("Patient/eva/$everything")).content
    monkeypatch.setattr("helsevev.fhir_api.operations.everything._WHOLE_ANSWER", 0)
    monkeypatch.setattr("helsevev.fhir_api.operations.everything._PIECE", 2)
    response = await api.system.get("Patient/eva/$everything")
    assert response.content == whole
    assert response.headers["content-type"].startswith("application/fhir+json")
    response = await api.system.get("Patient/eva/$everything?_format=xml")
    assert response.headers["content-type"].startswith("application/fhir+xml")
    assert response.content.startswith(b"<")
    assert b'\n  "' in (await api.system.get("Patient/eva/$everything?_pretty=true")).content


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("Patient/nobody/$everything", 404),
        ("Encounter/none/$everything", 404),
        ("Patient/eva/$everything?start=soon", 400),
        ("Patient/eva/$everything?_type=Banana", 400),
        ("Patient/eva/$everything?_count=0", 400),
        ("Patient/eva/$everything?_count=-1", 400),
        ("Patient/eva/$everything?_cursor=x", 400),
        ("Patient/eva/$everything?banana=1", 400),
        ("Encounter/stay/$everything?start=2026", 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(api: Api, url: str, status: int) -> None:
    response = await api.system.get(url)
    assert response.status_code == status
    assert response.json()["resourceType"] == "OperationOutcome"


async def test_only_those_with_a_right_to_the_record_get_it(api: Api) -> None:
    assert (await api.clients["nurse"].get("Patient/here/$everything")).status_code == 200
    assert (await api.clients["nurse"].get("Patient/eva/$everything")).status_code == 403
    assert (await api.clients["inhabitant"].get("Patient/eva/$everything")).status_code == 403
    assert (await api.clients[""].get("Patient/eva/$everything")).status_code == 401
