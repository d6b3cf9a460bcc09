"""Lists of medicines are compared by substance and dose, and what is unclear never is the same."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from helsevev.medication.reconciliation.comparing import Line, Row, compare
from helsevev.medication.reconciliation.lists import HOME, SAID, WARD, line_of

ON = date(2026, 11, 22)
CASES = tomllib.loads(
    (Path(__file__).parent / "reconciliation_cases.toml").read_text("utf-8"), parse_float=Decimal
)
_PRODUCT = "https://helsevev.example/fhir/CodeSystem/demo-product"
_ATC = "http://www.whocc.no/atc"
_DAYS = {"man": "mon", "tor": "thu"}


def products() -> dict[str, dict[str, Any]]:
    found = {}
    for key, each in CASES["product"].items():
        product: dict[str, Any] = {"resourceType": "Medication", "id": key}
        if each["strength"]:
            said, _, per = each["strength"].partition("/")
            strength = {"numerator": quantity(said), "denominator": quantity(f"1 {per}")}
            product["ingredient"] = [{"strength": strength}]
        found[f"Medication/{key}"] = product
    return found


def quantity(said: str) -> dict[str, Any]:
    number, unit = said.split(" ", 1)
    return {"value": Decimal(number), "unit": unit}


def order(said: str, key: str) -> dict[str, Any]:
    """A line of the cases as a MedicationRequest."""
    product, route, dose, when = (part.strip() for part in said.split("|"))
    about = CASES["product"][product]
    coding = [{"system": _ATC, "code": about["atc"]}] if about["atc"] else []
    if about["atc"]:
        coding.append({"system": _PRODUCT, "code": product})
    dosage: dict[str, Any] = {"route": {"text": route}} if route else {}
    if dose.startswith('"'):
        dosage["text"] = dose.strip('"')
    elif ranged := re.fullmatch(r"([\d.]+)-([\d.]+) (.+)", dose):
        low, high, unit = ranged.groups()
        ends = {"low": quantity(f"{low} {unit}"), "high": quantity(f"{high} {unit}")}
        dosage["doseAndRate"] = [{"doseRange": ends}]
    elif dose:
        dosage["doseAndRate"] = [{"doseQuantity": quantity(dose)}]
    if when == "as needed":
        dosage["asNeededBoolean"] = True
    elif repeat := timing(when):
        dosage["timing"] = {"repeat": repeat}
    return {
        "resourceType": "MedicationRequest", "id": key, "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": about["name"], "coding": coding},
        "dosageInstruction": [dosage],
    }  # fmt: skip


def timing(when: str) -> dict[str, Any]:
    when, _, end = when.partition(" until ")
    bounds = {"boundsPeriod": {"end": end}} if end else {}
    if when.startswith("kl "):
        hours = when.split()[1:]
        return {"frequency": len(hours), "period": 1, "periodUnit": "d",
                "timeOfDay": [f"{hour}:00:00" for hour in hours], **bounds}  # fmt: skip
    if when.startswith("every "):
        return {"frequency": 1, "period": int(when.split()[1]), "periodUnit": "h", **bounds}
    if when in _DAYS:
        return {"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": [_DAYS[when]]}
    return {"frequency": int(when[0]), "period": 1, "periodUnit": "d", **bounds} if when else {}


def line(said: str, name: str, key: str) -> Line:
    return line_of(order(said, f"{name}-{key}"), name, products(), ON)


@pytest.mark.parametrize("case", CASES["case"], ids=lambda case: str(case["says"]))
def test_two_lists_are_compared_as_professionals_say(case: dict[str, Any]) -> None:
    lists = {HOME: [line(case["home"], HOME, "1")], WARD: [line(case["ward"], WARD, "1")]}
    rows = compare(lists)
    assert len(rows) == case.get("rows", 1)
    assert {row.state for row in rows} == {case["state"]}
    assert rows[0].differs == frozenset(case.get("differs", ()))


def test_what_is_stopped_or_on_hold_in_one_list_is_told_whatever_the_dose() -> None:
    home = line("diural-40 | oral | 1 tablett | kl 08", HOME, "1")
    for status, state in (("stopped", "stopped"), ("paused", "paused")):
        ward = structs.replace(line("diural-40 | oral | 1 tablett | kl 08", WARD, "1"),
                               status=status)  # fmt: skip
        (row,) = compare({HOME: [home], WARD: [ward]})
        assert row.state == state


def test_a_substance_twice_under_two_names_is_a_duplicate_and_stands_in_two_rows() -> None:
    home = [line("diural-40 | oral | 1 tablett | kl 08", HOME, "1"),
            line("furix-40 | oral | 1 tablett | kl 14", HOME, "2")]  # fmt: skip
    ward = [line("diural-40 | oral | 1 tablett | kl 08", WARD, "1")]
    one, two = compare({HOME: home, WARD: ward})
    assert (one.state, two.state) == ("same", "only")
    assert all(row.is_duplicate for row in (one, two))


def test_regularly_and_as_needed_of_one_product_is_no_duplicate() -> None:
    home = [line("paracet | oral | 2 tablett | 4/d", HOME, "1"),
            line("paracet | oral | 1 tablett | as needed", HOME, "2")]  # fmt: skip
    assert not any(row.is_duplicate for row in compare({HOME: home}))


def test_three_lists_are_the_same_only_where_all_of_them_have_it() -> None:
    same = "diural-40 | oral | 1 tablett | kl 08"
    other = line("alendronat | oral | 1 tablett | man", SAID, "2")
    lists = {name: [line(same, name, "1")] for name in (HOME, WARD, SAID)}
    assert [row.state for row in compare(lists)] == ["same"]
    lists[SAID] = [other]
    assert {row.name: row.state for row in compare(lists)} == {
        "Diural tablett 40 mg": "only", "Fosamax tablett 70 mg": "only",
    }  # fmt: skip


WORDS = st.builds(
    " | ".join,
    st.tuples(
        st.sampled_from(sorted(CASES["product"])),
        st.sampled_from(["oral", "intravenøs", ""]),
        st.sampled_from(["1 tablett", "2 tablett", "40 mg", "20 mg", '"etter vekt"', ""]),
        st.sampled_from(["1/d", "2/d", "kl 08", "kl 08 20", "every 8 h", "man", "as needed", ""]),
    ),
)
LISTS = st.lists(WORDS, max_size=6)


def drawn(name: str, said: list[str]) -> list[Line]:
    return [line(each, name, str(number)) for number, each in enumerate(said)]


def told(rows: tuple[Row, ...]) -> Counter[Any]:
    return Counter(
        (frozenset(each.key for each in row.lines), row.state, row.differs, row.is_duplicate)
        for row in rows
    )


@given(LISTS, LISTS, LISTS)
def test_every_line_stands_in_exactly_one_row_and_each_list_at_most_once_in_it(
    home: list[str], ward: list[str], said: list[str]
) -> None:
    lists = {HOME: drawn(HOME, home), WARD: drawn(WARD, ward), SAID: drawn(SAID, said)}
    rows = compare(lists)
    keys = Counter(each.key for row in rows for each in row.lines)
    assert keys == Counter(each.key for listed in lists.values() for each in listed)
    assert all(len({each.list for each in row.lines}) == len(row.lines) for row in rows)


@given(LISTS, LISTS)
def test_neither_which_list_comes_first_nor_the_order_of_rows_matters(
    home: list[str], ward: list[str]
) -> None:
    one, other = drawn(HOME, home), drawn(WARD, ward)
    expected = told(compare({HOME: one, WARD: other}))
    assert told(compare({WARD: other, HOME: one})) == expected
    assert told(compare({HOME: one[::-1], WARD: other[::-1]})) == expected


@given(LISTS)
def test_a_list_and_its_copy_differ_in_nothing_and_only_what_is_unreadable_is_unclear(
    said: list[str],
) -> None:
    copy = [structs.replace(each, list=WARD, key=f"{each.key}-copy") for each in drawn(HOME, said)]
    for row in compare({HOME: drawn(HOME, said), WARD: copy}):
        if not row.lines[0].substance:
            # Without a code nobody knows that it is the same medicine.
            assert row.state == "only"
            continue
        readable = all(dose.is_readable for each in row.lines for dose in each.doses)
        assert row.state == ("same" if readable else "unclear")
        assert row.differs == frozenset()


@given(LISTS, LISTS)
def test_what_cannot_be_read_is_never_called_the_same(home: list[str], ward: list[str]) -> None:
    for row in compare({HOME: drawn(HOME, home), WARD: drawn(WARD, ward)}):
        if row.state == "same" and len(row.lines) > 1:
            assert all(dose.is_readable for each in row.lines for dose in each.doses)
            assert len({each.substance for each in row.lines}) == 1


def test_no_row_is_made_of_names_alone() -> None:
    named: Mapping[str, list[Line]] = {
        name: [line("ukjent-diural | oral | 1 tablett | kl 08", name, "1")] for name in (HOME, WARD)
    }
    assert [row.state for row in compare(named)] == ["only", "only"]
