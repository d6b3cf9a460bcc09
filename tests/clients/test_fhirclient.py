"""fhirclient, SMART's own client for Python, works unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException
from requests import HTTPError

from .conftest import Server


@pytest.fixture
def smart(server: Server) -> Any:
    client = FHIRClient({"app_id": "helsevev-tests", "api_base": server.base})
    client.server.session.headers["Authorization"] = f"Bearer {server.token}"
    return client


def named(family: str) -> Any:
    return Patient({"resourceType": "Patient", "name": [{"family": family}]})


def test_the_statement_is_read_into_its_model(smart: Any) -> None:
    told = smart.server.capabilityStatement
    assert isinstance(told, CapabilityStatement)
    assert told.fhirVersion == "4.0.1"


def test_a_resource_lives_from_creation_to_deletion(smart: Any) -> None:
    created = Patient(named("Fhirclient").create(smart.server))
    read = Patient.read(created.id, smart.server)
    assert read.name[0].family == "Fhirclient"

    read.gender = "female"
    updated = Patient(read.update(smart.server))
    assert (updated.gender, updated.meta.versionId) == ("female", "2")

    read.gender = "male"
    with pytest.raises(HTTPError, match="412"):
        read.update(smart.server)

    updated.delete(smart.server)
    with pytest.raises(HTTPError, match="410"):
        Patient.read(created.id, smart.server)
    with pytest.raises(FHIRNotFoundException):
        Patient.read("never-was", smart.server)


def test_a_search_is_followed_to_its_last_page(smart: Any) -> None:
    search = Observation.where({"patient": "demo-aslaug", "category": "vital-signs"})
    total = len(list(search.perform_resources_iter(smart.server)))
    assert total > 10
    paged = Observation.where({"patient": "demo-aslaug", "category": "vital-signs", "_count": "5"})
    assert len(list(paged.perform_resources_iter(smart.server))) == total
    first = next(paged.perform_iter(smart.server))
    assert isinstance(first, Bundle)
    assert len(first.entry) == 5


def test_every_resource_of_an_inhabitant_is_read_into_its_model(smart: Any, server: Server) -> None:
    answer = smart.server.request_json("Patient/demo-aslaug/*?_count=500")
    bundle = Bundle(answer)
    assert len(bundle.entry) > 20
    assert {entry.resource.resource_type for entry in bundle.entry} >= {"Observation", "Encounter"}


def test_a_transaction_is_one_act(smart: Any) -> None:
    bundle = Bundle(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": named("Fhirclient").as_json(),
                    "request": {"method": "POST", "url": "Patient"},
                }
            ],
        }
    )
    answer = Bundle(bundle.create(smart.server))
    assert answer.entry[0].response.status == "201 Created"
