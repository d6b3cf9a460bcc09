"""What is on a shelf, what doses take of it, what is ordered and what is filled."""

from __future__ import annotations

import random
import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helsevev.access.stock import Balance, Booked, Note
from helsevev.content import loading
from helsevev.fhir.validation import validate
from helsevev.medication.administration import Signer
from helsevev.medication.shelf import dispensing
from helsevev.medication.shelf.book import (
    Kept,
    Row,
    day_typed,
    first_out,
    fits,
    in_unit_of,
    replayed,
    with_balance,
)
from helsevev.medication.shelf.refilling import refill_key
from helsevev.medication.shelf.taken import from_stock, rows
from helsevev.medication.stock import counting, ordering
from helsevev.medication.stock.order_message import message

CASES = tomllib.loads(Path(__file__).with_name("stock_cases.toml").read_text("utf-8"))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
NURSE, OTHER = Signer("Practitioner/a", "Anna"), Signer("Practitioner/b", "Bo")


def kept(**said: Any) -> Kept:
    strength = said.pop("strength", None)
    return Kept(**said, strength=Decimal(strength) if strength else None)


@pytest.mark.parametrize("case", CASES["dose"], ids=lambda case: case["says"])
def test_a_dose_takes_of_the_shelf_what_it_says(case: dict[str, Any]) -> None:
    dose = {"value": Decimal(case["value"]), "unit": case["unit"]}
    takes = Decimal(case["takes"]) if case["takes"] else None
    assert in_unit_of(kept(**case["kept"]), dose) == takes


@pytest.mark.parametrize("case", CASES["day"], ids=lambda case: case["typed"])
def test_a_day_is_read_as_packages_say_it(case: dict[str, Any]) -> None:
    expected = date.fromisoformat(case["is"]) if case["is"] else None
    assert day_typed(case["typed"]) == expected


def test_what_is_ordered_is_taken_of_the_same_substance_in_the_same_strength_only() -> None:
    oxynorm = kept(name="OxyNorm kaps 5 mg", unit="kapsel", atc="N02AA05", strength="5")
    atc = {"system": "http://www.whocc.no/atc", "code": "N02AA05"}
    order = {"medicationCodeableConcept": {"coding": [atc]}}
    assert fits(order, "Oksykodon kapsel 5 mg", "x", oxynorm)
    assert not fits(order, "Oksykodon kapsel 10 mg", "x", oxynorm)
    assert not fits(order, "Oksykodon", "x", oxynorm)
    assert not fits({}, "Oksykodon kapsel 5 mg", "x", oxynorm)


_LINES = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from([None, TODAY, TODAY + timedelta(days=9)]),
              st.decimals("-50", "50", places=1).filter(bool)), max_size=30,
)  # fmt: skip


@given(_LINES, st.randoms())
def test_the_balance_is_the_same_in_whatever_order_the_lines_are_read(
    lines: list[tuple[str, date | None, Decimal]], chance: random.Random
) -> None:
    booked = [
        Booked(str(n), NOW, "p", batch, expires, "found", amount, "a", "A", "", "")
        for n, (batch, expires, amount) in enumerate(lines)
    ]
    expected = replayed(booked)
    chance.shuffle(booked)
    assert replayed(booked) == expected
    listed = with_balance(Decimal(0), booked)
    assert (listed[-1][1] if listed else 0) == sum(expected.values())


_SHELF = st.lists(
    st.tuples(st.integers(-30, 60), st.decimals("0.5", "40", places=1)), max_size=6
).map(
    lambda shelf: [
        Balance("p", f"b{n}", TODAY + timedelta(days=days), amount, NOW)
        for n, (days, amount) in enumerate(shelf)
    ]
)


@given(_SHELF, st.decimals("0.5", "120", places=1))
def test_what_expires_first_goes_first_nothing_expired_goes_and_all_that_is_asked_for_goes(
    shelf: list[Balance], amount: Decimal
) -> None:
    taken = first_out(shelf, amount, TODAY)
    assert sum(part for *_batch, part in taken) == amount
    days = [expires for _batch, expires, _part in taken if expires is not None]
    assert days == sorted(days)
    assert all(day >= TODAY for day in days)
    there = {b.batch: b.amount for b in shelf}
    for batch, _expires, part in taken[:-1]:
        assert part == there[batch]


def test_what_expires_today_may_be_given_and_what_expired_yesterday_is_told() -> None:
    batches = tuple(
        Balance("p", batch, TODAY + timedelta(days=days), Decimal(3), NOW)
        for batch, days in (("gone", -1), ("last", 0), ("soon", 30), ("far", 400))
    )
    row = Row("p", kept(name="x", unit="stk", minimum=Decimal(10)), batches, TODAY)
    assert [b.batch for b in row.expired] == ["gone"]
    assert [b.batch for b in row.expiring] == ["last", "soon"]
    assert (row.amount, row.usable, row.is_low) == (Decimal(12), Decimal(9), True)


def test_a_dose_that_two_contradict_or_that_was_not_given_takes_nothing() -> None:
    said = from_stock("Organization/u", "p", kept(name="x", unit="stk"), "b", TODAY, Decimal(2))
    dose = {"resourceType": "MedicationAdministration", "extension": [said], "status": "completed",
            "effectiveDateTime": "2026-11-22T08:00:00Z"}  # fmt: skip
    [line] = rows(dose)
    assert line[:6] == ("Organization/u", "p", "b", TODAY, "given", Decimal(-2))
    for status in ("not-done", "unknown"):
        assert list(rows({**dose, "status": status})) == []
    out, back = rows({**dose, "status": "entered-in-error"})
    assert out[5] + back[5] == 0


