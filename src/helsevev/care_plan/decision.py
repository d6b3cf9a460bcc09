"""A municipality's decision on a service: how much of it, for how long, by whom, and why.

A ServiceRequest holds what was decided, an EpisodeOfCare the service while it goes on: its unit
then has a treatment relation, and the register's events have something to be read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.coding import (
    DECISION,
    FUNCTION,
    SERVICE_TYPE,
    UCUM,
    concept,
    reference,
)
from helsevev.content.care_plan_loading import functions as content
from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.plans import CANONICAL
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
from helsevev.fhir.recurrence import after
from helsevev.follow_up.coding import stamp

_UNIT: Final = {"h": "h", "d": "d", "times": "{times}"}
_WEEKS: Final = {"d": Decimal(7), "wk": Decimal(1), "mo": Decimal(12) / Decimal(52)}
IRRELEVANT: Final = 9
"""The level of a function that is not relevant to somebody."""


class Decided(Struct, frozen=True, kw_only=True):
    """What is decided: `amount` in the unit of its kind, `performer` (reference, name) gives it."""

    start: date
    end: date | None
    amount: Decimal | None
    what: str
    why: str
    performer: tuple[str, str]
    functions: tuple[str, ...] = ()


class Assessed(Struct, frozen=True):
    """One function as it was last assessed: the level (9: not relevant), when, by whom, where."""

    code: str
    label: str
    group: str
    level: int | None
    words: str
    at: str
    by: str
    reference: str


def assessed(
    observations: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> list[Assessed]:
    """Every function of the content as it was last assessed, unassessed ones with no level."""
    newest: dict[str, Mapping[str, Any]] = {}
    for each in observations:
        if each.get("status") in ("entered-in-error", "cancelled"):
            continue
        code = function_of(each)
        if code and text(each.get("effectiveDateTime")) >= text(
            newest.get(code, {}).get("effectiveDateTime")
        ):
            newest[code] = each
    words = {each.level: each.label for each in content().level}
    found = []
    for function in content().function:
        seen = newest.get(function.code, {})
        level = level_of(seen)
        who = first(seen.get("performer"))
        found.append(Assessed(
            function.code, function.label, function.group, level,
            words.get(level, "") if level is not None else "", text(seen.get("effectiveDateTime")),
            text(who.get("display")) or (names or {}).get(reference_key(who), ""),
            f"Observation/{seen['id']}" if "id" in seen else "",
        ))  # fmt: skip
    return found


def function_of(observation: Mapping[str, Any]) -> str:
    """The code of the function that an Observation is about, "" when it is about none."""
    named = objects(mapping(observation.get("code")).get("coding"))
    return next((text(c.get("code")) for c in named if c.get("system") == FUNCTION), "")


def level_of(observation: Mapping[str, Any]) -> int | None:
    """The level that was assessed; 9 for what is not relevant, None when nothing was."""
    value = number(observation.get("valueInteger"))
    if value is not None:
        return int(value)
    return IRRELEVANT if observation.get("dataAbsentReason") else None


def as_observation(
    patient: str, code: str, level: int, by: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """A function as somebody assesses it now. ValueError for one, or a level, that there is not."""
    function = next((each for each in content().function if each.code == code), None)
    if function is None or level not in {each.level for each in content().level}:
        raise ValueError(f"there is no level {level} of function {code}")
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            concept("http://terminology.hl7.org/CodeSystem/observation-category", "survey")
        ],
        "code": {
            "coding": [{"system": FUNCTION, "code": code, "display": function.label}],
            "text": function.label,
        },
        "subject": {"reference": patient},
        "effectiveDateTime": stamp(now),
        "performer": [dict(by)],
    }
    if level == IRRELEVANT:
        absent = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
        return made | {"dataAbsentReason": concept(absent, "not-applicable")}
    return made | {"valueInteger": level}


def missing(
    decision: Decision, amount: str, months: int, functions: Mapping[str, int]
) -> list[str]:
    """The fields that are missing or beyond the limits of this kind: amount, end, functions.

    `functions` are the levels that were assessed lately, by code.
    """
    found = []
    if decision.unit:
        value = number_of(amount)
        if value is None or not decision.least < value <= decision.most:
            found.append("amount")
    if months <= 0 or (months > 12 * 5 and not decision.lasting):
        found.append("end")
    if any(code not in functions for code in decision.functions):
        found.append("functions")
    return found


def number_of(said: str) -> Decimal | None:
    """A number as Norwegians write it, None when it is none."""
    try:
        value = Decimal(said.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def lately(found: Iterable[Assessed], now: datetime) -> dict[str, int]:
    """The levels that were assessed so lately that one may decide by them."""
    since = now - timedelta(days=content().valid_days)
    levels = {}
    for each in found:
        at = moment(each.at)
        if each.level is not None and at is not None and at.at >= since:
            levels[each.code] = each.level
    return levels


def as_request(
    key: str, decision: Decision, patient: str, decided: Decided, by: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The ServiceRequest of a decision. `patient` is a reference."""
    period = {"start": decided.start.isoformat()}
    if decided.end is not None:
        period["end"] = decided.end.isoformat()
    code: dict[str, Any] = {"text": decision.title}
    if decision.service:
        code["coding"] = [{"system": SERVICE_TYPE, "code": decision.service}]
    made: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "instantiatesCanonical": [f"{CANONICAL}ActivityDefinition/{key}|{decision.version}"],
        "status": "active",
        "intent": "order",
        "category": [concept(DECISION, "decision", "Vedtak")],
        "code": code,
        "orderDetail": [{"text": decided.what}] if decided.what else [],
        "subject": {"reference": patient},
        "occurrencePeriod": period,
        "authoredOn": stamp(now),
        "requester": dict(by),
        "performer": [reference(*decided.performer)],
        "reasonCode": [{"text": decided.why}],
        "supportingInfo": [{"reference": each} for each in decided.functions],
    }
    if decided.amount is not None and decision.unit:
        many = {
            "value": decided.amount, "unit": decision.unit, "system": UCUM,
            "code": _UNIT[decision.unit],
        }  # fmt: skip
        if decision.per:
            each = {"value": 1, "unit": decision.per, "system": UCUM, "code": decision.per}
            made["quantityRatio"] = {"numerator": many, "denominator": each}
        else:
            made["quantityQuantity"] = many
    return {key: value for key, value in made.items() if value}


