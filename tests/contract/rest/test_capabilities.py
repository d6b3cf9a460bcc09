"""The CapabilityStatement says what works: every claim is exercised, for every type."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest_asyncio

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.validation import validate

from .conftest import Api
from .minimal import minimal

AT_A_TIME = 6
PATCHES: dict[str, Any] = {
    "application/json-patch+json": [{"op": "test", "path": "/resourceType", "value": "Basic"}],
    "application/fhir+json": {"resourceType": "Parameters"},
}
VALUES = {
    "token": "x", "string": "x", "date": "2020", "number": "1", "quantity": "1",
    "uri": "urn:x", "reference": "x",
}  # fmt: skip
SPECIAL = {"near": "59.9|10.7|5|km"}
Wrong = list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(api: Api) -> dict[str, Any]:
    """What the server says of itself."""
    response = await api.clients[""].get("metadata")
    return serialization.decode(response.content)


def resources(told: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said of each type."""
    found: list[dict[str, Any]] = told["rest"][0]["resource"]
    return found


async def side_by_side(work: Iterable[Callable[[], Awaitable[Wrong]]]) -> Wrong:
    """What all of them found wrong; a few run at a time."""
    waiting = iter(list(work))
    wrong: Wrong = []

    async def some() -> None:
        for each in waiting:
            wrong.extend(await each())

    await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
    return wrong


async def test_the_statement_is_valid_and_covers_every_type(told: dict[str, Any]) -> None:
    assert [issue for issue in validate(told) if issue.is_error] == []
    assert {resource["type"] for resource in resources(told)} == RESOURCE_TYPES
    assert {resource["versioning"] for resource in resources(told)} == {"versioned-update"}


class Life:
    """One resource's life, from creation to deletion, as far as its type's claims reach."""

    def __init__(self, api: Api, said: dict[str, Any]) -> None:
        self.client = api.system
        self.said = said
        self.kind: str = said["type"]
        self.claims = {claim["code"] for claim in said["interaction"]}
        self.done: set[str] = set()
        self.wrong: Wrong = []

    async def ask(self, code: str, expected: int, method: str, path: str, **more: Any) -> Any:
        """Note whether the answer is as claimed, and give it."""
        self.done.add(code)
        response = await self.client.request(method, path, **more)
        if response.status_code != expected:
            self.wrong.append(f"{self.kind} {code}: {method} {path}: {_said(response)}")
        return response

    async def live(self) -> Wrong:
        """Every interaction of the type, in an order that makes sense."""
        kind, body = self.kind, minimal(self.kind)
        created = (await self.ask("create", 201, "POST", kind, json=body)).json()
        place = f"{kind}/{created.get('id')}"
        await self.ask("read", 200, "GET", place)
        await self.ask("read", 200, "HEAD", place)
        update = {**created, "language": "nb"}
        seen = {"if-match": 'W/"1"'}
        await self.ask("update", 200, "PUT", place, json=update, headers=seen)
        change = [{"op": "replace", "path": "/language", "value": "nn"}]
        headers = {"if-match": 'W/"2"', "content-type": "application/json-patch+json"}
        patched = await self.ask("patch", 200, "PATCH", place, json=change, headers=headers)
        if patched.json().get("language") != "nn":
            self.wrong.append(f"{kind} patch: {_said(patched)}")
        await self.ask("vread", 200, "GET", f"{place}/_history/1")
        found = await self.ask("search-type", 200, "GET", kind, params={"_id": created.get("id")})
        if len(found.json().get("entry", [])) != 1:
            self.wrong.append(f"{kind} search-type: {_said(found)}")
        await self.conditions(place, str(created.get("id")), update)
        for code, path in (("history-instance", place), ("history-type", kind)):
            await self.ask(code, 200, "GET", f"{path}/_history?_count=1")
        await self.ask("delete", 204, "DELETE", place)
        await self.ask("read", 410, "GET", place)
        if self.said["updateCreate"]:
            own = {**body, "id": f"own-{kind}"}
            await self.ask("update", 201, "PUT", f"{kind}/own-{kind}", json=own)
        if self.said["conditionalDelete"] != "not-supported":
            await self.ask("delete", 204, "DELETE", f"{kind}?_id=own-{kind}")
            await self.ask("read", 410, "GET", f"{kind}/own-{kind}")
        return [*self.wrong, *(f"{kind}: {code}" for code in self.done ^ self.claims)]

    async def conditions(self, place: str, own_id: str, body: dict[str, Any]) -> None:
        """What is said by flags."""
        condition = f"_id={own_id}"
        if self.said["conditionalRead"] == "full-support":
            for header in ({"if-none-match": 'W/"3"'},
                           {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}):  # fmt: skip
                await self.ask("read", 304, "GET", place, headers=header)
        if self.said["conditionalCreate"]:
            headers = {"if-none-exist": condition}
            await self.ask("create", 200, "POST", self.kind, json=body, headers=headers)
        if self.said["conditionalUpdate"]:
            path, headers = f"{self.kind}?{condition}", {"if-match": 'W/"3"'}
            await self.ask("update", 200, "PUT", path, json=body, headers=headers)


async def test_every_claimed_interaction_works_for_every_type(
    told: dict[str, Any], api: Api
) -> None:
    assert await side_by_side(Life(api, said).live for said in resources(told)) == []


