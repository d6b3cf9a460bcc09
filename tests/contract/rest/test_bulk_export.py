"""Bulk exports: whole, as of one moment, only for systems, with checksums, and removed again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.export.asked import Asked
from helsevev.access.services import Services, services_over
from helsevev.fhir_api.application import FhirApi
from helsevev.record.database import Database

from .conftest import NURSE

ASYNC = {"prefer": "respond-async"}
Lines = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of exports are kept."""
    return tmp_path_factory.mktemp("exports")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database, folder: Path) -> AsyncIterator[Services]:
    """A record with three inhabitants, a group of two of them, and one who was deleted."""
    made = services_over(database, {}, exports=folder)
    yield made
    await made.exports.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A system's client."""
    async with await _client(services, SYSTEM) as made:
        for patient in ("anna", "bo", "cato", "gone"):
            await _put(made, {"resourceType": "Patient", "id": patient, "birthDate": "1950-01-02"})
            for value in (7, 8):
                await _put(made, _pulse(patient, value))
        await _put(made, {"resourceType": "Organization", "id": "ward", "name": "Ward"})
        members = [{"entity": {"reference": f"Patient/{p}"}} for p in ("anna", "bo")]
        group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
        await _put(made, group | {"member": members})
        for value in (7, 8):
            await made.delete(f"Observation/gone-{value}")
        await made.delete("Patient/gone")
        yield made


async def _client(services: Services, actor: Any) -> httpx.AsyncClient:
    token = await services.credentials.issue_token(actor)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(FhirApi(services)),
        base_url="http://record.example/fhir/",
        headers={"authorization": f"Bearer {token}", "accept": "application/fhir+json"},
    )


def _pulse(patient: str, value: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"{patient}-{value}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": f"100{value}-1"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": value, "unit": "/min"},
        "effectiveDateTime": f"202{value}-01-01",
    }  # fmt: skip


async def _put(client: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    url = f"{resource['resourceType']}/{resource['id']}"
    response = await client.put(url, json=resource)
    assert response.status_code in (200, 201), response.text


async def _manifest(client: httpx.AsyncClient, url: str, **more: Any) -> dict[str, Any]:
    begun = await client.request(more.pop("method", "GET"), url, headers=ASYNC, **more)
    assert begun.status_code == 202, begun.text
    status = begun.headers["content-location"]
    for _ in range(400):
        response = await client.get(status)
        if response.status_code != 202:
            break
        assert response.headers["retry-after"]
        await asyncio.sleep(0.02)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/json")
    return {**response.json(), "status": status}


async def _lines(client: httpx.AsyncClient, manifest: dict[str, Any], of: str = "output") -> Lines:
    found: Lines = {}
    for item in manifest[of]:
        response = await client.get(item["url"], headers={"accept": "application/fhir+ndjson"})
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/fhir+ndjson"
        assert len(response.content) == item["extension"]["size"]
        assert hashlib.sha256(response.content).hexdigest() == item["extension"]["sha256"]
        lines = [json.loads(line) for line in response.content.splitlines()]
        assert len(lines) == item["count"]
        found.setdefault(item["type"], []).extend(lines)
    return found


def _ids(lines: Lines) -> dict[str, list[str]]:
    return {kind: sorted(r["id"] for r in resources) for kind, resources in lines.items()}


TWO_FILTERS = (
    "$export?_type=Observation&_typeFilter=Observation?code=1007-1%26patient=anna"
    "&_typeFilter=Observation?date=ge2028"
)
OBSERVED = [f"{p}-{v}" for p in ("anna", "bo", "cato") for v in (7, 8)]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("$export", {"Patient": ["anna", "bo", "cato"], "Observation": OBSERVED,
                     "Organization": ["ward"], "Group": ["g"]}),
        ("$export?_type=Patient,Group", {"Patient": ["anna", "bo", "cato"], "Group": ["g"]}),
        ("Patient/$export", {"Patient": ["anna", "bo", "cato"], "Observation": OBSERVED}),
        ("Group/g/$export", {"Patient": ["anna", "bo"], "Observation": OBSERVED[:4]}),
        ("Group/g/$export?_typeFilter=Observation?code=1007-1",
         {"Patient": ["anna", "bo"], "Observation": ["anna-7", "bo-7"]}),
        (TWO_FILTERS, {"Observation": ["anna-7", "anna-8", "bo-8", "cato-8"]}),
        ("$export?_since=2100-01-01", {}),
        ("$export?_until=2001-01-01", {}),
    ],
)  # fmt: skip
async def test_an_export_holds_what_was_asked_for(
    client: httpx.AsyncClient, url: str, expected: dict[str, list[str]]
) -> None:
    assert _ids(await _lines(client, await _manifest(client, url))) == expected


