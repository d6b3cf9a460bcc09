"""FHIR Dosage as amounts in 24 hours and hours between doses, as checks need them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from helsevev.decision_support.situation import Dosing
from helsevev.fhir.reading import Amount, amount, first, mapping, number, objects, text, texts

_DAY: Final = Decimal(24)
_UNITS: Final[dict[str, tuple[str, Decimal]]] = {
    "kg": ("mg", Decimal(1_000_000)), "g": ("mg", Decimal(1000)), "mg": ("mg", Decimal(1)),
    "ug": ("mg", Decimal("0.001")), "mcg": ("mg", Decimal("0.001")),
    "µg": ("mg", Decimal("0.001")), "μg": ("mg", Decimal("0.001")),
    "mikrog": ("mg", Decimal("0.001")), "mikrogram": ("mg", Decimal("0.001")),
    "microgram": ("mg", Decimal("0.001")), "ng": ("mg", Decimal("0.000001")),
    "[iu]": ("IU", Decimal(1)), "iu": ("IU", Decimal(1)), "ie": ("IU", Decimal(1)),
    "enheter": ("IU", Decimal(1)), "k[iu]": ("IU", Decimal(1000)), "mmol": ("mmol", Decimal(1)),
    "l": ("ml", Decimal(1000)), "ml": ("ml", Decimal(1)),
}  # fmt: skip
_HOURS: Final = {
    "s": Decimal(1) / 3600, "min": Decimal(1) / 60, "h": Decimal(1), "d": _DAY,
    "wk": _DAY * 7, "mo": _DAY * 30, "a": _DAY * 365,
}  # fmt: skip
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def dosings(dosages: object, product: Mapping[str, Any]) -> tuple[Dosing, ...]:
    """Every Dosage of an order or statement; `product` is the Medication with its strength."""
    return tuple(_dosing(each, product) for each in objects(dosages))


def _dosing(dosage: Mapping[str, Any], product: Mapping[str, Any]) -> Dosing:
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    given = first(dosage.get("doseAndRate"))
    unit, single = _measured(
        amount(given.get("doseQuantity")) or amount(mapping(given.get("doseRange")).get("high")),
        product,
    )
    often, hours = _how_often(repeat)
    daily = single * often if single is not None and often is not None else None
    if single is None and (rate := _rate(given, product)) is not None:
        unit, daily = rate
    as_needed = dosage.get("asNeededBoolean") is True or bool(dosage.get("asNeededCodeableConcept"))
    most = mapping(dosage.get("maxDosePerPeriod"))
    maximum = _most(most, unit, product) or (daily if as_needed else None)
    bounded = "boundsPeriod" in repeat or "boundsDuration" in repeat
    sequence = number(dosage.get("sequence"))
    step = f"{sequence}" if bounded and sequence is not None else ""
    return Dosing(
        unit=unit, single=single, daily=daily, hours=hours, as_needed=as_needed, maximum=maximum,
        has_maximum=bool(most) or (as_needed and often is not None), step=step,
    )  # fmt: skip


def _measured(given: Amount | None, product: Mapping[str, Any]) -> tuple[str, Decimal | None]:
    """The amount as mass, units or mmol; tablets and millilitres by the product's strength."""
    if given is None or given.value is None:
        return "", None
    unit, factor = _unit(given)
    if unit and unit != "ml":
        return unit, given.value * factor
    strength = mapping(first(product.get("ingredient")).get("strength"))
    held, per = amount(strength.get("numerator")), amount(strength.get("denominator"))
    if held is None or held.value is None:
        return "", None
    held_unit, held_factor = _unit(held)
    per_unit, per_factor = _unit(per) if per is not None else ("", Decimal(1))
    if not held_unit or (unit == "ml") != (per_unit == "ml"):
        return "", None
    divisor = (per.value if per is not None and per.value else Decimal(1)) * per_factor
    return held_unit, given.value * factor * held.value * held_factor / divisor


def _unit(given: Amount) -> tuple[str, Decimal]:
    for said in (given.code, given.unit):
        found = _UNITS.get(said.strip().casefold())
        if found is not None:
            return found
    return "", Decimal(1)


def _rate(given: Mapping[str, Any], product: Mapping[str, Any]) -> tuple[str, Decimal] | None:
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
    unit, each = _measured(said, product)
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
    ratio: Mapping[str, Any], unit: str, product: Mapping[str, Any]
) -> Decimal | None:  # fmt: skip
    """maxDosePerPeriod as the most in 24 hours, when it is in the dose's own unit."""
    found, most = _measured(amount(ratio.get("numerator")), product)
    per = amount(ratio.get("denominator"))
    if most is None or found != unit or per is None:
        return None
    hours = (per.value or Decimal(1)) * _HOURS.get(per.code or per.unit, _DAY)
    return most if hours >= _DAY else most * _DAY / hours
