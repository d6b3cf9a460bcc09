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
    EVALUATION,
    MEASURE,
    PLAN_CHANGED,
    REASON,
    STEP,
    TASK_KIND,
    concept,
)
from helsevev.care_plan.plan_reading import (
    deadlines,
    evaluation_due,
    form_of,
    measures,
    named,
    unit_of_plan,
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
from helsevev.follow_up.asking import ask
from helsevev.follow_up.coding import NEED, Who, stamp
from helsevev.locale import gettext as _

HORIZON: Final = timedelta(days=3)
"""How far ahead tasks are made."""
OPEN: Final = frozenset({"draft", "requested", "received", "accepted", "ready", "in-progress",
                         "on-hold"})  # fmt: skip
_GOING_ON: Final = frozenset({"not-started", "scheduled", "in-progress"})
_MATTER: Final = {MEASURE: "planned-measure", STEP: "pathway-step", EVALUATION: "evaluation"}
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
         if each.get("system") == NEED), "",
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
    if minutes is None or mapping(measure.get("detail")).get("status") not in _GOING_ON:
        return 0
    found = measure_moments(measure, start, Span(at, at + timedelta(weeks=4)))
    return round(int(minutes) * len(found) / 4)


def wanted(plan: Mapping[str, Any], within: Span) -> list[Wanted]:
    """The tasks that a plan in force asks for, of measures those within a span."""
    if plan.get("status") != "active":
        return []
    start = plan_start(plan)
    found: list[Wanted | None] = []
    for measure in measures(plan):
        if mapping(measure.get("detail")).get("status") not in _GOING_ON:
            continue
        found += [
            _of_measure(plan, measure, at) for at in measure_moments(measure, start, within)
        ]  # fmt: skip
    found += list(_steps(plan))
    if due := evaluation_due(plan):
        found.append(_evaluation(plan, due))
    return [each for each in found if each is not None]


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


def _of_measure(plan: Mapping[str, Any], measure: Mapping[str, Any], at: datetime) -> Wanted | None:
    repeat = mapping(mapping(mapping(measure.get("detail")).get("scheduledTiming")).get("repeat"))
    key = f"{plan.get('id')}.{measure.get('id')}.{at.astimezone(UTC):%Y%m%dT%H%M}"
    return _of(plan, measure, key, MEASURE, at, _latest(repeat, at))


def _latest(repeat: Mapping[str, Any], at: datetime) -> datetime:
    """Until when it is in time: a quarter of its steps, two hours from a clock time, or the day."""
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    if unit == "h" and period:
        return at + timedelta(hours=float(period)) / 4
    if texts(repeat.get("timeOfDay")):
        return at + _AFTER
    return instant(at.astimezone(OSLO).date(), time(23, 59), OSLO)


def _steps(plan: Mapping[str, Any]) -> Iterator[Wanted | None]:
    due = deadlines(plan)
    for measure in measures(plan):
        name = text(measure.get("id"))
        if name in due and mapping(measure.get("detail")).get("status") in _GOING_ON:
            key = f"{plan.get('id')}.{name}"
            yield _of(plan, measure, key, STEP, due[name].start, due[name].end)


def _evaluation(plan: Mapping[str, Any], due: datetime) -> Wanted | None:
    key = f"{plan.get('id')}.evaluation.{due.astimezone(OSLO):%Y%m%d}"
    owner = named(plan.get("author"))
    if not owner.reference:
        return None
    return Wanted(key, {
        **_asked(plan, key, EVALUATION, owner, text(plan.get("title")), _("Evaluate the plan"),
                 due),
        "basedOn": [{"reference": f"CarePlan/{plan.get('id')}"}],
    })  # fmt: skip


def _of(
    plan: Mapping[str, Any], measure: Mapping[str, Any], key: str, kind: str,
    start: datetime, end: datetime,
) -> Wanted | None:  # fmt: skip
    detail = mapping(measure.get("detail"))
    owner = named(first(detail.get("performer")))
    owner = owner if owner.reference else named(plan.get("author"))
    if not owner.reference:
        return None  # Nothing is asked of nobody; the page tells that nobody does it.
    title = concept_text(detail.get("code")) or text(detail.get("description"))
    how = text(detail.get("description")) or text(plan.get("title"))
    task = _asked(plan, key, kind, owner, how, title, end, form_of(measure))
    task["basedOn"] = [{"reference": f"CarePlan/{plan.get('id')}"}]
    if reasons := objects(detail.get("reasonReference")):
        task["reasonReference"] = dict(reasons[0])
    task["restriction"] = {"period": {"start": stamp(start), "end": stamp(end)}}
    task["executionPeriod"] = {"start": stamp(start)}
    return Wanted(key, task)


def _asked(
    plan: Mapping[str, Any], key: str, kind: str, owner: Who, words: str, title: str,
    due: datetime, form: str = "",
) -> dict[str, Any]:  # fmt: skip
    author = named(plan.get("author"))
    return ask(
        words, patient_id=reference_key(plan.get("subject")), owner=owner, at=plan_start(plan),
        matter=_MATTER[kind], title=title, due=due, key=key, unit=unit_of_plan(plan), form=form,
        coding=({"system": TASK_KIND, "code": kind},),
        asked_by=author if author.reference else owner,
    )  # fmt: skip


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
        "lastModified": stamp(now),
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
    if task.get("restriction") != made.get("restriction"):
        renewed |= {"extension": made.get("extension", [])}  # Who is told when counts from it.
    return dict(task) if _same(renewed, task) else renewed


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}
