"""Dosage in words: the sender's text when there is one, else what the structure says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from helsevev.content import loading
from helsevev.fhir.reading import (
    Amount,
    Moment,
    amount,
    concept_text,
    concept_texts,
    first,
    mapping,
    number,
    objects,
    sort_key,
    start_and_end,
    text,
    texts,
    without_tag,
)
from helsevev.locale import gettext as _

ONE: Final = Decimal(1)


class Dose(Struct, frozen=True):
    """One Dosage as people read it. Empty text means that the sender did not say.

    `text` is what to take and when; `as_needed_for` the reason for taking it, when one is named;
    `period` the days of a step of a course, or of an order with a first or a last day.
    """

    text: str
    is_as_needed: bool
    as_needed_for: str
    route: str
    instructions: tuple[str, ...]
    maximum: str
    duration: str
    period: str = ""

    @property
    def words(self) -> str:
        """All of it on one line, with what it is for, its maximum and its days."""
        parts = [self.text, *self.instructions]
        when_needed = _("when needed")
        if self.is_as_needed and when_needed.casefold() not in self.text.casefold():
            # Without it a dose with hours between reads as one to be taken every so many hours.
            parts.append(when_needed)
        if self.as_needed_for:
            parts.append(_("for %(reason)s") % {"reason": self.as_needed_for})
        if self.maximum:
            parts.append(_("at most %(amount)s") % {"amount": self.maximum})
        if self.period:
            parts.append(self.period)
        if self.duration:
            parts.append(_("for %(duration)s") % {"duration": self.duration})
        return ", ".join(part for part in parts if part)


def doses(dosages: object) -> tuple[Dose, ...]:
    """All Dosage elements of an order or a statement, in their order."""
    listed = objects(dosages)
    listed.sort(key=lambda d: number(d.get("sequence")) or Decimal(0))
    return tuple(_dose(dosage) for dosage in listed)


def _dose(dosage: Mapping[str, Any]) -> Dose:
    reason = concept_text(dosage.get("asNeededCodeableConcept"))
    structured = ", ".join(p for p in (dose_amount(dosage), schedule(dosage)) if p)
    said = without_tag(text(dosage.get("text"))) or structured
    said = said or text(dosage.get("patientInstruction"))
    also = concept_texts(dosage.get("additionalInstruction"))
    return Dose(
        text=said,
        is_as_needed=dosage.get("asNeededBoolean") is True or bool(reason),
        as_needed_for=reason,
        route=concept_text(dosage.get("route")),
        instructions=tuple(more for more in also if more.casefold() not in said.casefold()),
        maximum=_maximum(dosage),
        duration=_quantity(
            mapping(mapping(dosage.get("timing")).get("repeat")).get("boundsDuration")
        ),
        period=_period(dosage),
    )


def _period(dosage: Mapping[str, Any]) -> str:
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    start, end = start_and_end(repeat.get("boundsPeriod"))
    if start is not None and end is not None:
        return f"{_day(start)}–{_day(end)}"
    if start is not None:
        return _("from %(day)s") % {"day": _day(start)}
    return _("until %(day)s") % {"day": _day(end)} if end is not None else ""


def _day(found: Moment) -> str:
    return f"{found.day:%d.%m.%Y}"


def dose_amount(dosage: Mapping[str, Any]) -> str:
    """How much each time: "1 tablet", "5–10 mg", "40 ml/t"; "" when not structured."""
    given = first(dosage.get("doseAndRate"))
    counted = amount(given.get("doseQuantity"))
    dose = _shown(counted) or _range(given.get("doseRange"))
    if counted is not None and dose and not counted.unit:
        # A bare number beside "once daily" reads as part of it.
        dose = _("dose %(amount)s") % {"amount": dose}
    rate = (
        _quantity(given.get("rateQuantity"))
        or _range(given.get("rateRange"))
        or _ratio(given.get("rateRatio"))
    )
    return " ".join(part for part in (dose, rate) if part)


def schedule(dosage: Mapping[str, Any]) -> str:
    """When: "3 ganger daglig", "hver 72. time", "kl. 08:00, 20:00"; "" when not structured."""
    timing = mapping(dosage.get("timing"))
    repeat = mapping(timing.get("repeat"))
    parts = [
        _between(dosage, repeat) or _frequency(repeat),
        _clock_times(repeat),
        ", ".join(_word_of_event(code) for code in texts(repeat.get("when"))),
        ", ".join(_word_of_day(code) for code in texts(repeat.get("dayOfWeek"))),
    ]
    said = ", ".join(part for part in parts if part)
    return said or concept_text(timing.get("code"))


def _between(dosage: Mapping[str, Any], repeat: Mapping[str, Any]) -> str:
    """The least time between doses that are taken when needed; "" for any other timing."""
    hours = number(repeat.get("period"))
    needed = dosage.get("asNeededBoolean") is True or dosage.get("asNeededCodeableConcept")
    if not needed or hours is None or repeat.get("periodUnit") != "h" or repeat.get("periodMax"):
        return ""
    if (number(repeat.get("frequency")) or ONE) != ONE or repeat.get("frequencyMax"):
        return ""
    if hours == ONE:
        return _("at least an hour between")
    return _("at least %(count)s hours between") % {"count": plain(hours)}


def _frequency(repeat: Mapping[str, Any]) -> str:
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    longest = number(repeat.get("periodMax"))
    often = number(repeat.get("frequency"))
    most = number(repeat.get("frequencyMax"))
    if period is None or not unit:
        return _("%(count)s times") % {"count": plain(often)} if often is not None else ""
    span = f"{plain(period)}–{plain(longest)}" if longest is not None else plain(period)
    if repeat.get("dayOfWeek") and (span, unit) == ("1", "d") and most is None:
        # So many times on each of the days that are named, which is not "daily".
        several = often is not None and often != ONE
        return _("%(count)s times a day") % {"count": plain(often)} if several else ""
    if often is None and most is None and repeat.get("when"):
        # "period 1 d" beside a meal only says that it is every day.
        return "" if (span, unit) == ("1", "d") else _every(span, unit)
    if (often is None or often == ONE) and most is None:
        return _("once daily") if (span, unit) == ("1", "d") else _every(span, unit)
    times = plain(often) if most is None else f"{plain(often or ONE)}–{plain(most)}"
    if span == "1":
        return {
            "d": _("%(count)s times daily"),
            "wk": _("%(count)s times a week"),
            "mo": _("%(count)s times a month"),
            "h": _("%(count)s times an hour"),
        }.get(unit, _("%(count)s times") + " / " + _every(span, unit)) % {"count": times}
    return _("%(count)s times") % {"count": times} + " / " + _every(span, unit)


def _every(span: str, unit: str) -> str:
    if span == "1":
        single = {
            "h": _("every hour"), "d": _("every day"), "wk": _("once a week"),
            "mo": _("once a month"), "a": _("once a year"), "min": _("every minute"),
        }  # fmt: skip
        return single.get(unit, unit)
    several = {
        "s": _("every %(count)s seconds"), "min": _("every %(count)s minutes"),
        "h": _("every %(count)s hours"), "d": _("every %(count)s days"),
        "wk": _("every %(count)s weeks"), "mo": _("every %(count)s months"),
        "a": _("every %(count)s years"),
    }  # fmt: skip
    return several[unit] % {"count": span} if unit in several else f"{span} {unit}"


def _clock_times(repeat: Mapping[str, Any]) -> str:
    times = [t[:5] for t in texts(repeat.get("timeOfDay"))]
    return _("at %(times)s") % {"times": ", ".join(times)} if times else ""


def _word_of_event(code: str) -> str:
    """http://hl7.org/fhir/R4/valueset-event-timing.html in words; the code when unknown."""
    return {
        "MORN": _("in the morning"), "MORN.early": _("early in the morning"),
        "MORN.late": _("late in the morning"), "NOON": _("at noon"),
        "AFT": _("in the afternoon"), "EVE": _("in the evening"), "NIGHT": _("at night"),
        "PHS": _("after sleep"), "HS": _("at bedtime"), "WAKE": _("on waking"),
        "C": _("with meals"), "CM": _("with breakfast"), "CD": _("with lunch"),
        "CV": _("with dinner"), "AC": _("before meals"), "ACM": _("before breakfast"),
        "ACD": _("before lunch"), "ACV": _("before dinner"), "PC": _("after meals"),
        "PCM": _("after breakfast"), "PCD": _("after lunch"), "PCV": _("after dinner"),
    }.get(code, code)  # fmt: skip


