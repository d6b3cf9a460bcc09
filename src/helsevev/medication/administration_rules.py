"""What must hold between a dose, its order as it stood, and the doses given before: at every door.

A dose that is honestly given against the plan says so and goes to the prescriber (`outside_plan`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from helsevev.content import loading
from helsevev.fhir import dates, units
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    OSLO,
    mapping,
    number,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.fhir.recurrence import Span
from helsevev.kit.chapter import Around, Beside, RuleBeside
from helsevev.locale import gettext as _
from helsevev.medication.administration import (
    ANSWERS,
    GIVES,
    due_key,
    due_moment,
    moment_given,
    said_outside,
)
from helsevev.medication.round_times import all_times, earliest
from helsevev.medication.timing import Due, Standing, due, is_as_needed, is_planned

DUPLICATE: Final = "duplicate"
"""Code of the issue that the planned dose has been signed already."""
LOOK_BACK: Final = timedelta(days=4)
"""How far back doses are compared with: longer than half the time between weekly doses."""
_PLACE: Final = "MedicationAdministration.effective"
_HOURS: Final = {"min": 1 / 60, "h": 1, "d": 24}


def wants(administration: dict[str, Any]) -> Beside | None:
    """The versions of the order, and the doses of some days; None when there is no order."""
    order = reference_key(administration.get("request"))
    at = moment_given(administration)
    if at is None or not order.startswith("MedicationRequest/"):
        return None
    if administration.get("status") not in ANSWERS:
        return None
    planned = due_moment(due_key(administration))
    return Beside(
        ("MedicationRequest", order.partition("/")[2]), min(at, planned or at) - LOOK_BACK
    )


def check(administration: dict[str, Any], around: Around) -> list[Issue]:
    """Why this dose cannot be recorded as given by this order; empty when it can."""
    key, at = due_key(administration), moment_given(administration)
    order = reference_key(administration.get("request"))
    same = [o for o in around.others if reference_key(o.get("request")) == order]
    if key and (first := _answered(key, same)):
        return [error(DUPLICATE, _signed_already(first), "MedicationAdministration.identifier")]
    is_declared = said_outside(administration) is not None
    if at is None or administration.get("status") not in GIVES or is_declared:
        return []
    history = [Standing(since, version) for since, version in around.versions]
    if not history:
        return []
    stood = _stood(history, at)
    if not is_planned(stood.order):
        return [error("business-rule", _not_in_force(stood), "MedicationAdministration.request")]
    gave = [o for o in same if o.get("status") in GIVES]
    if key:
        return list(_planned(key, at, history, gave))
    as_needed = [d for d in objects(stood.order.get("dosageInstruction")) if is_as_needed(d)]
    return [issue for dosage in as_needed for issue in _as_needed(administration, at, dosage, gave)]


RULE: Final = RuleBeside(wants, check)


def spacing(doses: Sequence[Due], at: datetime) -> timedelta | None:
    """The planned time between the dose at a moment and the one before it; None for the first."""
    before = [dose.at for dose in doses if dose.at < at]
    return at - before[-1] if before else None


def _answered(key: str, others: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((o for o in others if due_key(o) == key and o.get("status") in ANSWERS), None)


def _stood(history: Sequence[Standing], at: datetime) -> Standing:
    """The version that stood at a moment; the first for what was given before it was written."""
    stood = [each for each in history if each.since <= at]
    return stood[-1] if stood else history[0]


def _planned(
    key: str, at: datetime, history: Sequence[Standing], gave: Sequence[Mapping[str, Any]]
) -> Iterator[Issue]:
    planned = due_moment(key) or at
    within = Span(planned - LOOK_BACK * 8, planned + timedelta(minutes=1))
    for times in all_times():
        doses = due(history, within, OSLO, times)
        if any(dose.key == key for dose in doses):
            break
    else:
        said = _("No dose is due at that time by the order as it stood.")
        yield error("business-rule", said, "MedicationAdministration.identifier")
        return
    apart = spacing(doses, planned)
    if planned - at > earliest(apart):
        said = _("Too early: the dose is due at %(time)s.") % {"time": _clock(planned)}
        yield error("business-rule", said, _PLACE)
    before = [m for o in gave if (m := moment_given(o)) is not None and m <= at]
    share = loading.rounds().tolerance.share
    if apart is not None and before and at - max(before) < apart * share:
        said = _("Too soon: the dose before it was given at %(time)s.")
        yield error("business-rule", said % {"time": _clock(max(before))}, _PLACE)


def _as_needed(
    administration: Mapping[str, Any],
    at: datetime,
    dosage: Mapping[str, Any],
    gave: Sequence[Mapping[str, Any]],
) -> Iterator[Issue]:
    least = shortest_interval(dosage)
    moments = [m for o in gave if (m := moment_given(o)) is not None]
    near = [m for m in moments if least is not None and abs(at - m) < least]
    if near and least is not None:
        said = _("Too soon: it was given at %(time)s, and %(hours)s hours must pass.")
        hours = f"{least / timedelta(hours=1):g}".replace(".", ",")
        yield error("business-rule", said % {"time": _clock(max(near)), "hours": hours}, _PLACE)
    most = mapping(dosage.get("maxDosePerPeriod"))
    period = _period(mapping(most.get("denominator")))
    amount = mapping(most.get("numerator"))
    if period is None or not amount:
        return
    doses = [(moment_given(o), _dose(o, amount)) for o in (administration, *gave)]
    taken = [(m, dose) for m, dose in doses if m is not None]
    limit = Fraction(number(amount.get("value")) or 0)
    for end in {at, *(m for m in moments if at <= m < at + period)}:
        inside = [dose for m, dose in taken if end - period < m <= end]
        if sum((dose or Fraction(0) for dose in inside), Fraction(0)) > limit:
            said = _("Above the maximum: %(amount)s in %(hours)s hours.")
            hours = f"{period / timedelta(hours=1):g}"
            largest = f"{number(amount.get('value'))} {text(amount.get('unit'))}".strip()
            yield error("business-rule", said % {"amount": largest, "hours": hours}, _PLACE)
            return


def shortest_interval(dosage: Mapping[str, Any]) -> timedelta | None:
    """The least time between two as-needed doses; None when none is said.

    "Every 6 hours as needed" says six hours; "three times a day" says no interval.
    """
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    if period is None or unit not in ("min", "h") or (number(repeat.get("frequency")) or 1) != 1:
        return None
    return timedelta(hours=float(period) * _HOURS[unit])


def maximum_is_checked(dosage: Mapping[str, Any]) -> bool:
    """Whether the dose of a dosage can be compared with its own maximum."""
    amount = mapping(mapping(dosage.get("maxDosePerPeriod")).get("numerator"))
    planned = objects(dosage.get("doseAndRate"))
    dose = mapping(planned[0].get("doseQuantity")) if planned else {}
    return not amount or _in_unit(dose, amount) is not None


def most_doses(dosage: Mapping[str, Any]) -> tuple[int, timedelta] | None:
    """How many doses as planned its maximum allows, and in which time; None for no such maximum."""
    most = mapping(dosage.get("maxDosePerPeriod"))
    period, amount = _period(mapping(most.get("denominator"))), mapping(most.get("numerator"))
    planned = objects(dosage.get("doseAndRate"))
    dose = _in_unit(mapping(planned[0].get("doseQuantity")), amount) if planned else None
    if period is None or not dose:
        return None
    return int(Fraction(number(amount.get("value")) or 0) // dose), period


def _period(denominator: Mapping[str, Any]) -> timedelta | None:
    value = number(denominator.get("value"))
    unit = text(denominator.get("code")) or text(denominator.get("unit"))
    if value is None or unit not in _HOURS:
        return None
    return timedelta(hours=float(value) * _HOURS[unit])


def _dose(administration: Mapping[str, Any], like: Mapping[str, Any]) -> Fraction | None:
    return _in_unit(mapping(mapping(administration.get("dosage")).get("dose")), like)


def _in_unit(dose: Mapping[str, Any], like: Mapping[str, Any]) -> Fraction | None:
    """The value of a dose in the unit of another; None when they do not measure the same."""
    value = number(dose.get("value"))
    if value is None:
        return None
    if text(dose.get("unit")) and text(dose.get("unit")) == text(like.get("unit")):
        return Fraction(value)
    codes = [text(each.get("code")) or text(each.get("unit")) for each in (dose, like)]
    source, target = (units.scale(code) if code else None for code in codes)
    if source is None or target is None or source.dimensions != target.dimensions:
        return None
    if not source.dimensions and codes[0] != codes[1]:
        return None
    return units.convert(Fraction(value), source, target)


def _not_in_force(stood: Standing) -> str:
    words = {
        "on-hold": _("The order was paused at %(time)s."),
        "stopped": _("The order was stopped at %(time)s."),
        "completed": _("The order ended at %(time)s."),
        "cancelled": _("The order was cancelled at %(time)s."),
    }
    said = words.get(
        text(stood.order.get("status")), _("The order is not in force since %(time)s.")
    )
    return said % {"time": _clock(stood.since)}


def _signed_already(first: Mapping[str, Any]) -> str:
    signed = objects(first.get("performer"))
    name = reference_text(signed[0].get("actor")) if signed else ""
    at = moment_given(first)
    said = _("The dose was signed by %(name)s at %(time)s.")
    return said % {"name": name or _("somebody else"), "time": _clock(at) if at else "–"}


def _clock(at: datetime) -> str:
    return f"{dates.moment(dates.microseconds(at)).astimezone(OSLO):%d.%m. %H:%M}"
