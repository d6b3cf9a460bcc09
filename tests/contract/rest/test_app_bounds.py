"""What apps may touch through the API: within their scopes and the policy both, in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.access.actor import SYSTEM, Actor
from helsevev.fhir_api import app_scopes
from helsevev.fhir_api.operations.registry import OPERATIONS
from helsevev.fhir_api.routing import ROUTES

from .conftest import INHABITANT, NURSE, Api

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
Resource = dict[str, Any]


def observation(name: str, patient: str, category: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": name},
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "performer": [{"reference": "Practitioner/app-doctor"}],
        "effectiveDateTime": "2026-01-02T10:00:00Z",
    }


def of_patient(patient: str) -> list[Resource]:
    about = {"reference": f"Patient/{patient}"}
    return [
        {"resourceType": "Patient", "id": patient, "name": [{"family": f"Af{patient}"}]},
        {
            "resourceType": "Encounter", "id": f"{patient}-stay", "status": "in-progress",
            "class": {"code": "IMP"}, "subject": about, "period": {"start": "2026-01-01"},
            "serviceProvider": {"reference": "Organization/ward"},
        },
        observation(f"{patient}-lab", patient, "laboratory"),
        observation(f"{patient}-vital", patient, "vital-signs"),
        {
            "resourceType": "Condition", "id": f"{patient}-ill", "subject": about,
            "code": {"text": "Secret illness"},
        },
    ]  # fmt: skip


LAUNCHED, OTHER, CLOSED = "app-launched", "app-other", "app-closed"
DOCTOR = {"resourceType": "Practitioner", "id": "app-doctor", "name": [{"family": "Lege"}]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(api: Api) -> AsyncIterator[Api]:
    """Two inhabitants on the nurse's ward, and one whom she does not treat."""
    resources = [DOCTOR, *of_patient(LAUNCHED), *of_patient(OTHER), *of_patient(CLOSED)]
    for resource in resources:
        if resource["id"] == f"{CLOSED}-stay":
            continue
        path = f"{resource['resourceType']}/{resource['id']}"
        answer = await api.system.put(path, json=resource)
        assert answer.status_code in (200, 201), answer.text
    yield api


class App:
    """An app with a token for these scopes."""

    def __init__(self, api: Api, token: str) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(api.application), base_url="http://record.example/fhir/",
            headers={
                "authorization": f"Bearer {token}", "content-type": "application/fhir+json"
            },
        )  # fmt: skip

    async def ids(self, path: str) -> set[str]:
        """The ids of what an answer holds, as `Type/id`."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", [])
        found = [e["resource"] for e in entries if "resource" in e]
        return {f"{r['resourceType']}/{r['id']}" for r in found}

    async def status(self, method: str, path: str, **more: Any) -> int:
        """The status of an answer."""
        return (await self.client.request(method, path, **more)).status_code


async def app(api: Api, *scopes: str, actor: Actor = NURSE, patient: str | None = LAUNCHED) -> App:
    """An app of the actor's with these scopes, opened for an inhabitant."""
    launched = f"Patient/{patient}" if patient else None
    acting = replace(actor, client="test-app", scopes=scopes, launch_patient=launched)
    return App(api, await api.services.credentials.issue_token(acting))


async def test_an_app_opened_for_a_patient_sees_that_patient_alone(filled: Api) -> None:
    mine = await app(filled, "patient/*.rs")
    assert await mine.status("GET", f"Patient/{LAUNCHED}") == 200
    assert await mine.status("GET", "Practitioner/app-doctor") == 200
    for path in (
        f"Patient/{OTHER}", f"Observation/{OTHER}-lab", f"Observation/{OTHER}-lab/_history",
        f"Observation/{OTHER}-lab/_history/1", f"Observation?patient={OTHER}",
        f"Patient/{OTHER}/Observation", f"Patient/{OTHER}/*", f"Patient/{OTHER}/$everything",
        f"Observation/$lastn?patient={OTHER}&category=laboratory",
    ):  # fmt: skip
        assert await mine.status("GET", path) == 403, path
    assert await mine.ids("Patient?_count=100") == {f"Patient/{LAUNCHED}"}
    own = {f"Observation/{LAUNCHED}-lab", f"Observation/{LAUNCHED}-vital"}
    assert await mine.ids("Observation?_count=100") == own
    assert await mine.ids(f"Observation?subject:Patient.family=Af{OTHER}") == set()
    seen = await mine.ids("_history?_count=500")
    assert seen
    assert not any(OTHER in each or CLOSED in each for each in seen)
    counted = (await mine.client.get("Observation?_summary=count")).json()
    assert counted["total"] == len(own)


