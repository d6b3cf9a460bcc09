"""What is typed in a form becomes answers, and answers stand in the inputs as they were typed."""

from __future__ import annotations

import time
from decimal import Decimal
from statistics import quantiles
from typing import Any

import pytest
from bench import forms
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.shown import followed
from helsevev.documentation.forms.typed import read_typed, realigned, repeated, typed_of
from helsevev.fhir.questionnaire import Prepared, fill, prepare
from helsevev.fhir.questionnaire.places import Layout
from helsevev.kit import clock

_UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption"


def form(*items: dict[str, Any]) -> Prepared:
    """A form of these items."""
    return prepare({"resourceType": "Questionnaire", "status": "active", "item": list(items)})


def item(kind: str, link: str = "q", **more: Any) -> dict[str, Any]:
    """One item."""
    return {"linkId": link, "type": kind, "text": "Spørsmål", **more}


CODES = [
    {"valueCoding": {"system": "http://x", "code": "a", "display": "Ja, av og til"}},
    {"valueCoding": {"system": "http://x", "code": "b", "display": "Ofte"}},
]
WEIGHT = item("quantity", extension=[
    {"url": _UNIT, "valueCoding": {"system": "http://unitsofmeasure.org", "code": code}}
    for code in ("kg", "g")
])  # fmt: skip

