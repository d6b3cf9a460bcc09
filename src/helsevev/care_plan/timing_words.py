"""When a measure is done, in words: "every day at 08:00 and 20:00", "Monday and Thursday"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from helsevev.fhir.reading import mapping, number, text, texts
from helsevev.locale import gettext as _

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def day_words() -> dict[str, str]:
    """The days of the week by FHIR's code."""
    return dict(zip(WEEKDAYS, (
        _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
        _("Sunday"),
    ), strict=True))  # fmt: skip


def when_words(timing: Mapping[str, Any]) -> str:
    """A Timing in words, "" when it says nothing that has words."""
    repeat = mapping(timing.get("repeat"))
    days = [each for each in WEEKDAYS if each in texts(repeat.get("dayOfWeek"))]
    clocks = [each[:5] for each in texts(repeat.get("timeOfDay"))]
    if days and len(days) < len(WEEKDAYS):
        said = _and([day_words()[each] for each in days]).capitalize()
    else:
        said = _period(repeat, bool(clocks))
    if clocks:
        return _("%(days)s at %(times)s") % {"days": said, "times": _and(clocks)}
    return said


def _period(repeat: Mapping[str, Any], has_clocks: bool) -> str:
    period, unit = number(repeat.get("period")), text(repeat.get("periodUnit"))
    many = int(period) if period is not None else 1
    often = int(number(repeat.get("frequency")) or 1)
    if unit == "d" and many == 1:
        if has_clocks or often == 1:
            return _("Every day")
        return _("%(count)s times a day") % {"count": often}
    if unit == "wk" and often > 1:
        return _("%(count)s times a week") % {"count": often}
    one = {"h": _("Every hour"), "wk": _("Every week"), "mo": _("Every month"),
           "a": _("Every year"), "min": _("Every minute")}  # fmt: skip
    more = {
        "h": _("Every %(count)s hours"), "d": _("Every %(count)s days"),
        "wk": _("Every %(count)s weeks"), "mo": _("Every %(count)s months"),
        "a": _("Every %(count)s years"), "min": _("Every %(count)s minutes"),
    }  # fmt: skip
    if many == 1:
        return one.get(unit, "")
    return more[unit] % {"count": many} if unit in more else ""


def _and(said: Sequence[str]) -> str:
    if len(said) < 2:
        return "".join(said)
    return _("%(first)s and %(last)s") % {"first": ", ".join(said[:-1]), "last": said[-1]}


def length_words(said: str, count: int) -> str:
    """So many of a unit of UCUM (min, h, d, wk, mo, a), in words."""
    words = {
        "min": _("%(count)s minutes"), "h": _("%(count)s hours"), "d": _("%(count)s days"),
        "wk": _("%(count)s weeks"), "mo": _("%(count)s months"), "a": _("%(count)s years"),
    }  # fmt: skip
    return words.get(said, "%(count)s") % {"count": count}
