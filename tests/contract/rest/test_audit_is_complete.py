"""Nothing is read, written, refused or exported without its row in the audit trail."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio

from helsevev.fhir_api.operations.registry import OPERATIONS
from helsevev.fhir_api.routing import ROUTES

from .conftest import NURSE, Api

PERSON: Final = "walked"
ABOUT: Final = {"reference": f"Patient/{PERSON}"}
PULSE: Final = {
    "resourceType": "Observation", "status": "final", "subject": ABOUT,
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "effectiveDateTime": "2026-02-03T10:00:00Z", "valueQuantity": {"value": 60, "unit": "/min"},
}  # fmt: skip
NOTE: Final = {
    "resourceType": "Composition", "status": "final", "type": {"text": "Note"}, "title": "Note",
    "date": "2026-02-03", "author": [{"reference": "Practitioner/nurse"}], "subject": ABOUT,
}  # fmt: skip
COUNTED: Final = "statistic=count&code=8867-4&system=http://loinc.org"
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
PATCH: Final = {"content-type": "application/json-patch+json"}
TITLE: Final = b'[{"op":"add","path":"/note","value":[{"text":"x"}]}]'

# (route, method) -> what is asked there: path, body, headers. Every route of the API is here, or
# among those that open nobody's record.
ASKED: Final[dict[tuple[str, str], tuple[str, Any, dict[str, str]]]] = {
    ("", "POST"): ("", {"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": f"Patient/{PERSON}"}}]}, {}),
    ("", "GET"): ("?_type=Observation&_id=pulse-walked", None, {}),
    ("_search", "POST"): ("_search", "_type=Observation&_id=pulse-walked", FORM),
    ("_history", "GET"): ("_history?_count=5", None, {}),
    ("[type]", "GET"): ("Observation?code=8867-4&_include=Observation:subject", None, {}),
    ("[type]", "POST"): ("Observation", PULSE, {"if-none-exist": "_id=pulse-walked"}),
    ("[type]", "PUT"): ("Observation?_id=pulse-walked", {**PULSE, "id": "pulse-walked"},
                        {"if-match": 'W/"1"'}),
    ("[type]", "PATCH"): ("Observation?_id=pulse-walked", TITLE, {**PATCH, "if-match": 'W/"1"'}),
    ("[type]", "DELETE"): ("Observation?_id=nothing-here", None, {}),
    ("[type]/_search", "POST"): ("Observation/_search", f"subject=Patient/{PERSON}", FORM),
    ("[type]/_history", "GET"): ("Observation/_history", None, {}),
    ("[type]/[id]", "GET"): ("Observation/pulse-walked", None, {}),
    ("[type]/[id]", "PUT"): ("Observation/made-walked", {**PULSE, "id": "made-walked"}, {}),
    ("[type]/[id]", "PATCH"): ("Observation/pulse-walked", TITLE, {**PATCH, "if-match": 'W/"2"'}),
    ("[type]/[id]", "DELETE"): ("Observation/gone-walked", None, {}),
    ("[type]/[id]/_history", "GET"): ("Observation/pulse-walked/_history", None, {}),
    ("[type]/[id]/_history/[vid]", "GET"): ("Observation/pulse-walked/_history/1", None, {}),
    ("[compartment]/[id]/[type]", "GET"): (f"Patient/{PERSON}/Observation", None, {}),
    ("[compartment]/[id]/[type]/_search", "POST"): (f"Patient/{PERSON}/Observation/_search", "",
                                                    FORM),
}  # fmt: skip
OPENS_NOBODY: Final = {
    "metadata", "openapi.json", ".well-known/smart-configuration", "_export/[job]",
    "_export/[job]/[file]",
    *(route for route in ROUTES if route.startswith("ViewDefinition")),
}  # fmt: skip
"""What the server can do, how far an export is (its files: see the bulk export's tests), views."""

OPERATIONS_ASKED: Final[dict[str, tuple[str, str, Any]]] = {
    "apply": ("GET", f"PlanDefinition/last-days/$apply?subject=Patient/{PERSON}", None),
    "document": ("GET", "Composition/note-walked/$document", None),
    "lastn": ("GET", f"Observation/$lastn?patient=Patient/{PERSON}&code=8867-4", None),
    "stats": ("GET", f"Observation/$stats?subject=Patient/{PERSON}&{COUNTED}", None),
    "match": ("POST", "Patient/$match", {"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": {"resourceType": "Patient",
                                          "name": [{"family": "Gangstad"}]}}]}),
    "everything": ("GET", f"Patient/{PERSON}/$everything", None),
    "validate": ("GET", "Observation/pulse-walked/$validate", None),
    "meta": ("GET", "Observation/pulse-walked/$meta", None),
}  # fmt: skip
NO_RECORD: Final = {
    "lookup", "validate-code", "subsumes", "expand", "translate", "convert", "status", "events",
    "stream", "run", "viewdefinition-run", "viewdefinition-export", "merge", "unmerge", "meta-add",
    "meta-delete", "dead-letters", "retry", "set-aside",
    "export",
}  # fmt: skip
"""Terminology, the state of subscriptions, and what writes or reads by the ways walked here or in
the bulk export's own tests."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def somebody(api: Api) -> None:
    """One inhabitant on the nurse's ward, with a pulse and a note."""
    name = [{"family": "Gangstad", "given": ["Gro"]}]
    stay = {
        "resourceType": "Encounter", "id": "stay-walked", "status": "in-progress",
        "class": {"code": "IMP"}, "subject": ABOUT, "period": {"start": "2026-01-01"},
        "serviceProvider": {"reference": NURSE.organisations[0]},
    }  # fmt: skip
    made: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": PERSON, "name": name, "gender": "female"}, stay,
        {**PULSE, "id": "pulse-walked"}, {**PULSE, "id": "gone-walked"},
        {**NOTE, "id": "note-walked"},
    ]  # fmt: skip
    for resource in made:
        told = await api.system.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert told.status_code == 201, told.text


