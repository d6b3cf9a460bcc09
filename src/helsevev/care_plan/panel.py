"""A patient's plans as they are shown: by problem across professions, with tasks and deadlines.

Pure: resources in, view out. What others plan for the same problem stands together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.coding import CARE
from helsevev.care_plan.decision import in_force, is_decision, label_of, minutes_a_week
from helsevev.care_plan.plan_reading import (
    is_step,
    measures,
    named,
    references,
)
from helsevev.care_plan.plan_shown import (
    GoalRow,
    MeasureRow,
    PlanRow,
    goal_row,
    measure_row,
    plan_row,
)
from helsevev.care_plan.scheduling import (
    minutes_a_week as planned_minutes,
)
from helsevev.care_plan.scheduling import (
    plan_start,
)
from helsevev.care_plan.steps import with_steps_taken
from helsevev.care_plan.task import is_planned
from helsevev.care_plan.task_shown import TaskRow, plan_of, task_rows
from helsevev.content.care_plan_loading import planning
from helsevev.content.care_plan_shapes import Choice
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    first,
    mapping,
    moment,
    number,
    objects,
    of_patient,
    reference_text,
    text,
)
from helsevev.locale import gettext as _
from helsevev.screens.formatting import number as formatted

_WEEK: Final = timedelta(days=7)


class ProblemGroup(Struct, frozen=True, kw_only=True):
    """A problem, the goals for it, and the measures that serve none of them."""

    key: str
    title: str
    goals: tuple[GoalRow, ...]
    measures: tuple[MeasureRow, ...]

    @property
    def disciplines(self) -> tuple[str, ...]:
        """The professions and units that do something for it."""
        every = [*self.measures, *(m for goal in self.goals for m in goal.measures)]
        return tuple(dict.fromkeys(each.discipline or each.who for each in every
                                   if each.discipline or each.who))  # fmt: skip


class DecisionRow(Struct, frozen=True, kw_only=True):
    """One municipal decision: what, how much, for how long, by whom."""

    id: str
    title: str
    amount: str
    what: str
    start: Moment | None
    end: Moment | None
    performer: str
    by: str
    in_force: bool
    minutes: int | None
    ends_soon: bool


class Plans(Struct, frozen=True, kw_only=True):
    """All of it. Minutes are for a week: decided, planned, and done in the last seven days."""

    tasks: tuple[TaskRow, ...]
    groups: tuple[ProblemGroup, ...]
    plans: tuple[PlanRow, ...]
    decisions: tuple[DecisionRow, ...]
    minutes_decided: int
    minutes_planned: int
    minutes_done: int

    @property
    def hours(self) -> tuple[str, str, str]:
        """Hours a week in words: decided, planned, done."""
        every = (self.minutes_decided, self.minutes_planned, self.minutes_done)
        return hours(every[0]), hours(every[1]), hours(every[2])

    @property
    def reasons(self) -> tuple[Choice, ...]:
        """Why something may not be done."""
        return planning().not_done

    def of(self, *kinds: str) -> tuple[PlanRow, ...]:
        """The plans in force of some kinds."""
        return tuple(each for each in self.plans if each.is_open and each.kind in kinds)

    @property
    def ended(self) -> tuple[PlanRow, ...]:
        """The plans that are over."""
        return tuple(each for each in self.plans if not each.is_open)

    @property
    def disciplines(self) -> tuple[str, ...]:
        """Every profession and unit that does something, in order."""
        return tuple(sorted({name for group in self.groups for name in group.disciplines}))

    @property
    def due(self) -> tuple[TaskRow, ...]:
        """What is late or to be done now."""
        return tuple(each for each in self.tasks if each.state in ("late", "now"))


def plans(
    found: Mapping[str, Iterable[Mapping[str, Any]]],
    now: datetime,
    names: Mapping[str, str] | None = None,
) -> Plans:
    """What is planned for a patient, from their plans, goals, problems, tasks and services."""
    tasks = [each for each in of_patient(found.get("Task", ())) if is_planned(each)]
    of_plan: dict[str, list[Mapping[str, Any]]] = {}
    for each in tasks:
        of_plan.setdefault(plan_of(each), []).append(each)
    kept = [
        with_steps_taken(each, of_plan.get(text(each.get("id")), ()))
        for each in of_patient(found.get("CarePlan", ()))
        if each.get("status") not in ("entered-in-error", "unknown")
    ]
    going_on = [each for each in kept if each.get("status") in ("active", "on-hold")]
    rows = tuple(plan_row(each, of_plan.get(text(each.get("id")), ()), now, names) for each in kept)
    decisions = _decisions(found.get("ServiceRequest", ()), now)
    known = {
        (plan.get("id"), each.get("id")): _duration(each)
        for plan in kept for each in measures(plan)
    }  # fmt: skip
    return Plans(
        tasks=task_rows(tasks, now, names),
        groups=_groups(going_on, found, now, names),
        plans=tuple(sorted(rows, key=lambda each: (not each.is_open, each.kind != CARE))),
        decisions=decisions,
        minutes_decided=sum(each.minutes or 0 for each in decisions if each.in_force),
        minutes_planned=sum(
            planned_minutes(each, plan_start(plan), now)
            for plan in going_on for each in measures(plan)
        ),
        minutes_done=_minutes_done(tasks, known, now),
    )  # fmt: skip


def _groups(
    going_on: Sequence[Mapping[str, Any]],
    found: Mapping[str, Iterable[Mapping[str, Any]]],
    now: datetime,
    names: Mapping[str, str] | None,
) -> tuple[ProblemGroup, ...]:
    goals = {f"Goal/{each.get('id')}": each for each in found.get("Goal", ())
             if each.get("lifecycleStatus") not in ("entered-in-error", "rejected")}  # fmt: skip
    problems = {f"Condition/{each.get('id')}": each for each in found.get("Condition", ())}
    rows: dict[str, tuple[list[tuple[str, str]], list[MeasureRow]]] = {}
    for plan in going_on:
        about = references(plan.get("addresses"))
        rows_of = [
            measure_row(plan, each, now, names) for each in measures(plan) if not is_step(each)
        ]
        for key in references(plan.get("goal")):
            if key in goals:
                for_goal = references(goals[key].get("addresses")) or about
                place = next((p for p in for_goal if p in problems), "")
                aims, _listed = rows.setdefault(place, ([], []))
                if key not in {known for known, _plan in aims}:
                    aims.append((key, text(plan.get("id"))))
        for row in rows_of:
            place = next((p for p in (*row.problems, *about) if p in problems), "")
            rows.setdefault(place, ([], []))[1].append(row)
    made = []
    for place, (aims, listed) in rows.items():
        served = {key for row in listed for key in row.goals}
        made.append(ProblemGroup(
            key=place, title=concept_text(problems.get(place, {}).get("code")),
            goals=tuple(
                goal_row(goals[key], [r for r in listed if key in r.goals], now, names, plan_id)
                for key, plan_id in aims
            ),
            measures=tuple(
                row for row in listed if not any(key in served and key in row.goals
                                                 for key, _plan in aims)
            ),
        ))  # fmt: skip
    return tuple(sorted(made, key=lambda each: not each.key))


def _decisions(requests: Iterable[Mapping[str, Any]], now: datetime) -> tuple[DecisionRow, ...]:
    rows = []
    for each in of_patient(requests):
        if not is_decision(each):
            continue
        period = mapping(each.get("occurrencePeriod"))
        end = moment(period.get("end"))
        holds = in_force(each, now)
        rows.append(DecisionRow(
            id=text(each.get("id")), title=label_of(each), amount=amount_of(each),
            what=concept_text(first(each.get("orderDetail"))),
            start=moment(period.get("start")), end=end,
            performer=reference_text(first(each.get("performer"))),
            by=named(each.get("requester")).name, in_force=holds,
            minutes=minutes_a_week(each),
            ends_soon=holds and end is not None and end.at - now < timedelta(weeks=4),
        ))  # fmt: skip
    return tuple(sorted(rows, key=lambda each: not each.in_force))


def amount_of(request: Mapping[str, Any]) -> str:
    """How much is decided, in words: "3.5 hours a week"; "" when it is not counted."""
    ratio = mapping(request.get("quantityRatio"))
    many = mapping(ratio.get("numerator")) or mapping(request.get("quantityQuantity"))
    value = number(many.get("value"))
    if value is None:
        return ""
    units = {"h": _("hours"), "d": _("days"), "times": _("times")}
    per = {"d": _("a day"), "wk": _("a week"), "mo": _("a month")}
    unit = text(many.get("unit"))
    each = text(mapping(ratio.get("denominator")).get("unit"))
    said = (formatted(value), units.get(unit, unit), per.get(each, ""))
    return " ".join(part for part in said if part)


def hours(minutes: int) -> str:
    """Minutes as hours with one decimal, as the reader writes numbers."""
    return formatted((Decimal(minutes) / 60).quantize(Decimal("0.1")))


def _duration(measure: Mapping[str, Any]) -> int:
    repeat = mapping(mapping(mapping(measure.get("detail")).get("scheduledTiming")).get("repeat"))
    return int(number(repeat.get("duration")) or 0)


def _minutes_done(
    tasks: Iterable[Mapping[str, Any]], minutes: Mapping[Any, int], now: datetime
) -> int:
    found = 0
    for task in tasks:
        done = moment(mapping(task.get("executionPeriod")).get("end"))
        if task.get("status") != "completed" or done is None or now - done.at > _WEEK:
            continue
        parts = text(objects(task.get("identifier"))[0].get("value")).split(".")
        found += minutes.get((parts[0], parts[1]) if len(parts) > 1 else "", 0)
    return found
