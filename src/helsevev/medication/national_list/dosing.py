"""Dosing as the national service has it (words, periods with times of day) and as R4 has it.

The service's periods end on the first day without the medicine: in its samples "i 12 dager" from
10 February ends on 22 February. An R4 boundsPeriod ends on the last day with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from helsevev.content import loading
from helsevev.fhir.reading import (
    amount,
    code_of,
    concept_text,
    first,
    mapping,
    moment,
    number,
    objects,
    start_and_end,
    text,
    texts,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import AS_NEEDED, use_of
from helsevev.medication.dosage import doses, plain
from helsevev.medication.national_list.codes import (
    AMENDMENT,
    DOSING,
    WHOLE_DOSAGE,
    parts,
    said,
    values,
    volven,
)

_WHEN: Final[Mapping[str, str]] = {
    "1": "MORN", "2": "MORN.late", "3": "NOON", "4": "AFT", "5": "EVE", "6": "NIGHT",
}  # fmt: skip
"""Volven 8325, as R4's event timing."""
_KEPT: Final = (
    "extension", "text", "patientInstruction", "additionalInstruction", "route", "site", "method",
)  # fmt: skip
_DAY: Final = timedelta(days=1)
_AMOUNT_AT_END: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s+[^\d\s]+\s+$")


def read(statement: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The Dosage elements of a statement of the service, structured where it is; and problems.

    A problem is a sentence for the person who reads the list: where words and structure of one
    dose disagree, the words stand and the structure is left out.
    """
    listed = [dict(each) for each in objects(statement.get("dosage"))]
    if len(listed) != 1:
        return listed, []
    (dosage,) = listed
    words = text(dosage.get("text"))
    whole = [dict(each) for each in values(dosage, WHOLE_DOSAGE) if isinstance(each, dict)]
    if whole:
        if in_words(whole) == words:
            return [_beside(dosage, each, keep_text=False) for each in whole], []
        return [_bare(dosage)], [_other_words(words, in_words(whole))]
    periods = [_period(each, statement) for each in parts(statement, AMENDMENT, DOSING)]
    made = [each for period in periods for each in period]
    if use_of(dosage) == AS_NEEDED and not any(n.startswith("asNeeded") for n in dosage):
        dosage["asNeededBoolean"] = True
    if not made:
        return [dosage], []
    if problem := _disagreement(statement, words):
        return [dosage], [problem]
    if len(made) == 1:
        return [_beside(dosage, made[0], keep_text=True)], []
    return [_beside(dosage, each, keep_text=False) for each in made], []


def in_words(dosages: Sequence[Mapping[str, Any]]) -> str:
    """All Dosage elements as the label and the list say them."""
    return "; ".join(each.words for each in doses(list(dosages)) if each.words)


def write(dosages: Sequence[Mapping[str, Any]], use: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one Dosage of a statement for the service: its words, and all of the structure beside.

    `use` is the extensions that say what kind of use it is and what for.
    """
    words = in_words(dosages)
    bare = [{k: v for k, v in each.items() if k not in ("extension", "text")} for each in dosages]
    # What is words in our record has no structure to carry, and goes as the words it is.
    is_structured = all(_is_structured(each) for each in dosages) and in_words(bare) == words
    whole = [{"url": WHOLE_DOSAGE, "valueDosage": each} for each in bare] if is_structured else []
    made: dict[str, Any] = {"extension": [*use, *whole], "sequence": 1, "text": words}
    for name in ("additionalInstruction", "patientInstruction", "route"):
        if kept := next((each[name] for each in dosages if each.get(name)), None):
            made[name] = kept
    return made


def periods(dosages: Sequence[Mapping[str, Any]], start: date) -> list[dict[str, Any]]:
    """`ereseptdosing` for each step; empty when the service's structure cannot say the same."""
    made = []
    for dosage in dosages:
        times = _repeating(dosage)
        if not times:
            return []
        begins, ends = start_and_end(mapping(mapping(dosage.get("timing")).get("repeat"))
                                     .get("boundsPeriod"))  # fmt: skip
        if (begins and begins.precision != "day") or (ends and ends.precision != "day"):
            return []
        inner = [_dated("starttime", begins.day if begins else start)]
        if ends is not None:
            inner.append(_dated("endtime", ends.day + _DAY))
        made.append({"extension": [*inner, *times], "url": DOSING})
    return made


def _is_structured(dosage: Mapping[str, Any]) -> bool:
    return bool(dosage.get("doseAndRate")) and not text(dosage.get("text"))


def _dated(url: str, day: date) -> dict[str, Any]:
    return {"url": url, "valueDate": day.isoformat()}


def _repeating(dosage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One repeating dosage for each time of day; none when it is not said by times of day."""
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    dose = amount(first(dosage.get("doseAndRate")).get("doseQuantity"))
    days = number(repeat.get("period"))
    times = texts(repeat.get("timeOfDay"))
    known = {"boundsPeriod", "frequency", "period", "periodUnit", "timeOfDay", "when"}
    if (
        dose is None or dose.value is None or dose.comparator
        or days is None or days != days.to_integral_value() or repeat.get("periodUnit") != "d"
        or set(repeat) - known
        or dosage.get("asNeededBoolean") or dosage.get("asNeededCodeableConcept")
        or len(objects(dosage.get("doseAndRate"))) != 1
    ):  # fmt: skip
        return []
    ranges = [_range_of(time) for time in times] if times else _ranges_of(texts(repeat.get("when")))
    often = number(repeat.get("frequency"))
    if not ranges or "" in ranges or len(set(ranges)) < len(ranges):
        return []
    if often is not None and often != len(ranges):
        return []
    names = {each.code: each.name for each in loading.national_list().time}
    return [
        {
            "extension": [
                {"url": "amount", "valueQuantity": {"value": dose.value, "unit": dose.unit}},
                {"url": "interval", "valueQuantity": {
                    "value": int(days), "unit": loading.national_list().day}},
                {"url": "accurate", "valueBoolean": False},
                {"url": "timerange", "valueCodeableConcept": volven(8325, code, names[code])},
            ],
            "url": "repeatingdosage",
        }
        for code in ranges
    ]  # fmt: skip


def time_ranges(repeat: Mapping[str, Any]) -> tuple[str, ...]:
    """The service's times of day of a timing, sorted; "" for what is none of them."""
    times = texts(repeat.get("timeOfDay"))
    found = [_range_of(time) for time in times] if times else _ranges_of(texts(repeat.get("when")))
    return tuple(sorted(found))


def _range_of(time: str) -> str:
    """Which of the service's times of day a clock time (HH:MM:SS) is in."""
    hour = int(time[:2])
    for each in loading.national_list().time:
        low, high = each.hours
        if low <= hour < high or (high <= low and (hour >= low or hour < high)):
            return each.code
    return ""


def _ranges_of(events: Sequence[str]) -> list[str]:
    codes = {event: code for code, event in _WHEN.items()}
    return [codes.get(event, "") for event in events]


def _period(period: Mapping[str, Any], statement: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A period of the service as Dosage elements: one for each amount; none if not understood."""
    listed = []
    for each in parts(period, "repeatingdosage"):
        dose = amount(next(values(each, "amount"), None))
        every = amount(next(values(each, "interval"), None))
        event = _WHEN.get(code_of(next(values(each, "timerange"), None)))
        if (
            dose is None or dose.value is None or event is None
            or every is None or every.value is None or every.value <= 0
            or every.unit.casefold() != loading.national_list().day.casefold()
        ):  # fmt: skip
            return []
        listed.append(((dose.value, dose.unit, every.value), event))
    bounds = _bounds(period)
    if bounds is None:
        return []
    dosages = []
    needed = any(use_of(each) == AS_NEEDED for each in objects(statement.get("dosage")))
    for (value, unit, days), together in groupby(listed, key=lambda each: each[0]):
        repeat: dict[str, Any] = {"boundsPeriod": bounds} if bounds else {}
        repeat |= {"period": days, "periodUnit": "d", "when": [event for _key, event in together]}
        made: dict[str, Any] = {
            "timing": {"repeat": repeat},
            "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}],
        }
        dosages.append({**made, "asNeededBoolean": True} if needed else made)
    return dosages


def _bounds(period: Mapping[str, Any]) -> dict[str, str] | None:
    """The days of a period, both included; None when it ends before it begins."""
    start, end = (moment(next(values(period, name), None)) for name in ("starttime", "endtime"))
    bounds = {"start": start.day.isoformat()} if start else {}
    if end is not None:
        if start is not None and end.day <= start.day:
            return None
        bounds["end"] = (end.day - _DAY).isoformat()
    return bounds


def _beside(
    dosage: Mapping[str, Any], structure: Mapping[str, Any], *, keep_text: bool
) -> dict[str, Any]:
    """The structure with what the service said of how it is taken."""
    kept = {name: dosage[name] for name in _KEPT if dosage.get(name)}
    if not keep_text:
        kept.pop("text", None)
    return {**structure, **_bare(kept)}


def _bare(dosage: Mapping[str, Any]) -> dict[str, Any]:
    """The Dosage without the structure that was sent along."""
    left = [e for e in objects(dosage.get("extension")) if e.get("url") != WHOLE_DOSAGE]
    made = {name: value for name, value in dosage.items() if name != "extension"}
    return {**made, "extension": left} if left else made


def _disagreement(statement: Mapping[str, Any], words: str) -> str:
    """Where the words name an amount at a time of day that the structure does not have."""
    spoken, meant = words.casefold(), []
    for each in parts(statement, AMENDMENT, DOSING, "repeatingdosage"):
        dose = amount(next(values(each, "amount"), None))
        time = concept_text(next(values(each, "timerange"), None))
        if dose is None or dose.value is None or not time:
            return ""
        meant.append((dose.value, time))
    for value, time in meant:
        at = spoken.find(time.casefold())
        before = _number_before(spoken[:at]) if at >= 0 else None
        if before is not None and before != value:
            structure = ", ".join(f"{plain(value)} {time}" for value, time in meant)
            return _other_words(words, structure)
    return ""


def _number_before(words: str) -> Decimal | None:
    """The amount that the words end with, as "2 tabletter "; None when they do not."""
    found = _AMOUNT_AT_END.search(words)
    return Decimal(found[1].replace(",", ".")) if found else None


def _other_words(words: str, structure: str) -> str:
    return _("The words say “%(words)s”, but the structure beside them “%(structure)s”.") % {
        "words": words, "structure": structure,
    }  # fmt: skip


def words_of(statement: Mapping[str, Any]) -> str:
    """How it is taken, in the service's own words."""
    spoken = [text(each.get("text")) for each in objects(statement.get("dosage"))]
    return "; ".join(each for each in spoken if each) or said(statement, AMENDMENT, "dssn")