async def test_every_claimed_search_parameter_is_answered(told: dict[str, Any], api: Api) -> None:
    def asked(kind: str, name: str, value: str) -> Callable[[], Awaitable[Wrong]]:
        async def ask() -> Wrong:
            # Nobody walks through the whole trail: days are asked for with everything else.
            days = [("date", f"ge{datetime.now(UTC):%Y-%m-%d}")] if kind == "AuditEvent" else []
            asked_for: list[tuple[str, Any]] = [(name, value), ("_count", "1"), *days]
            response = await api.system.get(kind, params=asked_for)
            return [] if response.status_code == 200 else [f"{kind}?{name}: {_said(response)}"]

        return ask

    work = [
        asked(said["type"], parameter["name"], _value(said["type"], parameter))
        for said in resources(told)
        for parameter in said["searchParam"]
    ]
    [everywhere] = told["rest"][0]["searchParam"]
    work += [
        asked(said["type"], everywhere["name"], "_lastUpdated ge 2020 and not (_id eq x)")
        for said in resources(told)
    ]
    work += [
        asked(said["type"], name, value)
        for said in resources(told)
        for name, element in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude"))
        for value in said.get(element, [])[:8]
    ]
    assert await side_by_side(work) == []


def _value(kind: str, parameter: dict[str, str]) -> str:
    if parameter["type"] == "composite":
        parts = PARAMETERS[kind][parameter["name"]].components
        return "$".join(VALUES[part.kind] for part in parts)
    if parameter["type"] == "special":
        return SPECIAL.get(parameter["name"], "x")
    return VALUES[parameter["type"]]


async def test_every_claimed_operation_is_answered(told: dict[str, Any], api: Api) -> None:
    rest = told["rest"][0]
    claims = [("", claim) for claim in rest.get("operation", [])]
    claims += [(r["type"], claim) for r in rest["resource"] for claim in r.get("operation", [])]

    def asked(kind: str, name: str) -> Callable[[], Awaitable[Wrong]]:
        async def ask() -> Wrong:
            levels = [f"${name}"] if not kind else [f"{kind}/${name}"]
            if kind:
                created = await api.system.post(kind, json=minimal(kind))
                levels.append(f"{kind}/{created.json().get('id')}/${name}")
            answers = [await _answered(api, path) for path in levels]
            return [] if any(answers) else [f"{kind} ${name} is at none of {levels}"]

        return ask

    assert await side_by_side(asked(kind, claim["name"]) for kind, claim in claims) == []


async def _answered(api: Api, path: str) -> bool:
    """Whether an operation does something at a path: streams, answers, or says what it lacks."""
    for method, body in (("GET", None), ("POST", {"resourceType": "Parameters"})):
        try:
            async with asyncio.timeout(3):
                response = await api.system.request(method, path, json=body)
        except TimeoutError:
            return True  # It goes on telling.
        missing = response.status_code == 404 and "operation" in response.text
        if not missing and response.status_code not in (405, 501):
            assert response.status_code < 500, _said(response)
            return True
    return False


async def test_what_is_claimed_of_the_whole_system_works(told: dict[str, Any], api: Api) -> None:
    system = {way["code"] for way in told["rest"][0]["interaction"]}
    assert system == {"transaction", "batch", "history-system", "search-system"}
    entry = {"request": {"method": "GET", "url": "Basic?_count=1"}}
    for kind in ("transaction", "batch"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
        response = await api.system.post("", json=bundle)
        assert response.json()["entry"][0]["response"]["status"] == "200 OK"
    for path in ("_history?_count=1", "?_type=Basic&_count=1"):
        assert (await api.system.get(path)).status_code == 200
    for name in told["format"]:
        assert (await api.system.get("metadata", params={"_format": name})).status_code == 200


async def test_every_claimed_format_of_patches_is_taken(told: dict[str, Any], api: Api) -> None:
    created = (await api.system.post("Basic", json=minimal("Basic"))).json()
    for kind in told["patchFormat"]:
        headers = {"if-match": 'W/"1"', "content-type": kind}
        response = await api.system.patch(
            f"Basic/{created['id']}", json=PATCHES[kind], headers=headers
        )
        assert response.status_code == 200, _said(response)


async def test_the_claimed_compartments_are_searched(told: dict[str, Any], api: Api) -> None:
    claimed = {url.rpartition("/")[2].lower() for url in told["rest"][0]["compartment"]}
    assert claimed == {"patient", "encounter", "practitioner", "relatedperson", "device"}
    for kind in ("Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"):
        response = await api.system.get(f"{kind}/any/Observation")
        assert response.status_code == 200, _said(response)
    assert (await api.system.get("Patient/any/*")).status_code == 200


async def test_what_is_said_of_views_is_true(told: dict[str, Any], api: Api) -> None:
    said = re.search(r"is searched by (.*), with versions", told["rest"][0]["documentation"])
    assert said is not None
    names = re.split(r",? and |, ", said[1])
    assert len(names) > 8
    values = {"date": "2020", "status": "active", "resource": "Patient"}
    for name in names:
        response = await api.system.get("ViewDefinition", params={name: values.get(name, "x")})
        assert response.status_code == 200, _said(response)
    assert (await api.system.get("ViewDefinition?topic=x")).status_code == 400
    assert (await api.system.patch("ViewDefinition/x", json=[])).status_code == 405


async def test_the_statement_can_be_kept(api: Api) -> None:
    first = await api.clients[""].get("metadata")
    headers = {"if-none-match": first.headers["etag"]}
    again = await api.clients[""].get("metadata", headers=headers)
    assert (again.status_code, again.content) == (304, b"")


def _said(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text[:300]}"
