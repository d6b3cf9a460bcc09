"""Transactions as Synthea and others write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir.bundle import (
    BundleError,
    conditional_references,
    link,
    processing_order,
    read_entries,
    read_entry,
)

KARI = "urn:uuid:11111111-1111-4111-8111-111111111111"
VISIT = "urn:uuid:22222222-2222-4222-8222-222222222222"


def post(resource: dict[str, Any], full_url: str | None = None, **request: Any) -> dict[str, Any]:
    """An entry that creates."""
    entry: dict[str, Any] = {"resource": resource}
    entry["request"] = {"method": "POST", "url": resource["resourceType"], **request}
    return {**entry, "fullUrl": full_url} if full_url else entry


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    """A transaction of the entries."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def test_entries_are_carried_out_in_the_order_of_the_specification() -> None:
    methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "POST"]
    entries = []
    for index, method in enumerate(methods):
        url = "Patient" if method == "POST" else f"Patient/{index}"
        resource = {"resourceType": "Patient"}
        entries.append({"resource": resource, "request": {"method": method, "url": url}})
    ordered = processing_order(read_entries(transaction(*entries)))
    assert [entry.method for entry in ordered] == ["DELETE", "POST", "POST", "PUT", "PATCH", "GET"]
    assert [entry.index for entry in ordered] == [3, 2, 5, 1, 4, 0]


def test_links_between_entries_become_references() -> None:
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": KARI},
        "encounter": {"reference": VISIT},
        "performer": [{"reference": "Practitioner/9"}],
    }
    entries = read_entries(
        transaction(
            post({"resourceType": "Patient"}, KARI),
            post({"resourceType": "Encounter", "subject": {"reference": KARI}}, VISIT),
            post(observation),
        )
    )
    assert link(entries, {0: "Patient/a", 1: "Encounter/b", 2: "Observation/c"}) == []
    assert observation["subject"] == {"reference": "Patient/a"}
    assert observation["encounter"] == {"reference": "Encounter/b"}
    assert observation["performer"] == [{"reference": "Practitioner/9"}]


def test_links_in_urls_and_narratives_are_rewritten_but_not_canonicals_and_identifiers() -> None:
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": "urn:ietf:rfc3986", "value": KARI},
        "meta": {"profile": [KARI]},
        "content": [{"attachment": {"url": KARI}}],
        "extension": [
            {"url": "http://x", "valueUri": KARI},
            {"url": "http://x", "valueString": KARI},
        ],
        "text": {"status": "generated", "div": f'<div><a href="{KARI}">{KARI}</a></div>'},
        "contained": [{"resourceType": "Binary", "securityContext": {"reference": KARI}}],
    }
    entries = read_entries(transaction(post({"resourceType": "Patient"}, KARI), post(document)))
    assert link(entries, {0: "Patient/a", 1: "DocumentReference/d"}) == []
    assert document["masterIdentifier"]["value"] == KARI
    assert document["meta"]["profile"] == [KARI]
    assert document["content"][0]["attachment"]["url"] == "Patient/a"
    assert [e.get("valueUri") or e["valueString"] for e in document["extension"]] == [
        "Patient/a",
        KARI,
    ]
    assert document["text"]["div"] == f'<div><a href="Patient/a">{KARI}</a></div>'
    assert document["contained"][0]["securityContext"] == {"reference": "Patient/a"}


def test_entries_of_another_server_are_found_by_its_own_addresses() -> None:
    there = "https://there.example/fhir"
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": "Patient/1/_history/4"},
        "focus": [{"reference": f"{there}/Patient/1"}, {"reference": "Patient/2"}],
    }
    entries = read_entries(
        transaction(
            post({"resourceType": "Patient"}, f"{there}/Patient/1"),
            post(observation, f"{there}/Observation/5"),
        )
    )
    assert link(entries, {0: "Patient/a", 1: "Observation/b"}) == []
    assert observation["subject"] == {"reference": "Patient/a/_history/4"}
    assert observation["focus"] == [{"reference": "Patient/a"}, {"reference": "Patient/2"}]


