"""FHIR Dosage as amounts in 24 hours and hours between doses, as checks need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from helsevev.decision_support.situation import Dosing
from helsevev.decision_support.strength import Strength, measure, measured, strengths
from helsevev.fhir.reading import Amount, amount, first, mapping, number, objects, text, texts

_AmountOf = Callable[[Amount | None], tuple[str, Decimal | None]]
_DAY: Final = Decimal(24)
_HOURS: Final = {
    "s": Decimal(1) / 3600, "min": Decimal(1) / 60, "h": Decimal(1), "d": _DAY,
    "wk": _DAY * 7, "mo": _DAY * 30, "a": _DAY * 365,
}  # fmt: skip
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def dosings(dosages: object, product: Mapping[str, Any]) -> tuple[Dosing, ...]:
    """Every Dosage of an order or statement; `product` is the Medication with its strength.

    Of a product of several substances nothing is measured as a whole: see `of_ingredient`.
    """
    held = strengths(product)
    only = held[0] if len(held) == 1 else None
    return tuple(_dosing(each, only, is_mixed=len(held) > 1) for each in objects(dosages))


def of_ingredient(dosages: object, product: Mapping[str, Any], place: int) -> tuple[Dosing, ...]:
    """Every Dosage as amounts of one of the substances of a product of several."""
    held = strengths(product)[place]
    return tuple(_dosing(each, held, is_mixed=True) for each in objects(dosages))


def _dosing(dosage: Mapping[str, Any], held: Strength | None, *, is_mixed: bool) -> Dosing:
    """`is_mixed`: an amount of the whole, such as 500 mg, says nothing of one substance."""

    def amount_of(given: Amount | None) -> tuple[str, Decimal | None]:
        if is_mixed and given is not None and measure(given)[0] not in ("", "ml"):
            return "", None
        return measured(given, held)

    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    given = first(dosage.get("doseAndRate"))
    unit, single = amount_of(
        amount(given.get("doseQuantity")) or amount(mapping(given.get("doseRange")).get("high"))
    )
    often, hours = _how_often(repeat)
    daily = single * often if single is not None and often is not None else None
    if single is None and (rate := _rate(given, amount_of)) is not None:
        unit, daily = rate
    as_needed = dosage.get("asNeededBoolean") is True or bool(dosage.get("asNeededCodeableConcept"))
    most = mapping(dosage.get("maxDosePerPeriod"))
    maximum = _most(most, unit, amount_of) or (daily if as_needed else None)
    bounded = "boundsPeriod" in repeat or "boundsDuration" in repeat
    sequence = number(dosage.get("sequence"))
    step = f"{sequence}" if bounded and sequence is not None else ""
    return Dosing(
        unit=unit, single=single, daily=daily, hours=hours, as_needed=as_needed, maximum=maximum,
        has_maximum=bool(most) or (as_needed and often is not None), step=step,
        counted=single is None and bool(given.get("doseQuantity")),
    )  # fmt: skip


def _rate(given: Mapping[str, Any], amount_of: _AmountOf) -> tuple[str, Decimal] | None:
    """An infusion as amount in 24 hours; None when there is none that can be read."""
    ratio = mapping(given.get("rateRatio"))
    said, per = amount(ratio.get("numerator")), amount(ratio.get("denominator"))
    hours = _HOURS.get(per.code or per.unit) if per is not None else None
    if per is not None and per.value and hours is not None:
        hours *= per.value
    quantity = amount(given.get("rateQuantity"))
    if quantity is not None and "/" in (quantity.code or quantity.unit):
        name, _, span = (quantity.code or quantity.unit).partition("/")
        said, hours = Amount(quantity.value, name, code=name), _HOURS.get(span)
    unit, each = amount_of(said)
    return (unit, each * _DAY / hours) if each is not None and hours else None


def _how_often(repeat: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """(the most doses in 24 hours, the fewest hours between two); None when not said."""
    days = sorted(_WEEKDAYS.index(d) for d in texts(repeat.get("dayOfWeek")) if d in _WEEKDAYS)
    times = sorted(_clock(each) for each in texts(repeat.get("timeOfDay")))
    in_a_day = Decimal(len(times) or len(texts(repeat.get("when"))))
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    span = period * _HOURS[unit] if period and period > 0 and unit in _HOURS else None
    frequency = number(repeat.get("frequencyMax")) or number(repeat.get("frequency"))
    if days:
        between = min(_gaps([Decimal(d) * _DAY for d in days], _DAY * 7))
        if in_a_day > 1 or (frequency is not None and span == _DAY and frequency > 1):
            count = max(in_a_day, frequency or Decimal(1))
            return count, _DAY / count
        return Decimal(1), between
    if in_a_day and (span is None or span == _DAY):
        return in_a_day, min(_gaps(times, _DAY)) if times else _DAY / in_a_day
    if span is None:
        return None, None
    often = frequency if frequency and frequency > 0 else in_a_day or Decimal(1)
    between = span / often
    # Multiplied first: seven times a day is seven, not 24 divided by a rounded interval.
    return max(Decimal(1), often * _DAY / span), between


def _clock(written: str) -> Decimal:
    hour, _, rest = written.partition(":")
    minute = rest[:2]
    return Decimal(hour or 0) + Decimal(minute or 0) / 60 if hour.isdigit() else Decimal(0)


def _gaps(points: list[Decimal], round_trip: Decimal) -> list[Decimal]:
    """The spans between points that come again after `round_trip`."""
    after = [*points[1:], points[0] + round_trip]
    return [later - earlier for earlier, later in zip(points, after, strict=True)]


def _most(
    ratio: Mapping[str, Any], unit: str, amount_of: _AmountOf
) -> Decimal | None:  # fmt: skip
    """maxDosePerPeriod as the most in 24 hours, when it is in the dose's own unit."""
    found, most = amount_of(amount(ratio.get("numerator")))
    per = amount(ratio.get("denominator"))
    if most is None or found != unit or per is None:
        return None
    hours = (per.value or Decimal(1)) * _HOURS.get(per.code or per.unit, _DAY)
    return most if hours >= _DAY else most * _DAY / hours
