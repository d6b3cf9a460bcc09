"""Every kind of Bundle becomes one transaction, and every resource has an id that stays."""

from __future__ import annotations

from typing import Any

import pytest

from helsevev.fhir.bundle import BundleError
from helsevev.fhir_api.bulk_import.contents import as_transaction, with_id

PATIENT = {"resourceType": "Patient", "id": "a"}


def bundle(kind: str, *entries: Any) -> dict[str, Any]:
    """A Bundle of a type with entries."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_requests_are_carried_out_as_they_stand(kind: str) -> None:
    entry = {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}
    assert as_transaction(bundle(kind, entry)) == bundle("transaction", entry)


@pytest.mark.parametrize("kind", ["collection", "searchset", "document", "message"])
def test_resources_in_other_bundles_are_stored_under_their_ids(kind: str) -> None:
    found = as_transaction(
        bundle(kind, {"fullUrl": "http://x.example/Patient/a", "resource": PATIENT})
    )
    assert found["type"] == "transaction"
    assert found["entry"] == [
        {"fullUrl": "http://x.example/Patient/a", "resource": PATIENT,
         "request": {"method": "PUT", "url": "Patient/a"}}
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["history", "transaction-response", "batch-response", None])
def test_bundles_that_hold_nothing_to_store_are_refused(kind: str) -> None:
    with pytest.raises(BundleError, match="cannot be imported"):
        as_transaction(bundle(kind))


def test_what_a_search_says_about_itself_is_left_out() -> None:
    outcome = {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}
    assert "entry" not in as_transaction(bundle("searchset", outcome))


def test_a_resource_given_twice_is_stored_once_and_two_contents_are_refused() -> None:
    twice = bundle("collection", {"resource": PATIENT}, {"resource": dict(PATIENT)})
    assert len(as_transaction(twice)["entry"]) == 1
    other = bundle("collection", {"resource": PATIENT}, {"resource": PATIENT | {"active": True}})
    with pytest.raises(BundleError, match=r"entry\[1\].*other content"):
        as_transaction(other)


def test_ids_come_from_the_resource_then_its_uuid_then_its_content() -> None:
    assert with_id(PATIENT, "urn:uuid:b")["id"] == "a"
    nameless = {"resourceType": "Patient", "active": True}
    assert with_id(nameless, "urn:uuid:b")["id"] == "b"
    made = with_id(nameless)["id"]
    assert made == with_id(dict(nameless))["id"]
    assert made != with_id({"resourceType": "Patient", "active": False})["id"]


@pytest.mark.parametrize(
    "broken",
    [bundle("collection", {}), bundle("collection", 7), bundle("collection", {"resource": []}),
     {"resourceType": "Bundle", "type": "collection", "entry": {}}],
)  # fmt: skip
def test_a_misshapen_bundle_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        as_transaction(broken)