def as_episode(request: Mapping[str, Any], request_url: str, now: datetime) -> dict[str, Any]:
    """The service while it goes on. `request_url` names the decision."""
    period = mapping(request.get("occurrencePeriod"))
    start = moment(period.get("start"))
    has_begun = start is not None and start.at <= now
    return {
        "resourceType": "EpisodeOfCare",
        "status": "active" if has_begun else "planned",
        "type": [dict(mapping(request.get("code")))],
        "patient": dict(mapping(request.get("subject"))),
        "managingOrganization": dict(first(request.get("performer"))),
        "period": {"start": text(period.get("start"))},
        "referralRequest": [{"reference": request_url}],
    }


def is_decision(request: Mapping[str, Any]) -> bool:
    """Whether a ServiceRequest is a municipality's decision."""
    return any(
        each.get("system") == DECISION
        for category in objects(request.get("category"))
        for each in objects(category.get("coding"))
    )


def in_force(request: Mapping[str, Any], now: datetime) -> bool:
    """Whether a decision holds at a moment."""
    period = mapping(request.get("occurrencePeriod"))
    start, end = moment(period.get("start")), moment(period.get("end"))
    return (
        request.get("status") == "active"
        and (start is None or start.at <= now)
        and (end is None or now < end.end)
    )


def key_of_kind(request: Mapping[str, Any]) -> tuple[str, str]:
    """(key, version) of the kind of decision, ("", "") when it names none of the content's."""
    for said in texts(request.get("instantiatesCanonical")):
        place, _sep, version = said.partition("|")
        if place.startswith(f"{CANONICAL}ActivityDefinition/"):
            return place.rsplit("/", 1)[1], version
    return "", ""


def minutes_a_week(request: Mapping[str, Any]) -> int | None:
    """How many minutes a week are decided; None when it is not counted in hours."""
    ratio = mapping(request.get("quantityRatio"))
    many, each = mapping(ratio.get("numerator")), mapping(ratio.get("denominator"))
    value, per = number(many.get("value")), text(each.get("code"))
    if value is None or many.get("code") != "h" or per not in _WEEKS:
        return None
    return round(value * 60 * _WEEKS[per])


def stopped(
    request: Mapping[str, Any], why: str, by: Mapping[str, Any], on: date, now: datetime
) -> dict[str, Any]:
    """The decision when it is ended before its time, and why."""
    period = {**mapping(request.get("occurrencePeriod")), "end": on.isoformat()}
    note = {"authorReference": dict(by), "time": stamp(now), "text": why.strip()}
    return {
        **request,
        "status": "completed",
        "occurrencePeriod": period,
        "note": [*objects(request.get("note")), note],
    }


def finished(episode: Mapping[str, Any], on: date) -> dict[str, Any]:
    """The service when it is over."""
    period = {**mapping(episode.get("period")), "end": on.isoformat()}
    return {**episode, "status": "finished", "period": period}


def months_between(start: date, end: date) -> int:
    """Whole months that a decision holds, at least one when it ends after it begins."""
    if end <= start:
        return 0
    months = (end.year - start.year) * 12 + end.month - start.month
    return max(1, months)


def usual_end(start: date, months: int) -> date:
    """The last day of a decision that holds for so many months."""
    begun = datetime(start.year, start.month, start.day, 12, tzinfo=OSLO)
    end = after(begun, {"value": months, "code": "mo"}, OSLO) or begun.astimezone(UTC)
    return end.astimezone(OSLO).date()


def label_of(request: Mapping[str, Any]) -> str:
    """What the service is."""
    return concept_text(request.get("code"))
