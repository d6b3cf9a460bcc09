"""A plan of the content, applied to a person: what it proposes for them, and the CarePlan it makes.

http://hl7.org/fhir/R4/plandefinition-operation-apply.html. Pure: the person comes as facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.coding import (
    ACHIEVEMENT,
    DEADLINE,
    DISCIPLINE,
    EVALUATE,
    FUNCTION,
    PLAN_KIND,
    UCUM,
    concept,
)
from helsevev.content.packs.plans import CANONICAL, Action, Plan, PlannedGoal, length
from helsevev.fhir.path import PathError, compile_path
from helsevev.fhir.reading import (
    OSLO,
    codes,
    mapping,
    moment,
    number,
    objects,
    reference_key,
    text,
)
from helsevev.fhir.recurrence import after
from helsevev.follow_up.coding import stamp

_ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
_MOST_LEVEL: Final = 5


class Person(Struct, frozen=True):
    """What conditions of a plan can ask about somebody: see `content.packs.plans`."""

    age: int = 0
    months: int = 0
    sex: str = ""
    problems: tuple[str, ...] = ()
    level: int = 0

    @property
    def variables(self) -> dict[str, Any]:
        """It as the variables of an expression."""
        return {
            "age": self.age, "months": self.months, "sex": self.sex,
            "problems": list(self.problems), "level": self.level,
        }  # fmt: skip


class Applied(Struct, frozen=True):
    """What comes of a plan: the CarePlan, and the goals that it names by `urn:uuid:` or id."""

    plan: dict[str, Any]
    goals: tuple[tuple[str, dict[str, Any]], ...]


class NotApplicable(ValueError):
    """A condition of the plan cannot be worked out; the message says which and why."""


def person_of(found: Mapping[str, Iterable[Mapping[str, Any]]], now: datetime) -> Person:
    """The facts of somebody whose Patient, Condition and Observation were read."""
    patient: Mapping[str, Any] = next(iter(found.get("Patient", ())), {})
    born = moment(patient.get("birthDate"))
    months = 0
    if born is not None:
        day, today = born.day, now.astimezone(OSLO).date()
        months = (today.year - day.year) * 12 + today.month - day.month - (today.day < day.day)
    problems = {
        code
        for each in found.get("Condition", ())
        if not codes(each.get("clinicalStatus")) or codes(each.get("clinicalStatus")) & _ACTIVE
        for code in codes(each.get("code"))
        if each.get("verificationStatus") is None
        or not codes(each.get("verificationStatus")) & {"entered-in-error", "refuted"}
    }
    return Person(
        age=max(0, months) // 12, months=max(0, months), sex=text(patient.get("gender")),
        problems=tuple(sorted(problems)), level=_level(found.get("Observation", ())),
    )  # fmt: skip


def _level(observations: Iterable[Mapping[str, Any]]) -> int:
    """The highest function level of IPLOS among the newest of each function."""
    newest: dict[str, tuple[str, int]] = {}
    for each in observations:
        named = objects(mapping(each.get("code")).get("coding"))
        code = next((text(c.get("code")) for c in named if c.get("system") == FUNCTION), "")
        value = number(each.get("valueInteger"))
        if not code or value is None or not 1 <= value <= _MOST_LEVEL:
            continue
        at = text(each.get("effectiveDateTime"))
        if at >= newest.get(code, ("", 0))[0]:
            newest[code] = (at, int(value))
    return max((level for _at, level in newest.values()), default=0)


def holds(action: Action, person: Person) -> bool:
    """Whether an action's condition is true of somebody. Raises `NotApplicable`."""
    if not action.when:
        return True
    try:
        found = compile_path(action.when)(
            {"resourceType": "Patient"}, variables=person.variables
        )  # fmt: skip
    except PathError as problem:
        raise NotApplicable(f"{action.key}: {action.when!r}: {problem}") from problem
    return found == [True]


def proposed(plan: Plan, person: Person) -> tuple[Action, ...]:
    """The actions that are for somebody: their condition holds."""
    return tuple(each for each in plan.action if holds(each, person))


def is_for(plan: Plan, person: Person) -> bool:
    """Whether somebody has a problem that the plan is for."""
    return any(
        code.startswith(wanted) for wanted in plan.problems for code in person.problems
    )  # fmt: skip


def fitting(plans: Iterable[Plan], words: str) -> list[Plan]:
    """The plans that what is typed may mean: every word begins one of theirs."""
    typed = words.casefold().split()
    found = []
    for plan in plans:
        known = " ".join((plan.title, *plan.words)).casefold().replace(",", " ").split()
        if all(any(word.startswith(each) for word in known) for each in typed):
            found.append(plan)
    return sorted(found, key=lambda each: each.title)


