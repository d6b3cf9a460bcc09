"""When things happen in a story, counted from the day it is loaded, as in `-3d 08:30`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
_OFFSET = re.compile(r"([+-])(\d+)(y|mo|w|d|h|min)(?: (\d\d):(\d\d))?")


class Timeline:
    """Turns offsets from one reference instant into dates and times in Europe/Oslo.

    An offset is a sign, a number and a unit (`y`, `mo`, `w`, `d`, `h`, `min`), with a time of day
    after it where the unit is a day or longer (noon when none is given).
    """

    def __init__(self, today: date) -> None:
        """`today` as a date means the first minute of that day, so nothing lands after it."""
        if isinstance(today, datetime):
            self.now = today.astimezone(OSLO).replace(microsecond=0)
        else:
            self.now = datetime.combine(today, time(), OSLO)
        self.today = self.now.date()

    def at(self, when: str) -> datetime:
        """The instant an offset points at. ValueError when the offset cannot be read."""
        found = _OFFSET.fullmatch(when)
        if found is None:
            raise ValueError(f"not an offset such as '-3d 08:30': {when!r}")
        sign = -1 if found[1] == "-" else 1
        count, unit = sign * int(found[2]), found[3]
        if unit in ("h", "min"):
            step = timedelta(hours=count) if unit == "h" else timedelta(minutes=count)
            return (self.now.astimezone(UTC) + step).astimezone(OSLO)
        clock = time(int(found[4]), int(found[5])) if found[4] else time(12)
        return datetime.combine(self._day(count, unit), clock, OSLO)

    def stamp(self, when: str) -> str:
        """The offset as a FHIR dateTime or instant, to the second, with its zone."""
        return self.at(when).isoformat()

    def day(self, when: str) -> str:
        """The offset as a FHIR date."""
        return self.at(when).date().isoformat()

    def birth_date(self, years: int, month: int, day: int) -> date:
        """The latest date with this month and day on which somebody born is `years` old now."""
        this_year = date(self.today.year, month, day)
        had_birthday = this_year <= self.today
        return date(self.today.year - years - (0 if had_birthday else 1), month, day)

    def spread(self, first: str, last: str, count: int) -> list[datetime]:
        """`count` instants evenly from the first to the last offset, each at the first's clock."""
        start, end = self.at(first), self.at(last)
        if count == 1:
            return [start]
        if end - start < timedelta(days=count):
            step = (end.astimezone(UTC) - start.astimezone(UTC)) / (count - 1)
            return [
                (start.astimezone(UTC) + step * n).astimezone(OSLO).replace(second=0, microsecond=0)
                for n in range(count)
            ]
        days = (end.date() - start.date()).days
        dates = [start.date() + timedelta(days=round(days * n / (count - 1))) for n in range(count)]
        return [datetime.combine(each, start.timetz()) for each in dates]

    def _day(self, count: int, unit: str) -> date:
        if unit == "d":
            return self.today + timedelta(days=count)
        if unit == "w":
            return self.today + timedelta(weeks=count)
        months = self.today.year * 12 + self.today.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        last = (first_of_next - timedelta(days=1)).day
        return date(year, month + 1, min(self.today.day, last))
