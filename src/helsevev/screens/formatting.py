"""How times, ages, numbers and quantities are written for clinicians, as template filters."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.locale import ngettext, pgettext

OSLO = ZoneInfo("Europe/Oslo")
NARROW_SPACE = "\u202f"
MINUS = "\u2212"

Moment = datetime | date | str
"""A datetime (aware, or meant as Oslo time), a date, or a FHIR date, dateTime or instant."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_BRACKETED = re.compile(r"\[([^\]]+)\]")
_UNITS = {
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "%": "%",
    "1": "",
    "[pH]": "",
    "m2": "m²",
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "ml/min/1,73 m²",
}


def _spoken_units() -> dict[str, str]:
    return {
        "mm/h": pgettext("unit", "mm/h"),
        "h": pgettext("unit", "h"),
        "a": pgettext("unit", "years"),
        "mo": pgettext("unit", "months"),
        "wk": pgettext("unit", "weeks"),
        "[IU]": pgettext("unit", "IU"),
        "[iU]": pgettext("unit", "IU"),
    }


def as_moment(value: Moment) -> datetime | date:
    """Return a datetime in Oslo's time, or a date when the value has no time of day.

    FHIR's partial dates ("2026", "2026-11") become their first day.
    Raises ValueError for a text that is no FHIR date.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= 10:
            year, month, day = (*text.split("-"), "01", "01")[:3]
            return date(int(year), int(month), int(day))
        value = datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return value.replace(tzinfo=OSLO) if value.tzinfo is None else value.astimezone(OSLO)
    return value


def machine_time(value: Moment) -> str:
    """Return what the `datetime` attribute of <time> wants: ISO 8601, partial dates as they are."""
    if isinstance(value, str) and len(value) <= 10:
        return value
    moment = as_moment(value)
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else str(moment)


def clinical_date(value: Moment | None) -> str:
    """Write 21.11.2026; a partial FHIR date as 11.2026 or 2026; nothing for None."""
    if value is None or value == "":
        return ""
    if isinstance(value, str) and len(value) < 10:
        return ".".join(reversed(value.split("-")))
    return as_moment(value).strftime("%d.%m.%Y")


def clinical_time(value: Moment | None) -> str:
    """Write 21.11.2026 14:05 in Oslo's time; only the date when there is no time of day."""
    if value is None or value == "":
        return ""
    moment = as_moment(value)
    return f"{moment:%d.%m.%Y %H:%M}" if isinstance(moment, datetime) else clinical_date(value)


def time_of_day(value: Moment | None) -> str:
    """Write 14:05 in Oslo's time; nothing when the value has no time of day."""
    if value is None or value == "":
        return ""
    moment = as_moment(value)
    return f"{moment:%H:%M}" if isinstance(moment, datetime) else ""


def relative_time(value: Moment | None, now: datetime | None = None) -> str:
    """Write how long ago, or in how long; the exact time when that is clearer (over a week)."""
    if value is None or value == "":
        return ""
    moment = as_moment(value)
    present = (now or clock.now()).astimezone(OSLO)
    if not isinstance(moment, datetime):
        return _relative_day(moment, present.date())
    seconds = (present - moment).total_seconds()
    span, future = abs(seconds), seconds < 0
    if span < 45:
        return _("now")
    if span < 3570:
        text = _("in %(count)d min") if future else _("%(count)d min ago")
        return text % {"count": max(1, round(span / 60))}
    if span < 86400:
        text = _("in %(count)d h") if future else _("%(count)d h ago")
        return text % {"count": round(span / 3600)}
    if span < 7 * 86400:
        return f"{_relative_day(moment.date(), present.date())} {moment:%H:%M}"
    return clinical_time(moment)


def _relative_day(day: date, today: date) -> str:
    days = (today - day).days
    named = {0: _("today"), 1: _("yesterday"), -1: _("tomorrow")}
    if days in named:
        return named[days]
    if 1 < days < 7:
        return _("%(count)d days ago") % {"count": days}
    if -7 < days < -1:
        return _("in %(count)d days") % {"count": -days}
    return clinical_date(day)


