"""How fast something runs and how much of it has been given: the sum of each rate times its time.

http://hl7.org/fhir/R4/medicationadministration.html has one rate; each rate that an infusion has
had is kept in an extension of ours, with the moment it was set and by whom. A pause is a rate of
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.reading import first, mapping, number, objects, reference_text, text

RATE: Final = "http://helsevev.no/fhir/StructureDefinition/infusion-rate"
"""Of `at` (valueDateTime), `rate` (valueQuantity) and `by` (valueReference), once for each rate."""
_TIMES: Final[Mapping[str, timedelta]] = {
    "s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1),
}  # fmt: skip
"""UCUM's units of time that a rate is said in."""
_HOUR: Final = timedelta(hours=1)


class Rate(Struct, frozen=True):
    """So much of a unit in an hour."""

    an_hour: Fraction
    unit: str

    def over(self, span: timedelta) -> Fraction:
        """How much that is in a time; nothing in one that has not begun."""
        micros = max(span, timedelta(0)) // timedelta(microseconds=1)
        return self.an_hour * Fraction(micros, 3_600_000_000)


class RateSet(Struct, frozen=True):
    """A rate that was set at a moment, as it was written (a Quantity), and by whom."""

    at: datetime
    rate: Rate
    quantity: Mapping[str, Any]
    by: str


def rate_of(given: Mapping[str, Any]) -> Rate | None:
    """The rate of Dosage.doseAndRate, or of MedicationAdministration.dosage; None: none is said.

    A rate in a unit without a time, or of several substances, is none that can be reckoned with.
    """
    ratio = mapping(given.get("rateRatio"))
    if ratio:
        top, below = mapping(ratio.get("numerator")), mapping(ratio.get("denominator"))
        value, per = number(top.get("value")), number(below.get("value"))
        span = _time(text(below.get("code")) or text(below.get("unit")))
        if value is None or span is None or per is None or per <= 0:
            return None
        return Rate(Fraction(value) / Fraction(per) * _an_hour(span), _said(top))
    return of_quantity(
        mapping(given.get("rateQuantity")) or mapping(mapping(given.get("rateRange")).get("low"))
    )


def of_quantity(quantity: Mapping[str, Any]) -> Rate | None:
    """A rate such as 40 mL/h; None for what is none."""
    value = number(quantity.get("value"))
    for said in (text(quantity.get("unit")), text(quantity.get("code"))):
        amount, slash, per = said.rpartition("/")
        span = _time(per) if slash else None
        if value is not None and span is not None:
            return Rate(Fraction(value) * _an_hour(span), amount)
    return None


def most_of(dosage: Mapping[str, Any]) -> Rate | None:
    """The highest rate that a Dosage allows: its maximum, the end of its range, else its rate."""
    most = mapping(dosage.get("maxDosePerPeriod"))
    if most and (found := rate_of({"rateRatio": most})) is not None:
        return found
    given = first(dosage.get("doseAndRate"))
    high = mapping(mapping(given.get("rateRange")).get("high"))
    return of_quantity(high) if high else rate_of(given)


def is_infusion(dosage: Mapping[str, Any]) -> bool:
    """Whether a Dosage is a rate that runs on, and not a dose that is given in some time."""
    given = first(dosage.get("doseAndRate"))
    has_dose = bool(given.get("doseQuantity") or given.get("doseRange"))
    return not has_dose and rate_of(given) is not None


def rates_of(administration: Mapping[str, Any]) -> list[RateSet]:
    """The rates that an infusion has had, in order."""
    found = []
    for extension in objects(administration.get("extension")):
        if extension.get("url") != RATE:
            continue
        parts = {text(part.get("url")): part for part in objects(extension.get("extension"))}
        at = dates.bounds(text(mapping(parts.get("at")).get("valueDateTime")))
        quantity = mapping(mapping(parts.get("rate")).get("valueQuantity"))
        rate = of_quantity(quantity)
        if at is not None and rate is not None:
            by = reference_text(mapping(parts.get("by")).get("valueReference"))
            found.append(RateSet(dates.moment(at[0]), rate, quantity, by))
    return sorted(found, key=lambda each: each.at)


def is_running(administration: Mapping[str, Any]) -> bool:
    """Whether it is an infusion that has been started and not ended, be it paused."""
    return administration.get("status") in ("in-progress", "on-hold") and bool(
        rates_of(administration)
    )


def ran_at(administration: Mapping[str, Any], moment: datetime) -> bool:
    """Whether it is an infusion that had been started and not ended at a moment."""
    rates = rates_of(administration)
    if not rates or rates[0].at > moment:
        return False
    return is_running(administration) or moment < rates[-1].at


def given_so_far(administration: Mapping[str, Any], now: datetime) -> Fraction:
    """How much has been given until now, or until it ended, in the unit of its rates."""
    period = mapping(administration.get("effectivePeriod"))
    ended = dates.bounds(text(period.get("end")))
    # A written second holds to its end; what was ended in it had ended.
    last = min(now, dates.moment(ended[0])) if ended else now
    return volume(rates_of(administration), last)


def volume(rates: Sequence[RateSet], until: datetime) -> Fraction:
    """The sum of each rate times the time that it ran."""
    ends = [*(each.at for each in rates[1:]), until]
    return sum(
        (each.rate.over(min(end, until) - each.at) for each, end in zip(rates, ends, strict=True)),
        Fraction(0),
    )


def as_extension(at: str, quantity: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """One rate as an infusion keeps it; `at` is a FHIR dateTime."""
    return {
        "url": RATE,
        "extension": [
            {"url": "at", "valueDateTime": at},
            {"url": "rate", "valueQuantity": dict(quantity)},
            {"url": "by", "valueReference": dict(by)},
        ],
    }


def plain_amount(amount: Fraction) -> Decimal:
    """An amount as it is told: whole from ten on, else with one decimal."""
    step = Decimal(1) if amount >= 10 else Decimal("0.1")
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(step)


def _an_hour(span: timedelta) -> Fraction:
    return Fraction(_HOUR // timedelta(microseconds=1), span // timedelta(microseconds=1))


def _time(said: str) -> timedelta | None:
    return _TIMES.get(loading.rounds().said_time.get(said, said))


def _said(quantity: Mapping[str, Any]) -> str:
    return text(quantity.get("unit")) or text(quantity.get("code"))
