"""Plans, their measures, goals and steps as they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from helsevev.care_plan.coding import INDIVIDUAL
from helsevev.care_plan.goal import achievement_of, words_of
from helsevev.care_plan.plan_reading import (
    agreed,
    deadlines,
    discipline_of,
    evaluation_due,
    form_of,
    goals_of,
    kind_of,
    measures,
    problems_of,
)
from helsevev.care_plan.scheduling import (
    minutes_a_week as planned_minutes,
)
from helsevev.care_plan.scheduling import (
    plan_start,
)
from helsevev.care_plan.task_shown import TaskRow, task_row
from helsevev.care_plan.timing_words import when_words
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    first,
    mapping,
    moment,
    objects,
    reference_text,
    text,
)


class Said(Struct, frozen=True):
    """What somebody wrote, and when."""

    words: str
    by: str
    at: str


class MeasureRow(Struct, frozen=True, kw_only=True):
    """One measure of a plan: what, when, by whom, for which goals, and what is thought of it."""

    plan_id: str
    plan: str
    id: str
    title: str
    how: str
    when: str
    who: str
    discipline: str
    status: str
    form: str
    goals: tuple[str, ...]
    problems: tuple[str, ...]
    said: tuple[Said, ...]
    minutes: int

    @property
    def goes_on(self) -> bool:
        """Whether it is still to be done."""
        return self.status in ("not-started", "scheduled", "in-progress")


class GoalRow(Struct, frozen=True, kw_only=True):
    """One goal with its measures, and how far it is reached."""

    id: str
    words: str
    achievement: str
    label: str
    due: str
    is_late: bool
    said: tuple[Said, ...]
    measures: tuple[MeasureRow, ...] = ()
    plan_id: str = ""


class StepRow(Struct, frozen=True, kw_only=True):
    """One step of a pathway: `state` is taken, late, next or ahead; `over` days past the time."""

    id: str
    title: str
    how: str
    who: str
    end: datetime
    done: datetime | None
    state: str
    over: int
    task: TaskRow | None


class PlanRow(Struct, frozen=True, kw_only=True):
    """One plan: whose it is, since when, when it is evaluated, and what was said of it."""

    id: str
    version: str
    kind: str
    title: str
    status: str
    author: str
    since: Moment | None
    until: Moment | None
    evaluate: datetime | None
    evaluation_late: bool
    important: str
    consent: str
    contributors: tuple[str, ...]
    said: tuple[Said, ...]
    steps: tuple[StepRow, ...]
    made_of: str

    @property
    def is_open(self) -> bool:
        """Whether it is in force."""
        return self.status in ("active", "on-hold", "draft")


def plan_row(
    plan: Mapping[str, Any],
    tasks: Iterable[Mapping[str, Any]],
    now: datetime,
    names: Mapping[str, str] | None = None,
) -> PlanRow:
    """One plan as a row, with its steps."""
    period, due = mapping(plan.get("period")), evaluation_due(plan)
    kind = kind_of(plan)
    by_step = {text(objects(each.get("identifier"))[0].get("value")).rpartition(".")[2]: each
               for each in tasks if objects(each.get("identifier"))}  # fmt: skip
    return PlanRow(
        id=text(plan.get("id")), version=text(mapping(plan.get("meta")).get("versionId")),
        kind=kind, title=text(plan.get("title")) or "", status=text(plan.get("status")),
        author=reference_text(plan.get("author"), names),
        since=moment(period.get("start")), until=moment(period.get("end")), evaluate=due,
        evaluation_late=due is not None and due < now and plan.get("status") == "active",
        important=text(plan.get("description")) if kind == INDIVIDUAL else "",
        consent=text(agreed(plan).get("valueString")),
        contributors=tuple(
            said for each in objects(plan.get("contributor"))
            if (said := reference_text(each, names))
        ),
        said=said_of(plan.get("note"), names),
        steps=_steps(plan, by_step, now, names),
        made_of=next(iter(plan.get("instantiatesCanonical") or ()), ""),
    )  # fmt: skip


def _steps(
    plan: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]], now: datetime,
    names: Mapping[str, str] | None,
) -> tuple[StepRow, ...]:  # fmt: skip
    due = deadlines(plan)
    rows, is_next = [], True
    for each in measures(plan):
        name = text(each.get("id"))
        if name not in due:
            continue
        time, detail = due[name], mapping(each.get("detail"))
        late = (time.done or now) > time.end
        state = "taken" if time.done else "late" if late else "next" if is_next else "ahead"
        is_next = is_next and time.done is not None
        over = (time.done or now).date() - time.end.date() if late else timedelta()
        row = task_row(tasks[name], now, names) if name in tasks else None
        rows.append(StepRow(
            id=name, title=concept_text(detail.get("code")), how=text(detail.get("description")),
            who=discipline_of(each) or reference_text(first(detail.get("performer")), names),
            end=time.end, done=time.done, state=state, over=max(0, over.days), task=row,
        ))  # fmt: skip
    return tuple(rows)


def measure_row(
    plan: Mapping[str, Any], measure: Mapping[str, Any], now: datetime,
    names: Mapping[str, str] | None = None,
) -> MeasureRow:  # fmt: skip
    """One measure as a row."""
    detail = mapping(measure.get("detail"))
    title = concept_text(detail.get("code"))
    how = text(detail.get("description"))
    performers = objects(detail.get("performer"))
    return MeasureRow(
        plan_id=text(plan.get("id")), plan=text(plan.get("title")), id=text(measure.get("id")),
        title=title or how, how=how if title else "",
        when=when_words(mapping(detail.get("scheduledTiming"))),
        who=", ".join(said for each in performers if (said := reference_text(each, names))),
        discipline=discipline_of(measure), status=text(detail.get("status")),
        form=form_of(measure), goals=tuple(goals_of(measure)),
        problems=tuple(problems_of(measure)), said=said_of(measure.get("progress"), names),
        minutes=planned_minutes(measure, plan_start(plan), now),
    )  # fmt: skip


def goal_row(
    goal: Mapping[str, Any], listed: Iterable[MeasureRow], now: datetime,
    names: Mapping[str, str] | None = None, plan_id: str = "",
) -> GoalRow:  # fmt: skip
    """One goal as a row, with its measures."""
    code, label = achievement_of(goal)
    target = moment(first(goal.get("target")).get("dueDate"))
    going_on = goal.get("lifecycleStatus") not in ("completed", "cancelled", "rejected")
    return GoalRow(
        id=text(goal.get("id")), words=words_of(goal), achievement=code, label=label,
        due=target.text if target else "",
        is_late=going_on and target is not None and target.end < now,
        said=said_of(goal.get("note"), names), measures=tuple(listed), plan_id=plan_id,
    )  # fmt: skip


def said_of(notes: object, names: Mapping[str, str] | None) -> tuple[Said, ...]:
    """What was written, the newest first."""
    found = [
        Said(text(each.get("text")), reference_text(each.get("authorReference"), names)
             or text(each.get("authorString")), text(each.get("time")))
        for each in objects(notes)
    ]  # fmt: skip
    return tuple(reversed(found))
