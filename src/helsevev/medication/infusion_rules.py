"""What the record refuses of an infusion at every door: too fast, two at once, by no order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.fhir import dates, units
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO, mapping, reference_key, text
from helsevev.kit.chapter import Around, Beside, RuleBeside
from helsevev.locale import gettext as _
from helsevev.medication import administration_rules
from helsevev.medication.administration import GIVES, said_outside
from helsevev.medication.administration import check as administration_check
from helsevev.medication.infusion_flow import (
    Rate,
    RateSet,
    is_infusion,
    is_running,
    most_of,
    rates_of,
)
from helsevev.medication.timing import Standing, dosages_at, is_planned

_LONGEST: Final = timedelta(days=60)
_SECOND: Final = timedelta(seconds=1)
_RATE: Final = "MedicationAdministration.dosage.rate"


def check_alone(administration: Mapping[str, Any]) -> list[Issue]:
    """The rules of one infusion by itself: its rates hang together, and it ends when it is over."""
    rates = rates_of(administration)
    if not rates:
        return []
    found = []
    if any(each.rate.an_hour < 0 for each in rates):
        found.append(error("business-rule", _("A rate cannot be less than nothing."), _RATE))
    if len({each.rate.unit for each in rates}) > 1:
        said = _("An infusion keeps the unit of its rate: stop it, and start another.")
        found.append(error("business-rule", said, _RATE))
    period = mapping(administration.get("effectivePeriod"))
    start, end = (dates.bounds(text(period.get(name))) for name in ("start", "end"))
    if start is None or dates.moment(start[0]) != rates[0].at:
        said = _("An infusion begins with its first rate.")
        found.append(error("business-rule", said, "MedicationAdministration.effective"))
    is_known = administration.get("status") in GIVES
    if is_known and is_running(administration) == (end is not None):
        said = _("An infusion has an end when it is over, and not before.")
        found.append(error("business-rule", said, "MedicationAdministration.effective"))
    if end is not None and dates.moment(end[1]) < rates[-1].at:
        said = _("An infusion cannot change after it has ended.")
        found.append(error("business-rule", said, "MedicationAdministration.effective"))
    return found


def check_beside(
    administration: Mapping[str, Any],
    history: Sequence[Standing],
    others: Sequence[Mapping[str, Any]],
) -> Iterator[Issue]:
    """Against the versions of its order and the other infusions of the patient."""
    if said_outside(administration) is not None or not history:
        return
    order = reference_key(administration.get("request"))
    if is_running(administration) and any(
        is_running(each) and reference_key(each.get("request")) == order for each in others
    ):
        said = _("An infusion by this order is running already.")
        yield error("business-rule", said, "MedicationAdministration.request")
    for each in rates_of(administration):
        if each.rate.an_hour > 0 and (problem := _refused(each, history)):
            yield error("business-rule", problem, _RATE)
            return


def ordered(history: Sequence[Standing], at: datetime) -> Mapping[str, Any] | None:
    """The dosage that an order had its infusion run by at a moment; None: it was not to run."""
    # The first version stands for what was given before it was written.
    stood = [each for each in history if each.since <= at] or list(history[:1])
    if not stood or not is_planned(stood[-1].order):
        return None
    return next((d for d in dosages_at(stood[-1], at, OSLO) if is_infusion(d)), None)


def _refused(each: RateSet, history: Sequence[Standing]) -> str:
    # What is written to the second may have been ordered earlier in it.
    dosage = ordered(history, each.at + _SECOND)
    if dosage is None:
        return _("The order has no infusion running at %(time)s.") % {"time": _clock(each.at)}
    most = most_of(dosage)
    found = same_unit(each.rate, most) if most else None
    if most is None or found is None:
        return _("The rate cannot be compared with the one that is ordered.")
    if found.an_hour > most.an_hour:
        return _("The rate is above the highest that is ordered.")
    return ""


def same_unit(rate: Rate, like: Rate) -> Rate | None:
    """A rate in the unit of another; None where they do not measure the same."""
    if rate.unit == like.unit:
        return rate
    source, target = units.scale(_code(rate.unit)), units.scale(_code(like.unit))
    if source is None or target is None or source.dimensions != target.dimensions:
        return None
    return Rate(units.convert(rate.an_hour, source, target), like.unit)


def _code(unit: str) -> str:
    return {"ml": "mL", "l": "L", "mikrog": "ug", "E": "[IU]", "IE": "[IU]"}.get(unit, unit)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(OSLO):%d.%m. %H:%M}"


def check(administration: dict[str, Any]) -> list[Issue]:
    """The rules of one administration by itself, be it a dose or an infusion."""
    return [*administration_check(administration), *check_alone(administration)]


def _wants(administration: dict[str, Any]) -> Beside | None:
    look = administration_rules.wants(administration)
    if look is None or look.since is None or not rates_of(administration):
        return look
    # An infusion may have run for weeks.
    return Beside(look.versions_of, look.since - _LONGEST)


def _check_beside(administration: dict[str, Any], around: Around) -> list[Issue]:
    found = administration_rules.check(administration, around)
    if not rates_of(administration) or administration.get("status") not in GIVES:
        return found
    history = [Standing(since, version) for since, version in around.versions]
    return [*found, *check_beside(administration, history, around.others)]


RULE: Final = RuleBeside(_wants, _check_beside)
"""The rules between an administration, its order and others of the patient, infusions included."""
