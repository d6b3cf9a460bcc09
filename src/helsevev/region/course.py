"""What a course is: states, each told on a day, each saying which comes next and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .chance import Chance
from .facts import facts
from .life import Life, Tale

Next = tuple[str, int] | None
"""The next state and the day it begins; None when the course is over."""


class Course(NamedTuple):
    """One course as a state machine over a life.

    `begins` decides whether and when the inhabitant enters it; each state tells what it leaves in
    the record and returns the next. What falls before or after the window is not written, so a
    state need not ask.
    """

    key: str
    begins: Callable[[Tale], Next]
    states: Mapping[str, Callable[[Tale, int], Next]]


def live(course: Course, life: Life) -> None:
    """Take the inhabitant through the course, to its end or the end of the window."""
    t = Tale(life, Chance(life.person.seed, course.key, life.person.id))
    following = course.begins(t)
    while following is not None:
        state, day = following
        if day > life.last_day:
            return
        following = course.states[state](t, day)


def rates(course: str) -> dict[str, float]:
    """The rates of one course, from `facts/rates.toml`."""
    found: dict[str, float] = facts("rates")[course]
    return found


def table(course: str, name: str) -> list[list[float]]:
    """A table of (from age, value) rows of one course."""
    found: list[list[float]] = facts("rates")[course][name]
    return found


def before_window(t: Tale, most_years: float) -> int:
    """A day up to some years before the window, but not before birth: when a condition began."""
    days = int(t.chance.between(0.1, most_years) * 365)
    return max(t.person.born + 30, t.life.since - days)


def first_check(t: Tale, since: int, interval: int) -> int:
    """The first follow-up told: soon after the start, or at random in the first interval."""
    if since >= t.life.since:
        return since + min(interval, 14 + t.chance.whole(0, 14))
    return max(since, t.life.since) + t.chance.whole(0, interval)


def onset_or_event(t: Tale, yearly: float) -> int | None:
    """The day of an event that comes `yearly` times a year, if it comes within the window."""
    day = t.life.since + t.chance.wait(yearly)
    return day if day <= t.life.last_day and day > t.person.born else None
