"""Views over the record: rows in the format asked for, for those who may, with clear refusals."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from helsevev.access import views
from helsevev.access.actor import SYSTEM
from helsevev.access.services import Services, services_over
from helsevev.access.views import offered
from helsevev.fhir.views.compiling import table_of
from helsevev.fhir_api.application import FhirApi
from helsevev.record.database import Database

from .conftest import NURSE

VIEW = {
    "resourceType": "ViewDefinition", "name": "pulses", "resource": "Observation",
    "select": [{"column": [
        {"name": "patient", "path": "subject.getReferenceKey(Patient)", "type": "string"},
        {"name": "value", "path": "value.ofType(Quantity).value", "type": "decimal"},
        {"name": "note", "path": "note.text.first()"},
    ]}],
}  # fmt: skip
ROWS = [
    {"patient": "Patient/anna", "value": 72, "note": None},
    {"patient": "Patient/bo", "value": 80.50, "note": 'says "well", and\nsleeps'},
]
RUN = "ViewDefinition/$viewdefinition-run"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Services]:
    """A record of two inhabitants, of whom the nurse's ward treats one."""
    made = services_over(database, {}, exports=tmp_path_factory.mktemp("exports"))
    async with await _client(made, SYSTEM) as client:
        for resource in _record():
            url = f"{resource['resourceType']}/{resource['id']}"
            response = await client.put(url, content=json.dumps(resource))
            assert response.status_code == 201, response.text
    yield made
    await made.exports.stop()


def _record() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for row in ROWS:
        patient = {"reference": row["patient"]}
        note = {"note": [{"text": row["note"]}]} if row["note"] else {}
        found += [
            {"resourceType": "Patient", "id": str(row["patient"]).removeprefix("Patient/")},
            {"resourceType": "Observation", "id": f"o{len(found)}", "status": "final",
             "code": {"text": "pulse"}, "subject": patient,
             "valueQuantity": {"value": row["value"]}} | note,
        ]  # fmt: skip
    stay = {
        "resourceType": "Encounter", "id": "stay", "status": "in-progress",
        "class": {"code": "IMP"}, "subject": {"reference": "Patient/anna"},
        "serviceProvider": {"reference": "Organization/ward"}, "period": {"start": "2026-01-01"},
    }  # fmt: skip
    member = {"entity": {"reference": "Patient/bo"}}
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    return [*found, stay, group | {"member": [member]}]


async def _client(services: Services, actor: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(FhirApi(services)),
        base_url="http://record.example/fhir/",
        headers={
            "authorization": f"Bearer {await services.credentials.issue_token(actor)}",
            "content-type": "application/fhir+json",
        },
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A system's client."""
    async with await _client(services, SYSTEM) as made:
        yield made


def _body(*more: dict[str, Any], view: Any = VIEW) -> dict[str, Any]:
    parameter = [{"name": "viewResource", "resource": view}, *more]
    return {"resourceType": "Parameters", "parameter": parameter}


def _by_patient(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["patient"]))