async def traced(api: Api, number: str) -> list[dict[str, Any]]:
    """The rows of one request, with the words of their origin."""
    rows = await api.services.gate.store.roles.owner.fetch(
        "SELECT e.*, o.content::text AS said FROM audit_event e"
        " JOIN audit_origin o ON o.id = e.origin WHERE e.request = $1 ORDER BY e.id",
        number,
    )
    return [{**dict(row), "said": msgspec.json.decode(row["said"])} for row in rows]


async def ask(
    api: Api, method: str, path: str, body: Any, headers: dict[str, str], number: str,
    client: str = "system",
) -> int:  # fmt: skip
    sent: dict[str, Any] = {"headers": {**headers, "x-request-id": number, "user-agent": "Walk/1"}}
    if isinstance(body, dict):
        sent["json"] = body
    elif body is not None:
        sent["content"] = body
    return (await api.clients[client].request(method, path, **sent)).status_code


def check(rows: list[dict[str, Any]], number: str) -> None:
    assert rows, f"{number} left no row"
    for row in rows:
        said = row["said"]
        assert said["actor"] == row["actor"]
        assert all(said[part] for part in ("name", "role", "address"))
        assert said["program"] == "Walk/1"
        assert all(row[part] for part in ("at", "interaction", "action"))
        assert row["target"] or row["outcome"] == 8, row
        assert row["basis"] or row["reason"], row


def test_every_route_is_walked_or_opens_nobody() -> None:
    offered = {(route, method) for route, methods in ROUTES.items() for method in methods}
    assert {asked for asked in offered if asked[0] not in OPENS_NOBODY} == set(ASKED)


@pytest.mark.parametrize(("route", "method"), ASKED, ids=lambda part: part or "base")
async def test_every_interaction_leaves_its_row(api: Api, route: str, method: str) -> None:
    number = f"walk-{method}-{sorted(ASKED).index((route, method))}"
    path, body, headers = ASKED[route, method]
    status = await ask(api, method, path, body, headers, number)
    assert status < 300, (route, method, status)
    check(await traced(api, number), number)


@pytest.mark.parametrize("name", OPERATIONS_ASKED)
async def test_every_operation_on_records_leaves_its_row(api: Api, name: str) -> None:
    method, path, body = OPERATIONS_ASKED[name]
    number = f"operation-{name}"
    status = await ask(api, method, path, body, {}, number)
    assert status < 300, (name, status)
    check(await traced(api, number), number)


def test_every_operation_is_walked_or_opens_nobody() -> None:
    offered = {operation.name for operation in OPERATIONS}
    assert not offered - OPERATIONS_ASKED.keys() - NO_RECORD


@pytest.mark.parametrize(("route", "method"), ASKED, ids=lambda part: part or "base")
async def test_every_refusal_leaves_its_row_and_no_content(
    api: Api, route: str, method: str
) -> None:
    number = f"refused-{method}-{sorted(ASKED).index((route, method))}"
    path, body, headers = ASKED[route, method]
    status = await ask(api, method, path, body, headers, number, "inhabitant")
    rows = await traced(api, number)
    if status == 403:
        assert any(row["outcome"] == 8 for row in rows), number
    assert not [row for row in rows if row["outcome"] == 0 and row["patient"] > 0
                and row["said"]["actor"] == "Patient/own" and PERSON in row["target"]]  # fmt: skip


async def test_a_row_says_who_what_why_when_and_from_where(api: Api) -> None:
    assert await ask(api, "GET", "Observation/pulse-walked", None, {}, "one-read", "nurse") == 200
    (row,) = await traced(api, "one-read")
    assert row["said"] == {
        "actor": NURSE.id, "name": "Kari", "profession": "nurse", "role": "sykepleier",
        "unit": "Organization/ward", "organisation": "Organization/ward", "address": "127.0.0.1",
        "program": "Walk/1",
    }  # fmt: skip
    assert (row["basis"], row["target"]) == (
        "relation Encounter/stay-walked", "Observation/pulse-walked",
    )  # fmt: skip
    assert (row["purpose"], row["outcome"], row["action"]) == ("TREAT", 0, "read")


async def test_a_search_tells_which_entries_were_read_and_never_by_which_values(api: Api) -> None:
    path = f"Observation?subject=Patient/{PERSON}&code=8867-4"
    assert await ask(api, "GET", path, None, {}, "one-search", "nurse") == 200
    rows = await traced(api, "one-search")
    assert rows[-1]["target"].startswith("Observation?subject&code Observation/")
    assert not any("8867-4" in row["target"] for row in rows)


async def test_signing_in_and_out_and_tokens_are_in_the_trail(api: Api) -> None:
    credentials = api.services.credentials
    token = await credentials.start_session(NURSE)
    await credentials.end_session(token)
    await credentials.issue_token(NURSE)
    found = await api.services.gate.store.roles.owner.fetch(
        "SELECT interaction FROM audit_event WHERE action = 'login' AND actor = $1 ORDER BY id",
        NURSE.id,
    )
    assert [row[0] for row in found][-3:] == ["sign-in", "sign-out", "token"]
