"""A generated region is valid FHIR, the same every time, and nobody real."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from helsevev.fhir.identifiers import is_synthetic, organisation_number_fault, person_number_fault
from helsevev.fhir.profiles.checking import check_profile
from helsevev.fhir.profiles.norwegian import norwegian
from helsevev.fhir.serialization import decode, encode
from helsevev.fhir.validation import validate
from helsevev.region import demo
from helsevev.region.calendar import clock, stamp
from helsevev.region.generate import Plan, bundles, inhabitant
from helsevev.region.notation import encode as written

PLAN = Plan(scale=0.0004, years=0.5, seed=1)
FNR, DNR = "urn:oid:2.16.578.1.12.4.1.4.1", "urn:oid:2.16.578.1.12.4.1.4.2"
HPR, ENH = "urn:oid:2.16.578.1.12.4.1.4.4", "urn:oid:2.16.578.1.12.4.1.4.101"
REFERENCE = re.compile(rb'"reference":"([A-Za-z]+/[^"]+)"')
Resource = dict[str, Any]


@cache
def texts(plan: Plan = PLAN) -> tuple[bytes, ...]:
    return tuple(told.json for told in bundles(plan))


@cache
def resources() -> tuple[Resource, ...]:
    return tuple(entry["resource"] for text in texts() for entry in decode(text)["entry"])


def of(kind: str) -> Iterator[Resource]:
    return (each for each in resources() if each["resourceType"] == kind)


def digest(plan: Plan, processes: int = 1) -> str:
    found = hashlib.sha256()
    for told in bundles(plan, processes):
        found.update(told.json)
    return found.hexdigest()


def test_every_resource_is_valid_r4() -> None:
    problems = Counter(
        f"{each['resourceType']}: {issue.diagnostics} {issue.expression}"
        for each in resources()
        for issue in validate(each)
    )
    assert problems == {}


def test_every_course_leaves_its_kinds_of_resources() -> None:
    kinds = {each["resourceType"] for each in resources()}
    assert kinds >= {
        "Patient", "RelatedPerson", "Encounter", "Appointment", "EpisodeOfCare", "CareTeam",
        "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "MedicationStatement",
        "MedicationAdministration", "Composition", "Communication", "CarePlan", "Goal", "Procedure",
        "Immunization", "ServiceRequest", "Organization", "Location", "Practitioner",
        "PractitionerRole", "Medication",
    }  # fmt: skip


def test_parts_that_are_encoded_once_are_the_same_as_dict_notation() -> None:
    for text in texts()[-40:]:
        assert decode(text) == decode(encode(decode(text)))
        assert written(decode(text)) is not None


def test_every_id_is_used_once_and_every_reference_leads_somewhere() -> None:
    names = Counter(f"{each['resourceType']}/{each['id']}" for each in resources())
    assert [name for name, count in names.items() if count > 1] == []
    asked = {name.decode() for text in texts() for name in REFERENCE.findall(text)}
    assert asked - set(names) == set()


def test_no_bundle_refers_to_another_inhabitant() -> None:
    for text in texts():
        owners = set(re.findall(rb'"reference":"Patient/([^"]+)"', text))
        assert len(owners) <= 1


def test_the_same_plan_gives_the_same_bytes_in_one_process_and_in_two() -> None:
    plan = Plan(scale=0.0002, years=0.3)
    assert digest(plan) == digest(plan, processes=2)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_neither_hash_seed_nor_zone_nor_language_changes_a_byte(hash_seed: str) -> None:
    plan = Plan(scale=0.00002, years=0.3)
    program = (
        "import hashlib; from helsevev.region.generate import Plan, bundles\n"
        "d = hashlib.sha256()\n"
        "for told in bundles(Plan(scale=0.00002, years=0.3)): d.update(told.json)\n"
        "print(d.hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(plan)


def test_another_seed_is_another_region_with_the_same_organisations() -> None:
    one, other = (list(bundles(Plan(scale=0.00002, years=0.2, seed=seed))) for seed in (1, 2))
    same = [left.json == right.json for left, right in zip(one, other, strict=False)]
    assert all(same[: len(demo.INHABITANTS) + 10])
    assert not any(same[-3:])


def test_a_smaller_region_is_the_beginning_of_a_larger_one() -> None:
    small = [told.json for told in bundles(Plan(scale=0.00003, years=0.2))]
    large = [told.json for told in bundles(Plan(scale=0.00006, years=0.2))]
    assert len(large) > len(small)
    assert large[: len(small)] == small


def test_a_life_does_not_depend_on_the_lives_before_it() -> None:
    plan = Plan(scale=0.00002, years=0.5)
    life = inhabitant(plan, 5, "a")
    alone = b"".join(text for text, _ in life.bundles())
    among = next(
        told.json for told in bundles(plan) if b'"id":"%b"' % life.person.id.encode() in told.json
    )
    # Only national numbers are given in turn; here nobody was given any.
    numbers = re.compile(rb'"identifier":\[[^]]*\],')
    assert numbers.sub(b"", among) == numbers.sub(b"", alone)


def test_the_stories_are_told_as_they_are_whatever_the_seed() -> None:
    told = {
        key: next(
            text for text in texts(Plan(scale=0.00002, years=0.2, seed=9))
            if b'"id":"demo-%b"' % key.encode() in text
        )
        for key in demo.INHABITANTS
    }  # fmt: skip
    for key, text in told.items():
        expected = demo.inhabitant(key, PLAN.until).resources
        assert [entry["resource"] for entry in decode(text)["entry"]] == decode(
            encode({"all": expected})
        )["all"]


def test_national_numbers_are_synthetic_well_built_and_given_once() -> None:
    seen: set[str] = set()
    systems = Counter[str]()
    for person in of("Patient"):
        for identifier in person.get("identifier", []):
            number, system = identifier["value"], identifier["system"]
            assert number not in seen
            seen.add(number)
            systems[system] += 1
            assert person_number_fault(number) is None
            assert is_synthetic(number), "only month + 80 can never be a real person's"
            assert (int(number[:2]) > 40) == (system == DNR)
            born = date.fromisoformat(person["birthDate"])
            assert (int(number[2:4]) - 80, int(number[4:6])) == (born.month, born.year % 100)
    assert systems[FNR] > 250


def test_old_rules_and_those_of_2032_live_side_by_side() -> None:
    weights = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
    left = Counter(
        sum(w * int(d) for w, d in zip(weights, identifier["value"], strict=False)) % 11
        for person in of("Patient")
        for identifier in person.get("identifier", [])
    )
    assert left[0] > 200
    assert sum(left[rest] for rest in (1, 2, 3)) > 3
    assert set(left) <= {0, 1, 2, 3}


def test_staff_organisations_and_telephones_cannot_be_mistaken_for_real_ones() -> None:
    numbers = [each["identifier"][0] for each in of("Practitioner")]
    assert all(each["system"] == HPR for each in numbers)
    assert all(re.fullmatch(r"999[01]\d{5}", each["value"]) for each in numbers)
    assert len({each["value"] for each in numbers}) == len(numbers)
    for organisation in of("Organization"):
        for identifier in organisation.get("identifier", []):
            assert identifier["system"] == ENH
            assert organisation_number_fault(identifier["value"]) is None
    for kind in ("Patient", "RelatedPerson"):
        for each in of(kind):
            for telecom in each.get("telecom", []):
                assert re.fullmatch(r"\+4710\d{6}", telecom["value"])


def test_every_resource_keeps_the_norwegian_base_profile_that_it_claims() -> None:
    claimed: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    for each in resources():
        for url in each.get("meta", {}).get("profile", []):
            profile = norwegian(url)
            assert profile is not None, url
            claimed[each["resourceType"]] += 1
            problems.update(
                f"{each['id']} {issue.expression}: {issue.diagnostics}"
                for issue in check_profile(each, profile, norwegian)
                if issue.is_error
            )
    assert problems == {}
    assert set(claimed) >= {
        "Patient", "RelatedPerson", "Organization", "Location", "Practitioner", "PractitionerRole",
        "Appointment", "Composition", "Procedure",
    }  # fmt: skip


def test_districts_and_kinds_of_note_have_the_national_codes() -> None:
    for home in (home for each in of("Patient") for home in each.get("address", [])):
        district = home["_district"]["extension"][0]["valueCoding"]
        assert re.fullmatch(r"\d{4}", district["code"])
    for note in of("Composition"):
        assert note["type"]["coding"][0]["system"] == "urn:oid:2.16.578.1.12.4.1.1.9602"


def test_nothing_happens_before_birth_after_death_or_after_the_last_day() -> None:
    moments = ("effectiveDateTime", "occurrenceDateTime", "date", "sent", "authoredOn", "issued")
    born: dict[str, str] = {}
    ends: dict[str, str] = {}
    for person in of("Patient"):
        reference = f"Patient/{person['id']}"
        born[reference] = person["birthDate"]
        ends[reference] = person.get("deceasedDateTime", PLAN.until.isoformat())[:10]
    for each in resources():
        owner = (each.get("subject") or each.get("patient") or {}).get("reference", "")
        if not owner.startswith("Patient/r"):
            continue
        for moment in moments:
            if moment in each:
                assert born[owner] <= each[moment][:10] <= ends[owner], each["id"]
        period = each.get("period", {})
        if "end" in period:
            assert period["start"][:10] <= period["end"][:10] <= ends[owner], each["id"]


def test_nobody_is_in_two_hospital_wards_at_once() -> None:
    stays: dict[str, list[tuple[str, str]]] = {}
    for each in of("Encounter"):
        if "hospitalization" in each:
            period = each["period"]
            stays.setdefault(each["subject"]["reference"], []).append(
                (period["start"], period.get("end", "9999"))
            )
    for own in stays.values():
        own.sort()
        assert all(left[1] <= right[0] for left, right in pairwise(own))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (clock(date(2026, 3, 29).toordinal(), 1, 30), "2026-03-29T01:30:00+01:00"),
        (clock(date(2026, 3, 29).toordinal(), 2, 30), "2026-03-29T03:30:00+02:00"),
        (clock(date(2026, 3, 29).toordinal(), 12), "2026-03-29T12:00:00+02:00"),
        (clock(date(2026, 10, 25).toordinal(), 2, 30), "2026-10-25T02:30:00+02:00"),
        (clock(date(2026, 10, 25).toordinal(), 8), "2026-10-25T08:00:00+01:00"),
        (clock(date(1957, 7, 1).toordinal(), 8), "1957-07-01T08:00:00+01:00"),
    ],
)
def test_clocks_follow_oslo_through_the_nights_that_change(moment: int, expected: str) -> None:
    assert stamp(moment) == expected
