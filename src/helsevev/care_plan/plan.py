"""The life of a care plan: begun, given measures, changed, evaluated and ended.

Each verb gives the plan's next version; nothing is written here. A measure that is ended stays in
the plan, so that what was planned and done can be read together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from helsevev.care_plan.coding import (
    AGREED,
    DEADLINE,
    DISCIPLINE,
    EVALUATE,
    INDIVIDUAL,
    PLAN_KIND,
    concept,
)
from helsevev.care_plan.plan_reading import kind_of, measure_of
from helsevev.content.packs.plans import CANONICAL
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO, mapping, objects, reference_key
from helsevev.follow_up.coding import stamp

ENDINGS: Final = ("completed", "revoked")
_OPEN: Final = ("not-started", "scheduled", "in-progress")


class Measure(Struct, frozen=True, kw_only=True):
    """A measure as somebody writes it. `repeat` is FHIR's Timing.repeat without its bounds.

    `goals` and `problems` are references, `performer` (reference, name) is who does it, `until`
    the last day.
    """

    title: str
    how: str = ""
    repeat: Mapping[str, Any] = {}
    until: date | None = None
    goals: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    performer: tuple[str, str] = ("", "")
    discipline: str = ""
    form: str = ""


def new_plan(
    patient: str,
    kind: str,
    title: str,
    author: Mapping[str, Any],
    now: datetime,
    *,
    evaluate: date,
    problems: Iterable[Mapping[str, Any]] = (),
    important: str = "",
    consent: str = "",
    contributors: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A plan without measures yet. `author` answers for it: of an individual plan the coordinator.

    `important` is what matters to the person, in their words; `consent` what they have said to an
    individual plan and to whom.
    """
    extensions: list[dict[str, Any]] = [{"url": EVALUATE, "valueDate": evaluate.isoformat()}]
    if consent:
        extensions.append({"url": AGREED, "valueString": consent})
    made: dict[str, Any] = {
        "resourceType": "CarePlan",
        "extension": extensions,
        "status": "active",
        "intent": "plan",
        "category": [concept(PLAN_KIND, kind)],
        "title": title,
        "description": important,
        "subject": {"reference": patient},
        "period": {"start": stamp(now)},
        "created": stamp(now),
        "author": dict(author),
        "contributor": [dict(each) for each in contributors],
        "addresses": [dict(each) for each in problems],
    }
    return {key: value for key, value in made.items() if value}


def with_goal(plan: Mapping[str, Any], goal: str) -> dict[str, Any]:
    """The plan with one goal (a reference) more."""
    goals = objects(plan.get("goal"))
    if goal in {reference_key(each) for each in goals}:
        return dict(plan)
    return {**plan, "goal": [*goals, {"reference": goal}]}