async def test_patients_can_be_named_in_a_body(client: httpx.AsyncClient) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": "Patient/cato"}},
            {"name": "_type", "valueString": "Observation"},
        ],
    }
    manifest = await _manifest(client, "Patient/$export", method="POST", json=body)
    assert _ids(await _lines(client, manifest)) == {"Observation": ["cato-7", "cato-8"]}


async def test_what_was_deleted_since_is_told(client: httpx.AsyncClient) -> None:
    manifest = await _manifest(client, "$export?_since=2020-01-01&_type=Patient,Observation")
    deleted = await _lines(client, manifest, "deleted")
    urls = sorted(b["entry"][0]["request"]["url"] for b in deleted["Bundle"])
    assert urls == ["Observation/gone-7", "Observation/gone-8", "Patient/gone"]
    assert (await _manifest(client, "$export"))["deleted"] == []


async def test_elements_are_cut_and_marked(client: httpx.AsyncClient) -> None:
    manifest = await _manifest(client, "$export?_type=Observation&_elements=Observation.value")
    line = (await _lines(client, manifest))["Observation"][0]
    assert line.keys() == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}
    assert line["meta"]["tag"][0]["code"] == "SUBSETTED"


async def test_lines_are_the_stored_bytes(client: httpx.AsyncClient) -> None:
    manifest = await _manifest(client, "$export?_type=Patient")
    content = (await client.get(manifest["output"][0]["url"])).content
    for line in content.splitlines():
        read = await client.get(f"Patient/{json.loads(line)['id']}")
        assert read.content == line


async def test_parquet_holds_the_same_resources(client: httpx.AsyncClient, tmp_path: Path) -> None:
    import arro3.io

    manifest = await _manifest(client, "$export?_type=Observation&_outputFormat=parquet")
    (item,) = manifest["output"]
    response = await client.get(item["url"])
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    (tmp_path / "o.parquet").write_bytes(response.content)
    table = arro3.io.read_parquet(tmp_path / "o.parquet").read_all()
    assert table.num_rows == item["count"] == 6
    texts = [str(cell) for cell in table["resource"].to_pylist()]
    assert sorted(json.loads(text)["id"] for text in texts) == OBSERVED


