"""Transactions are worked out without asking the record twice, or refused before any write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from helsevev.access.bundle_look_up import identifier_of
from helsevev.access.bundle_plan import BundlePlan, Known
from helsevev.access.errors import Invalid, PreconditionFailed, VersionRequired
from helsevev.fhir import serialization
from helsevev.fhir.bundle import BundleError
from helsevev.fhir.validation import validate
from helsevev.record import body, keys, rows
from helsevev.record.store import Stored

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATIENT = {"resourceType": "Patient", "birthDate": "1990-01-01"}
URN = "urn:uuid:00000000-0000-4000-8000-00000000000"


def post(resource: dict[str, Any], full_url: str | None = None, **request: str) -> dict[str, Any]:
    entry = {
        "resource": dict(resource),
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }
    return entry | ({"fullUrl": full_url} if full_url else {})


def put(resource: dict[str, Any], **request: str) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": dict(resource), "request": {"method": "PUT", "url": url, **request}}


def observation(subject: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "status": "final", "code": {"text": "puls"},
        "subject": {"reference": subject},
    }  # fmt: skip


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def kept(resource: dict[str, Any], version: int = 1, *, deleted: bool = False) -> Stored:
    packed = (
        b"" if deleted else body.pack(serialization.encode(rows.stamped(resource, version, NOW)))
    )
    patient = keys.patient_key(resource["id"])
    return Stored(patient, resource["resourceType"], resource["id"], version, NOW, deleted, packed)


def check(resource: dict[str, Any]) -> None:
    if issues := validate(resource):
        raise Invalid(issues)


def carried_out(plan: BundlePlan, known: Known | None = None) -> list[Any]:
    plan.resolve(known or Known())
    assert [issue for found in plan.check(check) for issue in found] == []
    plan.follow_versions()
    return list(plan.build(NOW))


def test_ids_of_entries_hold_their_inhabitants_key() -> None:
    plan = BundlePlan(transaction(post(observation(URN + "1")), post(PATIENT, URN + "1")))
    rows = {row.type: row for row in carried_out(plan)}
    assert rows["Observation"].patient == rows["Patient"].patient
    assert keys.locality("Observation", rows["Observation"].id) == rows["Patient"].patient
    assert not rows["Observation"].in_directory
    assert rows["Observation"].resource["subject"]["reference"] == f"Patient/{rows['Patient'].id}"


def test_kept_ids_make_the_same_bundle_the_same_resources() -> None:
    entries = [post(PATIENT, URN + "1"), post(observation(URN + "1"), URN + "2")]
    first = carried_out(BundlePlan(transaction(*entries), keep_ids=True))
    assert [row.id for row in first] == [URN[9:] + "1", URN[9:] + "2"]
    entries = [post(PATIENT, URN + "1"), post(observation(URN + "1"), URN + "2")]
    newest = {
        (row.type, row.id): Stored(row.patient, row.type, row.id, 1, NOW, False, row.body)
        for row in first
    }
    plan = BundlePlan(transaction(*entries), keep_ids=True, overwrite=True)
    assert set(plan.ids) == newest.keys()
    assert carried_out(plan, Known(newest=newest)) == []
    assert [step.act for step in plan.steps] == ["keep", "keep"]


def test_what_the_plan_needs_to_know_is_asked_once() -> None:
    reference = "Practitioner?identifier=a|1"
    plan = BundlePlan(
        transaction(
            post({**PATIENT, "generalPractitioner": [{"reference": reference}]}),
            post({**PATIENT, "generalPractitioner": [{"reference": reference}]}),
            post(PATIENT, ifNoneExist="identifier=b|2"),
            put({**PATIENT, "id": "known"}, ifMatch='W/"1"'),
        )
    )
    assert plan.conditions == [reference, "Patient?identifier=b|2"]
    assert plan.ids == [("Patient", "known")]


def test_a_condition_that_fits_keeps_what_is_there() -> None:
    there = kept({**PATIENT, "id": "there"})
    plan = BundlePlan(
        transaction(
            post(PATIENT, URN + "1", ifNoneExist="identifier=a"), post(observation(URN + "1"))
        )
    )
    (row,) = carried_out(plan, Known(matches={"Patient?identifier=a": [there]}))
    assert row.resource["subject"]["reference"] == "Patient/there"


def test_the_same_condition_twice_creates_once() -> None:
    same = {"ifNoneExist": "identifier=a"}
    plan = BundlePlan(transaction(post(PATIENT, **same), post(PATIENT, **same)))
    assert len(carried_out(plan)) == 1


@pytest.mark.parametrize(
    ("if_match", "failure"), [(None, VersionRequired), ('W/"1"', PreconditionFailed)]
)
def test_updates_follow_the_newest_version(if_match: str | None, failure: type[Exception]) -> None:
    request = {} if if_match is None else {"ifMatch": if_match}
    plan = BundlePlan(transaction(put({**PATIENT, "id": "p", "gender": "male"}, **request)))
    with pytest.raises(failure):
        carried_out(plan, Known(newest={("Patient", "p"): kept({**PATIENT, "id": "p"}, 2)}))


def test_an_import_may_follow_whatever_is_newest() -> None:
    changed = {**PATIENT, "id": "p", "gender": "male"}
    plan = BundlePlan(transaction(put(changed)), overwrite=True)
    (row,) = carried_out(plan, Known(newest={("Patient", "p"): kept({**PATIENT, "id": "p"}, 2)}))
    assert row.version == 3


def test_faults_are_told_with_their_place_in_the_bundle() -> None:
    plan = BundlePlan(transaction(post(PATIENT), post({**PATIENT, "gender": "blue"})))
    plan.resolve(Known())
    found = [issue.expression for each in plan.check(check) for issue in each]
    assert found == ["Bundle.entry[1].resource.gender"]


@pytest.mark.parametrize(
    "entries",
    [
        [post(observation(URN + "9"))],
        [post(observation("Patient?identifier=nobody"))],
        [post(PATIENT, URN + "1"), post(PATIENT, URN + "1")],
        [put({**PATIENT, "id": "a"}), put({**PATIENT, "id": "a"})],
        [{"resource": PATIENT}],
        [{"request": {"method": "PATCH", "url": "Patient/a"}, "resource": PATIENT}],
    ],
)
def test_what_cannot_be_resolved_is_refused(entries: list[dict[str, Any]]) -> None:
    with pytest.raises(BundleError):
        BundlePlan(transaction(*entries)).resolve(Known())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("identifier=urn:a|1", ("urn:a", "1")),
        ("identifier=urn%3Aa%7C1", ("urn:a", "1")),
        ("identifier=1", (None, "1")),
        ("identifier=|1", ("", "1")),
        ("identifier=a|", None),
        ("identifier=a|1,2", None),
        ("identifier=a&active=true", None),
        ("name=a", None),
        ("identifier=%00", None),
        ("identifier=%FF", None),
        ("", None),
    ],
)
def test_single_identifiers_are_recognised(
    query: str, expected: tuple[str | None, str] | None
) -> None:
    assert identifier_of(query) == expected