def test_conditional_references_are_found_and_replaced() -> None:
    search = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999"
    encounter: dict[str, Any] = {
        "resourceType": "Encounter",
        "participant": [{"individual": {"reference": search}}],
    }
    entries = read_entries(transaction(post(encounter)))
    place = "Bundle.entry[0].resource.participant[0].individual.reference"
    assert conditional_references(entries) == {search: place}
    (issue,) = link(entries, {0: "Encounter/a"})
    assert (issue.code, issue.expression) == ("not-found", place)
    assert link(entries, {0: "Encounter/a"}, {search: "Practitioner/7"}) == []
    assert encounter["participant"][0]["individual"] == {"reference": "Practitioner/7"}


def test_a_link_to_no_entry_is_told_with_its_place() -> None:
    entries = read_entries(
        transaction(post({"resourceType": "Observation", "subject": {"reference": KARI}}))
    )
    (issue,) = link(entries, {0: "Observation/a"})
    assert issue.expression == "Bundle.entry[0].resource.subject.reference"
    assert KARI in issue.diagnostics


PATIENT = {"resourceType": "Patient"}
FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "no request": ({"resource": PATIENT}, "request"),
    "an unknown method": ({"request": {"method": "STEAL", "url": "Patient/1"}}, "request.method"),
    "a method that is a list": (
        {"request": {"method": ["GET"], "url": "Patient"}},
        "request.method",
    ),
    "an unknown type": ({"request": {"method": "GET", "url": "Pasient/1"}}, "request.url"),
    "no resource to create": ({"request": {"method": "POST", "url": "Patient"}}, "resource"),
    "another type than asked for": (post(PATIENT, url="Observation"), "request.url"),
    "a create at an id": (post(PATIENT, url="Patient/1"), "request.url"),
    "an update of nothing": (post(PATIENT, method="PUT"), "request.url"),
    "a delete of everything": ({"request": {"method": "DELETE", "url": "Patient"}}, "request.url"),
    "another id than asked for": (
        {"resource": {**PATIENT, "id": "2"}, "request": {"method": "PUT", "url": "Patient/1"}},
        "resource.id",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_entry_is_told_with_its_place(name: str) -> None:
    entry, place = FAULTY[name]
    with pytest.raises(BundleError) as refused:
        read_entries(transaction(post(PATIENT), entry))
    assert [issue.expression for issue in refused.value.issues] == [f"Bundle.entry[1].{place}"]


def test_two_entries_must_not_write_one_resource() -> None:
    put = {"resource": {**PATIENT, "id": "1"}, "request": {"method": "PUT", "url": "Patient/1"}}
    delete = {"request": {"method": "DELETE", "url": "Patient/1"}}
    with pytest.raises(BundleError, match="another entry writes"):
        read_entries(transaction(put, delete))
    with pytest.raises(BundleError, match="bdl-7"):
        read_entries(transaction(post(PATIENT, KARI), post(PATIENT, KARI)))


def test_conditions_of_an_entry_are_read() -> None:
    entry = read_entry(
        4,
        {
            "resource": {"resourceType": "Patient"},
            "request": {
                "method": "PUT",
                "url": "Patient/1",
                "ifMatch": 'W/"3"',
                "ifNoneExist": "x=y",
            },
        },
    )
    assert (entry.path, entry.resource_id, entry.if_match) == ("Bundle.entry[4]", "1", "3")
    assert entry.if_none_exist == "x=y"
    assert entry.resource == {"resourceType": "Patient", "id": "1"}
    searched = read_entry(0, {"request": {"method": "GET", "url": "Patient?name=a&_count=1"}})
    assert (searched.resource_type, searched.query) == ("Patient", "name=a&_count=1")


def test_generated_transactions_leave_no_link_unresolved(
    generated_bundles: Callable[[], Iterator[tuple[Path, dict[str, Any]]]],
) -> None:
    for path, bundle in generated_bundles():
        entries = read_entries(bundle)
        assigned = {entry.index: f"{entry.resource_type}/{entry.index}" for entry in entries}
        found = dict.fromkeys(conditional_references(entries), "Practitioner/1")
        assert link(entries, assigned, found) == [], path
        assert conditional_references(entries) == {}