def test_every_group_that_is_accounted_for_is_counted_and_found_by_group_or_substance() -> None:
    rules = loading.stock_rules()
    assert [each.group for each in rules.controlled] == ["A", "B"]
    for each in rules.controlled:
        assert kept(name="x", unit="stk", group=each.group).control == each
        assert kept(name="x", unit="stk", atc=each.atc[0]).control == each
    assert kept(name="x", unit="stk", group="C", atc="N02BE01").control is None


def test_a_count_is_due_when_it_was_long_ago_and_never_where_nothing_was() -> None:
    morphine = kept(name="x", unit="stk", group="A")
    there = Row("p", morphine, (Balance("p", "b", None, Decimal(3), NOW),), TODAY)
    empty = Row("p", morphine, (), TODAY)
    assert counting.due(there, counting.Counts(), NOW) == timedelta(0)
    assert counting.due(empty, counting.Counts(), NOW) is None
    assert counting.due(there, counting.Counts(NOW - timedelta(days=6)), NOW) is None
    assert counting.due(there, counting.Counts(NOW - timedelta(days=9)), NOW) == timedelta(days=2)


def _note(kind: str, identifier: str, about: str, body: ordering.Body) -> Note:
    said = ordering.said(kind, identifier, about, body)
    return Note(said.id, NOW, said.kind, said.about, "a", "Anna", said.body)


def test_what_came_is_compared_line_by_line_with_what_was_ordered() -> None:
    ordered = tuple(
        ordering.OrderLine(product=name, name=name, amount=Decimal(amount), unit="stk")
        for name, amount in (("a", 10), ("b", 20), ("c", 5))
    )
    came = tuple(
        ordering.Delivered(product=name, name=name, amount=Decimal(amount), unit="stk")
        for name, amount in (("a", 10), ("b", 12), ("d", 3))
    )
    draft = _note("order", "o", "", ordering.Body(lines=ordered))
    sent = _note("sent", "sent.o", "o", ordering.Body(words="butikk"))
    part = _note("delivered", "d1", "o", ordering.Body(came=came))
    assert [ordering.orders(list(n))[0].state for n in ([draft], [draft, sent])] == [
        "draft", "sent",
    ]  # fmt: skip
    [order] = ordering.orders([draft, sent, part])
    assert order.state == "partly"
    found = {d.name: (int(d.ordered), int(d.came)) for d in order.differences}
    assert found == {"b": (20, 12), "c": (5, 0), "d": (0, 3)}


def test_an_order_is_a_valid_message_and_the_same_one_each_time() -> None:
    line = ordering.OrderLine(product="demo-b-x", name="X", amount=Decimal("10.0"), unit="stk")
    [order] = ordering.orders([_note("order", "o", "", ordering.Body(lines=(line,)))])
    made = message(order, "Organization/u", "Avdeling")
    assert made == message(order, "Organization/u", "Avdeling")
    assert [issue for issue in validate(made) if issue.is_error] == []
    assert made["entry"][1]["resource"]["status"] == "draft"


def test_what_is_below_its_minimum_or_will_be_is_suggested_in_whole_packages() -> None:
    def row(amount: int, **said: Any) -> Row:
        there = (Balance("p", "b", None, Decimal(amount), NOW),)
        return Row("p", kept(name="x", unit="stk", minimum=Decimal(10), **said), there, TODAY)

    [enough] = ordering.needs([row(12)], [])
    assert enough.suggested == 0
    [low] = ordering.needs([row(8, fill_to=Decimal(30), package=Decimal(20))], [])
    assert low.suggested == 40


def _order(**more: Any) -> dict[str, Any]:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return {
        "resourceType": "MedicationRequest", "id": "o", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "Selo-Zok"},
        "dosageInstruction": [{"timing": timing,
                               "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}]}],
    } | more  # fmt: skip


def test_a_filling_is_told_when_the_list_is_otherwise_and_only_then() -> None:
    order = _order()
    made = dispensing.dispense(
        order, {"value": 7, "unit": "tablett"}, "dosette/p/1", NURSE, NOW,
        dispensing.days_of(NOW, 7),
    )  # fmt: skip
    assert [i for i in validate(made) if i.is_error] == []
    [filling] = dispensing.fillings([{**made, "id": "d"}])
    assert dispensing.changes(filling, [order], [order]) == []
    twice = {"value": 2, "unit": "tablett"}
    changed = _order(dosageInstruction=[
        {**order["dosageInstruction"][0], "doseAndRate": [{"doseQuantity": twice}]}
    ])  # fmt: skip
    new = _order(id="n", medicationCodeableConcept={"text": "Furix"})
    paused = _order(status="on-hold", statusReason={"text": "lavt blodtrykk"})
    told = {
        name: [c.name for c in dispensing.changes(filling, orders, orders)]
        for name, orders in (
            ("changed", [changed]), ("new", [order, new]), ("paused", [paused]), ("gone", []),
        )
    }  # fmt: skip
    assert told == {"changed": ["Selo-Zok"], "new": ["Furix"], "paused": ["Selo-Zok"],
                    "gone": ["Selo-Zok"]}  # fmt: skip
    first = dispensing.changes(filling, [changed], [changed])
    assert refill_key(filling, first) == refill_key(filling, list(first))
    assert refill_key(filling, first) != refill_key(filling, [])


def test_a_dosette_is_complete_when_another_has_checked_it() -> None:
    made = dispensing.dispense(_order(), {}, "dosette/p/1", NURSE, NOW, dispensing.days_of(NOW, 7))
    with pytest.raises(dispensing.FillingRefused):
        dispensing.checked(made, NURSE, NOW)
    done = dispensing.checked(made, OTHER, NOW)
    assert dispensing.check(done) == []
    assert dispensing.check({**made, "status": "completed"})
