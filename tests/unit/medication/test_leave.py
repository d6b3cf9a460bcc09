"""Leave as the versions of a stay tell it: what was known when a dose was due, and what later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.medication.leave import leaves_of
from helsevev.medication.timing import Standing

START = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)

Told = tuple[int, bool, tuple[tuple[int, int | None], ...]]
"""A version of a stay: since which hour, whether the patient is away, and the times away it lists.

A time is (from, to) in hours."""


@st.composite
def stays(draw: st.DrawFn) -> list[Told]:
    since, made = 0, []
    for _ in range(draw(st.integers(1, 5))):
        listed = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=2))
        times: tuple[tuple[int, int | None], ...] = tuple((at, at + for_) for at, for_ in listed)
        made.append((since, draw(st.booleans()), times))
        since += draw(st.integers(1, 20))
    return made


def _at(hours: float) -> datetime:
    return START + hours * HOUR


def _version(told: Told) -> Standing:
    since, is_away, times = told
    past = [
        {"status": "onleave", "period": {"start": _at(start).isoformat()}
         | ({"end": (_at(end) - timedelta(seconds=1)).isoformat()} if end is not None else {})}
        for start, end in times
    ]  # fmt: skip
    stay: dict[str, Any] = {"status": "onleave" if is_away else "in-progress"}
    return Standing(_at(since), stay | ({"statusHistory": past} if past else {}))


def _was_known_away(stay: list[Told], hour: int) -> bool:
    """The slow and obvious answer: what did the version say that stood at that hour?"""
    stood = [each for each in stay if each[0] <= hour]
    if not stood:
        return False
    _since, is_away, times = stood[-1]
    return is_away or any(start <= hour and (end is None or hour < end) for start, end in times)


@settings(max_examples=200, deadline=None)
@given(stays(), st.integers(0, 120))
def test_a_dose_is_excused_where_the_stay_as_it_stood_said_that_the_patient_was_away(
    stay: list[Told], hour: int
) -> None:
    found = leaves_of([[_version(each) for each in stay]])
    assert any(leave.excuses(_at(hour)) for leave in found) == _was_known_away(stay, hour)


def test_leave_that_is_told_afterwards_excuses_nothing_and_is_told() -> None:
    stay = [_version((0, False, ())), _version((30, False, ((10, 20),)))]
    (leave,) = leaves_of([stay])
    assert not leave.excuses(_at(15))
    assert leave.covers(_at(15))
    assert not leave.covers(_at(25))


def test_a_leave_that_goes_on_began_when_the_state_before_it_ended() -> None:
    away = _version((30, True, ()))
    before = {
        "status": "in-progress",
        "period": {"end": (_at(28) - timedelta(seconds=1)).isoformat()},
    }
    (leave,) = leaves_of([[Standing(away.since, {**away.order, "statusHistory": [before]})]])
    assert (leave.start, leave.end, leave.known) == (_at(28), None, _at(30))