async def test_a_download_goes_on_where_it_stopped(client: httpx.AsyncClient) -> None:
    url = (await _manifest(client, "$export?_type=Patient"))["output"][0]["url"]
    whole = (await client.get(url)).content
    rest = await client.get(url, headers={"range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    assert (await client.get(url, headers={"range": "bytes=999999-"})).status_code == 416


async def test_a_removed_export_is_gone_with_its_files(
    client: httpx.AsyncClient, folder: Path
) -> None:
    manifest = await _manifest(client, "$export")
    kept = set(folder.iterdir())
    assert (await client.delete(manifest["status"])).status_code == 202
    assert (await client.get(manifest["status"])).status_code == 404
    assert (await client.get(manifest["output"][0]["url"])).status_code == 404
    assert len(kept - set(folder.iterdir())) == 1


async def test_only_systems_export_and_only_their_own_is_shown(
    services: Services, client: httpx.AsyncClient
) -> None:
    manifest = await _manifest(client, "$export")
    async with await _client(services, NURSE) as nurse:
        for url in ("$export", "Patient/$export", "Group/g/$export"):
            assert (await nurse.get(url, headers=ASYNC)).status_code == 403
        assert (await nurse.get(manifest["status"])).status_code == 403
        assert (await nurse.get(manifest["output"][0]["url"])).status_code == 403
    other = SYSTEM.as_data() | {"id": "Device/other"}
    async with await _client(services, type(SYSTEM)(**other)) as stranger:
        assert (await stranger.get(manifest["status"])).status_code == 404


async def test_every_inhabitant_exported_has_it_in_their_trail(
    services: Services, client: httpx.AsyncClient
) -> None:
    count = "SELECT count(DISTINCT patient) FROM audit_event WHERE interaction = 'export'"
    await services.gate.store.roles.owner.execute("DELETE FROM audit_event")
    await _manifest(client, "Group/g/$export")
    found = count + " AND patient > 0 AND outcome = 0"
    assert await services.gate.store.roles.owner.fetchval(found) == 2


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("$export?_type=Banana", "Banana"),
        ("$export?_since=yesterday", "yesterday"),
        ("$export?_outputFormat=pdf", "pdf"),
        ("$export?_typeFilter=Observation", "_typeFilter"),
        ("$export?_typeFilter=Observation?banana=1", "banana"),
        ("$export?_typeFilter=Observation?_sort=date", "_sort"),
        ("$export?_type=Patient&_typeFilter=Observation?code=1", "_type"),
        ("$export?includeAssociatedData=RelevantProvenanceResources", "includeAssociatedData"),
        ("$export?patient=Patient/anna", "Patient or Group"),
        ("Patient/$export?_type=Organization", "Organization"),
        ("Patient/$export?patient=Practitioner/x", "patient"),
        ("Group/g/$export?patient=Patient/cato", "cato"),
        ("$export?banana=1", "banana"),
    ],
)
async def test_what_cannot_be_exported_is_refused_with_the_reason(
    client: httpx.AsyncClient, url: str, word: str
) -> None:
    response = await client.get(url, headers=ASYNC)
    assert response.status_code == 400, response.text
    assert word in response.json()["issue"][0]["diagnostics"]


async def test_an_impatient_client_is_told_what_to_send(client: httpx.AsyncClient) -> None:
    response = await client.get("$export")
    assert response.status_code == 400
    assert "respond-async" in response.text
    assert (await client.get("Group/nosuch/$export", headers=ASYNC)).status_code == 404


async def test_a_restart_begins_an_export_anew_and_says_so(
    database: Database, folder: Path, client: httpx.AsyncClient
) -> None:
    stopped = services_over(database, {}, exports=folder)
    job_id = await stopped.exports.ask(SYSTEM, Asked(), "http://record.example/fhir/$export")
    await stopped.exports.stop()
    cut_short = "UPDATE export_job SET state = 'running', starts = 1 WHERE id = $1"
    await database.execute(cut_short, job_id)
    (folder / job_id).mkdir(exist_ok=True)
    (folder / job_id / "Patient-0001.ndjson").write_text("half a li")
    begun_anew = services_over(database, {}, exports=folder)
    await begun_anew.exports.start()
    await _until((folder / job_id / "Organization-0001.ndjson").is_file)
    for _ in range(200):
        job = await begun_anew.exports.job(SYSTEM, job_id)
        if job.state == "done":
            break
        await asyncio.sleep(0.02)
    assert (job.state, job.starts) == ("done", 2)
    lines = (folder / job_id / "Patient-0001.ndjson").read_text().splitlines()
    assert [json.loads(line)["resourceType"] for line in lines] == ["Patient"] * 3
    await begun_anew.exports.stop()


async def test_files_leave_when_their_time_is_over(
    database: Database, services: Services, client: httpx.AsyncClient, folder: Path
) -> None:
    manifest = await _manifest(client, "$export")
    job_id = manifest["status"].rpartition("/")[2]
    await database.execute("UPDATE export_job SET expires_at = now() WHERE id = $1", job_id)
    assert (await client.get(manifest["status"])).status_code == 404
    await _manifest(client, "$export?_type=Patient")
    await _until(lambda: not (folder / job_id).exists())


async def _until(held: Callable[[], bool]) -> None:
    for _ in range(400):
        if held():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("It never came to be.")