READ = {
    "a comma is a decimal point, and the digits stay": (
        item("decimal"), {"q": ["37,0"]}, [{"valueDecimal": Decimal("37.0")}],
    ),
    "a whole number": (item("integer"), {"q": [" 12 "]}, [{"valueInteger": 12}]),
    "yes": (item("boolean"), {"q": ["true"]}, [{"valueBoolean": True}]),
    "a date as it is said here": (
        item("date"), {"q": ["21.11.2026"]}, [{"valueDate": "2026-11-21"}],
    ),
    "a year alone": (item("date"), {"q": ["1987"]}, [{"valueDate": "1987"}]),
    "a time of day": (item("time"), {"q": ["14:30"]}, [{"valueTime": "14:30:00"}]),
    "a moment is in Norwegian time": (
        item("dateTime"), {"q": ["2026-07-01T08:15"]},
        [{"valueDateTime": "2026-07-01T08:15:00+02:00"}],
    ),
    "an option": (
        item("choice", answerOption=CODES), {"q": ["http://x|b"]}, [CODES[1]],
    ),
    "several options": (
        item("choice", answerOption=CODES, repeats=True),
        {"q": ["http://x|a", "http://x|b"]}, CODES,
    ),
    "an option and own words": (
        item("open-choice", answerOption=CODES, repeats=True),
        {"q": ["http://x|a"], "q~other": ["sjelden"]}, [CODES[0], {"valueString": "sjelden"}],
    ),
    "a quantity in the unit that was chosen": (
        WEIGHT, {"q": ["980"], "q~unit": ["g"]},
        [{"valueQuantity": {"value": Decimal(980), "unit": "g",
                            "system": "http://unitsofmeasure.org", "code": "g"}}],
    ),
    "nothing": (item("string"), {"q": ["  "]}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_what_is_typed_is_read_as_the_question_means_it(case: str) -> None:
    asked, typed, expected = READ[case]
    items, issues = read_typed(form(asked), typed)
    assert issues == []
    assert [a for each in items for a in each.get("answer", [])] == expected


WRONG = {
    "letters where a number is asked": (item("decimal"), "12a", "Skriv et tall."),
    "decimals where a whole number is asked": (item("integer"), "1,5", "Skriv et helt tall."),
    "a day that is not": (item("date"), "31.02.2026", "Skriv en dato, for eksempel 21.11.2026."),
    "an option that is not offered": (
        item("choice", answerOption=CODES), "http://x|c", "Velg ett av svarene.",
    ),
    "a file that was never sent": (
        item("attachment"), "x", "Filen er ikke her lenger. Velg den på nytt.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_said_at_its_question_and_stays_as_it_was_typed(case: str) -> None:
    asked, typed, words = WRONG[case]
    prepared = form(asked)
    items, issues = read_typed(prepared, {"q": [typed]})
    assert [(each.expression, each.diagnostics) for each in issues] == [("q", words)]
    response = {"item": items}
    filled = fill(prepared, response, context={}, now=clock.now())
    sheet = Sheet(prepared, filled, {"q": [typed]}, issues)
    assert sheet.first("q") == typed
    assert sheet.problems()["q"] == [words]


VISITS = form(
    item("group", "visit", repeats=True, item=[item("string", "who"), item("integer", "count")])
)


def test_a_group_that_repeats_is_read_once_for_each_time_it_stands_on_the_page() -> None:
    typed = {"visit~count": ["2"], "visit[0]/who": ["Kari"], "visit[1]/count": ["3"]}
    items, _issues = read_typed(VISITS, typed)
    assert [each["linkId"] for each in items] == ["visit", "visit"]
    assert items[0]["item"][0]["answer"] == [{"valueString": "Kari"}]
    assert items[1]["item"][0]["answer"] == [{"valueInteger": 3}]


def said(groups: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    """The answers of each group."""
    return [[(each["linkId"], each["answer"]) for each in group["item"]] for group in groups]


HELPS = form(item("choice", "help", answerOption=CODES, repeats=True, item=[item("string", "how")]))


def test_what_stands_beneath_one_of_several_answers_follows_that_answer() -> None:
    before = {"help": ["http://x|a", "http://x|b"], "help[0]/how": ["A"], "help[1]/how": ["B"]}
    items, _issues = read_typed(HELPS, before)
    assert [a["item"][0]["answer"] for a in items[0]["answer"]] == [
        [{"valueString": "A"}], [{"valueString": "B"}],
    ]  # fmt: skip
    assert typed_of(Layout(HELPS, {"item": items})) == before
    after = {**before, "help": ["http://x|b"]}
    assert realigned(HELPS, before, after) == {"help": ["http://x|b"], "help[0]/how": ["B"]}


def test_a_repetition_that_is_taken_away_takes_its_own_answers_and_no_others() -> None:
    typed = {
        "visit~count": ["3"], "visit[0]/who": ["A"], "visit[1]/who": ["B"], "visit[2]/who": ["C"],
    }  # fmt: skip
    left = repeated(typed, "visit", without=1)
    assert left == {"visit~count": ["2"], "visit[0]/who": ["A"], "visit[1]/who": ["C"]}
    assert repeated(left, "visit")["visit~count"] == ["3"]


@settings(max_examples=60)
@given(
    names=st.lists(st.text(st.characters(categories=["L", "Nd"]), min_size=1), max_size=5),
    numbers=st.lists(st.integers(-(10**9), 10**9), max_size=5),
)
def test_answers_that_are_shown_and_sent_back_unchanged_are_the_same_answers(
    names: list[str], numbers: list[int]
) -> None:
    times = max(1, len(names), len(numbers))
    groups = []
    for place in range(times):
        inner = []
        if place < len(names):
            inner.append({"linkId": "who", "answer": [{"valueString": names[place]}]})
        if place < len(numbers):
            inner.append({"linkId": "count", "answer": [{"valueInteger": numbers[place]}]})
        groups.append({"linkId": "visit", "item": inner})
    typed = typed_of(Layout(VISITS, {"item": groups}))
    items, issues = read_typed(VISITS, typed)
    assert issues == []
    assert said(items) == said(groups)


def test_a_change_of_a_form_of_200_items_is_answered_by_the_page_within_50_milliseconds() -> None:
    prepared = prepare(forms.form())
    typed = {f"q{number}": [f"http://x|{number % 4}"] for number in range(forms.QUESTIONS)}
    took = []
    for number in range(60):
        typed[f"q{number}"] = [f"http://x|{(number + 1) % 4}"]
        began = time.process_time()
        items, unread = read_typed(prepared, typed)
        filled = fill(prepared, {"item": items}, context={}, now=clock.now())
        followed(Sheet(prepared, filled, typed, unread))
        took.append((time.process_time() - began) * 1000)
    assert quantiles(took, n=20)[-1] <= 50
    assert len(filled.scores) == 0
    assert sum(item.is_calculated for item in prepared.items) == 50
