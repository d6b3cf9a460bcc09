"""Whatever is sent, the answer is a clear refusal, the record stays as it was, the server lives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.fhir.definitions import RESOURCE_TYPES

from .conftest import Api

MEGABYTE = 1024 * 1024
PATIENT = {"resourceType": "Patient", "name": [{"family": "Prøve"}]}
SLOW = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
names = st.sampled_from(
    ["resourceType", "id", "meta", "text", "name", "status", "code", "subject", "entry", "type",
     "request", "resource", "fullUrl", "method", "url", "ifNoneExist", "ifMatch", "contained",
     "extension", "valueQuantity", "reference", "identifier", "_birthDate", "birthDate"]
)  # fmt: skip
likely = st.recursive(
    anything
    | st.sampled_from(["Patient", "Observation", "Bundle", "transaction", "batch", "POST", "PUT",
                       "DELETE", "GET", "Patient/1", "urn:uuid:1", "Patient?identifier=1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)  # fmt: skip
paths = st.lists(
    st.sampled_from(
        [*sorted(RESOURCE_TYPES)[:20], "Patient", "Observation", "_history", "_search", "metadata",
         "*", "1", "a-b", "$everything", "..", "%00", "%C3%28", "%ED%A0%80", "a" * 70, "%2F", ""]
    ),
    max_size=5,
).map("/".join)  # fmt: skip
queries = st.lists(
    st.tuples(
        st.sampled_from(
            ["_count", "_sort", "_cursor", "_since", "_at", "_elements", "_summary", "_format",
             "_total", "_include", "_revinclude", "_id", "_lastUpdated", "name", "date",
             "value-quantity", "subject", "identifier", "code", "birthdate", "_type",
             "name:missing", "gender:not", "family:contains", "_has:Observation:subject:code", "x"]
        ),
        st.text(max_size=12) | st.sampled_from(["gt2020", "1|2", "|", ",", "$", "\\", "-1",
                                                "9" * 30, "5.40e1", "Patient/1", "*",
                                                "Observation:subject"]),
    ),
    max_size=4,
)  # fmt: skip


async def test_a_body_of_50_megabytes_is_413(api: Api, nothing_stored: Any) -> None:
    huge = b'{"resourceType":"Patient","text":{"div":"' + b"a" * (50 * MEGABYTE) + b'"}}'
    for path in ("Patient", "", "Patient/a?x=1", "Patient/a"):
        response = await api.system.request("PUT" if "/" in path else "POST", path, content=huge)
        assert response.status_code in (400, 413), response.text[:200]
        assert response.json()["resourceType"] == "OperationOutcome"
    response = await api.system.post("Patient", content=huge)
    assert (response.status_code, response.json()["issue"][0]["code"]) == (413, "too-long")
    assert (await api.system.get("metadata")).status_code == 200


async def test_a_body_without_a_length_is_cut_off_too(api: Api, nothing_stored: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * MEGABYTE

    response = await api.system.post("", content=pieces())
    assert response.status_code == 413


async def test_a_search_form_has_its_own_limit(api: Api, nothing_stored: Any) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    form = b"name=" + b"a" * MEGABYTE
    response = await api.system.post("Patient/_search", content=form, headers=headers)
    assert response.status_code == 413


async def test_a_bundle_of_too_many_entries_is_refused(api: Api, nothing_stored: Any) -> None:
    for kind in ("transaction", "batch"):
        entry = {"request": {"method": "GET", "url": "Patient/a"}}
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry] * 20_001}
        response = await api.system.post("", json=bundle)
        assert response.status_code == 400
        assert response.json()["issue"][0]["code"] == "too-long"


async def test_too_large_headers_are_431(api: Api, nothing_stored: Any) -> None:
    response = await api.system.get("Patient/a", headers={"x-filler": "a" * 40_000})
    assert response.status_code == 431


async def test_what_nobody_foresaw_is_told_by_a_number(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: Any) -> None:
        raise RuntimeError("secret of the patient")

    monkeypatch.setattr(api.services.gate, "open_resource", fails)
    response = await api.system.get("Patient/a")
    assert response.status_code == 500
    told = response.json()["issue"][0]["diagnostics"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    incident = told.split("incident ")[1].rstrip(".")
    assert incident in caplog.text


@SLOW
@given(body=st.binary(max_size=300), path=st.sampled_from(["Patient", "", "Observation/a"]))
async def test_any_bytes_are_refused(body: bytes, path: str, api: Api) -> None:
    before = await api.counts()
    response = await api.system.request("PUT" if "/" in path else "POST", path, content=body)
    assert 400 <= response.status_code < 500
    assert await api.counts() == before


@SLOW
@given(body=likely | st.dictionaries(names, likely), path=st.sampled_from(["Patient", ""]))
async def test_any_json_is_stored_whole_or_refused(body: Any, path: str, api: Api) -> None:
    text = json.dumps(body)
    for kind in ({"resourceType": "Patient"}, {"resourceType": "Bundle", "type": "transaction"}):
        content = json.dumps(kind | body) if isinstance(body, dict) else text
        before = await api.counts()
        response = await api.system.post(path, content=content)
        assert response.status_code < 500, (content, response.text)
        if response.status_code >= 400:
            assert await api.counts() == before


@SLOW
@given(
    entries=st.lists(
        st.fixed_dictionaries(
            {"request": st.dictionaries(names, likely, max_size=4)
             | st.fixed_dictionaries({"method": st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
                                      "url": paths | st.sampled_from(["Patient", "Patient/a"])})},
            optional={"resource": likely | st.just(PATIENT), "fullUrl": likely},
        ),
        max_size=4,
    ),
    kind=st.sampled_from(["transaction", "batch"]),
)  # fmt: skip
async def test_any_bundle_is_answered(entries: Any, kind: str, api: Api) -> None:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    response = await api.system.post("", content=json.dumps(bundle))
    assert response.status_code < 500, (bundle, response.text)
    for entry in response.json().get("entry", []):
        assert not entry["response"]["status"].startswith("5"), (bundle, entry)


steps = st.lists(
    st.sampled_from(["", "name", "0", "-", "family", "birthDate", "id", "meta", "~1", "x"]),
    max_size=4,
).map("/".join)
changes = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
        optional={"path": steps, "from": steps, "value": likely},
    ),
    max_size=5,
)  # fmt: skip
fhirpaths = st.lists(
    st.sampled_from(
        ["Patient", "name", "birthDate", "given", "extension('x')", "where(use = 'official')",
         "first()", "[0]", "ofType(string)", "where($this.given.count() > 1 / 0)", "value",
         "where(family)", "%resource", "`name`", "repeat(name)", "(", ")", "1", "as(HumanName)"]
    ),
    max_size=5,
).map(".".join)  # fmt: skip
parts = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["type", "path", "name", "value", "index", "source", "x"])},
        optional={
            "valueCode": st.sampled_from(["add", "insert", "delete", "replace", "move"]),
            "valueString": fhirpaths | st.text(max_size=8),
            "valueInteger": st.integers(-1, 2),
            "valueHumanName": st.just({"family": "x"}),
        },
    ),
    max_size=6,
)


@settings(SLOW, max_examples=60)
@given(changed=changes, parts=st.lists(parts, max_size=2), path=fhirpaths)
async def test_any_patch_is_carried_out_whole_or_refused(
    changed: Any, parts: Any, path: str, api: Api
) -> None:
    created = await api.system.post("Patient", json=PATIENT)
    place = f"Patient/{created.json()['id']}"
    headers = {"if-match": 'W/"1"', "content-type": "application/json-patch+json"}
    asked = {"name": "operation", "part": [{"name": "type", "valueCode": "delete"},
                                           {"name": "path", "valueString": path}]}  # fmt: skip
    loose = [{"name": "operation", "part": each} for each in parts]
    for kind, body in (
        ("application/json-patch+json", changed),
        ("application/fhir+json", {"resourceType": "Parameters", "parameter": [asked]}),
        ("application/fhir+json", {"resourceType": "Parameters", "parameter": loose}),
    ):
        before = await api.counts()
        headers["content-type"] = kind
        response = await api.system.patch(place, content=json.dumps(body), headers=headers)
        assert response.status_code < 500, (body, response.text)
        if response.status_code >= 400:
            assert await api.counts() == before


@SLOW
@given(
    method=st.sampled_from(["GET", "HEAD", "PATCH", "OPTIONS", "DELETE"]),
    path=paths,
    query=queries,
    lenient=st.booleans(),
)
async def test_any_url_is_answered(
    method: str, path: str, query: Any, lenient: bool, api: Api
) -> None:
    headers = {"prefer": "handling=lenient"} if lenient else {}
    try:
        request = api.system.build_request(method, path, params=query, headers=headers)
    except httpx.InvalidURL:
        return
    response = await api.system.send(request)
    assert response.status_code < 500, (method, path, query, response.text)


@settings(SLOW, max_examples=400)
@given(
    path=st.sampled_from(
        ["Patient", "Observation", "Patient/a/Observation", "Patient/a/*", "_history",
         "Patient/_history", "Encounter", "MedicationRequest", ""]
    ),
    query=queries,
    lenient=st.booleans(),
)  # fmt: skip
async def test_any_search_is_answered(path: str, query: Any, lenient: bool, api: Api) -> None:
    headers = {"prefer": "handling=lenient"} if lenient else {}
    response = await api.system.get(path, params=query, headers=headers)
    assert response.status_code < 500, (path, query, response.text)
