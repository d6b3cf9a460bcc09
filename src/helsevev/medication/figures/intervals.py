"""How far apart the doses of one dosage are planned, as it says itself.

What it says, and not how long ago the last dose was: a pause makes no dose a weekly one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.reading import codings, mapping, number, objects, text, texts
from helsevev.medication.timing import is_as_needed

_DAYS: Final = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.0,
                "a": 365.0}  # fmt: skip
_DAY: Final = timedelta(days=1)


def apart(order: Mapping[str, Any], dosage: Mapping[str, Any]) -> timedelta:
    """The time between the doses of a dosage; of an order with several together, a day at most."""
    regular = [
        each for each in objects(order.get("dosageInstruction"))
        if not is_as_needed(each) and each.get("sequence") == dosage.get("sequence")
    ]  # fmt: skip
    found = _of_dosage(dosage)
    return found if len(regular) <= 1 else min(found, _DAY)


def _of_dosage(dosage: Mapping[str, Any]) -> timedelta:
    timing = mapping(dosage.get("timing"))
    if listed := texts(timing.get("event")):
        return _of_events(listed)
    repeat = mapping(timing.get("repeat"))
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    often = number(repeat.get("frequency"))
    for _system, code in codings(timing.get("code")):
        for known in loading.rounds().code:
            if known.code == code:
                period, unit = period or Decimal(known.period), unit or known.unit
                often = often or Decimal(known.frequency)
    days = texts(repeat.get("dayOfWeek"))
    daily = len(texts(repeat.get("timeOfDay"))) + len(texts(repeat.get("when")))
    if days:
        weeks = float(period or 1) if unit == "wk" else 1.0
        return timedelta(days=7 * weeks / (len(days) * max(1, daily)))
    length = float(period or 1) * _DAYS.get(unit, 1.0)
    return timedelta(days=length / max(1, daily, int(often or 1)))


def _of_events(listed: list[str]) -> timedelta:
    found = sorted(bounds[0] for said in listed if (bounds := dates.bounds(said)))
    gaps = [later - earlier for earlier, later in pairwise(found)]
    return timedelta(microseconds=min(gaps)) if gaps else _DAY
