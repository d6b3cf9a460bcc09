"""A note as a document: with whom and what it names, as far as one may see, kept when asked."""

from __future__ import annotations

from typing import Any

from .conftest import Api


async def made(api: Api, **resource: Any) -> str:
    """Store a resource; its reference."""
    answer = await api.system.post(resource["resourceType"], json=resource)
    assert answer.status_code == 201, answer.text
    return f"{resource['resourceType']}/{answer.json()['id']}"


async def test_a_document_has_what_the_note_names_and_what_that_names(api: Api) -> None:
    patient = await made(api, resourceType="Patient", name=[{"family": "Dokumentert"}])
    author = await made(api, resourceType="Practitioner", name=[{"family": "Forfatter"}])
    stay = await made(
        api, resourceType="Encounter", status="in-progress",
        subject={"reference": patient}, serviceProvider={"reference": "Organization/ward"},
        **{"class": {"code": "IMP"}},
    )  # fmt: skip
    pulse = await made(
        api, resourceType="Observation", status="final", code={"text": "puls"},
        subject={"reference": patient}, performer=[{"reference": author}],
    )  # fmt: skip
    note = await made(
        api, resourceType="Composition", status="final", type={"text": "notat"},
        subject={"reference": patient}, encounter={"reference": stay}, date="2026-01-02",
        author=[{"reference": "Practitioner/none"}], title="Notat",
        section=[{"entry": [{"reference": pulse}]}],
    )  # fmt: skip
    answer = await api.clients["nurse"].get(f"{note}/$document")
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["type"] == "document"
    urls = [entry["fullUrl"] for entry in document["entry"]]
    assert urls[0] == f"http://record.example/fhir/{note}"
    assert {url.removeprefix("http://record.example/fhir/") for url in urls} == {
        note, patient, stay, pulse, author,
    }  # fmt: skip
    assert (await api.clients["inhabitant"].get(f"{note}/$document")).status_code == 403
    assert (await api.system.get(f"{note}/$document?persist=true")).status_code == 400
    kept = await api.system.post(f"{note}/$document?persist=true")
    assert kept.status_code == 201, kept.text
    read = await api.system.get(f"Bundle/{kept.json()['id']}")
    assert read.json() == kept.json()
    assert (await api.system.get("Composition/none/$document")).status_code == 404
