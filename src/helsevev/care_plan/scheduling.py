"""The tasks that a plan asks for in a span of time: a pure function of the plan as it stands.

Each has a key of its plan, its measure and its moment. So a task is made once however often it is
asked for, and a plan that is changed changes the tasks that are still open, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.coding import (
    EVALUATE,
    EVALUATION,
    INDIVIDUAL,
    MEASURE,
    PLAN_CHANGED,
    PLANNED,
    REASON,
    STEP,
    TASK_KIND,
    concept,
)
from helsevev.care_plan.plan_reading import (
    deadlines,
    evaluation_due,
    is_step,
    kind_of,
    measures,
)
from helsevev.fhir.reading import (
    OSLO,
    concept_text,
    first,
    mapping,
    moment,
    number,
    objects,
    reference_key,
    text,
    texts,
)
from helsevev.fhir.recurrence import Course, Span, Times, Unplannable, instant, moments
from helsevev.locale import gettext as _

HORIZON: Final = timedelta(days=3)
"""How far ahead tasks are made."""
OPEN: Final = frozenset({"draft", "requested", "received", "accepted", "ready", "in-progress",
                         "on-hold"})  # fmt: skip
_MORNING: Final = time(8)
_TIMES: Final = Times(
    events={}, daily={1: (_MORNING,), 2: (_MORNING, time(20)),
                      3: (_MORNING, time(14), time(20)),
                      4: (_MORNING, time(12), time(17), time(21))}, codes={},
)  # fmt: skip
_AFTER: Final = timedelta(hours=2)


class Wanted(Struct, frozen=True):
    """One task that a plan asks for: its key, and the Task."""

    key: str
    task: Mapping[str, Any]


class Changes(Struct, frozen=True):
    """What makes the tasks of a plan what they should be: new ones, and versions of others."""

    new: tuple[Mapping[str, Any], ...]
    changed: tuple[Mapping[str, Any], ...]


def key_of(task: Mapping[str, Any]) -> str:
    """The key of a planned task, "" when it is not one."""
    return next(
        (text(each.get("value")) for each in objects(task.get("identifier"))
         if each.get("system") == PLANNED), "",
    )  # fmt: skip


def kind_of_task(task: Mapping[str, Any]) -> str:
    """measure, step or evaluation, "" for a task that comes of no plan."""
    return next(
        (text(each.get("code")) for each in objects(mapping(task.get("code")).get("coding"))
         if each.get("system") == TASK_KIND), "",
    )  # fmt: skip


def measure_moments(measure: Mapping[str, Any], start: datetime, within: Span) -> list[datetime]:
    """When a measure is to be done within a span; none when it has no times."""
    timing = mapping(mapping(measure.get("detail")).get("scheduledTiming"))
    if not timing:
        return []
    try:
        return moments(timing, _course(timing, start), within, OSLO, _TIMES)
    except Unplannable:
        return []


def minutes_a_week(measure: Mapping[str, Any], start: datetime, at: datetime) -> int:
    """How many minutes a measure takes in the four weeks from a moment, for each week."""
    repeat = mapping(mapping(mapping(measure.get("detail")).get("scheduledTiming")).get("repeat"))
    minutes = number(repeat.get("duration"))
    if minutes is None or measure.get("detail", {}).get("status") not in (
        "not-started", "scheduled", "in-progress",
    ):  # fmt: skip
        return 0
    found = measure_moments(measure, start, Span(at, at + timedelta(weeks=4)))
    return round(int(minutes) * len(found) / 4)


def wanted(plan: Mapping[str, Any], within: Span) -> list[Wanted]:
    """The tasks that a plan in force asks for, of measures those within a span."""
    if plan.get("status") != "active":
        return []
    start = plan_start(plan)
    found = []
    for measure in measures(plan):
        status = mapping(measure.get("detail")).get("status")
        if status not in ("not-started", "scheduled", "in-progress"):
            continue
        found += [
            _of_measure(plan, measure, at) for at in measure_moments(measure, start, within)
        ]  # fmt: skip
    found += list(_steps(plan))
    if due := evaluation_due(plan):
        found.append(_evaluation(plan, due))
    return found


def reconcile(
    plan: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]], now: datetime,
    horizon: timedelta = HORIZON,
) -> Changes:  # fmt: skip
    """What makes the tasks of a plan, as they stand, what the plan now asks for.

    What was due before `now` stays as it is: it was asked for when it was. A task that is done,
    or was left undone by somebody, is never touched. Applied twice, it changes nothing more.
    """
    there = {key_of(each): each for each in tasks if key_of(each)}
    asked = {each.key: each.task for each in wanted(plan, Span(now, now + horizon))}
    new = tuple(task for key, task in asked.items() if key not in there)
    changed = []
    for key, task in there.items():
        made = asked.get(key)
        if made is None:
            if task.get("status") in OPEN and (not _is_past(task, now) or _is_over(plan)):
                changed.append(_withdrawn(task, now))
        elif task.get("status") in OPEN or _was_withdrawn(task):
            renewed = _renewed(task, made)
            if renewed != task:
                changed.append(renewed)
    return Changes(new, tuple(changed))


def plan_start(plan: Mapping[str, Any]) -> datetime:
    """When a plan begins; at the latest when it was written."""
    said = mapping(plan.get("period")).get("start") or plan.get("created")
    found = moment(said)
    return found.at if found else datetime(1970, 1, 1, tzinfo=UTC)


def _course(timing: Mapping[str, Any], start: datetime) -> Course:
    bounds = mapping(mapping(timing.get("repeat")).get("boundsPeriod"))
    since, until = moment(bounds.get("start")), moment(bounds.get("end"))
    return Course(since.at if since else start, until.end if until else None)


def _of_measure(plan: Mapping[str, Any], measure: Mapping[str, Any], at: datetime) -> Wanted:
    detail = mapping(measure.get("detail"))
    repeat = mapping(mapping(detail.get("scheduledTiming")).get("repeat"))
    key = f"{plan.get('id')}.{measure.get('id')}.{at.astimezone(UTC):%Y%m%dT%H%M}"
    end = _latest(repeat, at)
    return Wanted(key, _task(plan, measure, key, MEASURE, at, end))


def _latest(repeat: Mapping[str, Any], at: datetime) -> datetime:
    """Until when a task at a moment is in time: a quarter of its steps, or two hours, or the day."""
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    if unit == "h" and period:
        return at + timedelta(hours=float(period)) / 4
    if texts(repeat.get("timeOfDay")):
        return at + _AFTER
    return instant(at.astimezone(OSLO).date(), time(23, 59), OSLO)


def _steps(plan: Mapping[str, Any]) -> Iterator[Wanted]:
    due = deadlines(plan)
    for measure in measures(plan):
        name = text(measure.get("id"))
        if not is_step(measure) or name not in due:
            continue
        if mapping(measure.get("detail")).get("status") in ("not-started", "scheduled",
                                                             "in-progress"):  # fmt: skip
            key = f"{plan.get('id')}.{name}"
            yield Wanted(key, _task(plan, measure, key, STEP, due[name].start, due[name].end))


def _evaluation(plan: Mapping[str, Any], due: datetime) -> Wanted:
    key = f"{plan.get('id')}.evaluation.{due.astimezone(OSLO):%Y%m%d}"
    task: dict[str, Any] = {
        **_around(plan, key, EVALUATION),
        "description": text(plan.get("title")),
        "restriction": {"period": {"end": written(due)}},
    }
    task["code"]["text"] = _("Evaluate the plan")
    owner = mapping(plan.get("author"))
    if reference_key(owner):
        task["owner"] = dict(owner)
    return Wanted(key, task)


def _task(
    plan: Mapping[str, Any], measure: Mapping[str, Any], key: str, kind: str,
    start: datetime, end: datetime,
) -> dict[str, Any]:  # fmt: skip
    detail = mapping(measure.get("detail"))
    task = _around(plan, key, kind)
    task["code"]["text"] = concept_text(detail.get("code")) or text(detail.get("description"))
    if (how := text(detail.get("description"))) and how != task["code"]["text"]:
        task["description"] = how
    owner = first(detail.get("performer")) or mapping(plan.get("author"))
    if reference_key(owner):
        task["owner"] = dict(owner)
    if reasons := objects(detail.get("reasonReference")):
        task["reasonReference"] = dict(reasons[0])
    task["restriction"] = {"period": {"start": written(start), "end": written(end)}}
    task["executionPeriod"] = {"start": written(start)}
    if forms := texts(detail.get("instantiatesCanonical")):
        task["input"] = [{"type": {"text": "form"}, "valueCanonical": forms[0]}]
    return task


def _around(plan: Mapping[str, Any], key: str, kind: str) -> dict[str, Any]:
    task: dict[str, Any] = {
        "resourceType": "Task",
        "identifier": [{"system": PLANNED, "value": key}],
        "basedOn": [{"reference": f"CarePlan/{plan.get('id')}"}],
        "status": "requested",
        "intent": "plan",
        "code": concept(TASK_KIND, kind),
        "for": {"reference": reference_key(plan.get("subject"))},
    }
    if reference_key(author := mapping(plan.get("author"))):
        task["requester"] = dict(author)
    if kind_of(plan) == INDIVIDUAL:
        task["priority"] = "routine"
    return task


def _is_over(plan: Mapping[str, Any]) -> bool:
    return plan.get("status") not in ("active", "on-hold")


def _is_past(task: Mapping[str, Any], now: datetime) -> bool:
    """Whether it was to be done before now; of what has no start, never."""
    if kind_of_task(task) != MEASURE:
        return False
    planned = moment(mapping(mapping(task.get("restriction")).get("period")).get("start"))
    return planned is not None and planned.at < now


def _withdrawn(task: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        **task,
        "status": "cancelled",
        "statusReason": concept(REASON, PLAN_CHANGED, _("The plan was changed")),
        "lastModified": written(now),
    }


def _was_withdrawn(task: Mapping[str, Any]) -> bool:
    return task.get("status") == "cancelled" and any(
        each.get("code") == PLAN_CHANGED
        for each in objects(mapping(task.get("statusReason")).get("coding"))
    )


def _renewed(task: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The task as it stands, with what the plan now says of it."""
    said = ("code", "description", "restriction", "input", "reasonReference")
    kept = {key: value for key, value in task.items() if key not in said}
    if _was_withdrawn(task):
        kept.pop("statusReason", None)
        kept["status"] = "requested"
    if task.get("status") in ("draft", "requested") or "owner" not in task:
        # Who has taken it on keeps it.
        kept.pop("owner", None)
        kept |= {"owner": made["owner"]} if "owner" in made else {}
    renewed = kept | {key: made[key] for key in said if key in made}
    return dict(task) if _same(renewed, task) else renewed


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}


def written(at: datetime) -> str:
    """A moment as the record writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


__all__ = ["EVALUATE", "HORIZON", "OPEN", "Changes", "Wanted", "key_of", "kind_of_task",
           "measure_moments", "minutes_a_week", "plan_start", "reconcile", "wanted",
           "written"]  # fmt: skip
