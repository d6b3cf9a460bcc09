"""A ViewDefinition is stored, found, read back as sent and run by reference, though R4 lacks it."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from .conftest import Api

URL = "https://example.org/views/pulses"
VIEW: dict[str, Any] = {
    "resourceType": "ViewDefinition", "url": URL, "name": "pulses", "title": "Pulses",
    "status": "active", "version": "1", "resource": "Basic",
    "meta": {"profile": ["https://example.org/sharable"], "tag": [{"code": "kept"}]},
    "constant": [{"name": "least", "valueDecimal": 1.50}],
    "select": [{"column": [{"name": "id", "path": "getResourceKey()"}]}],
}  # fmt: skip
RUN = "ViewDefinition/$viewdefinition-run"
ALONE = {
    "name": "resource",
    "resource": {"resourceType": "Basic", "id": "b", "code": {"text": "x"}},
}


async def stored(api: Api, **more: Any) -> tuple[str, httpx.Response]:
    """The id of a view that was sent just now, and the answer."""
    content = json.dumps({**VIEW, **more}).replace("1.5}", "1.50}")
    answer = await api.system.post("ViewDefinition", content=content)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer


async def run(api: Api, reference: Any, path: str = RUN) -> httpx.Response:
    """What a run on one resource answers; `reference` None: the path names the view."""
    named = [] if reference is None else [{"name": "viewReference", **reference}]
    body = {"resourceType": "Parameters", "parameter": [*named, ALONE]}
    return await api.system.post(path, json=body)


async def test_a_view_comes_back_as_it_was_sent_with_versions_of_its_own(api: Api) -> None:
    view, answer = await stored(api)
    place = f"ViewDefinition/{view}"
    assert answer.headers["location"].endswith(f"/fhir/{place}/_history/1")
    read = await api.system.get(place)
    assert (read.status_code, read.headers["etag"]) == (200, 'W/"1"')
    assert ":1.50}" in read.text
    found = read.json()
    assert found.pop("id") == view
    assert found["meta"].pop("versionId") == "1"
    assert found["meta"].pop("lastUpdated")
    assert found == VIEW
    assert (await api.system.get(place, headers={"if-none-match": 'W/"1"'})).status_code == 304
    library = (await api.system.get(f"Library/{view}")).json()
    assert json.loads(base64.b64decode(library["content"][0]["data"]))["name"] == "pulses"
    changed = {**VIEW, "id": view, "title": "Changed"}
    assert (await api.system.put(place, json=changed)).status_code == 400
    answer = await api.system.put(place, json=changed, headers={"if-match": 'W/"1"'})
    assert (answer.status_code, answer.json()["title"]) == (200, "Changed"), answer.text
    assert (await api.system.get(f"{place}/_history/1")).json()["title"] == "Pulses"
    history = (await api.system.get(f"{place}/_history")).json()
    assert [entry["resource"]["title"] for entry in history["entry"]] == ["Changed", "Pulses"]
    assert history["entry"][0]["request"]["url"] == place
    assert "Library" not in json.dumps(history)
    assert (await api.system.delete(place)).status_code == 204
    assert (await api.system.get(place)).status_code == 410
    assert (await run(api, {"valueString": place})).status_code == 410
    assert (await api.system.get(f"{place}/_history")).status_code == 200


async def test_views_are_found_by_what_they_are_called_and_about(api: Api) -> None:
    about, _ = await stored(api, url=f"{URL}/found", resource="Slot", name="slots")
    for query in (f"url={URL}/found", "resource=Slot", "name=slot", f"_id={about}&status=active"):
        for answer in (
            await api.system.get(f"ViewDefinition?{query}"),
            await api.system.post(
                "ViewDefinition/_search", content=query,
                headers={"content-type": "application/x-www-form-urlencoded"},
            ),
        ):  # fmt: skip
            (entry,) = answer.json()["entry"]
            assert entry["resource"]["resource"] == "Slot", query
            assert entry["fullUrl"].endswith(f"/fhir/ViewDefinition/{about}")
            assert "Library" not in answer.text
            assert "topic" not in answer.text
    assert (await api.system.get("ViewDefinition?code=x")).status_code == 400
    again = await api.system.post(
        "ViewDefinition", json=VIEW, headers={"if-none-exist": f"url={URL}/found"}
    )
    assert (again.status_code, again.json()["id"]) == (200, about)


async def test_a_view_is_run_by_any_reference_to_it(api: Api) -> None:
    view, _ = await stored(api, url=f"{URL}/run")
    place = f"ViewDefinition/{view}"
    for reference in (
        {"valueReference": {"reference": place}},
        {"valueReference": {"reference": f"http://record.example/fhir/{place}"}},
        {"valueCanonical": f"{URL}/run"},
        {"valueCanonical": f"{URL}/run|1"},
    ):
        answer = await run(api, reference)
        assert (answer.status_code, answer.json()) == (200, [{"id": "Basic/b"}]), answer.text
    answer = await run(api, None, f"{place}/$viewdefinition-run")
    assert answer.json() == [{"id": "Basic/b"}]
    for reference, status in (
        ({"valueCanonical": f"{URL}/run|2"}, 404),
        ({"valueString": "ViewDefinition/nowhere"}, 404),
        ({"valueString": "Patient/x"}, 400),
    ):
        assert (await run(api, reference)).status_code == status
    await stored(api, url=f"{URL}/run", version="2")
    several = await run(api, {"valueCanonical": f"{URL}/run"})
    assert (several.status_code, several.json()["issue"][0]["code"]) == (400, "multiple-matches")
    nurse = await api.clients["nurse"].get(place)
    assert nurse.status_code == 200


async def test_what_could_not_be_run_is_not_kept(api: Api) -> None:
    counts = await api.counts()
    for broken, place in (
        ({"select": [{"column": [{"name": "id", "path": "1 +"}]}]}, "ViewDefinition.select"),
        ({"resource": "Nothing"}, "ViewDefinition.resource"),
        ({"status": "wrong"}, "ViewDefinition.status"),
    ):
        answer = await api.system.post("ViewDefinition", json={**VIEW, **broken})
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["issue"][0]["expression"][0].startswith(place), answer.text
    other = await api.system.post("ViewDefinition", json={"resourceType": "Library"})
    assert other.status_code == 400
    refused = await api.clients["nurse"].post("ViewDefinition", json=VIEW)
    assert refused.status_code == 403
    assert await api.counts() == counts
    own = {"resourceType": "Library", "id": "book", "status": "active",
           "type": {"text": "a book"}}  # fmt: skip
    assert (await api.system.put("Library/book", json=own)).status_code == 201
    assert (await api.system.get("ViewDefinition/book")).status_code == 404
    assert (await api.system.delete("ViewDefinition/book")).status_code == 404
    for taken in ("book", "patients"):
        answer = await api.system.put(f"ViewDefinition/{taken}", json={**VIEW, "id": taken})
        assert answer.status_code == 409, answer.text
    assert (await api.system.get("ViewDefinition/patients")).json()["resource"] == "Patient"
    for path in ("ViewDefinition/x/y", "ViewDefinition/x/_history/1/2", "ViewDefinition/æ"):
        assert (await api.system.get(path)).status_code == 404


async def test_a_view_has_no_xml_and_is_not_asked_for_in_bundles(api: Api) -> None:
    view, _ = await stored(api, url=f"{URL}/xml")
    for path in (f"ViewDefinition/{view}", "ViewDefinition", "ViewDefinition/patients"):
        answer = await api.system.get(path, headers={"accept": "application/fhir+xml"})
        assert (answer.status_code, answer.text[:5]) == (406, "<?xml")
    entry = {"request": {"method": "GET", "url": f"ViewDefinition/{view}"}}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    for form in ("json", "xml"):
        answer = await api.system.post(f"?_format={form}", json=batch)
        assert (answer.status_code, "400 Bad Request" in answer.text) == (200, True), answer.text