async def test_scopes_open_nothing_that_the_policy_closes(filled: Api) -> None:
    for scopes in (("user/*.cruds",), ("patient/*.cruds", "user/*.rs")):
        mine = await app(filled, *scopes, patient=CLOSED)
        for path in (f"Patient/{CLOSED}", f"Observation/{CLOSED}-lab"):
            assert await mine.status("GET", path) == 403, path
        for path in ("Patient?_count=100", "Observation?_count=100", "_history?_count=500"):
            assert not any(CLOSED in each for each in await mine.ids(path)), path
    body = observation(f"{CLOSED}-new", CLOSED, "laboratory")
    mine = await app(filled, "patient/*.cruds", patient=CLOSED)
    assert await mine.status("POST", "Observation", json=body) == 403
    own = await app(filled, "patient/*.cruds", actor=INHABITANT, patient=LAUNCHED)
    assert await own.status("GET", f"Patient/{LAUNCHED}") == 403, "another inhabitant's"


async def test_a_narrow_scope_shows_what_fits_and_hides_the_rest(filled: Api) -> None:
    narrow = f"user/Observation.rs?category={CATEGORY}|laboratory"
    mine = await app(filled, narrow, "user/Patient.rs", patient=None)
    labs = {f"Observation/{name}-lab" for name in (LAUNCHED, OTHER)}
    assert await mine.ids("Observation?_count=100") == labs
    assert await mine.ids("Observation?category=vital-signs") == set()
    counted = (await mine.client.get("Observation?_summary=count")).json()
    assert counted["total"] == len(labs)
    assert await mine.status("GET", f"Observation/{LAUNCHED}-lab") == 200
    assert await mine.status("GET", f"Observation/{LAUNCHED}-vital") == 403
    assert await mine.status("GET", f"Observation/{LAUNCHED}-vital/_history/1") == 403
    everything = await mine.ids(f"Patient/{LAUNCHED}/$everything")
    assert everything == {f"Patient/{LAUNCHED}", f"Observation/{LAUNCHED}-lab"}
    compartment = await mine.ids(f"Patient/{LAUNCHED}/*")
    assert compartment == everything
    history = await mine.ids("Observation/_history?_count=500")
    assert history == labs


async def test_what_is_included_is_within_the_scopes_too(filled: Api) -> None:
    mine = await app(filled, "patient/Observation.rs")
    own = {f"Observation/{LAUNCHED}-lab", f"Observation/{LAUNCHED}-vital"}
    including = "Observation?_include=Observation:*&_include:iterate=Encounter:*&_count=50"
    assert await mine.ids(including) == own
    both = await app(filled, "patient/Observation.rs", "patient/Practitioner.rs")
    assert await both.ids(including) == own | {"Practitioner/app-doctor"}
    of_patient = await app(filled, "patient/Patient.rs")
    found = await of_patient.ids("Patient?_revinclude=Observation:subject&_revinclude=*")
    assert found == {f"Patient/{LAUNCHED}"}


@pytest.mark.parametrize(
    "query",
    [
        "Observation?subject:Patient.family=Afapp",
        "Observation?subject:Patient._has:Condition:subject:code:text=Secret",
        "Observation?encounter.status=finished",
        "Observation?_list=x",
    ],
)
async def test_no_chain_asks_about_what_may_not_be_searched(filled: Api, query: str) -> None:
    mine = await app(filled, "user/Observation.rs", patient=None)
    assert await mine.status("GET", query) == 403
    narrow = await app(filled, "user/Observation.rs", "user/Patient.rs?gender=female", patient=None)
    assert await narrow.status("GET", query) == 403


