"""What was measured stands in its column, and what is due stands open."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.content import loading
from helsevev.content.packs.flowsheets import Flowsheet
from helsevev.content.packs.shelf import built_in
from helsevev.observation.flowsheet.balance import balance, fluid_day
from helsevev.observation.flowsheet.cells import cell_of
from helsevev.observation.flowsheet.form import honest, sent_columns
from helsevev.observation.flowsheet.grid import Grid, grid, window_of
from helsevev.observation.flowsheet.sheet import Sheet
from helsevev.observation.flowsheet.taking import Typed, read_column, record_columns
from helsevev.observation.vital_signs import NotRecordable, Performer, Person

OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 3, 10, 14, 20, tzinfo=OSLO)
PERSON = Person("p", 900, sex="male")
KEY = UUID("11111111-1111-4111-8111-111111111111")
BY = Performer("Practitioner/n", "Nurse")


def sheet(key: str) -> Sheet:
    content = next(p.of(Flowsheet)[key] for p in built_in() if key in p.of(Flowsheet))
    return Sheet(content, loading.vital_signs(), loading.news2(), PERSON.months, PERSON.sex)


def stored(on: Sheet, at: datetime, typed: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    """What signing a column leaves, with ids as the record gives them."""
    read = read_column(on, Typed(at, typed), PERSON, {})
    made = record_columns(on, [(read, {})], person=PERSON, performer=BY, key=KEY)
    return [
        {**resource, "id": f"{at:%d%H%M}-{number}", "meta": {"versionId": "1"}, **more}
        for number, (_url, resource) in enumerate(made[0][1])
    ]


def laid(on: Sheet, observations: list[dict[str, Any]]) -> Grid:
    return grid(on, observations, window_of(on.content, NOW, None), NOW)


@pytest.mark.parametrize(
    ("minutes", "column"), [(0, "14:00"), (9, "14:00"), (-8, "14:00"), (13, "14:13")]
)
def test_a_value_near_a_due_time_stands_in_its_column_and_any_other_in_its_own(
    minutes: int, column: str
) -> None:
    on = sheet("intensive")
    at = NOW.replace(minute=0) + timedelta(minutes=minutes)
    found = laid(on, stored(on, at, {"pulse": "72"}))
    where = [f"{each.local:%H:%M}" for each in found.columns if "pulse" in each.cells]
    assert where == [column]


def test_due_times_that_nobody_measured_at_stand_open_for_a_shift() -> None:
    on = sheet("intensive")
    found = laid(on, stored(on, NOW.replace(hour=10, minute=0), {"pulse": "72"}))
    due = [each.local.hour for each in found.columns if each.is_open and not each.is_now]
    assert due == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]
    assert found.columns[-1].is_now


def test_of_what_a_device_sends_each_minute_only_what_is_due_is_shown() -> None:
    on = sheet("intensive")
    sent = [
        each
        for minute in range(60)
        for each in stored(
            on, NOW.replace(hour=12, minute=minute), {"pulse": str(70 + minute % 9)},
            status="preliminary", device={"display": "Monitor"},
        )
    ]  # fmt: skip
    found = laid(on, sent)
    shown = [each.local.strftime("%H:%M") for each in found.columns if each.cells]
    assert shown[0] == "12:00"
    assert len(shown) <= 2
    assert found.hidden >= 30
    assert all(cell.is_unconfirmed for each in found.columns for cell in each.cells.values())


def test_a_person_s_value_stands_before_what_a_device_sent_for_the_same_time() -> None:
    on = sheet("intensive")
    at = NOW.replace(hour=12, minute=0)
    device = stored(on, at + timedelta(minutes=1), {"pulse": "90"}, status="preliminary")
    found = laid(on, [*stored(on, at, {"pulse": "72"}), *device])
    assert [c.cells["pulse"].typed for c in found.columns if "pulse" in c.cells] == ["72"]


def test_as_before_holds_only_what_was_so_and_may_be_repeated() -> None:
    on = sheet("ward")
    there = stored(on, NOW - timedelta(hours=4), {"skin": "B", "pulse": "80"})
    found = laid(on, there)
    ids = {cell.parameter: cell.id for cell in found.cells}
    form = {
        "d.7": "2026-03-10", "t.7": "14:20", "v.7.skin": "B", "b.7.skin": ids["skin"],
        "v.7.pulse": "80", "b.7.pulse": ids["pulse"], "v.7.line": "0", "b.7.line": ids["skin"],
    }  # fmt: skip
    (sent,) = sent_columns(form, NOW)
    assert honest(on, found, sent) == {"skin": ids["skin"]}
    (changed,) = sent_columns({**form, "v.7.skin": "N"}, NOW)
    assert honest(on, found, changed) == {}


@pytest.mark.parametrize(
    ("day", "clock"), [("2026-03-10", "14:40"), ("2026-03-11", "08:00"), ("", "9"), ("x", "25:00")]
)
def test_a_column_without_a_time_that_has_been_is_refused(day: str, clock: str) -> None:
    (sent,) = sent_columns({"d.1": day, "t.1": clock, "v.1.pulse": "70"}, NOW)
    assert sent.at is None
    assert sent.problem is not None


def test_a_column_with_one_fault_is_not_stored_at_all() -> None:
    on = sheet("ward")
    read = read_column(on, Typed(NOW, {"pulse": "70", "temperature": "370"}), PERSON, {})
    with pytest.raises(NotRecordable, match="14:20 Temperatur"):
        record_columns(on, [(read, {})], person=PERSON, performer=BY, key=KEY)


def test_a_score_is_worked_out_of_what_stands_and_what_is_typed() -> None:
    on = sheet("ward")
    at = NOW.replace(hour=14, minute=0)
    values = {"respiration": "22", "saturation": "95", "oxygen": "0", "blood-pressure": "118/70",
              "pulse": "88", "consciousness": "A"}  # fmt: skip
    there = laid(on, stored(on, at, values))
    column = next(each for each in there.columns if each.at == at)
    read = read_column(on, Typed(at, {"temperature": "38,4"}), PERSON, column.cells)
    made = record_columns(on, [(read, column.cells)], person=PERSON, performer=BY, key=KEY)[0][1]
    score = made[-1][1]
    assert score["valueQuantity"]["value"] == 4
    assert len(score["derivedFrom"]) == 7
    assert sum(each["reference"].startswith("Observation/") for each in score["derivedFrom"]) == 6


amounts = st.lists(
    st.tuples(st.integers(0, 60 * 30), st.sampled_from(["drink", "infusion", "urine", "drain"]),
              st.integers(0, 900)),
    max_size=30,
)  # fmt: skip


@given(amounts)
def test_the_balance_is_what_came_in_less_what_went_out_of_that_day_alone(
    given_amounts: list[tuple[int, str, int]],
) -> None:
    on = sheet("fluid-balance")
    start, end = fluid_day(on.content, NOW)
    cells = []
    net = 0
    for minutes, key, amount in given_amounts:
        at = start + timedelta(minutes=minutes)
        cells += [cell_of(on, each) for each in stored(on, at, {key: str(amount)})]
        if at < end:
            net += amount if key in ("drink", "infusion") else -amount
    found = balance(on, [each for each in cells if each], start, end, NOW)
    assert found.net == Decimal(net)
    assert found.count == sum(minutes < 24 * 60 for minutes, _key, _amount in given_amounts)


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=OSLO), 23),
        (datetime(2026, 10, 24, 12, tzinfo=OSLO), 25),
        (datetime(2026, 5, 1, 6, 59, tzinfo=OSLO), 24),
    ],
)
def test_the_fluid_day_goes_from_seven_to_seven_on_the_wall_also_when_clocks_change(
    at: datetime, hours: int
) -> None:
    start, end = fluid_day(sheet("ward").content, at)
    assert (start.hour, end.hour) == (7, 7)
    assert start <= at < end
    assert (end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC"))).seconds in (
        0, hours % 24 * 3600,
    )  # fmt: skip


@given(st.text(max_size=12))
def test_whatever_is_typed_is_read_or_refused_and_never_stored_as_something_else(
    typed: str,
) -> None:
    on = sheet("ward")
    for key in ("blood-pressure", "pulse", "skin", "temperature"):
        read = read_column(on, Typed(NOW, {key: typed}), PERSON, {})
        if read.issues:
            assert read.is_empty
        for parts in read.numbers.values():
            digits = "".join(each for each in typed if each.isdigit())
            assert all(str(v).replace(".", "").lstrip("-") in digits for v in parts.values())