def _word_of_day(code: str) -> str:
    return {
        "mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"),
        "fri": _("Friday"), "sat": _("Saturday"), "sun": _("Sunday"),
    }.get(code, code)  # fmt: skip


def _maximum(dosage: Mapping[str, Any]) -> str:
    return (
        _ratio(dosage.get("maxDosePerPeriod"))
        or _quantity(dosage.get("maxDosePerAdministration"))
        or _quantity(dosage.get("maxDosePerLifetime"))
    )


def course_end(dosages: object) -> Moment | None:
    """The last end that the dosages name; None when any of them goes on."""
    ends = [
        start_and_end(mapping(mapping(d.get("timing")).get("repeat")).get("boundsPeriod"))[1]
        for d in objects(dosages)
    ]
    known = [end for end in ends if end is not None]
    return max(known, key=sort_key) if known and len(known) == len(ends) else None


def plain(value: Decimal | None) -> str:
    """The number without trailing zeros: in a dose, 1,0 is misread as 10."""
    if value is None:
        return ""
    written = format(value, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace(".", ",")


def _shown(found: Amount | None) -> str:
    if found is None or found.value is None:
        return ""
    return f"{found.comparator}{plain(found.value)} {called(found.unit, found.value)}".strip()


def called(unit: str, value: Decimal) -> str:
    """What so much of a unit is called: 1 tablet, 2 tablets."""
    return loading.order_sentences().several.get(unit, unit) if value > ONE else unit


def _quantity(value: object) -> str:
    return _shown(amount(value))


def _range(value: object) -> str:
    found = mapping(value)
    low, high = amount(found.get("low")), amount(found.get("high"))
    if low is not None and high is not None and low.value is not None and high.value is not None:
        return f"{plain(low.value)}–{_shown(high)}"
    return _shown(low) or _shown(high)


def _ratio(value: object) -> str:
    found = mapping(value)
    numerator, denominator = amount(found.get("numerator")), amount(found.get("denominator"))
    if numerator is None or numerator.value is None:
        return ""
    if denominator is None:
        return _shown(numerator)
    per = denominator.unit if denominator.value == ONE else _shown(denominator)
    return f"{_shown(numerator)}/{_time_word(per)}"


def _time_word(unit: str) -> str:
    return {"d": _("day"), "h": _("hour"), "wk": _("week"), "min": _("minute")}.get(unit, unit)
