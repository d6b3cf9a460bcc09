"""What a CarePlan says: its kind, measures, goals and deadlines, and when it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from msgspec import Struct

from helsevev.care_plan.coding import (
    AGREED,
    CARE,
    DEADLINE,
    DISCIPLINE,
    EVALUATE,
    KINDS,
    PLAN_KIND,
)
from helsevev.fhir.reading import (
    OSLO,
    mapping,
    moment,
    objects,
    reference_key,
    reference_text,
    text,
    texts,
)
from helsevev.fhir.recurrence import after, instant
from helsevev.follow_up.coding import UNIT, Who

START = "start"
_LAST_MINUTE = time(23, 59)
_HOURS = ("min", "h")


class Deadline(Struct, frozen=True):
    """A step's time: from when it counts, until when it is in time, and when it was taken."""

    start: datetime
    end: datetime
    done: datetime | None = None


def kind_of(plan: Mapping[str, Any]) -> str:
    """care, pathway or individual; a plan that says nothing is a care plan."""
    for category in objects(plan.get("category")):
        for each in objects(category.get("coding")):
            if each.get("system") == PLAN_KIND and each.get("code") in KINDS:
                return text(each.get("code"))
    return CARE


def measures(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its activities that say themselves what is to be done, each with an id within the plan."""
    found = []
    for number, each in enumerate(objects(plan.get("activity"))):
        if mapping(each.get("detail")):
            found.append(each if text(each.get("id")) else {**each, "id": f"a{number}"})
    return found


def measure_of(plan: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The measure with this id, None when there is none."""
    return next((each for each in measures(plan) if each.get("id") == name), None)


def is_step(measure: Mapping[str, Any]) -> bool:
    """Whether it has a deadline."""
    return bool(_extension(measure.get("detail"), DEADLINE))


def after_of(measure: Mapping[str, Any]) -> str:
    """What a step's time counts from: the id of another, or "start"."""
    return text(_parts(measure).get("after", {}).get("valueString")) or START


def deadlines(plan: Mapping[str, Any]) -> dict[str, Deadline]:
    """The times of its steps by id: counted from when the one before was taken, or is to be."""
    began = moment(mapping(plan.get("period")).get("start") or plan.get("created"))
    started = began.at if began else datetime(1970, 1, 1, tzinfo=UTC)
    found: dict[str, Deadline] = {}
    waiting = {text(each.get("id")): each for each in measures(plan) if is_step(each)}
    while waiting:
        ready = [n for n, each in waiting.items() if after_of(each) in found
                 or after_of(each) not in waiting]  # fmt: skip
        if not ready:
            break  # They wait for each other: nobody can say when.
        for name in ready:
            each = waiting.pop(name)
            before = found.get(after_of(each))
            start = started if before is None else before.done or before.end
            parts = _parts(each)
            end = _end(start, mapping(parts.get("within", {}).get("valueDuration")))
            done = moment(parts.get("done", {}).get("valueDateTime"))
            found[name] = Deadline(start, end, done.at if done else None)
    return found


def evaluation_due(plan: Mapping[str, Any]) -> datetime | None:
    """When it is to be evaluated; None when nobody has said."""
    found = moment(_extension(plan, EVALUATE).get("valueDate"))
    return None if found is None else instant(found.day, _LAST_MINUTE, OSLO)


def agreed(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the person has said of an individual plan: `valueString`, {} when nothing is written."""
    return _extension(plan, AGREED)


def discipline_of(measure: Mapping[str, Any]) -> str:
    """The profession that does it, in words; "" when nobody said."""
    return text(_extension(measure.get("detail"), DISCIPLINE).get("valueString"))


def goals_of(measure: Mapping[str, Any]) -> list[str]:
    """References of the goals that it serves."""
    named = objects(mapping(measure.get("detail")).get("goal"))
    return [key for each in named if (key := reference_key(each))]


def problems_of(measure: Mapping[str, Any]) -> list[str]:
    """References of the problems that it is for."""
    named = objects(mapping(measure.get("detail")).get("reasonReference"))
    return [key for each in named if (key := reference_key(each))]


def form_of(measure: Mapping[str, Any]) -> str:
    """The key of the form that it is documented by, "" when there is none."""
    said = texts(mapping(measure.get("detail")).get("instantiatesCanonical"))
    forms = [each.partition("|")[0] for each in said if "/Questionnaire/" in each]
    return forms[0].rsplit("/", 1)[1] if forms else ""


def named(reference: object) -> Who:
    """Whom a Reference names; nobody where it names nobody."""
    return Who(reference_key(reference), reference_text(reference))


def unit_of_plan(plan: Mapping[str, Any]) -> Who:
    """The unit on whose list the plan's tasks stand: that of who began it."""
    return named(_extension(plan, UNIT).get("valueReference"))


def references(listed: object) -> list[str]:
    """The references of a list of References."""
    return [key for each in objects(listed) if (key := reference_key(each))]


def _end(start: datetime, length: Mapping[str, Any]) -> datetime:
    end = after(start, length, OSLO) or start
    unit = text(length.get("code")) or text(length.get("unit"))
    if unit in _HOURS:
        return end
    return instant(end.astimezone(OSLO).date(), _LAST_MINUTE, OSLO)


def _parts(measure: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    inner = _extension(measure.get("detail"), DEADLINE).get("extension")
    return {text(each.get("url")): each for each in objects(inner)}


def _extension(element: object, url: str) -> Mapping[str, Any]:
    listed: Iterable[Mapping[str, Any]] = objects(mapping(element).get("extension"))
    return next((each for each in listed if each.get("url") == url), {})