async def test_reading_is_not_searching_and_neither_is_writing(filled: Api) -> None:
    reader = await app(filled, "user/Observation.r", patient=None)
    assert await reader.status("GET", f"Observation/{LAUNCHED}-lab") == 200
    assert await reader.status("GET", "Observation") == 403
    searcher = await app(filled, "user/Observation.s", patient=None)
    assert await searcher.status("GET", f"Observation/{LAUNCHED}-lab") == 403
    assert await searcher.ids("Observation?_count=50")
    for method, path in (
        ("POST", "Observation"), ("PUT", f"Observation/{LAUNCHED}-lab"),
        ("DELETE", f"Observation/{LAUNCHED}-lab"), ("PATCH", f"Observation/{LAUNCHED}-lab"),
    ):  # fmt: skip
        body = observation(f"{LAUNCHED}-lab", LAUNCHED, "laboratory")
        assert await reader.status(method, path, json=body) == 403, method
    refused = await reader.client.get("Observation")
    assert "insufficient_scope" in refused.headers["www-authenticate"]


async def test_writes_stay_within_the_scopes_before_and_after(filled: Api) -> None:
    narrow = f"user/Observation.cud?category={CATEGORY}|vital-signs"
    mine = await app(filled, narrow, patient=None)
    vital = observation("ignored", LAUNCHED, "vital-signs")
    created = await mine.client.post("Observation", json=vital)
    assert created.status_code == 201
    assert not created.content, "what may not be read is not told back"
    name = created.headers["location"].split("/")[-3]
    assert await mine.status("POST", "Observation", json=vital | {"category": []}) in (400, 403)
    path, version = f"Observation/{name}", {"if-match": 'W/"1"'}
    lab = observation(name, LAUNCHED, "laboratory")
    assert await mine.status("PUT", path, json=lab, headers=version) == 403
    turned = [{"op": "replace", "path": "/category/0/coding/0/code", "value": "laboratory"}]
    patched = {**version, "content-type": "application/json-patch+json"}
    assert await mine.status("PATCH", path, json=turned, headers=patched) == 403
    there = f"Observation/{LAUNCHED}-lab"
    assert await mine.status("DELETE", there) == 403
    assert await mine.status("PUT", there, json=vital | {"id": f"{LAUNCHED}-lab"},
                             headers=version) == 403  # fmt: skip
    assert await mine.status("DELETE", path) == 204


