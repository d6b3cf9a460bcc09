"""The tasks of a plan: made once, changed with the plan, and never when somebody has done them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.care_plan.plan import (
    Measure,
    ended,
    ended_measure,
    evaluated,
    new_plan,
    reopened_step,
    taken_step,
    with_measure,
)
from helsevev.care_plan.plan_reading import deadlines, evaluation_due
from helsevev.care_plan.scheduling import Changes, key_of, kind_of_task, reconcile
from helsevev.care_plan.task import (
    NotDocumentable,
    check,
    done,
    may_take_back,
    not_done,
    taken_back,
)

NOW = datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
UNIT = ("Organization/home", "Hjemmetjenesten")
BERIT = {"reference": "Practitioner/berit", "display": "Berit"}
Tasks = dict[str, Mapping[str, Any]]


def plan(*measures: Measure) -> dict[str, Any]:
    made = {
        **new_plan("Patient/1", "care", "Plan", BERIT, NOW, evaluate=date(2026, 6, 1)),
        "id": "p1",
    }
    for number, each in enumerate(measures):
        made = with_measure(made, each, NOW, name=f"m{number}")
    return made


def daily(*clocks: str, title: str = "Vekt") -> Measure:
    repeat = {
        "frequency": len(clocks), "period": 1, "periodUnit": "d",
        "timeOfDay": [f"{c}:00" for c in clocks],
    }  # fmt: skip
    return Measure(title=title, repeat=repeat, performer=UNIT)


def settled(tasks: Tasks, changes: Changes) -> Tasks:
    kept = dict(tasks)
    kept |= {key_of(each): each for each in changes.new}
    kept |= {key_of(each): each for each in changes.changed}
    return kept


def measured(tasks: Tasks) -> list[Mapping[str, Any]]:
    return [each for each in tasks.values() if kind_of_task(each) == "measure"]


def test_a_measure_becomes_a_task_for_each_of_its_times() -> None:
    made = reconcile(plan(daily("09:00", "20:00")), (), NOW, timedelta(days=2))
    tasks = [each for each in made.new if kind_of_task(each) == "measure"]
    # On the night to 29 March clocks are turned: nine o'clock stays nine o'clock.
    assert [t["executionPeriod"]["start"] for t in tasks] == [
        "2026-03-27T08:00:00Z", "2026-03-27T19:00:00Z", "2026-03-28T08:00:00Z",
        "2026-03-28T19:00:00Z",
    ]  # fmt: skip
    assert {t["owner"]["reference"] for t in tasks} == {UNIT[0]}
    assert all(t["restriction"]["period"]["end"] > t["executionPeriod"]["start"] for t in tasks)


clocks = st.lists(st.integers(0, 23).map(lambda h: f"{h:02}:00"), min_size=1, max_size=4,
                  unique=True)  # fmt: skip
acts = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("retime"), clocks),
        st.tuples(st.just("do"), st.integers(0, 5)),
        st.tuples(st.just("leave"), st.integers(0, 5)),
        st.tuples(st.just("end-measure"), st.just(0)),
        st.tuples(st.just("end"), st.just(0)),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(acts)
def test_whatever_happens_to_a_plan_its_tasks_follow_once_and_what_was_done_stands(
    happened: list[tuple[str, Any]],
) -> None:
    now, made = NOW, plan(daily("08:00"), daily("12:00", "18:00", title="Besøk"))
    tasks: Tasks = settled({}, reconcile(made, (), now))
    documented: dict[str, Mapping[str, Any]] = {}
    for what, how in happened:
        if what == "wait":
            now += timedelta(hours=how)
        elif what == "retime" and made["status"] == "active":
            made = with_measure(made, daily(*sorted(how)), now, name="m0")
        elif what in ("do", "leave"):
            open_ones = [k for k, t in tasks.items() if t["status"] == "requested"]
            if open_ones:
                key = open_ones[how % len(open_ones)]
                over = done(tasks[key], BERIT, now) if what == "do" else not_done(
                    tasks[key], BERIT, now, "declined")  # fmt: skip
                tasks[key] = documented[key] = over
        elif what == "end-measure" and made["status"] == "active":
            made = ended_measure(made, "m1", "Ikke lenger nødvendig", BERIT, now)
        elif what == "end":
            made = ended(made, "completed", "Ferdig", BERIT, now)
        tasks = settled(tasks, reconcile(made, tasks.values(), now))
        again = reconcile(made, tasks.values(), now)
        assert (again.new, again.changed) == ((), ())
    assert all(tasks[key] == each for key, each in documented.items())
    coming = [
        t for t in measured(tasks)
        if t["status"] == "requested" and t["restriction"]["period"]["start"] > f"{now:%FT%TZ}"
    ]  # fmt: skip
    if made["status"] != "active":
        assert coming == []
    keys = [key_of(each) for each in tasks.values()]
    assert len(keys) == len(set(keys))


def test_a_measure_that_is_changed_keeps_the_times_that_stay_and_takes_off_the_others() -> None:
    before = plan(daily("09:00", "20:00"))
    tasks = settled({}, reconcile(before, (), NOW))
    after = with_measure(before, daily("09:00", title="Vekt og puls"), NOW, name="m0")
    tasks = settled(tasks, reconcile(after, tasks.values(), NOW))
    said = {t["code"]["text"] for t in measured(tasks) if t["status"] == "requested"}
    gone = [t for t in measured(tasks) if t["status"] == "cancelled"]
    assert said == {"Vekt og puls"}
    assert {t["executionPeriod"]["start"][11:13] for t in gone} <= {"18", "19"}
    assert gone


def test_the_evaluation_of_a_plan_is_a_task_of_whoever_answers_for_it() -> None:
    made = plan()
    (task,) = reconcile(made, (), NOW).new
    assert kind_of_task(task) == "evaluation"
    assert task["owner"] == BERIT
    later = evaluated(made, "Virker", BERIT, NOW, date(2026, 9, 1))
    changes = reconcile(later, [task], NOW)
    assert [t["status"] for t in changes.changed] == ["cancelled"]
    assert [t["restriction"]["period"]["end"][:10] for t in changes.new] == ["2026-09-01"]
    due = evaluation_due(later)
    assert due is not None
    assert due.day == 1


def step(name: str, after: str, days: int) -> dict[str, Any]:
    within = {"value": days, "unit": "d", "code": "d", "system": "http://unitsofmeasure.org"}
    url = "http://helsevev.no/fhir/StructureDefinition/step-deadline"
    parts = [
        {"url": "after", "valueString": after},
        {"url": "within", "valueDuration": within},
    ]
    detail = {
        "extension": [{"url": url, "extension": parts}], "status": "not-started",
        "code": {"text": name}, "performer": [{"reference": UNIT[0]}],
    }  # fmt: skip
    return {"id": name, "detail": detail}


def pathway(*steps: dict[str, Any]) -> dict[str, Any]:
    return {**plan(), "activity": list(steps)}


def test_a_step_counts_from_when_the_one_before_was_taken_not_from_when_it_was_due() -> None:
    made = pathway(step("visit", "start", 7), step("decision", "visit", 21))
    planned = deadlines(made)
    assert planned["visit"].end.date() == date(2026, 4, 3)
    assert planned["decision"].end.date() == date(2026, 4, 24)
    taken = taken_step(made, "visit", NOW + timedelta(days=2))
    assert deadlines(taken)["decision"].end.date() == date(2026, 4, 19)
    assert deadlines(reopened_step(taken, "visit")) == planned
    tasks = settled({}, reconcile(made, (), NOW))
    changed = reconcile(taken, tasks.values(), NOW).changed
    moved = {t["code"]["text"]: t["restriction"]["period"]["end"][:10] for t in changed}
    assert moved["decision"] == "2026-04-19"


def test_steps_that_wait_for_each_other_have_no_deadline_and_hold_nobody_up() -> None:
    made = pathway(step("a", "b", 1), step("b", "a", 1), step("c", "start", 1))
    assert set(deadlines(made)) == {"c"}


def test_what_is_left_undone_says_why_and_other_says_it_in_words() -> None:
    (task,) = (t for t in reconcile(plan(daily("09:00")), (), NOW, timedelta(hours=3)).new
               if kind_of_task(t) == "measure")  # fmt: skip
    with pytest.raises(NotDocumentable):
        not_done(task, BERIT, NOW, "")
    with pytest.raises(NotDocumentable):
        not_done(task, BERIT, NOW, "other", " ")
    undone = not_done(task, BERIT, NOW, "other", "Var hos frisør")
    assert undone["statusReason"]["text"] == "Annet, se merknad"
    assert undone["note"][0]["text"] == "Var hos frisør"
    assert check(undone) == []
    assert check({**task, "status": "failed"})
    assert check({**task, "status": "completed", "owner": {}})


def test_what_one_documented_by_mistake_is_taken_back_by_oneself_the_same_day() -> None:
    (task,) = (t for t in reconcile(plan(daily("09:00")), (), NOW, timedelta(hours=3)).new
               if kind_of_task(t) == "measure")  # fmt: skip
    over = done(task, BERIT, NOW, "Gikk fint")
    with pytest.raises(NotDocumentable):
        done(over, BERIT, NOW)
    assert may_take_back(over, "Practitioner/berit", NOW)
    assert not may_take_back(over, "Practitioner/other", NOW)
    assert not may_take_back(over, "Practitioner/berit", NOW + timedelta(days=1))
    back = taken_back(over, task, "Practitioner/berit", NOW)
    assert {**back, "lastModified": task["lastModified"]} == task
