"""A ward's hand-over, its beds and a day's visits, from what the record says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from helsevev.content.loading import ward
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.content.packs.worklists import Worklist
from helsevev.desk.board import Place, beds, isolated, lying, moved
from helsevev.desk.isbar import isbar, plain
from helsevev.desk.visits import reordered, visits
from helsevev.desk.ward import Resident
from helsevev.documentation.headings import split
from helsevev.fhir.validation import validate
from helsevev.follow_up.coding import Who
from helsevev.follow_up.listing import faults, row

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NURSE = Who("Practitioner/nurse", "Nina")
STAY: dict[str, Any] = {
    "resourceType": "Encounter", "id": "stay", "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    "subject": {"reference": "Patient/kari"}, "period": {"start": "2026-11-20T10:00:00Z"},
    "reasonCode": [{"text": "Pneumoni"}], "meta": {"versionId": "3"},
    "location": [{"location": {"reference": "Location/1", "display": "Seng 1"},
                  "status": "active"}],
}  # fmt: skip


def observed(code: str, title: str, value: float, at: str, **more: Any) -> dict[str, Any]:
    """A measured value."""
    return {
        "resourceType": "Observation", "id": f"o{code}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": title},
        "subject": {"reference": "Patient/kari"}, "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": "/min"}, **more,
    }  # fmt: skip


def kari(**found: Any) -> Resident:
    """Kari, who lies in bed 1 with pneumonia."""
    patient = {
        "resourceType": "Patient", "id": "kari", "birthDate": "1950-01-02",
        "name": [{"given": ["Kari"], "family": "Nes"}],
        "address": [{"line": ["Storgata 1"], "postalCode": "7030", "city": "Trondheim"}],
    }  # fmt: skip
    return Resident("kari", {"Patient": [patient], "Encounter": [STAY], **found}, STAY)


def test_a_hand_over_tells_what_is_new_and_what_nobody_may_overlook() -> None:
    old = observed("9279-1", "Respirasjon", 18, "2026-11-20T12:00:00Z")
    new = observed("8867-4", "Puls", 92, "2026-11-22T11:00:00Z")
    task = {"resourceType": "Task", "id": "t", "status": "requested", "description": "Ta prøver",
            "restriction": {"period": {"end": "2026-11-22T09:00:00Z"}}}  # fmt: skip
    flag = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "MRSA"}}
    made = isbar(kari(Observation=[new, old], Task=[task], Flag=[flag]), NOW)
    lines = {part.key: part.lines for part in made.parts}
    assert [line.words for line in lines["identification"]][1] == "Ligger på Seng 1"
    assert lines["situation"][0].words == "Pneumoni, døgn 3"
    assert lines["situation"][1].is_grave
    told = {line.source: line for line in lines["assessment"]}
    assert told["Observation/o8867-4"].is_new
    assert not told["Observation/o9279-1"].is_new
    assert lines["recommendation"][0].is_grave
    assert not made.is_signed_this_shift


def test_a_signed_hand_over_begins_the_next_and_keeps_its_parts_apart() -> None:
    last = {"resourceType": "Composition", "id": "c", "status": "final", "title": "Vaktrapport",
            "date": "2026-11-22T11:30:00Z"}  # fmt: skip
    pulse = observed("8867-4", "Puls", 92, "2026-11-22T11:00:00Z")
    made = isbar(kari(Composition=[last], Observation=[pulse]), NOW)
    assert made.is_signed_this_shift
    assert not any(line.is_new for part in made.parts for line in part.lines)
    text = plain(made, "Roligere", "Vekt før frokost")
    parts = dict(split(text, ward().hand_over.headings))
    assert parts["Aktuell tilstand"].startswith("Roligere")
    assert parts["Råd og plan"] == "Vekt før frokost"


def test_who_is_moved_leaves_the_bed_and_goes_home_when_it_is_planned() -> None:
    home = NOW + timedelta(days=1)
    after = moved(STAY, Place("Location/2", "Seng 2"), home, NOW)
    assert [issue for issue in validate(after) if issue.is_error] == []
    assert [each["status"] for each in after["location"]] == ["completed", "active"]
    there = Resident("kari", {}, after)
    assert there.bed == "Location/2"
    assert lying(there, NOW).home_at == home
    assert "extension" not in moved(after, None, None, NOW)


def test_the_board_has_each_bed_once_and_nobody_is_lost_who_lies_in_none() -> None:
    kind = {"coding": [{"code": "bd"}]}
    room = {"id": "r", "name": "Rom 1", "physicalType": {"coding": [{"code": "ro"}]}}
    inside = {"reference": "Location/r"}
    places: list[dict[str, Any]] = [
        room,
        *({"id": n, "name": f"Seng {n}", "physicalType": kind, "partOf": inside}
          for n in ("2", "1")),
    ]  # fmt: skip
    elsewhere = Resident("per", {}, {**STAY, "location": []})
    placed, others = beds(places, [lying(kari(), NOW), lying(elsewhere, NOW)])
    assert [(bed.place.name, len(bed.lying)) for bed in placed] == [("Seng 1", 1), ("Seng 2", 0)]
    assert [each.who.patient_id for each in others] == ["per"]


def test_isolation_is_one_warning_that_changes_and_ends() -> None:
    contact, droplet = ward().isolation[:2]
    made = isolated({}, contact, "kari", NURSE, NOW)
    assert made is not None
    assert [issue for issue in validate({**made, "id": "f"}) if issue.is_error] == []
    assert lying(kari(Flag=[made]), NOW).isolation == contact
    assert isolated(made, contact, "kari", NURSE, NOW) is None
    other = isolated({**made, "id": "f"}, droplet, "kari", NURSE, NOW)
    assert other is not None
    assert (other["id"], lying(kari(Flag=[other]), NOW).isolation) == ("f", droplet)
    ended = isolated(other, None, "kari", NURSE, NOW)
    assert ended is not None
    assert ended["status"] == "inactive"
    assert isolated({}, None, "kari", NURSE, NOW) is None


def visit(name: str, start: str, *actors: str) -> dict[str, Any]:
    """An appointment with those."""
    return {"resourceType": "Appointment", "id": name, "status": "booked", "start": start,
            "participant": [{"actor": {"reference": each}} for each in actors]}  # fmt: skip


def test_visits_are_mine_or_the_units_in_my_order_and_a_secret_address_is_on_no_map() -> None:
    listed = [
        visit("mine", "2026-11-22T08:00:00Z", "Practitioner/nurse"),
        visit("ours", "2026-11-22T07:00:00Z", "Location/unit"),
        visit("another's", "2026-11-22T09:00:00Z", "Practitioner/other", "Location/unit"),
        visit("tomorrow", "2026-11-23T08:00:00Z", "Practitioner/nurse"),
    ]
    who = kari(Appointment=listed)
    asked = ([who], ["Practitioner/nurse"], ["Location/unit"], date(2026, 11, 22))
    found = visits(*asked, [])
    assert [each.id for each in found] == ["ours", "mine"]
    assert reordered(found, "mine", -1) == ["mine", "ours"]
    assert reordered(found, "ours", -1) == ["ours", "mine"]
    assert [each.id for each in visits(*asked, ["mine"])] == ["mine", "ours"]
    assert "Storgata" in found[0].map.partition("#")[2]
    secret = {**who.patient, "meta": {"security": [{"code": "V"}]}}
    (hidden,) = visits([Resident("kari", {**who.found, "Patient": [secret]}, STAY)],
                       *asked[1:], ["mine"])[:1]  # fmt: skip
    assert (hidden.address, hidden.map, hidden.is_protected) == ("", "", True)


@pytest.mark.parametrize("key", sorted(Shelf(built_in(), NOW.date()).all(Worklist)))
def test_every_list_of_the_content_can_be_searched_and_shows_what_its_cases_say(key: str) -> None:
    found = Shelf(built_in(), NOW.date()).one(Worklist, key)
    assert found is not None
    assert found.case
    assert faults(found) == []


@pytest.mark.parametrize(
    ("kind", "status", "called"),
    [("Task", "requested", "Ny"), ("Appointment", "booked", "Avtalt"),
     ("ServiceRequest", "revoked", "Trukket tilbake"), ("Task", "unheard-of", "unheard-of")],
)  # fmt: skip
def test_a_list_of_ones_own_says_a_state_in_words(kind: str, status: str, called: str) -> None:
    columns = next(each.column for each in ward().own if each.type == kind)
    assert called in row({"resourceType": kind, "status": status}, columns).cells
