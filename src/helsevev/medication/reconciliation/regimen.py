"""What one Dosage means, in a form that two can be compared in: amount, schedule, or unreadable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any, Final

from msgspec import Struct

from helsevev.decision_support.dose_reading import dosings
from helsevev.fhir.reading import (
    Amount,
    amount,
    codes,
    concept_text,
    first,
    mapping,
    number,
    objects,
    start_and_end,
    text,
    texts,
)
from helsevev.medication.round_times import times_of

UNCLEAR: Final = "unclear"
_WEEK: Final = 7
_REPEATED: Final = ("boundsDuration", "boundsRange", "count", "countMax", "duration", "offset")
_MOST: Final = ("maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime")
_MOST_MATCHED: Final = 6
"""More steps than this are compared in the order of their days."""
_SPANS: Final = {
    "s": ("h", Decimal(1) / 3600), "min": ("h", Decimal(1) / 60), "h": ("h", Decimal(1)),
    "d": ("d", Decimal(1)), "wk": ("d", Decimal(_WEEK)), "mo": ("mo", Decimal(1)),
    "a": ("mo", Decimal(12)),
}  # fmt: skip


class Given(Struct, frozen=True):
    """An amount: as it is said (`unit`), and as substance where the strength is known.

    `low` and `high` are the same when it is no range. `measured` is (unit, low, high) in mg,
    IU or mmol; None when it cannot be worked out. `per` is the unit of time of a rate.
    """

    unit: str
    low: Decimal
    high: Decimal
    measured: tuple[str, Decimal, Decimal] | None
    per: str = ""


class Schedule(Struct, frozen=True):
    """When it is taken. `span` is (unit, length), `often` how many times in it, at least and most.

    `moments` are times of day and meals; () when only so many times are said.
    """

    span: tuple[str, Decimal] | None
    often: tuple[Decimal, Decimal] | None
    moments: tuple[str, ...]
    days: tuple[str, ...]
    needed_for: str
    as_needed: bool
    limits: tuple[str, ...]


class Regimen(Struct, frozen=True):
    """One Dosage. `given` or `schedule` None: it cannot be read, and a person has to."""

    given: Given | None
    schedule: Schedule | None
    said: str

    @property
    def is_readable(self) -> bool:
        """Whether both how much and when are known."""
        return self.given is not None and self.schedule is not None


def regimens(
    dosages: object, product: Mapping[str, Any], on: date, *, fixed: bool = False
) -> tuple[Regimen, ...]:
    """Every Dosage of an order or a statement; `product` is the Medication with its strength.

    A first day counts when it is after `on`, or when there are several steps.
    """
    listed = objects(dosages)
    several = fixed or len(listed) > 1
    return tuple(
        Regimen(_given(each, product), _schedule(each, on, several), _said(each)) for each in listed
    )


def differences(
    one: tuple[Regimen, ...], other: tuple[Regimen, ...], *, same_product: bool
) -> frozenset[str]:
    """What two doses differ in: "dose", "schedule", "wording"; UNCLEAR when nobody can tell.

    Empty when they are the same, which no unreadable dose ever is.
    """
    if not one or not other or not all(each.is_readable for each in (*one, *other)):
        return frozenset({UNCLEAR})
    if len(one) != len(other):
        return frozenset({"dose", "schedule"})
    orders: Iterable[tuple[Regimen, ...]] = (
        permutations(other) if len(other) <= _MOST_MATCHED else [other]
    )
    found = [_of_pairs(zip(one, each, strict=True), same_product) for each in orders]
    return min(found, key=lambda told: (len(told), UNCLEAR in told, sorted(told)))


def _of_pairs(pairs: Iterable[tuple[Regimen, Regimen]], same_product: bool) -> frozenset[str]:
    told: set[str] = set()
    for one, other in pairs:
        told |= _of_pair(one, other, same_product)
    return frozenset(told)


def _of_pair(one: Regimen, other: Regimen, same_product: bool) -> set[str]:
    told = set()
    if one.given is None or other.given is None or one.schedule is None or other.schedule is None:
        return {UNCLEAR}
    if (dose := _amounts(one.given, other.given, same_product)) != "":
        told.add(dose)
    if not _same_time(one.schedule, other.schedule):
        told.add("schedule")
    if not told and one.said and other.said and one.said != other.said:
        # Words may say more than the structure does: two that differ are read by a person.
        told.add("wording")
    return told


def _amounts(one: Given, other: Given, same_product: bool) -> str:
    if one.per != other.per:
        return "dose"
    if one.measured is not None and other.measured is not None:
        if one.measured[0] != other.measured[0]:
            return UNCLEAR
        return "" if one.measured == other.measured else "dose"
    if not same_product or one.unit != other.unit:
        return UNCLEAR
    return "" if (one.low, one.high) == (other.low, other.high) else "dose"


def _same_time(one: Schedule, other: Schedule) -> bool:
    held = ("span", "often", "days", "needed_for", "as_needed", "limits")
    if any(getattr(one, name) != getattr(other, name) for name in held):
        return False
    # Who says only how many times a day does not contradict who says when.
    return one.moments == other.moments or not one.moments or not other.moments


def _given(dosage: Mapping[str, Any], product: Mapping[str, Any]) -> Given | None:
    held = first(dosage.get("doseAndRate"))
    ranged = mapping(held.get("doseRange"))
    if (dose := amount(held.get("doseQuantity"))) is not None:
        return _measured(dose, dose, held.get("doseQuantity"), held.get("doseQuantity"), product)
    low, high = amount(ranged.get("low")), amount(ranged.get("high"))
    if low is not None and high is not None and low.unit == high.unit:
        return _measured(low, high, ranged.get("low"), ranged.get("high"), product)
    if (rate := amount(held.get("rateQuantity"))) is not None and rate.value is not None:
        said = (rate.code or rate.unit).casefold()
        return None if rate.comparator else Given(said, rate.value, rate.value, None, "rate")
    ratio = mapping(held.get("rateRatio"))
    over, under = amount(ratio.get("numerator")), amount(ratio.get("denominator"))
    if over is None or under is None or not over.value or not under.value or over.comparator:
        return None
    each = over.value / under.value
    unit = f"{over.code or over.unit}/{under.code or under.unit}".casefold()
    return Given(unit, each, each, None, "rate")


def _measured(
    low: Amount, high: Amount, first_said: object, last_said: object, product: Mapping[str, Any]
) -> Given | None:
    if low.value is None or high.value is None or low.comparator or high.comparator or not low.unit:
        return None
    worked_out = []
    for said in (first_said, last_said):
        (found,) = dosings([{"doseAndRate": [{"doseQuantity": said}]}], product)
        worked_out.append(found)
    known = None
    if all(each.single is not None and each.unit for each in worked_out):
        one, two = worked_out
        known = (one.unit, one.single or Decimal(0), two.single or Decimal(0))
    return Given(low.unit.casefold(), low.value, high.value, known)


def _schedule(dosage: Mapping[str, Any], on: date, several: bool) -> Schedule | None:
    timing = mapping(dosage.get("timing"))
    repeat = mapping(timing.get("repeat"))
    reason = concept_text(dosage.get("asNeededCodeableConcept")).casefold()
    as_needed = dosage.get("asNeededBoolean") is True or bool(reason)
    if timing.get("event"):
        return None
    if not any(repeat.get(name) for name in ("frequency", "period", "timeOfDay", "when")):
        repeat = {**_of_code(timing), **repeat}
    moments = tuple(sorted([*(t[:5] for t in texts(repeat.get("timeOfDay"))),
                            *texts(repeat.get("when"))]))  # fmt: skip
    days = tuple(sorted(set(texts(repeat.get("dayOfWeek")))))
    span, often = _often(repeat, moments, days)
    is_rate = any(n.startswith("rate") for n in first(dosage.get("doseAndRate")))
    if often is None and not as_needed and not is_rate:
        return None
    return Schedule(
        span, often, moments, () if len(days) == _WEEK else days, reason, as_needed,
        _limits(dosage, repeat, on, several),
    )  # fmt: skip


def _often(
    repeat: Mapping[str, Any], moments: tuple[str, ...], days: tuple[str, ...]
) -> tuple[tuple[str, Decimal] | None, tuple[Decimal, Decimal] | None]:
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    low = number(repeat.get("frequency"))
    if moments and (days or (unit in ("", "d") and (period or 1) == 1)):
        count = Decimal(len(moments))
        return ("d", Decimal(1)), (count, count)
    if period is None or unit not in _SPANS or period <= 0:
        return None, None
    kind, length = _SPANS[unit]
    low = low if low is not None else Decimal(1)
    if days and kind == "d" and period * length == _WEEK and low == len(days):
        return ("d", Decimal(1)), (Decimal(1), Decimal(1))
    longest = number(repeat.get("periodMax"))
    most = number(repeat.get("frequencyMax")) or low
    if longest is not None and longest != period:
        kind = f"{kind}–{longest * length:f}"
    return (kind, (period * length).normalize()), (low, most)


def _of_code(timing: Mapping[str, Any]) -> Mapping[str, Any]:
    known = times_of(()).codes
    return next((known[code] for code in sorted(codes(timing.get("code"))) if code in known), {})


def _limits(
    dosage: Mapping[str, Any], repeat: Mapping[str, Any], on: date, several: bool
) -> tuple[str, ...]:
    """What else bounds it: first and last day, length, count, the most in a time, instructions."""
    found = []
    start, end = start_and_end(repeat.get("boundsPeriod"))
    if start is not None and (several or start.day > on):
        found.append(f"from {start.day}")
    if end is not None:
        found.append(f"to {end.day}")
    found += [f"{name} {repeat[name]}" for name in _REPEATED if repeat.get(name)]
    found += [f"{name} {_plain(said)}" for name in _MOST if (said := mapping(dosage.get(name)))]
    return tuple(sorted(found))


def _plain(quantity: Mapping[str, Any]) -> str:
    """A Quantity or Ratio with as many digits as it needs: 4 and 4.0 are the same most."""
    parts = [mapping(quantity.get(side)) for side in ("numerator", "denominator")]
    told = []
    for part in parts if any(parts) else [quantity]:
        said = amount(part)
        if said is not None and said.value is not None:
            told.append(f"{said.value.normalize():f} {(said.code or said.unit).casefold()}")
    return "/".join(told)


def _said(dosage: Mapping[str, Any]) -> str:
    """The words that a sender put beside the structure, without case and spaces."""
    also = [concept_text(each) for each in objects(dosage.get("additionalInstruction"))]
    parts = [text(dosage.get("text")), text(dosage.get("patientInstruction")), *also]
    return " ".join(" ".join(part for part in parts if part).casefold().split())
