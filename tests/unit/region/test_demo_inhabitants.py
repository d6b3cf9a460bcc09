"""The demo's inhabitants are valid, synthetic, consistent with each other and always up to date."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helsevev.access.audit.reads import person_of
from helsevev.access.audit.rules import unusual
from helsevev.content.audit_shapes import ReadFacts
from helsevev.fhir.serialization import decode, encode
from helsevev.fhir.validation import validate
from helsevev.region.demo import INHABITANTS, bundles, inhabitant, personas
from helsevev.region.demo.national_number import check_digits_hold, synthetic_number
from helsevev.region.demo.relations import GRACE, relation, table
from helsevev.region.demo.staff import PROFESSIONS_WITHOUT_PATIENTS

TODAY = date(2026, 11, 21)
DAYS = (
    TODAY,
    date(2024, 2, 29),
    date(2027, 3, 29),
    date(2031, 12, 31),
    datetime(2026, 10, 25, 0, 5, tzinfo=UTC),
    datetime(2026, 6, 15, 21, 59, 30, tzinfo=UTC),
)
OSLO = ZoneInfo("Europe/Oslo")
NUMBERS = {"urn:oid:2.16.578.1.12.4.1.4.1", "urn:oid:2.16.578.1.12.4.1.4.2"}
PLANNED = {("Appointment", "start"), ("Appointment", "end"), ("Task", "end"),
           ("Task", "valueDateTime"),
           ("ServiceRequest", "occurrenceDateTime")}  # fmt: skip
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2})?")
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "demo-inhabitants.md"

# Who treats whom: the promise that the records must keep (rows not named are "none").
TREATS = {
    "aslaug": {"hospital-doctor": "now", "ward-nurse": "now", "home-care-nurse": "now",
               "legevakt-doctor": "recent", "nursing-student": "now",
               "content-author": "now", "content-reviewer": "now"},
    "eira": {"health-station-nurse": "now"},
    "jonas": {"secretary": "now"},
    "hanne": {"hospital-doctor": "now"},
    "marit": {"home-care-nurse": "now", "content-author": "now", "inhabitant": "self"},
    "kare": {"hospital-doctor": "now", "ward-nurse": "now", "nursing-student": "now",
             "content-reviewer": "now"},
    "gunvor": {"hospital-doctor": "now", "ward-nurse": "now", "home-care-nurse": "now",
               "nursing-student": "now", "content-author": "now", "content-reviewer": "now"},
    "dagny": {"home-care-nurse": "past", "content-author": "past", "nursing-home-nurse": "now",
              "nursing-home-manager": "now"},
    "silje": {"health-station-nurse": "now"},
    "sander": {"health-station-nurse": "now", "legevakt-doctor": "past"},
    "even": {},
    "piotr": {"legevakt-doctor": "now"},
}  # fmt: skip


@cache
def told(day: date) -> tuple[dict[str, Any], ...]:
    return tuple(entry["resource"] for bundle in bundles(day) for entry in bundle["entry"])


def strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every string with the name of the element that holds it."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from strings(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each, name)
    elif isinstance(value, str):
        yield name, value


@pytest.mark.parametrize("day", DAYS[:2], ids=str)
def test_every_resource_is_valid_r4(day: date) -> None:
    problems = [
        f"{each['resourceType']}/{each['id']}: {issue}"
        for each in told(day)
        for issue in validate(decode(encode(each)))
    ]
    assert problems == []


def test_the_validator_would_have_seen_a_mistake() -> None:
    assert validate({"resourceType": "Patient", "gender": "kvinne"})


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_same_day_tells_the_same_stories(day: date) -> None:
    first = [encode(bundle) for bundle in bundles(day)]
    assert first == [encode(bundle) for bundle in bundles(day)]


def test_ids_do_not_change_with_the_day_so_that_loading_again_replaces() -> None:
    names = [{f"{each['resourceType']}/{each['id']}" for each in told(day)} for day in DAYS]
    assert all(left == right for left, right in pairwise(names))


def test_every_id_is_used_once() -> None:
    counted = Counter(f"{each['resourceType']}/{each['id']}" for each in told(TODAY))
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_reference_leads_to_a_resource_in_the_demo() -> None:
    known = {f"{each['resourceType']}/{each['id']}" for each in told(TODAY)}
    asked = {text for each in told(TODAY) for name, text in strings(each) if name == "reference"}
    assert asked - known == set()


def test_no_bundle_refers_to_another_inhabitant() -> None:
    for key in INHABITANTS:
        asked = {
            text
            for each in inhabitant(key, TODAY).resources
            for name, text in strings(each)
            if name == "reference" and "/demo-" in text
        }
        assert all(re.search(rf"/demo-{key}(-|$)", text) for text in asked)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_nothing_has_happened_in_the_future_unless_it_is_planned(day: date) -> None:
    now = day if isinstance(day, datetime) else datetime.combine(day, time(), OSLO)
    late = []
    for each in told(day):
        for name, text in strings(each):
            if not DATE.fullmatch(text) or (each["resourceType"], name) in PLANNED:
                continue
            when = datetime.fromisoformat(text)
            local = when if when.tzinfo else when.replace(tzinfo=OSLO)
            if local > now:
                late.append(f"{each['resourceType']}/{each['id']}.{name} = {text}")
    assert late == []


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_nothing_happens_before_birth_or_ends_before_it_starts(day: date) -> None:
    for key in INHABITANTS:
        resources = inhabitant(key, day).resources
        born = resources[0]["birthDate"]
        for each in resources:
            period: dict[str, str] = each.get("period") or each.get("effectivePeriod") or {}
            if "end" in period:
                assert period["start"][:10] <= period["end"][:10], each["id"]
            for name in ("effectiveDateTime", "occurrenceDateTime", "date", "onsetDateTime"):
                if name in each and each["resourceType"] != "Observation":
                    assert each[name][:10] >= born, each["id"]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_national_numbers_are_synthetic_correct_and_of_the_right_person(day: date) -> None:
    seen: dict[str, list[Any]] = {}
    for each in told(day):
        for identifier in each.get("identifier", []):
            number = identifier["value"]
            # One who works here is an inhabitant, too: the same person in both.
            person = [each.get("name"), each.get("birthDate")]
            assert seen.setdefault(number, person) == person, f"{number} is used twice"
            if identifier["system"] not in NUMBERS:
                continue
            assert check_digits_hold(number)
            assert 81 <= int(number[2:4]) <= 92, "only month + 80 can never be a real person's"
            born = date.fromisoformat(each["birthDate"])
            assert int(number[2:4]) - 80 == born.month
            assert int(number[0:2]) in (born.day, born.day + 40)
            assert (int(number[0:2]) > 40) == identifier["system"].endswith("4.2")
            assert (int(number[8]) % 2 == 0) == (each["gender"] == "female")


def test_synthetic_numbers_follow_the_national_check_digits() -> None:
    # Verified by hand with the weights of HIS 1001:2010.
    for birth in (date(1942, 3, 14), date(2011, 8, 11), date(1999, 12, 31)):
        number = synthetic_number(birth, "female", "somebody")
        total = [int(digit) for digit in number]
        first = sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), total, strict=False))
        second = sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), total, strict=False))
        assert first % 11 == 0
        assert second % 11 == 0


def test_telephone_numbers_and_hpr_numbers_cannot_be_anybodys() -> None:
    for each in told(TODAY):
        for telecom in each.get("telecom", []):
            assert re.fullmatch(r"\+4710\d{6}", telecom["value"])
        if each["resourceType"] == "Practitioner":
            assert re.fullmatch(r"9990\d{5}", each["identifier"][0]["value"])


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_personas_treat_those_they_should_and_nobody_else(day: date) -> None:
    for key in INHABITANTS:
        resources = inhabitant(key, day).resources
        found = {each["key"]: relation(each, resources, day) for each in personas()}
        related = {persona: how for persona, how in found.items() if how != "none"}
        assert related == TREATS[key], key


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_gate_opens_for_those_the_table_says(day: date) -> None:
    gate = pytest.importorskip("helsevev.access.treatment_relation", reason="no gate yet")
    assert gate.GRACE == GRACE
    now = day if isinstance(day, datetime) else datetime.combine(day, time(), OSLO)
    instant = int(now.timestamp() * 1_000_000)
    for key in INHABITANTS:
        resources = inhabitant(key, day).resources
        opens = {
            grantee
            for each in resources
            if each["resourceType"] in gate.PROJECTION.sources
            for grantee, start, end in gate.relations(each)
            if start <= instant < end
        }
        for persona in personas():
            expected = relation(persona, resources, day) in ("now", "recent")
            assert bool(opens & {persona["id"], *persona["organisations"]}) == expected, key


def test_the_protected_address_is_related_to_one_persona_only_and_marked() -> None:
    hanne = inhabitant("hanne", TODAY).resources
    assert sum(relation(each, hanne, TODAY) != "none" for each in personas()) == 1
    assert "strengtFortrolig" in {code for _, code in strings(hanne[0]["meta"])}


def test_every_persona_treats_somebody_and_meets_somebody_they_do_not_treat() -> None:
    for persona in personas():
        found = {relation(persona, inhabitant(key, TODAY).resources, TODAY) for key in INHABITANTS}
        assert "none" in found
        assert bool(found & {"now", "self"}) == (
            persona["profession"] not in PROFESSIONS_WITHOUT_PATIENTS
        )


def test_personas_are_the_people_and_units_of_the_demo() -> None:
    by_name = {f"{each['resourceType']}/{each['id']}": each for each in told(TODAY)}
    for persona in personas():
        assert persona["id"] in by_name
        if persona["kind"] != "practitioner":
            continue
        units = persona["organisations"]
        for child, parent in pairwise(units):
            assert by_name[child]["partOf"]["reference"] == parent
        assert "partOf" not in by_name[units[-1]]
        assert persona["organisation"] == units[-1]
        assert by_name[units[0]]["name"] == persona["unit_name"]
        roles = [
            each
            for each in told(TODAY)
            if each["resourceType"] == "PractitionerRole"
            and each["practitioner"]["reference"] == persona["id"]
        ]
        assert [each["organization"]["reference"] for each in roles] == [units[0]]


def test_the_reference_page_says_what_the_records_say() -> None:
    written = PAGE.read_text(encoding="utf-8")
    ages = re.compile(r"\| \d+ (y|mo) \|")
    assert ages.sub("| |", written) == ages.sub("| |", table(TODAY))


@pytest.mark.parametrize("day", DAYS[:3], ids=str)
def test_some_staff_live_near_those_whose_records_they_open(day: date) -> None:
    named = {f"{each['resourceType']}/{each['id']}": each for each in told(day)}
    found = {}
    for reader, patient in (("magnus-tverdal", "demo-kare"), ("tove-kvernmo", "demo-jonas")):
        here = person_of(named[f"Practitioner/{reader}"])
        there = person_of(named[f"Patient/{patient}"])
        facts = ReadFacts(reader_address=here.address, patient_address=there.address)
        found[patient] = [rule.code for rule in unusual(facts)]
    assert found == {"demo-kare": ["neighbour"], "demo-jonas": ["same-address"]}


def test_organisations_and_staff_are_the_same_whatever_day_it_is() -> None:
    first, last = (next(bundles(day)) for day in (DAYS[0], DAYS[-1]))
    assert first == last