def apply(
    plan: Plan,
    subject: str,
    chosen: Collection[str],
    now: datetime,
    *,
    author: Mapping[str, Any],
    performer: Mapping[str, Any],
    problems: Iterable[Mapping[str, Any]] = (),
    goal_ids: Mapping[str, str],
    start: datetime | None = None,
) -> Applied:
    """The CarePlan of a plan for `subject` ("Patient/1"), with the actions of these keys.

    Deadlines count from `start` (now, unless it began before: when a referral was received).

    `author` answers for it, `performer` (person or unit) does its measures, `problems` are the
    References of what it is for. `goal_ids` gives each goal's reference by its key.
    """
    kept = [each for each in plan.action if each.key in chosen]
    aims = [each for each in plan.goal if any(each.key in a.goals for a in kept) or not any(
        each.key in a.goals for a in plan.action)]  # fmt: skip
    addressed = [dict(each) for each in problems]
    evaluated = _later(now, plan.evaluate)
    made: dict[str, Any] = {
        "resourceType": "CarePlan",
        "extension": [{"url": EVALUATE, "valueDate": evaluated}],
        "instantiatesCanonical": [f"{plan.url}|{plan.version}"],
        "status": "active",
        "intent": "plan",
        "category": [concept(PLAN_KIND, plan.kind)],
        "title": plan.title,
        "subject": {"reference": subject},
        "period": {"start": stamp(start or now)},
        "created": stamp(now),
        "author": dict(author),
        "addresses": addressed,
        "goal": [{"reference": goal_ids[each.key]} for each in aims],
        "activity": [
            _activity(each, kept, performer, addressed, goal_ids, now) for each in kept
        ],
    }  # fmt: skip
    goals = [(aim.key, _goal(aim, subject, author, addressed, now)) for aim in aims]
    return Applied({key: value for key, value in made.items() if value}, tuple(goals))


def _goal(
    aim: PlannedGoal,
    subject: str,
    author: Mapping[str, Any],
    addressed: list[dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    goal: dict[str, Any] = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "achievementStatus": concept(ACHIEVEMENT, "in-progress"),
        "description": {"text": aim.text},
        "subject": {"reference": subject},
        "startDate": f"{now.astimezone(OSLO):%Y-%m-%d}",
        "expressedBy": dict(author),
        "addresses": addressed,
    }
    if aim.days:
        due = now.astimezone(OSLO).date() + timedelta(days=aim.days)
        goal["target"] = [{"dueDate": due.isoformat()}]
    return {key: value for key, value in goal.items() if value}


def _activity(
    action: Action,
    kept: Iterable[Action],
    performer: Mapping[str, Any],
    problems: list[dict[str, Any]],
    goal_ids: Mapping[str, str],
    now: datetime,
) -> dict[str, Any]:
    extensions: list[dict[str, Any]] = []
    if action.who:
        extensions.append({"url": DISCIPLINE, "valueString": action.who})
    if action.within:
        counted = action.after if action.after in {each.key for each in kept} else "start"
        extensions.append(step_deadline(counted, action.within))
    detail: dict[str, Any] = {
        "extension": extensions,
        "kind": "ServiceRequest" if action.does in ("order", "referral") else "Task",
        "instantiatesCanonical": [f"{CANONICAL}Questionnaire/{action.form}"] if action.form else [],
        "code": {"text": action.title},
        "reasonReference": problems,
        "goal": [{"reference": goal_ids[key]} for key in action.goals],
        "status": "not-started" if action.within else "in-progress",
        "performer": [dict(performer)] if reference_key(performer) else [],
        "description": action.how,
    }
    if timing := action.timing():
        # What is done so many hours apart is done on the hour.
        hourly = timing["repeat"].get("periodUnit") == "h"
        bounds: dict[str, Any] = {"start": stamp(_next_hour(now) if hourly else now)}
        if action.lasts:
            bounds["end"] = _later(now, action.lasts)
        detail["scheduledTiming"] = {"repeat": {"boundsPeriod": bounds, **timing["repeat"]}}
    kept_parts = {key: value for key, value in detail.items() if value}
    return {"id": action.key, "detail": kept_parts}


def step_deadline(counted_from: str, within: str) -> dict[str, Any]:
    """The extension of a step: within how long of what."""
    value, unit = length(within)
    how_long = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    return {
        "url": DEADLINE,
        "extension": [
            {"url": "after", "valueString": counted_from},
            {"url": "within", "valueDuration": how_long},
        ],
    }


def _next_hour(now: datetime) -> datetime:
    whole = now.replace(minute=0, second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(hours=1)


def _later(now: datetime, said: str) -> str:
    value, unit = length(said)
    end = after(now, {"value": value, "code": unit}, OSLO)
    return f"{(end or now).astimezone(OSLO):%Y-%m-%d}"
