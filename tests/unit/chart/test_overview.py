"""The overview: why here, what is new, what is planned; and who has read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from helsevev.access.touch import Touch
from helsevev.chart import audit_lines
from helsevev.chart.overview import news, planned, reasons
from helsevev.patient.contacts import contacts
from helsevev.patient.problems import problems

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
STAY = {
    "resourceType": "Encounter", "status": "in-progress", "period": {"start": "2026-11-20"},
    "reasonCode": [{"text": "Pneumonia"}],
}  # fmt: skip
COURSE = {
    "resourceType": "EpisodeOfCare", "status": "active", "type": [{"text": "Home nursing"}],
}  # fmt: skip
ASTHMA = {"resourceType": "Condition", "code": {"text": "Asthma"}}


def written(minutes_ago: int, **elements: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes_ago)
    return {
        "resourceType": "Composition", "id": f"c{minutes_ago}", "type": {"text": "Note"},
        "meta": {"lastUpdated": at.isoformat()}, **elements,
    }  # fmt: skip


def test_the_ongoing_stay_and_course_say_why_the_person_is_here() -> None:
    found = contacts([STAY], [COURSE])
    assert [r.text for r in reasons(found, problems([ASTHMA]))] == ["Pneumonia", "Home nursing"]


def test_without_contact_or_course_the_problem_list_answers_and_says_so() -> None:
    (reason,) = reasons(contacts([]), problems([ASTHMA]))
    assert (reason.text, reason.source) == ("Asthma", "problem")


def test_nothing_is_made_up_when_nothing_is_known() -> None:
    assert reasons(contacts([]), problems([])) == ()
    assert planned({}, contacts([]), NOW) == ()


def test_what_is_planned_stands_soonest_first_and_what_has_been_is_left_out() -> None:
    appointments = [
        {"resourceType": "Appointment", "status": "booked", "start": "2026-12-24T09:00:00+01:00",
         "description": "Later"},
        {"resourceType": "Appointment", "status": "booked", "start": "2026-11-22T09:00:00+01:00",
         "description": "Soon"},
        {"resourceType": "Appointment", "status": "booked", "start": "2026-11-01T09:00:00+01:00",
         "description": "Past"},
        {"resourceType": "Appointment", "status": "cancelled", "start": "2026-11-23T09:00:00Z",
         "description": "Cancelled"},
    ]  # fmt: skip
    shown = planned({"Appointment": appointments}, contacts([]), NOW)
    assert [p.title for p in shown] == ["Soon", "Later"]


def test_only_what_others_wrote_since_the_last_look_is_new() -> None:
    mine = written(10, author=[{"reference": "Practitioner/me"}])
    record = {"Composition": [written(5), mine, written(120)]}
    assert [e.id for e in news(record, SINCE, "Practitioner/me")] == ["c5"]


def test_to_one_who_never_looked_nothing_is_marked() -> None:
    assert news({"Composition": [written(5)]}, None, "Practitioner/me") == ()


def audit(second: int, **columns: Any) -> Touch:
    told = {
        "patient": 1, "id": second + 10, "at": NOW + timedelta(seconds=second),
        "actor": "Practitioner/k", "name": "Kari", "profession": "nurse", "role": "nurse",
        "unit": "Organization/w", "unit_name": "Ward", "organisation": "Hospital",
        "action": "read", "interaction": "read", "refused": False, "purpose": "TREAT",
        "reason": "", "target": "Patient/p", "basis": "relation Encounter/e", "request": "",
        "address": "", "program": "", "app": "",
    }  # fmt: skip
    return Touch(**{**told, **columns})


def test_one_opening_is_one_line_however_many_rows_it_left() -> None:
    rows = [audit(2, target="Observation Condition"), audit(1), audit(0, target="AuditEvent")]
    (line,) = audit_lines.lines(rows)
    assert (line.times, line.why) == (1, "Du er eller har vært i kontakt med denne enheten")


def test_refusals_writes_and_emergencies_stand_by_themselves() -> None:
    rows = [
        audit(5, action="write", target="Composition/1"),
        audit(4, action="emergency", purpose="BTG", reason="BLAALYS: unconscious"),
        audit(3, refused=True, reason="no relation"),
        audit(2),
    ]
    shown = audit_lines.lines(rows)
    assert [(line.is_emergency, line.is_refused) for line in shown] == [
        (False, False), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert shown[1].reason == "Akutt helsehjelp: unconscious"


def test_two_hundred_reads_of_one_stay_are_one_line_with_its_moments() -> None:
    hours = [audit(-3600 * n, target=f"Observation/{n}") for n in range(200)]
    (line,) = audit_lines.lines(hours)
    assert (line.times, line.first) == (200, hours[-1].at)
    assert len(audit_lines.as_data([line])) == 200


def test_another_stay_is_another_line() -> None:
    shown = audit_lines.lines([audit(0), audit(-3600 * 24 * 30)])
    assert len(shown) == 2


def test_a_log_is_searched_by_person_and_kind() -> None:
    found = audit_lines.lines([
        audit(5, actor="Practitioner/o", name="Ola Moe", refused=True), audit(4),
        audit(3, actor="Patient/p", name="Pia", role="Innbygger"),
    ], "Patient/p")  # fmt: skip
    assert [line.who for line in audit_lines.chosen(found, "", "moe")] == ["Ola Moe"]
    assert [line.who for line in audit_lines.chosen(found, "refused", "")] == ["Ola Moe"]
    assert [line.who for line in audit_lines.chosen(found, "others", "")] == ["Ola Moe", "Kari"]
