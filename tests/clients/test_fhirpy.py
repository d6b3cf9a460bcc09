"""fhirpy, an asynchronous FHIR client for Python, works unchanged."""

from __future__ import annotations

import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from .conftest import Server


@pytest.fixture
def client(server: Server) -> AsyncFHIRClient:
    return AsyncFHIRClient(server.base, authorization=f"Bearer {server.token}")


async def test_a_resource_lives_from_creation_to_deletion(client: AsyncFHIRClient) -> None:
    patient = client.resource("Patient", name=[{"family": "Fhirpy"}], gender="female")
    await patient.save()
    assert patient.id
    read = await client.get("Patient", patient.id)
    assert read["name"] == [{"family": "Fhirpy"}]

    patient["birthDate"] = "1990-05-06"
    await patient.update()
    assert patient["meta"]["versionId"] == "2"
    await patient.refresh()
    assert patient["birthDate"] == "1990-05-06"

    await patient.delete()  # type: ignore[no-untyped-call]
    with pytest.raises(ResourceNotFound):
        await client.get("Patient", patient.id)


async def test_who_updates_what_another_changed_is_told(client: AsyncFHIRClient) -> None:
    mine = client.resource("Patient", name=[{"family": "Fhirpy"}])
    await mine.save()
    theirs = client.resource("Patient", **await client.get("Patient", mine.id))
    theirs["gender"] = "male"
    await theirs.save()
    mine["gender"] = "female"
    with pytest.raises(MultipleResourcesFound):  # What this client makes of 412.
        await mine.save()


async def test_a_patch_follows_the_version_that_was_seen(server: Server) -> None:
    client = AsyncFHIRClient(
        server.base, authorization=f"Bearer {server.token}", extra_headers={"If-Match": 'W/"1"'}
    )
    plain = AsyncFHIRClient(server.base, authorization=f"Bearer {server.token}")
    patient = plain.resource("Patient", name=[{"family": "Fhirpy"}])
    await patient.save()
    change = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "add"},
                    {"name": "path", "valueString": "Patient"},
                    {"name": "name", "valueString": "active"},
                    {"name": "value", "valueBoolean": True},
                ],
            }
        ],
    }
    patched = await client.execute(f"Patient/{patient.id}", "patch", data=change)
    assert patched["active"] is True
    with pytest.raises(OperationOutcome, match="If-Match"):
        await plain.execute(f"Patient/{patient.id}", "patch", data=change)


async def test_a_search_is_followed_to_its_last_page(client: AsyncFHIRClient) -> None:
    for number in range(5):
        await client.resource("Basic", code={"text": "Fhirpy"}, identifier=[
            {"system": "urn:fhirpy:pages", "value": str(number)}]).save()  # fmt: skip
    found = client.resources("Basic").search(identifier="urn:fhirpy:pages|").limit(2)
    pages = [resource async for resource in found]
    assert sorted(r["identifier"][0]["value"] for r in pages) == ["0", "1", "2", "3", "4"]
    assert len(await found.fetch_all()) == 5
    first = await client.resources("Basic").search(identifier="urn:fhirpy:pages|3").get()
    assert first["identifier"][0]["value"] == "3"


async def test_includes_arrive_with_what_was_asked_for(client: AsyncFHIRClient) -> None:
    bundle = await (
        client.resources("Observation")
        .search(patient="demo-aslaug", category="vital-signs")
        .include("Observation", "patient")
        .limit(3)
        .fetch_raw()
    )
    modes = {entry["search"]["mode"] for entry in bundle["entry"]}
    assert modes == {"match", "include"}


async def test_a_count_needs_leniency_for_what_this_client_adds(server: Server) -> None:
    lenient = AsyncFHIRClient(
        server.base,
        authorization=f"Bearer {server.token}",
        extra_headers={"Prefer": "handling=lenient"},
    )
    found = lenient.resources("Observation").search(patient="demo-aslaug")
    assert await found.count() == len(await found.fetch_all()) > 10


async def test_what_a_condition_fits_is_updated_and_not_created_twice(
    client: AsyncFHIRClient,
) -> None:
    wanted = client.resources("Basic").search(identifier="urn:fhirpy|once")
    made = client.resource(
        "Basic", code={"text": "x"}, identifier=[{"system": "urn:fhirpy", "value": "once"}]
    )
    first, created = await wanted.update(made)
    again, created_again = await wanted.update(made)
    assert (created, created_again, first["id"]) == (True, False, again["id"])


async def test_a_transaction_is_one_act(client: AsyncFHIRClient) -> None:
    urn = "urn:uuid:7c8d6c2e-0a55-4a0b-9d3d-0d2c5b7e1a10"
    entries = [
        {"fullUrl": urn, "resource": {"resourceType": "Patient", "name": [{"family": "Fhirpy"}]},
         "request": {"method": "POST", "url": "Patient"}},
        {"resource": {"resourceType": "Condition", "subject": {"reference": urn}},
         "request": {"method": "POST", "url": "Condition"}},
    ]  # fmt: skip
    answer = await client.execute("", data={
        "resourceType": "Bundle", "type": "transaction", "entry": entries})  # fmt: skip
    patient, condition = (entry["response"]["location"] for entry in answer["entry"])
    stored = await client.execute(condition.partition("/_history")[0], "get")
    assert stored["subject"]["reference"] == patient.partition("/_history")[0]


async def test_a_fault_is_told_as_an_outcome(client: AsyncFHIRClient) -> None:
    with pytest.raises(OperationOutcome) as told:
        await client.resource("Observation", status="finl").save()
    places = [issue["expression"][0] for issue in told.value.resource["issue"]]
    assert {"Observation.status", "Observation.code"} <= set(places)
