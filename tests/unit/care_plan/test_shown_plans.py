"""What a chart shows of plans: by problem across professions, hours beside hours, deadlines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from helsevev.care_plan.decision import (
    Decided,
    as_episode,
    as_observation,
    as_request,
    assessed,
    in_force,
    lately,
    minutes_a_week,
    stopped,
    usual_end,
)
from helsevev.care_plan.goal import evaluated, new_goal
from helsevev.care_plan.panel import Plans, plans
from helsevev.care_plan.plan import Measure, new_plan, with_goal, with_measure
from helsevev.care_plan.scheduling import reconcile
from helsevev.care_plan.task import done
from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.fhir.validation import validate

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
BERIT = {"reference": "Practitioner/berit", "display": "Berit"}
PAIN = {"resourceType": "Condition", "id": "pain", "code": {"text": "Smerte"}}
HOME = Shelf(built_in(), NOW.date()).all(Decision)["home_health"]


def plan(name: str, discipline: str, minutes: int, goal: str = "") -> dict[str, Any]:
    """A plan of one profession for the same problem, with a measure every morning."""
    about = {"reference": "Condition/pain", "display": "Smerte"}
    made = {
        **new_plan("Patient/1", "care", name, BERIT, NOW, evaluate=date(2026, 5, 1),
                   problems=[about]),
        "id": name,
    }  # fmt: skip
    made = with_goal(made, f"Goal/{goal}") if goal else made
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"],
              "duration": minutes, "durationUnit": "min"}  # fmt: skip
    measure = Measure(
        title=f"Tiltak {name}", repeat=repeat, discipline=discipline, problems=("Condition/pain",),
        performer=("Organization/home", "Hjemme"), goals=(f"Goal/{goal}",) if goal else (),
    )  # fmt: skip
    return with_measure(made, measure, NOW, name="m")


def shown(**more: Any) -> Plans:
    return plans({"Condition": [PAIN], **more}, NOW)


def test_what_two_professions_do_for_a_problem_stands_together() -> None:
    goal = {**new_goal("Patient/1", "Sover om natten", BERIT, NOW), "id": "sleep"}
    found = shown(
        CarePlan=[plan("one", "Sykepleier", 10, "sleep"), plan("two", "Fysioterapeut", 20)],
        Goal=[evaluated(goal, "improving", "Sover fem timer", BERIT, NOW)],
    )  # fmt: skip
    (group,) = found.groups
    assert group.title == "Smerte"
    assert set(group.disciplines) == {"Sykepleier", "Fysioterapeut"}
    (aim,) = group.goals
    assert (aim.words, aim.label, aim.said[0].words) == (
        "Sover om natten", "Går framover", "Sover fem timer"
    )  # fmt: skip
    assert [m.title for m in aim.measures] == ["Tiltak one"]
    assert [m.title for m in group.measures] == ["Tiltak two"]
    assert aim.measures[0].when == "Hver dag kl. 08:00"


def test_hours_decided_planned_and_done_stand_beside_each_other() -> None:
    care = plan("one", "Sykepleier", 30)
    tasks = reconcile(care, (), NOW).new
    first = next(t for t in tasks if "executionPeriod" in t)
    documented = [done({**first, "id": "t"}, BERIT, NOW + timedelta(hours=2))]
    decided = Decided(start=date(2026, 3, 1), end=date(2027, 3, 1), amount=Decimal("3.5"),
                      what="Hjelp", why="Trenger det",
                      performer=("Organization/home", "Hjemme"))  # fmt: skip
    request = as_request("home_health", HOME, "Patient/1", decided, BERIT, NOW)
    view = plans(
        {"CarePlan": [care], "Task": documented, "ServiceRequest": [request]},
        NOW + timedelta(hours=3),
    )
    assert view.hours == ("3,5", "3,5", "0,5")
    assert view.decisions[0].amount == "3,5 timer i uka"


def test_a_decision_is_an_order_for_a_service_that_begins_by_it_and_can_be_ended() -> None:
    decided = Decided(start=date(2026, 3, 1), end=usual_end(date(2026, 3, 1), 12),
                      amount=Decimal(2), what="", why="Trenger det",
                      performer=("Organization/home", "Hjemme"))  # fmt: skip
    request = as_request("home_health", HOME, "Patient/1", decided, BERIT, NOW)
    episode = as_episode(request, "urn:uuid:1", NOW)
    for resource in (request, episode):
        assert [i for i in validate(resource) if i.is_error] == []
    assert minutes_a_week(request) == 120
    assert episode["status"] == "active"
    assert episode["type"][0]["coding"][0]["code"] == "15"
    assert in_force(request, NOW)
    assert not in_force(request, datetime(2027, 6, 1, tzinfo=UTC))
    over = stopped(request, "Flyttet", BERIT, date(2026, 3, 2), NOW)
    assert not in_force(over, NOW)


@pytest.mark.parametrize(("amount", "per", "minutes"), [("7", "d", 2940), ("26", "mo", 360)])
def test_hours_a_day_and_a_month_count_as_hours_a_week(amount: str, per: str, minutes: int) -> None:
    ratio = {
        "numerator": {"value": Decimal(amount), "code": "h"},
        "denominator": {"value": 1, "code": per},
    }
    assert minutes_a_week({"quantityRatio": ratio}) == minutes


def test_only_what_was_lately_assessed_is_decided_by_and_what_is_irrelevant_counts() -> None:
    old = as_observation("Patient/1", "7", 4, BERIT, NOW - timedelta(days=400))
    new = as_observation("Patient/1", "8", 9, BERIT, NOW - timedelta(days=4))
    assert [issue for issue in validate(new) if issue.is_error] == []
    found = assessed([{**old, "id": "a"}, {**new, "id": "b"}])
    assert {each.code: each.level for each in found if each.level} == {"7": 4, "8": 9}
    assert lately(found, NOW) == {"8": 9}
    with pytest.raises(ValueError, match="no level 6"):
        as_observation("Patient/1", "7", 6, BERIT, NOW)
