"""What a dose means, read by something that knows nothing of our code: in FHIR, in words, as sent.

Each reader gives the same plain steps, so that two places can be compared by what a nurse would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

WEEKDAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")
CODES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The service's times of day, and the hours that are theirs.
SEVERAL = {"tabletter": "tablett", "kapsler": "kapsel", "doser": "dose", "dråper": "dråpe",
           "inhalasjoner": "inhalasjon", "plastre": "plaster"}  # fmt: skip
RANGES = {"1": (5, 10), "2": (10, 12), "3": (12, 14), "4": (14, 18), "5": (18, 22), "6": (22, 29)}
SFM = "http://ehelse.no/fhir/StructureDefinition/sfm-"


@dataclass(frozen=True)
class Step:
    """So much, so many times a day at these clocks on these days; or each so many hours, or a rate.

    `needed` is what it is taken for when needed. `first` and `last` are days with the medicine.
    """

    amount: Decimal
    unit: str
    a_day: int = 0
    clocks: tuple[str, ...] = ()
    days: frozenset[int] = frozenset()
    hours: int = 0
    needed: str = ""
    most: Decimal | None = None
    is_rate: bool = False
    first: date | None = None
    last: date | None = None

    def on(self, day: date) -> int:
        """How many doses of it are taken on a day, where that is said."""
        outside = (self.first and day < self.first) or (self.last and day > self.last)
        if outside or self.needed or (self.days and day.weekday() not in self.days):
            return 0
        return self.a_day


def of_resource(dosages: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The steps of Dosage elements, by their structure alone."""
    return [_of_dosage(each) for each in sorted(dosages, key=lambda d: d.get("sequence", 0))]


def _of_dosage(dosage: Mapping[str, Any]) -> Step:
    repeat = dosage.get("timing", {}).get("repeat", {})
    (given,) = dosage["doseAndRate"]
    quantity = given.get("doseQuantity") or given["rateQuantity"]
    bounds = repeat.get("boundsPeriod", {})
    hourly = repeat.get("periodUnit") == "h"
    assert hourly or repeat.get("periodUnit", "d") == "d"
    if not hourly and repeat.get("period") is not None:
        assert Decimal(repeat["period"]) == 1
    most = dosage.get("maxDosePerPeriod")
    if most:
        per = most["denominator"]
        assert (int(per["value"]), per["code"]) == (24, "h")
        assert most["numerator"]["unit"] == quantity["unit"]
    return Step(
        amount=Decimal(quantity["value"]),
        unit=quantity["unit"],
        a_day=0 if hourly else int(repeat.get("frequency", 0)),
        clocks=tuple(each[:5] for each in repeat.get("timeOfDay", ())),
        days=frozenset(CODES.index(each) for each in repeat.get("dayOfWeek", ())),
        hours=int(repeat["period"]) if hourly else 0,
        needed=dosage.get("asNeededCodeableConcept", {}).get("text", ""),
        most=Decimal(most["numerator"]["value"]) if most else None,
        is_rate="rateQuantity" in given,
        first=_day(bounds.get("start")),
        last=_day(bounds.get("end")),
    )


def of_words(words: str) -> list[Step]:
    """The steps that Norwegian words say, as a person reads them on a label."""
    return [_of_sentence(each) for each in words.split("; ")]


def _of_sentence(words: str) -> Step:
    head, *rest = words.split(", ")
    found = re.fullmatch(r"([\d]+(?:,\d+)?) (.+)", head)
    assert found, f"no amount in {words!r}"
    said: dict[str, Any] = {"amount": _number(found[1]), "unit": _one(found[2])}
    said["is_rate"] = found[2].endswith("/t")
    clocks: list[str] = []
    days: set[int] = set()
    needed, reason = False, ""
    for part in rest:
        if part in WEEKDAYS:
            days.add(WEEKDAYS.index(part))
        elif times := re.fullmatch(r"(\d+) gang(?:er)? (?:daglig|om dagen)", part):
            said["a_day"] = int(times[1])
        elif hours := re.fullmatch(r"(?:hver (\d+)\. time|minst (\d+) timer mellom)", part):
            said["hours"] = int(hours[1] or hours[2])
        elif part in ("hver time", "minst en time mellom"):
            said["hours"] = 1
        elif clock := re.fullmatch(r"(?:kl\. )?(\d\d:\d\d)", part):
            clocks.append(clock[1])
        elif part == "ved behov":
            needed = True
        elif part.startswith("mot "):
            reason = part[4:]
        elif most := re.fullmatch(r"maks\. ([\d,]+) (.+)/24 timer", part):
            said["most"] = _number(most[1])
            assert _one(most[2]) == said["unit"]
        else:
            said |= _period(part)
    assert bool(reason) == needed, f"for what, but not when needed: {words!r}"
    if (clocks or days) and "a_day" not in said:
        said["a_day"] = len(clocks) or 1
    return Step(**said, clocks=tuple(clocks), days=frozenset(days), needed=reason)


def _period(part: str) -> dict[str, Any]:
    day = r"(\d\d\.\d\d\.\d{4})"
    if both := re.fullmatch(f"{day}–{day}", part):
        return {"first": _shown_day(both[1]), "last": _shown_day(both[2])}
    if start := re.fullmatch(f"fra {day}", part):
        return {"first": _shown_day(start[1])}
    end = re.fullmatch(f"til og med {day}", part)
    assert end, f"what does {part!r} mean?"
    return {"last": _shown_day(end[1])}


def of_service(statement: Mapping[str, Any]) -> list[tuple[Step, tuple[str, ...]]]:
    """The service's own structure: steps without clocks, each with its codes of times of day."""
    found = []
    for each in _inner(statement, f"{SFM}reseptamendment", "ereseptdosing"):
        parts = list(_inner(each, "repeatingdosage"))
        amounts = {
            (Decimal(q["value"]), q["unit"])
            for part in parts for q in (_value(part, "amount"),)
        }  # fmt: skip
        intervals = {(int(q["value"]), q["unit"]) for p in parts for q in (_value(p, "interval"),)}
        assert intervals == {(1, "Døgn")}
        ((amount, unit),) = amounts
        codes = tuple(_value(part, "timerange")["coding"][0]["code"] for part in parts)
        start, end = _value(each, "starttime"), _value(each, "endtime")
        # Its end is the first day without the medicine.
        last = date.fromisoformat(end) - timedelta(days=1) if end else None
        step = Step(amount, unit, len(codes), first=date.fromisoformat(start), last=last)
        found.append((step, codes))
    return found


def in_range(clock: str, code: str) -> bool:
    """Whether a clock time is in one of the service's times of day."""
    hour, (low, high) = int(clock[:2]), RANGES[code]
    return low <= hour < high or low <= hour + 24 < high


def _inner(resource: Mapping[str, Any], *urls: str) -> Iterable[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = [resource]
    for url in urls:
        found = [e for each in found for e in each.get("extension", ()) if e["url"] == url]
    return found


def _value(resource: Mapping[str, Any], url: str) -> Any:
    for each in _inner(resource, url):
        return next(value for name, value in each.items() if name.startswith("value"))
    return None


def _one(unit: str) -> str:
    return SEVERAL.get(unit, unit)


def _number(said: str) -> Decimal:
    return Decimal(said.replace(",", "."))


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _shown_day(said: str) -> date:
    day, month, year = said.split(".")
    return date(int(year), int(month), int(day))