async def test_a_bundle_is_within_the_scopes_entry_by_entry(filled: Api) -> None:
    mine = await app(filled, "patient/Observation.crs")
    new = observation("x", LAUNCHED, "laboratory")
    entries = [
        {"request": {"method": "GET", "url": f"Observation/{LAUNCHED}-lab"}},
        {"request": {"method": "GET", "url": f"Condition/{LAUNCHED}-ill"}},
        {"request": {"method": "GET", "url": f"Observation/{OTHER}-lab"}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": new},
    ]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = (await mine.client.post("", json=batch)).json()
    states = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert states == ["200", "403", "403", "201"]
    condition = {"resourceType": "Condition", "subject": {"reference": f"Patient/{LAUNCHED}"}}
    for url, body in (("Condition", condition), ("Observation", observation("y", OTHER, "x"))):
        wrong = {"request": {"method": "POST", "url": url}, "resource": body}
        both = {"resourceType": "Bundle", "type": "transaction", "entry": [entries[3], wrong]}
        assert await mine.status("POST", "", json=both) == 403
    looking = {
        "request": {"method": "POST", "url": "Observation",
                    "ifNoneExist": "subject:Patient.family=Af"},
        "resource": new,
    }  # fmt: skip
    asking = {"resourceType": "Bundle", "type": "transaction", "entry": [looking]}
    assert await mine.status("POST", "", json=asking) == 403


async def test_only_system_scopes_export_and_only_what_they_name(filled: Api) -> None:
    nobody = await app(filled, "user/*.cruds", patient=None)
    kick = {"prefer": "respond-async"}
    assert await nobody.status("GET", "$export", headers=kick) == 403
    system = await app(filled, "system/Observation.rs", actor=SYSTEM, patient=None)
    assert await system.status("GET", "$export?_type=Patient", headers=kick) == 403
    assert await system.ids("Observation?_count=1")
    assert await system.status("GET", f"Patient/{LAUNCHED}") == 403


async def test_an_app_listens_only_when_it_may_go_on_by_itself(filled: Api) -> None:
    passing = await app(filled, "user/Subscription.cruds", "user/*.rs", patient=None)
    lasting = await app(
        filled, "user/Subscription.cruds", "user/*.rs", "offline_access", patient=None
    )
    body = {"resourceType": "Subscription", "status": "requested", "reason": "x",
            "criteria": "x", "channel": {"type": "message"}}  # fmt: skip
    assert await passing.status("POST", "Subscription", json=body) != 201
    other = await app(filled, "user/Observation.rs", patient=None)
    assert await other.status("POST", "Subscription", json=body) == 403
    assert await lasting.status("GET", "Subscription") == 200


def test_every_interaction_and_operation_says_which_scopes_it_needs() -> None:
    codes = {i.code for methods in ROUTES.values() for i in methods.values()}
    assert codes - {"operation", "smart-configuration"} <= app_scopes.INTERACTIONS.keys()
    named = app_scopes.OPERATIONS.keys() | app_scopes.WHOLE.keys()
    assert {operation.name for operation in OPERATIONS} <= named


LETTERS = st.sampled_from(["r", "s", "rs", "cruds", "c", "d"])
TYPES = st.sampled_from(["*", "Observation", "Condition", "Patient", "Encounter"])
SCOPES = st.lists(
    st.builds(lambda level, kind, letters: f"{level}/{kind}.{letters}",
              st.sampled_from(["patient", "user"]), TYPES, LETTERS)
    | st.just("user/Observation.rs?category=laboratory"),
    min_size=1, max_size=3,
)  # fmt: skip
PATHS = st.sampled_from([
    "Patient?_count=100", "Observation?_count=100&_include=*&_revinclude=*", "_history?_count=500",
    "Condition?subject:Patient.family=Af", "Patient?_has:Condition:subject:code:text=Secret",
    f"Patient/{LAUNCHED}/$everything", f"Patient/{LAUNCHED}/*", f"Observation/{LAUNCHED}-lab",
    f"Condition/{LAUNCHED}-ill", f"Observation/{OTHER}-vital", f"Patient/{CLOSED}",
    f"Patient/{OTHER}/Observation", "Observation/_history?_count=500",
    f"Observation/$lastn?patient={LAUNCHED}&category=laboratory",
    "Patient?_revinclude=Condition:subject&_count=100",
])  # fmt: skip


def allowed(scopes: list[str], kind: str, text: str) -> bool:
    """Told anew, without the code that is tested: whether some scope shows such a resource."""
    for scope in scopes:
        level, _, rest = scope.partition("/")
        named, _, letters = rest.partition(".")
        letters, _, query = letters.partition("?")
        if named not in ("*", kind) or not set(letters) & set("rs"):
            continue
        if level == "patient" and kind != "Practitioner" and LAUNCHED not in text:
            continue
        if query and "laboratory" not in text:
            continue
        return True
    return False


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(scopes=SCOPES, path=PATHS)
async def test_whatever_is_asked_nothing_outside_the_scopes_comes_back(
    filled: Api, scopes: list[str], path: str
) -> None:
    answer = await (await app(filled, *scopes)).client.get(path)
    assert answer.status_code in (200, 403, 404), answer.text
    if answer.status_code != 200:
        assert "Secret" not in answer.text
        return
    body = answer.json()
    resources = [e["resource"] for e in body.get("entry", ()) if "resource" in e]
    resources = resources if body["resourceType"] == "Bundle" else [body]
    for resource in resources:
        text = str(resource)
        assert CLOSED not in text, "the policy closes it"
        assert allowed(scopes, resource["resourceType"], text), (scopes, path, resource["id"])
