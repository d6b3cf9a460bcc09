"""Who treats whom, as care teams, episodes and encounters say it: by status, by time, by person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helsevev.access.treatment_relation import GRACE, relations
from helsevev.fhir import dates

UNIT, NURSE = "Organization/ward", "Practitioner/nurse"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def day(distance: int) -> str:
    return (NOW + distance * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


def encounter(status: str = "in-progress", **period: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Encounter",
        "status": status,
        "subject": {"reference": "Patient/kari"},
        "serviceProvider": {"reference": UNIT},
    }
    return made | ({"period": period} if period else {})


def open_at(resource: dict[str, Any], at: datetime = NOW) -> set[str]:
    moment = dates.microseconds(at)
    return {who for who, start, end in relations(resource) if start <= moment < end}


STATUSES = {
    "Encounter": {
        "planned": False, "arrived": True, "triaged": True, "in-progress": True, "onleave": True,
        "finished": True, "cancelled": False, "entered-in-error": False, "unknown": True,
    },
    "EpisodeOfCare": {
        "planned": False, "waitlist": False, "active": True, "onhold": True, "finished": True,
        "cancelled": False, "entered-in-error": False,
    },
    "CareTeam": {
        "proposed": False, "active": True, "suspended": True, "inactive": False,
        "entered-in-error": False,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "opens"),
    [(kind, *each) for kind, some in STATUSES.items() for each in some.items()],
)
def test_a_contact_opens_the_record_only_in_a_status_that_means_treatment(
    kind: str, status: str, opens: bool
) -> None:
    resource: dict[str, Any] = {
        "resourceType": kind,
        "status": status,
        "period": {"start": day(-2), "end": day(-1)},
        "subject": {"reference": "Patient/kari"},
        "patient": {"reference": "Patient/kari"},
        "serviceProvider": {"reference": UNIT},
    }
    if kind != "Encounter":
        resource["managingOrganization"] = {"reference": UNIT}
    if kind == "CareTeam":
        resource["managingOrganization"] = [{"reference": UNIT}]
    assert (open_at(resource) == {UNIT}) is opens


@pytest.mark.parametrize(
    ("start", "end", "opens"),
    [
        (-1, 1, True), (-400, None, True), (None, 5, True), (1, 2, False), (0, None, True),
        (-60, -29, True), (-60, -31, False), (None, -31, False), (None, None, True),
    ],
)  # fmt: skip
def test_a_contact_opens_the_record_while_it_lasts_and_thirty_days_more(
    start: int | None, end: int | None, opens: bool
) -> None:
    period = {n: day(d) for n, d in (("start", start), ("end", end)) if d is not None}
    assert (open_at(encounter(**period)) == {UNIT}) is opens


def test_the_grace_ends_to_the_second() -> None:
    [(_, _, end)] = relations(encounter(start=day(-5), end=day(0)))
    assert dates.moment(end) == NOW + timedelta(seconds=1) + GRACE


def test_a_finished_contact_without_an_end_does_not_stay_open_for_ever() -> None:
    finished = encounter("finished", start=day(-400))
    assert open_at(finished) == set()
    finished["meta"] = {"lastUpdated": day(-3)}
    assert open_at(finished) == {UNIT}
    assert open_at(finished, NOW + 28 * DAY) == set()
    assert open_at(encounter("finished")) == set()


def test_a_team_ties_its_members_and_whom_they_act_for() -> None:
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": "Patient/kari"},
        "managingOrganization": [{"reference": UNIT}],
        "participant": [
            {"member": {"reference": NURSE}, "onBehalfOf": {"reference": "Organization/home"}},
            {"member": {"reference": "Patient/daughter"}},
            {"member": {"reference": "RelatedPerson/son"}},
            {"member": {"display": "somebody"}},
        ],
    }
    assert open_at(team) == {UNIT, NURSE, "Organization/home"}


def test_a_member_who_has_left_the_team_has_left_the_record() -> None:
    team = {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": "Patient/kari"},
        "participant": [
            {"member": {"reference": NURSE}, "period": {"end": day(-40)}},
            {"member": {"reference": "Practitioner/new"}, "period": {"start": day(-40)}},
            {"member": {"reference": "Practitioner/coming"}, "period": {"start": day(4)}},
        ],
    }
    assert open_at(team) == {"Practitioner/new"}


def test_an_episode_ties_its_unit_and_manager() -> None:
    episode = {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "patient": {"reference": "Patient/kari"},
        "managingOrganization": {"reference": UNIT},
        "careManager": {"reference": NURSE},
        "team": [{"reference": "CareTeam/t"}],
    }
    assert open_at(episode) == {UNIT, NURSE}


def test_an_encounter_ties_its_unit_and_those_who_took_part() -> None:
    visit = encounter(start=day(-1)) | {"participant": [{"individual": {"reference": NURSE}}, {}]}
    assert open_at(visit) == {UNIT, NURSE}


@pytest.mark.parametrize(
    "named",
    [{}, {"reference": "#contained"}, {"reference": "https://elsewhere.example/Organization/ward"},
     {"identifier": {"value": "1"}}, {"reference": "Location/ward"}],
)  # fmt: skip
def test_who_is_not_one_of_this_record_gets_nothing(named: dict[str, Any]) -> None:
    assert open_at(encounter() | {"serviceProvider": named}) == set()


@pytest.mark.parametrize(
    "subject", [None, {"reference": "Group/class-5b"}, {"reference": "https://x.example/Patient/1"}]
)
def test_a_contact_with_nobody_of_this_record_opens_no_record(subject: Any) -> None:
    assert open_at(encounter() | {"subject": subject or {}}) == set()


APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment", "status": "booked", "start": day(20), "end": day(20),
    "participant": [
        {"actor": {"reference": "Patient/kari"}, "status": "accepted"},
        {"actor": {"reference": NURSE}, "status": "accepted"},
        {"actor": {"reference": UNIT}, "status": "needs-action"},
    ],
}  # fmt: skip


def test_an_appointment_opens_the_record_a_while_before_and_after_for_those_who_accepted() -> None:
    opens = [d for d in range(70) if open_at(APPOINTMENT, NOW + d * DAY)]
    assert (min(opens), max(opens)) == (6, 50)
    assert open_at(APPOINTMENT, NOW + 20 * DAY) == {NURSE}
    for status in ("proposed", "cancelled", "waitlist", "entered-in-error"):
        assert not open_at(APPOINTMENT | {"status": status}, NOW + 20 * DAY)


@pytest.mark.parametrize(
    ("status", "days", "opens"),
    [
        ("requested", 1, False), ("rejected", 1, False), ("accepted", 1, True),
        ("in-progress", 300, True), ("in-progress", 400, False), ("completed", 1, True),
        ("completed", 40, False),
    ],
)  # fmt: skip
def test_a_task_opens_the_record_for_the_one_who_took_it_on_while_there_is_work(
    status: str, days: int, opens: bool
) -> None:
    task = {
        "resourceType": "Task", "status": status, "for": {"reference": "Patient/kari"},
        "owner": {"reference": NURSE}, "authoredOn": day(0), "lastModified": day(2),
    }  # fmt: skip
    assert open_at(task, NOW + days * DAY) == ({NURSE} if opens else set())


def test_a_referral_opens_the_record_for_both_sides_until_it_is_done_or_too_old() -> None:
    referral = {
        "resourceType": "ServiceRequest", "status": "active", "authoredOn": day(0),
        "subject": {"reference": "Patient/kari"}, "requester": {"reference": NURSE},
        "performer": [{"reference": UNIT}],
    }  # fmt: skip
    assert open_at(referral, NOW + DAY) == {NURSE, UNIT}
    assert not open_at(referral | {"status": "revoked"}, NOW + DAY)
    assert not open_at(referral | {"status": "draft"}, NOW + DAY)
    assert not open_at(referral, NOW + 400 * DAY)
