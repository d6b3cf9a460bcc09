"""The order form: what is typed as structured Dosage, and a Dosage as what the form would hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from helsevev.content.medication_shapes import OrderSentence
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
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
from helsevev.locale import gettext as _
from helsevev.medication.coding import AS_NEEDED, COURSE, REGULAR, UCUM, repeat_of, use_extension
from helsevev.medication.dosage import plain
from helsevev.medication.prescription import NotPrescribable
from helsevev.medication.taper import Step, taper

Form = Mapping[str, str]
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UCUM: Final = {
    "mg": "mg", "g": "g", "mikrog": "ug", "ml": "mL", "ie": "[IU]", "e": "[IU]", "mmol": "mmol",
    "l": "L", "ml/t": "mL/h", "mg/t": "mg/h",
}  # fmt: skip
# UCUM's annotations are ASCII; what a unit is called is said in words beside them.
_LETTERS: Final = str.maketrans({"\u00e6": "a", "\u00f8": "o", "\u00e5": "a", "\u00e9": "e"})
_CLOCK: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")


def dosages_of(form: Form, today: date) -> list[dict[str, Any]]:
    """The Dosage elements that a filled-in form orders. Raises NotPrescribable, naming fields."""
    how = form.get("how", "")
    if how == "text":
        said = form.get("free_text", "").strip()
        if not said:
            _refuse("free_text", _("Say the dose in words."))
        return [{"extension": [use_extension(REGULAR)], "text": said}]
    if how == "taper":
        return [_step(form, step, place) for place, step in enumerate(steps_of(form, today), 1)]
    bounds = _bounds(form)
    use = AS_NEEDED if how == "as-needed" else COURSE if "end" in bounds else REGULAR
    dosage: dict[str, Any] = {"extension": [use_extension(use)]}
    repeat = _repeat(form, how)
    if bounds:
        repeat["boundsPeriod"] = bounds
    if repeat:
        dosage["timing"] = {"repeat": repeat}
    if how == "as-needed":
        dosage["asNeededCodeableConcept"] = {"text": _must(form, "needed_for")}
    given = _given(form, how)
    dosage["doseAndRate"] = [given]
    if how == "as-needed":
        dosage["maxDosePerPeriod"] = {
            "numerator": quantity(_positive(form, "most"), form.get("unit", "")),
            "denominator": {"value": 24, "unit": "timer", "system": UCUM, "code": "h"},
        }
    return [dosage]


def steps_of(form: Form, today: date) -> tuple[Step, ...]:
    """The course that a form describes. Raises NotPrescribable."""
    return taper(
        _positive(form, "amount"), _positive(form, "down"), _whole(form, "step_days", 366),
        _positive(form, "last"), _day(form, "start") or today,
    )  # fmt: skip


def of_sentence(sentence: OrderSentence, today: date) -> dict[str, str]:
    """What the form holds when a usual way to order is chosen."""
    end = date.fromordinal(today.toordinal() + sentence.course_days - 1)
    return {
        "how": sentence.how,
        "amount": plain(sentence.amount),
        "unit": sentence.unit,
        "often": str(sentence.often),
        "at": " ".join(sentence.at),
        "hours": str(sentence.hours or ""),
        "most": plain(sentence.most),
        "needed_for": sentence.needed_for,
        "reason": sentence.reason,
        "end": end.isoformat() if sentence.course_days else "",
        "down": plain(sentence.down) if sentence.down else "",
        "step_days": str(sentence.days or ""),
        "last": plain(sentence.last) if sentence.last else "",
    }


def of_dosages(dosages: Sequence[Mapping[str, Any]], words: str) -> dict[str, str]:
    """The form as it would have been filled in for these dosages; as words where it cannot be.

    Signed unchanged, it orders exactly the same.
    """
    listed = objects(list(dosages))
    found = _of_course(listed) if len(listed) > 1 else _of_one(first(listed))
    try:
        same = bool(found) and [_bare(d) for d in dosages_of(found, date.max)] == [
            _bare(d) for d in listed
        ]
    except (NotPrescribable, OverflowError):
        same = False
    return found if same else {"how": "text", "free_text": words}


def _bare(dosage: Mapping[str, Any]) -> dict[str, Any]:
    """What a dosage orders, without what the form adds or keeps elsewhere."""
    timing = {k: v for k, v in repeat_of(dosage).items() if k != "count"}
    times = timing.get("timeOfDay")
    if isinstance(times, list) and timing.get("frequency") == len(times):
        timing.pop("frequency")
    given = first(dosage.get("doseAndRate"))
    return {
        "repeat": timing,
        "dose": _amount_of(given.get("doseQuantity")),
        "rate": _amount_of(given.get("rateQuantity")),
        "most": _amount_of(mapping(dosage.get("maxDosePerPeriod")).get("numerator")),
        "for": concept_text(dosage.get("asNeededCodeableConcept")),
        "also": [n for n in ("additionalInstruction", "patientInstruction", "site", "method")
                 if dosage.get(n)],
    }  # fmt: skip


def _amount_of(value: object) -> tuple[Decimal, str] | None:
    found = amount(value)
    return None if found is None or found.value is None else (found.value, found.unit)


def _of_one(dosage: Mapping[str, Any]) -> dict[str, str]:
    repeat = repeat_of(dosage)
    given = first(dosage.get("doseAndRate"))
    dose, rate = amount(given.get("doseQuantity")), amount(given.get("rateQuantity"))
    start, end = start_and_end(repeat.get("boundsPeriod"))
    form = {
        "amount": plain(dose.value) if dose else "", "unit": dose.unit if dose else "",
        "rate": plain(rate.value) if rate else "", "rate_unit": rate.unit if rate else "",
        "start": start.text[:10] if start else "", "end": end.text[:10] if end else "",
        "at": " ".join(t[:5].removesuffix(":00") for t in texts(repeat.get("timeOfDay"))),
        "days": " ".join(texts(repeat.get("dayOfWeek"))),
        "route": min(codes(dosage.get("route")), default=""),
        "often": plain(number(repeat.get("frequency"))) or "1",
    }  # fmt: skip
    hours = plain(number(repeat.get("period"))) if repeat.get("periodUnit") == "h" else ""
    if reason := concept_text(dosage.get("asNeededCodeableConcept")):
        most = amount(mapping(dosage.get("maxDosePerPeriod")).get("numerator"))
        return {**form, "how": "as-needed", "needed_for": reason, "hours": hours,
                "most": plain(most.value) if most else ""}  # fmt: skip
    if rate and not repeat.get("frequency"):
        return {**form, "how": "rate"}
    return {**form, "how": "hours" if hours else "daily", "hours": hours}


def _of_course(listed: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    given = [amount(first(d.get("doseAndRate")).get("doseQuantity")) for d in listed]
    bounds = [start_and_end(repeat_of(d).get("boundsPeriod")) for d in listed]
    one, two, last = given[0], given[1], given[-1]
    start, end = bounds[0]
    if not (one and two and last and start and end and one.value and two.value):
        return {}
    return {
        **_of_one(listed[0]),
        "how": "taper", "end": "",
        "down": plain(abs(one.value - two.value)), "last": plain(last.value),
        "step_days": str((end.day - start.day).days + 1),
    }  # fmt: skip


def _given(form: Form, how: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if how == "rate":
        given["rateQuantity"] = quantity(
            _positive(form, "rate"), form.get("rate_unit", "").strip() or "ml/t"
        )
        return given
    given["doseQuantity"] = quantity(_positive(form, "amount"), _must(form, "unit"))
    return given


def _step(form: Form, step: Step, place: int) -> dict[str, Any]:
    repeat = _repeat(form, "daily")
    repeat["boundsPeriod"] = {"start": step.start.isoformat(), "end": step.end.isoformat()}
    return {
        "sequence": place,
        "extension": [use_extension(COURSE)],
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": quantity(step.amount, _must(form, "unit"))}],
    }


def _repeat(form: Form, how: str) -> dict[str, Any]:
    if how == "rate":
        return {}
    if how in ("hours", "as-needed"):
        if how == "as-needed" and not form.get("hours", "").strip():
            return {}
        return {"frequency": 1, "period": _whole(form, "hours", 8784), "periodUnit": "h"}
    if how != "daily":
        _refuse("how", _("Say when it is taken."))
    times = _times(form.get("at", ""))
    days = [day for day in DAYS if day in form.get("days", "").split()]
    often = len(times) if times else _whole({"often": form.get("often") or "1"}, "often", 24)
    repeat: dict[str, Any] = {"frequency": often, "period": 1, "periodUnit": "d"}
    if days:
        # R4 reads dayOfWeek as "on these days only", so many times on each of them.
        repeat["dayOfWeek"] = days
    if times:
        repeat["timeOfDay"] = times
    return repeat


def _times(said: str) -> list[str]:
    found = []
    for word in re.split(r"[\s,;]+|og", said.strip()):
        if not word:
            continue
        match = _CLOCK.fullmatch(word)
        if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
            _refuse("at", _("%(word)s is no time of day.") % {"word": word})
        else:
            found.append(f"{int(match[1]):02}:{match[2] or '00'}:00")
    return sorted(set(found))


def _bounds(form: Form) -> dict[str, str]:
    start, end = _day(form, "start"), _day(form, "end")
    if start and end and end < start:
        _refuse("end", _("It ends before it begins."))
    bounds = {"start": start, "end": end}
    return {name: day.isoformat() for name, day in bounds.items() if day is not None}


def quantity(value: Decimal, unit: str) -> dict[str, Any]:
    """An amount as a Quantity, with its UCUM code where it has one."""
    known = _UCUM.get(unit.casefold())
    letters = unit.casefold().translate(_LETTERS).replace(" ", "-")
    return {"value": value, "unit": unit, "system": UCUM, "code": known or f"{{{letters}}}"}


def number_of(said: str) -> Decimal | None:
    """A number as it is typed, with a comma or a point; None when it is none."""
    try:
        found = Decimal(said.strip().replace(",", ".").replace("−", "-"))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 10**9 else None


def _positive(form: Form, name: str) -> Decimal:
    found = number_of(_must(form, name))
    if found is None:
        _refuse(name, _("This is no number."))
    elif found <= 0:
        _refuse(name, _("A dose is more than nothing."))
    return found or Decimal(0)


def _whole(form: Form, name: str, most: int) -> int:
    found = number_of(_must(form, name))
    if found is None or found != found.to_integral_value() or not 1 <= found <= most:
        _refuse(name, _("A whole number from 1 to %(most)s.") % {"most": most})
    return int(found or 0)


def _day(form: Form, name: str) -> date | None:
    said = form.get(name, "").strip()
    if not said:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        _refuse(name, _("This is no date."))
    return None


def _must(form: Form, name: str) -> str:
    said = text(form.get(name, ""))
    if not said:
        _refuse(name, _("This must be filled in."))
    return said


def _refuse(name: str, problem: str) -> None:
    issue: Issue = error("value", problem, name)
    raise NotPrescribable([issue])
