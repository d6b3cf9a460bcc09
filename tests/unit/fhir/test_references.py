"""What references name, and where they stand."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir.references import is_conditional, localize, relative, walk

BASE = "https://record.example/fhir"


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("Patient/1", ("Patient", "1")),
        ("Patient/1/_history/2", ("Patient", "1")),
        (f"{BASE}/Patient/1", ("Patient", "1")),
        ("https://elsewhere.example/fhir/Patient/1", None),
        ("urn:uuid:138d4e0c-e3d3-460d-bead-7d0b2f86f33c", None),
        ("#contained", None),
        ("Patient?identifier=1", None),
        ("Patient/", None),
        ("Patient/1/name", None),
        ("", None),
    ],
)
def test_a_reference_names_a_resource_of_this_server_or_none(
    reference: str, named: tuple[str, str] | None
) -> None:
    assert relative(reference, BASE) == named
    assert relative(reference, BASE + "/") == named


def test_an_absolute_reference_is_not_local_without_a_base() -> None:
    assert relative(f"{BASE}/Patient/1") is None


def test_a_search_may_stand_for_a_reference() -> None:
    assert is_conditional("Practitioner?identifier=urn:oid:1|2")
    assert not is_conditional("Practitioner/1")


def test_every_reference_is_met_with_its_path() -> None:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": "Patient/1"},
        "performer": [{"display": "x"}, {"identifier": {"value": "1"}}],
        "extension": [{"url": "x", "valueReference": {"reference": "Device/1"}}],
        "contained": [{"resourceType": "Device", "owner": {"reference": "Organization/1"}}],
        "identifier": [{"value": "not a reference"}],
    }
    assert {path for path, _ in walk(resource)} == {
        "Observation.subject",
        "Observation.performer[1]",
        "Observation.extension[0].valueReference",
        "Observation.contained[0].owner",
    }


def test_references_to_this_server_are_made_relative() -> None:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": f"{BASE}/Patient/1"},
        "device": {"reference": "https://elsewhere.example/fhir/Device/1"},
    }
    localize(resource, BASE)
    assert resource["subject"] == {"reference": "Patient/1"}
    assert resource["device"] == {"reference": "https://elsewhere.example/fhir/Device/1"}
