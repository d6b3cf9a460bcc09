"""The CapabilityStatement says what works: every claim is exercised."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.validation import validate

from .conftest import Api

VALUES = {
    "token": "x", "string": "x", "date": "2020", "number": "1", "quantity": "1",
    "uri": "urn:x", "reference": "x", "composite": "x$y", "special": "x",
}  # fmt: skip


async def statement(api: Api) -> dict[str, Any]:
    response = await api.clients[""].get("metadata")
    found: dict[str, Any] = serialization.decode(response.content)
    return found


async def test_the_statement_is_valid_and_covers_every_type(api: Api) -> None:
    told = await statement(api)
    assert [issue for issue in validate(told) if issue.is_error] == []
    assert {resource["type"] for resource in told["rest"][0]["resource"]} == RESOURCE_TYPES
    assert {resource["versioning"] for resource in told["rest"][0]["resource"]} == {
        "versioned-update"
    }


async def test_every_claimed_interaction_is_there(api: Api) -> None:
    told = await statement(api)
    ways = {
        "read": ("GET", "{}/none", {404}),
        "vread": ("GET", "{}/none/_history/1", {404}),
        "update": ("PUT", "{}/none", {400}),
        "patch": ("PATCH", "{}/none", {400}),
        "delete": ("DELETE", "{}/none", {204}),
        "history-instance": ("GET", "{}/none/_history", {404}),
        "history-type": ("GET", "{}/_history", {200}),
        "create": ("POST", "{}", {400}),
        "search-type": ("GET", "{}?_count=1", {200}),
    }
    for resource in told["rest"][0]["resource"]:
        assert {way["code"] for way in resource["interaction"]} == ways.keys()
    for method, path, expected in ways.values():
        response = await api.system.request(method, path.format("Basic"), content=b"{}")
        assert response.status_code in expected, (method, path, response.text)
    system = {way["code"] for way in told["rest"][0]["interaction"]}
    assert system == {"transaction", "batch", "history-system", "search-system"}


async def test_a_condition_works_where_it_is_claimed(api: Api) -> None:
    told = await statement(api)
    basic = next(r for r in told["rest"][0]["resource"] if r["type"] == "Basic")
    assert (basic["conditionalCreate"], basic["conditionalUpdate"]) == (True, True)
    assert basic["conditionalDelete"] == "single"


@pytest.mark.parametrize("kind", ["Patient", "Observation", "MedicationRequest", "Organization"])
async def test_every_claimed_search_parameter_is_answered(kind: str, api: Api) -> None:
    told = await statement(api)
    resource = next(r for r in told["rest"][0]["resource"] if r["type"] == kind)
    for parameter in resource["searchParam"]:
        value = VALUES[parameter["type"]]
        if parameter["type"] == "composite":
            continue  # Its parts have kinds of their own; the search's tests cover them.
        response = await api.system.get(kind, params={parameter["name"]: value})
        assert response.status_code == 200, (parameter, response.text)
    for include in resource.get("searchInclude", []):
        response = await api.system.get(kind, params={"_include": include, "_count": 1})
        assert response.status_code == 200, (include, response.text)


async def test_the_statement_can_be_kept(api: Api) -> None:
    first = await api.clients[""].get("metadata")
    headers = {"if-none-match": first.headers["etag"]}
    again = await api.clients[""].get("metadata", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