def age(born: Moment | None, now: Moment | None = None) -> str:
    """Write an age as clinicians say it: days to 4 weeks, weeks to 3 months, months to 2 years.

    `now` is the day the age is told for: today, or the day of death. A birth date that is only a
    year gives whole years. Nothing for None and for a birth in the future.
    """
    if born is None or born == "":
        return ""
    birth, today = _day(born), _day(now if now is not None else clock.now())
    days = (today - birth).days
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if days < 0:
        return ""
    if isinstance(born, str) and len(born) == 4:
        months = max(months, 24)
    if days < 28:
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    if months < 3:
        return ngettext("%(count)d week", "%(count)d weeks", days // 7) % {"count": days // 7}
    if months < 24:
        return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}
    years = months // 12
    return ngettext("%(count)d year", "%(count)d years", years) % {"count": years}


def years(born: Moment | None, now: Moment | None = None) -> int:
    """Return whole years of age; 18 when nothing is known, since nobody is a child by default."""
    if born is None or born == "":
        return 18
    birth, today = _day(born), _day(now if now is not None else clock.now())
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _day(value: Moment) -> date:
    moment = as_moment(value)
    return moment.date() if isinstance(moment, datetime) else moment


def number(value: Decimal | float | str | None) -> str:
    """Write a number with decimal comma; a Decimal or text keeps every digit (72.50 is 72,50)."""
    if value is None or value == "":
        return ""
    text = format(Decimal(str(value)), "f")
    sign = MINUS if text.startswith("-") else ""
    whole, point, fraction = text.lstrip("+-").partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", NARROW_SPACE)
    return f"{sign}{whole}{',' if point else ''}{fraction}"


def aligned(text: str) -> tuple[str, str]:
    """Split a written number before its comma, so that a column can stand on the comma."""
    whole, comma, fraction = text.partition(",")
    return whole, comma + fraction


def unit_label(code: str | None) -> str:
    """Write a UCUM code as clinicians do: mm[Hg] is mmHg, 10*9/L is 10⁹/L, {score} is nothing."""
    if not code or (code.startswith("{") and code.endswith("}")):
        return ""
    if code in _UNITS:
        return _UNITS[code]
    if (spoken := _spoken_units().get(code)) is not None:
        return spoken
    if code.startswith("10*"):
        exponent, slash, rest = code[3:].partition("/")
        return f"10{exponent.translate(_SUPERSCRIPTS)}{slash}{rest}"
    return _BRACKETED.sub(lambda found: _spoken_units().get(found[0], found[1]), code)


def quantity(
    value: Decimal | float | str | None, unit: str | None = "", comparator: str | None = ""
) -> str:
    """Write number and unit, held together by a narrow space that never breaks."""
    if value is None or value == "":
        return ""
    amount = number(value)
    sign = {"<=": "≤", ">=": "≥"}.get(comparator or "", comparator or "")
    head = f"{sign}{NARROW_SPACE}{amount}" if sign else amount
    label = unit_label(unit).replace(" ", NARROW_SPACE)
    return f"{head}{NARROW_SPACE}{label}" if label else head


def interval(
    low: Decimal | float | str | None,
    high: Decimal | float | str | None,
    unit: str | None = "",
) -> str:
    """Write a reference range: 3,5–5,0 mmol/L, ≤ 5,0 or ≥ 3,5; nothing when both are None."""
    if low in (None, "") and high in (None, ""):
        return ""
    if low in (None, ""):
        return quantity(high, unit, "<=")
    if high in (None, ""):
        return quantity(low, unit, ">=")
    return f"{number(low)}–{quantity(high, unit)}"


def is_past(value: Moment | None, now: datetime | None = None) -> bool:
    """Say whether a moment is over; a date is over when its day is."""
    if value is None or value == "":
        return False
    moment, present = as_moment(value), (now or clock.now()).astimezone(UTC)
    if isinstance(moment, datetime):
        return moment < present
    return moment < present.astimezone(OSLO).date()


FILTERS: dict[str, Callable[..., object]] = {
    "clinical_date": clinical_date,
    "clinical_time": clinical_time,
    "machine_time": machine_time,
    "time_of_day": time_of_day,
    "relative_time": relative_time,
    "age": age,
    "years": years,
    "number": number,
    "aligned": aligned,
    "unit": unit_label,
    "quantity": quantity,
    "interval": interval,
    "is_past": is_past,
}
