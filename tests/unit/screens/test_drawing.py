"""Curves, sparklines, differences and interpretations tell what the numbers and texts say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.screens.curves import curve, sparkline
from helsevev.screens.differences import word_difference
from helsevev.screens.interpretation import abnormality, trend

POINTS = [
    {"time": "2026-03-01", "value": "72.4"},
    {"time": "2026-01-01", "value": "71.2"},
    {"time": "2026-02-01", "value": Decimal("76.80")},
    {"time": "2026-04-01", "value": None},
]


def test_points_stand_in_order_of_time_and_missing_values_are_left_out() -> None:
    drawing = curve(POINTS, low="60", high="75")
    assert [dot.point["value"] for dot in drawing.dots] == ["71.2", Decimal("76.80"), "72.4"]
    assert [dot.x for dot in drawing.dots] == sorted(dot.x for dot in drawing.dots)


def test_a_higher_value_stands_higher_and_outside_the_range_is_marked() -> None:
    low, high, _ = curve(POINTS, low="60", high="75").dots
    assert high.y < low.y
    assert (low.abnormal, high.abnormal) == ("", "high")


@given(
    st.lists(
        st.tuples(st.datetimes(), st.floats(-1e6, 1e6, allow_nan=False)), min_size=0, max_size=40
    )
)
def test_no_point_is_ever_drawn_outside_the_axes(points: list[tuple[object, float]]) -> None:
    drawing = curve([{"time": when, "value": value} for when, value in points])
    assert all(drawing.left <= dot.x <= drawing.right for dot in drawing.dots)
    assert all(drawing.top - 0.2 <= dot.y <= drawing.bottom + 0.2 for dot in drawing.dots)
    assert len(drawing.dots) == len(points)
    assert 2 <= len(drawing.up) <= 12


def test_a_sparkline_of_one_value_is_a_point_and_of_none_is_nothing() -> None:
    assert sparkline([5.6]).last is not None
    assert sparkline([5.6]).path == ""
    assert sparkline([]).last is None


@pytest.mark.parametrize(
    ("value", "low", "high", "code", "kind"),
    [
        ("5.6", "3.5", "5.0", "", "high"),
        ("3.4", "3.5", "5.0", "", "low"),
        ("5.0", "3.5", "5.0", "", ""),
        ("9.1", "11.7", "15.3", "LL", "critical-low"),
        ("4.0", "3.5", "5.0", "H", "high"),
        (None, None, None, "A", "abnormal"),
        ("5.6", None, None, "", ""),
        ("positive", "1", "2", "", ""),
        ("5.6", "3.5", "5.0", "N", ""),
    ],
)
def test_the_laboratorys_word_wins_and_nothing_is_guessed(
    value: str | None, low: str | None, high: str | None, code: str, kind: str
) -> None:
    assert abnormality(value, low, high, code) == kind


def test_the_trend_is_told_by_the_last_two_values() -> None:
    assert trend(["4.1", "4.9", "5.6"]) == "up"
    assert trend([1, 1]) == "flat"
    assert trend([1]) == ""


def test_a_changed_number_is_shown_whole() -> None:
    changed = [
        s.text.strip()
        for s in word_difference("Diurese 2,4 liter", "Diurese 2,1 liter")
        if s.kind != "same"
    ]
    assert changed == ["2,4", "2,1"]


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_difference_loses_nothing_of_either_text(before: str, after: str) -> None:
    stretches = word_difference(before, after)
    assert "".join(s.text for s in stretches if s.kind != "added") == before
    assert "".join(s.text for s in stretches if s.kind != "removed") == after


@pytest.mark.parametrize(("values", "lowest"), [([0, 0, 0], 0), ([5, 5], 0), ([-1, -1], None)])
def test_what_is_never_below_zero_is_not_drawn_with_room_for_it(
    values: list[float], lowest: float | None
) -> None:
    points = [{"time": f"2026-11-{day + 1:02}", "value": value} for day, value in enumerate(values)]
    shown = [float(tick.label.replace(",", ".").replace("−", "-")) for tick in curve(points).up]
    assert (min(shown) >= 0) is (lowest is not None)
    assert min(shown) <= min(values) <= max(values) <= max(shown)