def with_problem(plan: Mapping[str, Any], problem: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with one problem (a Reference) more."""
    listed = objects(plan.get("addresses"))
    if reference_key(problem) in {reference_key(each) for each in listed}:
        return dict(plan)
    return {**plan, "addresses": [*listed, dict(problem)]}


def with_measure(
    plan: Mapping[str, Any], measure: Measure, now: datetime, *, name: str = ""
) -> dict[str, Any]:
    """The plan with a measure more, or with one (`name`) changed, whose times then begin anew."""
    name = name or f"m{uuid4().hex[:8]}"
    before = measure_of(plan, name)
    kept = [
        each for each in objects(mapping(mapping(before).get("detail")).get("extension"))
        if each.get("url") == DEADLINE
    ]  # fmt: skip
    if measure.discipline:
        kept.append({"url": DISCIPLINE, "valueString": measure.discipline})
    detail: dict[str, Any] = {
        "extension": kept,
        "kind": "Task",
        "instantiatesCanonical": (
            [f"{CANONICAL}Questionnaire/{measure.form}"] if measure.form else []
        ),
        "code": {"text": measure.title},
        "reasonReference": [{"reference": each} for each in measure.problems],
        "goal": [{"reference": each} for each in measure.goals],
        "status": "in-progress",
        "description": measure.how,
    }
    if measure.repeat:
        bounds = {"start": stamp(now)}
        if measure.until is not None:
            bounds["end"] = measure.until.isoformat()
        detail["scheduledTiming"] = {"repeat": {"boundsPeriod": bounds, **measure.repeat}}
    if measure.performer[0]:
        who = {"reference": measure.performer[0], "display": measure.performer[1]}
        detail["performer"] = [{key: value for key, value in who.items() if value}]
    detail = {key: value for key, value in detail.items() if value}
    made: dict[str, Any] = {"id": name, "detail": detail}
    if before is not None and "progress" in before:
        made["progress"] = before["progress"]
    activities = objects(plan.get("activity"))
    if before is None:
        return {**plan, "activity": [*activities, made]}
    return {**plan, "activity": [made if each.get("id") == name else each for each in activities]}


def ended_measure(
    plan: Mapping[str, Any], name: str, why: str, by: Mapping[str, Any], now: datetime,
    *, status: str = "stopped",
) -> dict[str, Any]:  # fmt: skip
    """The plan with one measure ended (`stopped` or `completed`), and why in its evaluation."""
    return _with_detail(plan, name, by, now, why, status=status, statusReason={"text": why})


def evaluated_measure(
    plan: Mapping[str, Any], name: str, words: str, by: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The plan with what somebody thinks of one measure."""
    return _with_detail(plan, name, by, now, words)


def taken_step(plan: Mapping[str, Any], name: str, at: datetime) -> dict[str, Any]:
    """The plan with a step taken at a moment: those that wait for it count from then."""
    activities = []
    for each in objects(plan.get("activity")):
        if each.get("id") == name:
            detail = dict(mapping(each.get("detail")))
            detail["extension"] = [
                _taken(extension, at) if extension.get("url") == DEADLINE else extension
                for extension in objects(detail.get("extension"))
            ]
            detail["status"] = "completed"
            activities.append({**each, "detail": detail})
        else:
            activities.append(dict(each))
    return {**plan, "activity": activities}


def reopened_step(plan: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The plan with a step that was not taken after all."""
    activities = []
    for each in objects(plan.get("activity")):
        if each.get("id") == name:
            detail = dict(mapping(each.get("detail")))
            detail["extension"] = [
                {**extension, "extension": [part for part in objects(extension.get("extension"))
                                            if part.get("url") != "done"]}
                if extension.get("url") == DEADLINE else extension
                for extension in objects(detail.get("extension"))
            ]  # fmt: skip
            detail["status"] = "not-started"
            activities.append({**each, "detail": detail})
        else:
            activities.append(dict(each))
    return {**plan, "activity": activities}


def evaluated(
    plan: Mapping[str, Any], words: str, by: Mapping[str, Any], now: datetime, following: date
) -> dict[str, Any]:
    """The plan with an evaluation in words, and the day of the next one."""
    rest = [each for each in objects(plan.get("extension")) if each.get("url") != EVALUATE]
    note = {"authorReference": dict(by), "time": stamp(now), "text": words.strip()}
    return {
        **plan,
        "extension": [*rest, {"url": EVALUATE, "valueDate": following.isoformat()}],
        "note": [*objects(plan.get("note")), note],
    }


def ended(
    plan: Mapping[str, Any], status: str, why: str, by: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The plan when it is over. ValueError when `status` is neither completed nor revoked."""
    if status not in ENDINGS:
        raise ValueError(f"a plan is not ended as {status!r}")
    period = {**mapping(plan.get("period")), "end": stamp(now)}
    note = {"authorReference": dict(by), "time": stamp(now), "text": why.strip()}
    activities = []
    for each in objects(plan.get("activity")):
        detail = mapping(each.get("detail"))
        if detail.get("status") in _OPEN:
            each = {**each, "detail": {**detail, "status": "stopped"}}
        activities.append(each)
    made = {**plan, "status": status, "period": period, "note": [*objects(plan.get("note")), note]}
    return made | ({"activity": activities} if activities else {})


def check(plan: Mapping[str, Any]) -> list[Issue]:
    """What is wrong with a plan: one in force that nobody answers for."""
    is_individual = plan.get("status") == "active" and kind_of(plan) == INDIVIDUAL
    if is_individual and not reference_key(plan.get("author")):
        said = "An individual plan names its coordinator as its author."
        return [error("business-rule", said, "CarePlan.author")]
    return []


def _with_detail(
    plan: Mapping[str, Any], name: str, by: Mapping[str, Any], now: datetime, words: str,
    **changes: Any,
) -> dict[str, Any]:  # fmt: skip
    said = {"authorReference": dict(by), "time": stamp(now), "text": words.strip()}
    activities = []
    for each in objects(plan.get("activity")):
        if each.get("id") == name:
            each = {**each, "detail": {**mapping(each.get("detail")), **changes}}
            if words.strip():
                each["progress"] = [*objects(each.get("progress")), said]
        activities.append(each)
    return {**plan, "activity": activities}


def _taken(extension: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    parts = [each for each in objects(extension.get("extension")) if each.get("url") != "done"]
    return {**extension, "extension": [*parts, {"url": "done", "valueDateTime": stamp(at)}]}


def today(now: datetime) -> date:
    """The day in Norway."""
    return now.astimezone(OSLO).date()