async def test_rows_come_as_json_lines_csv_and_parquet(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    response = await client.post(RUN, json=_body())
    assert response.headers["content-type"].startswith("application/json")
    assert _by_patient(response.json()) == ROWS
    assert b"80.5" in response.content

    response = await client.post(RUN, params={"_format": "ndjson"}, json=_body())
    assert _by_patient([json.loads(line) for line in response.text.splitlines()]) == ROWS

    response = await client.post(RUN, json=_body(), headers={"accept": "text/csv"})
    read = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [(r["patient"], r["note"]) for r in _by_patient(read)] == [
        (r["patient"], r["note"] or "") for r in ROWS
    ]
    response = await client.post(RUN, params={"_format": "csv", "header": "false"}, json=_body())
    assert "patient,value" not in response.text

    import arro3.io

    response = await client.post(RUN, params={"_format": "parquet"}, json=_body())
    (tmp_path / "rows.parquet").write_bytes(response.content)
    values: Any = arro3.io.read_parquet(tmp_path / "rows.parquet").read_all()["value"]
    assert sorted(float(v.as_py()) for v in values) == [72.0, 80.5]


@pytest.mark.parametrize(
    ("more", "patients"),
    [
        ([{"name": "_limit", "valueInteger": 1}], 1),
        ([{"name": "_since", "valueInstant": "2100-01-01T00:00:00Z"}], 0),
        ([{"name": "patient", "valueReference": {"reference": "Patient/bo"}}], ["Patient/bo"]),
        ([{"name": "group", "valueReference": {"reference": "Group/g"}}], ["Patient/bo"]),
        ([{"name": "resource", "resource": {
            "resourceType": "Observation", "subject": {"reference": "Patient/x"}}}], ["Patient/x"]),
    ],
)  # fmt: skip
async def test_a_run_can_be_confined(
    client: httpx.AsyncClient, more: list[dict[str, Any]], patients: Any
) -> None:
    response = await client.post(RUN, json=_body(*more))
    assert response.status_code == 200, response.text
    found = [row["patient"] for row in response.json()]
    assert (len(found) if isinstance(patients, int) else found) == patients


async def test_views_that_come_as_content_run_by_name(client: httpx.AsyncClient) -> None:
    for name, definition in offered().items():
        response = await client.get(f"ViewDefinition/{name}/$viewdefinition-run")
        assert response.status_code == 200, response.text
        names = [column.name for column in table_of(definition).columns]
        assert all(list(row) == names for row in response.json())
    response = await client.get(
        "$viewdefinition-run", params={"viewReference": "ViewDefinition/patients"}
    )
    assert len(response.json()) == 2


async def test_an_empty_table_is_a_table(client: httpx.AsyncClient) -> None:
    view = {**VIEW, "resource": "Immunization", "select": [{"column": [
        {"name": "id", "path": "id"}]}]}  # fmt: skip
    assert (await client.post(RUN, json=_body(view=view))).json() == []
    response = await client.post(RUN, params={"_format": "csv"}, json=_body(view=view))
    assert response.content == b"id\r\n"
    response = await client.post(RUN, params={"_format": "parquet"}, json=_body(view=view))
    assert (response.status_code, response.content[:4]) == (200, b"PAR1")


@pytest.mark.parametrize(
    ("view", "word"),
    [
        ({}, "resource"),
        ({"resource": "Banana", "select": [{"column": []}]}, "Banana"),
        ({**VIEW, "select": []}, "select"),
        ({**VIEW, "select": [{"column": [{"name": "a b", "path": "id"}]}]}, "column"),
        ({**VIEW, "select": [{"column": [{"name": "a", "path": "banana"}]}]}, "banana"),
        ({**VIEW, "select": [{"column": [{"name": "a", "path": "((("}]}]}, "expected"),
        ({**VIEW, "select": [{"column": [{"name": "a", "path": "code.coding.code"}]},
                             {"column": [{"name": "a", "path": "id"}]}]}, "twice"),
        ({**VIEW, "where": [{"path": "code"}]}, "where"),
    ],
)  # fmt: skip
async def test_a_view_that_makes_no_sense_is_refused_with_the_place(
    client: httpx.AsyncClient, view: dict[str, Any], word: str
) -> None:
    response = await client.post(RUN, json=_body(view=view))
    assert response.status_code == 400
    assert word in response.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (RUN, 400),
        (f"{RUN}?viewReference=ViewDefinition/none", 404),
        ("ViewDefinition/none/$viewdefinition-run", 404),
        ("ViewDefinition/patients/$viewdefinition-run?_format=pdf", 400),
        ("ViewDefinition/patients/$viewdefinition-run?banana=1", 400),
        ("ViewDefinition/patients/$viewdefinition-run?group=Patient/anna", 400),
        ("Patient/$viewdefinition-run", 404),
    ],
)
async def test_what_cannot_be_run_is_refused(
    client: httpx.AsyncClient, url: str, status: int
) -> None:
    response = await client.get(url)
    assert response.status_code == status, response.text
    assert response.json()["resourceType"] == "OperationOutcome"


async def test_what_the_data_tell_too_late_is_still_an_answer(client: httpx.AsyncClient) -> None:
    given = {"name": "resource", "resource": {"resourceType": "Patient", "id": "p",
             "name": [{"family": "A"}, {"family": "B"}]}}  # fmt: skip
    columns = [{"name": "family", "path": "name.family"}]
    view = {"resource": "Patient", "select": [{"column": columns}]}
    response = await client.post(RUN, json=_body(given, view=view))
    assert response.status_code == 400
    assert "first()" in response.text


async def test_staff_see_tables_of_those_they_treat_and_of_nobody_else(services: Services) -> None:
    async with await _client(services, NURSE) as nurse:
        url = "ViewDefinition/patients/$viewdefinition-run"
        assert (await nurse.get(url)).status_code == 403
        assert (await nurse.get(url, params={"patient": "Patient/bo"})).status_code == 403
        assert (await nurse.get(url, params={"patient": "Patient/anna"})).status_code == 200
        assert (await nurse.get(url, params={"group": "Group/g"})).status_code == 403


async def test_a_view_that_takes_too_long_is_given_up_unless_a_system_asks(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PATIENCE", 0.0)
    url, anna = "ViewDefinition/patients/$viewdefinition-run", {"patient": "Patient/anna"}
    async with await _client(services, NURSE) as nurse:
        response = await nurse.get(url, params=anna)
    assert response.status_code == 422
    assert response.json()["issue"][0]["code"] == "too-costly"
    assert (await client.get(url, params=anna)).status_code == 200


async def test_views_are_exported_as_files(client: httpx.AsyncClient) -> None:
    view = {"name": "view", "part": [
        {"name": "name", "valueString": "my pulses"}, {"name": "viewResource", "resource": VIEW},
    ]}  # fmt: skip
    other = {"name": "view", "part": [
        {"name": "viewReference", "valueReference": {"reference": "ViewDefinition/patients"}},
    ]}  # fmt: skip
    body = {"resourceType": "Parameters", "parameter": [view, other]}
    response = await client.post(
        "ViewDefinition/$viewdefinition-export", params={"_format": "csv"}, json=body,
        headers={"prefer": "respond-async"},
    )  # fmt: skip
    assert response.status_code == 202, response.text
    for _ in range(200):
        status = await client.get(response.headers["content-location"])
        if status.status_code == 200:
            break
        await asyncio.sleep(0.02)
    files = {item["type"]: item for item in status.json()["output"]}
    assert {name: item["count"] for name, item in files.items()} == {"my_pulses": 2, "patients": 2}
    content = await client.get(files["my_pulses"]["url"])
    assert content.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(content.text, newline="")))) == 2
