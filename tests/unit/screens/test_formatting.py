"""Times, ages, numbers and quantities are written as clinicians write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.screens import formatting as f

NOW = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-11-21", "21.11.2026"),
        ("2026-11", "11.2026"),
        ("2026", "2026"),
        ("2026-11-21T23:30:00Z", "22.11.2026"),
        (date(2026, 1, 2), "02.01.2026"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_date_is_written_day_first_and_only_as_precise_as_it_was_recorded(
    value: str | date | None, written: str
) -> None:
    assert f.clinical_date(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-11-21T13:05:00Z", "21.11.2026 14:05"),
        ("2026-07-01T12:00:00Z", "01.07.2026 14:00"),
        ("2026-11-21T14:05:00.123+01:00", "21.11.2026 14:05"),
        ("2026-11-21", "21.11.2026"),
        (datetime(2026, 11, 21, 13, 5, tzinfo=UTC), "21.11.2026 14:05"),
    ],
)
def test_a_moment_is_written_in_oslos_time(value: str | datetime, written: str) -> None:
    assert f.clinical_time(value) == written


@pytest.mark.parametrize(
    ("born", "told"),
    [
        ("2026-11-21", "0 dager"),
        ("2026-11-20", "1 dag"),
        ("2026-10-25", "27 dager"),
        ("2026-10-24", "4 uker"),
        ("2026-08-22", "13 uker"),
        ("2026-08-21", "3 måneder"),
        ("2024-11-22", "23 måneder"),
        ("2024-11-21", "2 år"),
        ("1941-11-22", "84 år"),
        ("2024", "2 år"),
        ("2027-01-01", ""),
        (None, ""),
    ],
)
def test_an_age_is_told_in_days_weeks_months_and_years(born: str | None, told: str) -> None:
    assert f.age(born, NOW) == told


def test_the_age_of_the_dead_is_the_age_at_death() -> None:
    assert f.age("1941-03-07", "2020-03-06") == "78 år"


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(seconds=10), "nå"),
        (timedelta(minutes=5), "for 5 min siden"),
        (timedelta(hours=2), "for 2 t siden"),
        (timedelta(hours=25), "i går 13:05"),
        (timedelta(days=30), "22.10.2026 15:05"),
        (timedelta(minutes=-20), "om 20 min"),
    ],
)
def test_relative_time_helps_when_near_and_gives_way_to_the_exact_when_far(
    ago: timedelta, told: str
) -> None:
    assert f.relative_time(NOW - ago, NOW) == told


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("72.50"), "72,50"),
        ("0.010", "0,010"),
        (Decimal("-3"), "−3"),
        (12345, "12\u202f345"),
        (1200, "1200"),
        (Decimal("1E+2"), "100"),
        (None, ""),
    ],
)
def test_a_number_keeps_every_digit_it_was_recorded_with(value: object, written: str) -> None:
    assert f.number(value) == written  # type: ignore[arg-type]


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3
    )
)
def test_no_number_loses_or_gains_a_digit_when_written(value: Decimal) -> None:
    written = f.number(value).replace("\u202f", "").replace("−", "-").replace(",", ".")
    assert written == format(value, "f")


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("mm[Hg]", "mmHg"),
        ("10*9/L", "10⁹/L"),
        ("{score}", ""),
        ("Cel", "°C"),
        ("mm/h", "mm/t"),
        ("[iU]", "IE"),
        ("[iU]/L", "IE/L"),
        ("[pH]", ""),
        ("[drp]", "drp"),
        ("mmol/L", "mmol/L"),
        (None, ""),
    ],
)
def test_units_are_written_as_the_profession_writes_them(code: str | None, label: str) -> None:
    assert f.unit_label(code) == label


def test_number_and_unit_never_part_at_a_line_end() -> None:
    assert f.quantity("72.50", "kg") == "72,50\u202fkg"
    assert f.quantity("5", "ng/L", "<") == "<\u202f5\u202fng/L"
    assert " " not in f.quantity("38", "mL/min/{1.73_m2}")


def test_a_reference_range_may_be_open_at_either_end() -> None:
    assert f.interval("3.5", "5.0", "mmol/L") == "3,5–5,0\u202fmmol/L"
    assert f.interval(None, "5.0") == "≤\u202f5,0"
    assert f.interval("60", None) == "≥\u202f60"
    assert f.interval(None, None) == ""
