"""Partial dates as ranges; what has no zone is read in Norway's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.fhir.dates import MAX, MIN, bounds, microseconds, moment, period_bounds

# text -> first moment and the first moment after, in UTC
RANGES = {
    "2024": ("2023-12-31T23:00:00", "2024-12-31T23:00:00"),
    "2024-02": ("2024-01-31T23:00:00", "2024-02-29T23:00:00"),
    "2024-07-01": ("2024-06-30T22:00:00", "2024-07-01T22:00:00"),
    "2024-03-31": ("2024-03-30T23:00:00", "2024-03-31T22:00:00"),
    "2024-10-27": ("2024-10-26T22:00:00", "2024-10-27T23:00:00"),
    "2024-05-01T10:00": ("2024-05-01T08:00:00", "2024-05-01T08:01:00"),
    "2024-05-01T10:00Z": ("2024-05-01T10:00:00", "2024-05-01T10:01:00"),
    "2024-05-01T10:00:00+02:00": ("2024-05-01T08:00:00", "2024-05-01T08:00:01"),
    "2024-05-01T10:00:00.5-03:30": ("2024-05-01T13:30:00.5", "2024-05-01T13:30:00.6"),
    "2024-05-01T10:00:00.123456789Z": (
        "2024-05-01T10:00:00.123456",
        "2024-05-01T10:00:00.123457",
    ),
    "2016-12-31T23:59:60Z": ("2016-12-31T23:59:59", "2017-01-01T00:00:00"),
}
IMPOSSIBLE = [
    "", "2024-13", "2024-00-01", "2026-02-30", "2023-02-29", "2024-04-31", "0000", "24-01-01",
    "2024-1-1", "2024-01-01T24:00:00Z", "2024-01-01T10", "2024-01-01T10:60:00Z", "today",
    "2024-01-01 10:00", "2024-01-01T10:00:61Z", "\u0662024",
]  # fmt: skip


@pytest.mark.parametrize("text", RANGES)
def test_a_date_is_all_the_moments_it_may_mean(text: str) -> None:
    found = bounds(text)
    assert found is not None
    low, high = (datetime.fromisoformat(end).replace(tzinfo=UTC) for end in RANGES[text])
    assert (moment(found[0]), moment(found[1])) == (low, high)


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_is_no_date_has_no_moments(text: str) -> None:
    assert bounds(text) is None


@pytest.mark.parametrize("text", ["0001", "0001-01-01T00:00:00+14:00", "9999-12-31", "9999"])
def test_the_first_and_last_dates_stay_within_the_ends_of_time(text: str) -> None:
    found = bounds(text)
    assert found is not None
    assert MIN <= found[0] <= found[1] <= MAX


def test_an_open_period_ends_at_the_ends_of_time() -> None:
    day = bounds("2024-05-01")
    assert day is not None
    assert period_bounds("2024-05-01", None) == (day[0], MAX)
    assert period_bounds(None, "2024-05-01") == (MIN, day[1])
    assert period_bounds(None, None) is None


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_moment_lies_in_its_second_minute_and_year(at: datetime) -> None:
    exact = microseconds(at.replace(microsecond=0))
    for text in (at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y-%m-%dT%H:%MZ")):
        found = bounds(text.rjust(20 if text.count(":") == 2 else 17, "0"))
        assert found is not None
        assert found[0] <= exact < found[1]


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = bounds(text)
    assert found is None or found[0] <= found[1]
