"""An order is whole, says why it ends, and means the same in every form it is shown in."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from helsevev.content.loading import order_sentences
from helsevev.fhir.validation import validate
from helsevev.medication.choosing import Choice
from helsevev.medication.coding import OWN_MANAGED, UNCHECKED, flag, said_by, use_of
from helsevev.medication.order_checks import checked
from helsevev.medication.order_entry import FIELDS, order_of, routes_of, with_answers
from helsevev.medication.order_form import dosages_of, of_dosages, of_sentence
from helsevev.medication.panel import Medicine, medicines
from helsevev.medication.prescription import (
    NotPrescribable,
    Prescriber,
    change,
    check,
    mark_unchecked,
    pause,
    prescribe,
    renew,
    resume,
    stop,
)
from helsevev.medication.taper import taper, total

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TODAY = NOW.date()
DOCTOR = Prescriber("Practitioner/lege", "Lege Legesen")
PARACETAMOL = {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01"}],
               "text": "Paracet tabl 500 mg"}  # fmt: skip
DAILY = {"how": "daily", "amount": "1", "unit": "g", "often": "4"}
NEEDED = {"how": "as-needed", "amount": "1", "unit": "g", "needed_for": "smerter", "most": "4",
          "hours": "6"}  # fmt: skip


def ordered(form: dict[str, str], **also: Any) -> dict[str, Any]:
    made = prescribe(
        PARACETAMOL, dosages_of(form, TODAY), patient_id="anne", prescriber=DOCTOR, at=NOW, **also
    )
    return {**made, "id": "order-1"}


def line(order: dict[str, Any]) -> Medicine:
    listed = medicines([order], now=NOW)
    found: Medicine
    (found,) = (m for name in listed.__struct_fields__ for m in getattr(listed, name))
    return found


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (DAILY, "1 g, 4 ganger daglig"),
        (NEEDED, "1 g, minst 6 timer mellom, ved behov, mot smerter, maks. 4 g/24 timer"),
        ({"how": "daily", "amount": "2,5", "unit": "mg", "at": "8 20"},
         "2,5 mg, 2 ganger daglig, kl. 08:00, 20:00"),
        ({"how": "hours", "amount": "1", "unit": "plaster", "hours": "72"},
         "1 plaster, hver 72. time"),
        ({"how": "rate", "rate": "40", "rate_unit": "ml/t"}, "40 ml/t"),
        ({"how": "text", "free_text": "Etter avtale"}, "Etter avtale"),
        ({"how": "daily", "amount": "1", "unit": "mg", "days": "mon thu"},
         "1 mg, mandag, torsdag"),
        ({**DAILY, "start": "2026-11-22", "end": "2026-11-26"},
         "1 g, 4 ganger daglig, 22.11.2026–26.11.2026"),
    ],
)  # fmt: skip
def test_an_order_reads_as_it_was_meant(form: dict[str, str], words: str) -> None:
    order = ordered(form)
    assert line(order).dose_text == words
    assert check(order) == []
    assert [issue for issue in validate(order) if issue.is_error] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": ""}, {"amount": "0"}, {"amount": "-1"}, {"amount": "mye"}, {"amount": "NaN"},
        {"unit": ""}, {"often": "0"}, {"often": "1,5"}, {"often": "99"}, {"at": "25"},
        {"at": "frokost"}, {"start": "2026-12-01", "end": "2026-11-30"}, {"end": "i morgen"},
        {"how": ""}, {"how": "as-needed"}, {"how": "as-needed", "needed_for": "kvalme"},
        {"how": "as-needed", "needed_for": "kvalme", "most": "0,5"}, {"how": "hours"},
        {"how": "text"}, {"how": "taper", "last": "1"}, {"how": "rate"},
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_not_signed(wrong: dict[str, str]) -> None:
    with pytest.raises(NotPrescribable) as refused:
        ordered({**DAILY, **wrong})
    assert all(issue.diagnostics and issue.expression for issue in refused.value.issues)


def test_every_door_refuses_an_order_after_the_national_model_that_is_not_whole() -> None:
    whole = ordered(NEEDED)
    for broken in ("doseAndRate", "asNeededCodeableConcept", "maxDosePerPeriod"):
        order = copy.deepcopy(whole)
        del order["dosageInstruction"][0][broken]
        if broken == "asNeededCodeableConcept":
            order["dosageInstruction"][0]["asNeededBoolean"] = True
        assert check(order), broken
    regular = copy.deepcopy(ordered(DAILY))
    del regular["dosageInstruction"][0]["timing"]
    assert check(regular)
    for status in ("stopped", "on-hold"):
        assert [i.expression for i in check({**whole, "status": status})] == [
            "MedicationRequest.statusReason"
        ]
    foreign = {**whole, "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 0}}]}]}
    assert check(foreign)
    assert check({**foreign, "dosageInstruction": [{"text": "1x1"}]}) == []


def test_stop_and_pause_say_why_and_nothing_ended_is_taken_up_again() -> None:
    order = ordered(DAILY, own_managed=True)
    assert flag(order, OWN_MANAGED)
    for verb in (stop, pause):
        with pytest.raises(NotPrescribable):
            verb(order, "  ", prescriber=DOCTOR, at=NOW)
    held = pause(order, "Før operasjon", prescriber=DOCTOR, at=NOW)
    assert (held["status"], line(held).stopped_because) == ("on-hold", "Før operasjon")
    again = resume(held, prescriber=DOCTOR, at=NOW)
    assert again["status"] == "active"
    assert "statusReason" not in again
    ended = stop(again, "Kvalme", prescriber=DOCTOR, at=NOW)
    assert check(ended) == []
    for act in (
        lambda: stop(ended, "igjen", prescriber=DOCTOR, at=NOW),
        lambda: resume(ended, prescriber=DOCTOR, at=NOW),
        lambda: change(ended, dosages_of(NEEDED, TODAY), prescriber=DOCTOR, at=NOW),
        lambda: renew(ended, prescriber=DOCTOR, at=NOW),
        lambda: resume(order, prescriber=DOCTOR, at=NOW),
    ):
        with pytest.raises(NotPrescribable):
            act()


def test_a_statement_of_the_shared_list_is_stopped_and_changed_like_an_order() -> None:
    stated = {
        "resourceType": "MedicationStatement", "id": "lib-1", "status": "active",
        "subject": {"reference": "Patient/anne"}, "medicationCodeableConcept": PARACETAMOL,
        "effectiveDateTime": "2026-01-01", "dosage": [{"text": "1 x 3"}],
    }  # fmt: skip
    changed = change(stated, dosages_of(DAILY, TODAY), prescriber=DOCTOR, at=NOW)
    assert line(changed).dose_text == "1 g, 4 ganger daglig"
    ended = stop(changed, "Ferdig", prescriber=DOCTOR, at=NOW)
    assert ended["effectivePeriod"]["start"] == "2026-01-01"
    assert line(ended).stopped_because == "Ferdig"
    assert [issue for issue in validate(ended) if issue.is_error] == []


def test_a_change_is_a_new_version_of_the_same_order_and_no_change_is_none() -> None:
    order = mark_unchecked(ordered(DAILY), "basen svarte ikke")
    with pytest.raises(NotPrescribable):
        change(ordered(DAILY), dosages_of(DAILY, TODAY), prescriber=DOCTOR, at=NOW)
    changed = change(order, dosages_of({**DAILY, "often": "3"}, TODAY), prescriber=DOCTOR, at=NOW)
    assert (changed["id"], said_by(changed, UNCHECKED)) == ("order-1", "")
    assert changed["medicationCodeableConcept"] == order["medicationCodeableConcept"]


def test_how_a_medicine_is_taken_stays_when_its_dose_is_changed() -> None:
    order = ordered(DAILY)
    how = {
        "route": {"text": "gjennom munnen"},
        "additionalInstruction": [{"text": "tas med mat"}],
        "patientInstruction": "Drikk et glass vann til.",
    }
    order["dosageInstruction"][0] |= how
    changed = change(order, dosages_of({**DAILY, "often": "3"}, TODAY), prescriber=DOCTOR, at=NOW)
    (dosage,) = changed["dosageInstruction"]
    assert dosage["timing"]["repeat"]["frequency"] == 3
    assert {name: dosage[name] for name in how} == how


def test_renewing_ends_the_old_and_names_it_in_the_new() -> None:
    before, new = renew(ordered(DAILY), prescriber=DOCTOR, at=NOW)
    assert (before["id"], before["status"]) == ("order-1", "completed")
    assert "id" not in new
    assert new["priorPrescription"] == {"reference": "MedicationRequest/order-1"}
    assert line({**new, "id": "n"}).dose_text == line(ordered(DAILY)).dose_text


@given(
    st.decimals("0.5", 500, places=1), st.decimals("0.5", 100, places=1),
    st.decimals("0.5", 500, places=1), st.integers(1, 60), st.dates(date(2020, 1, 1)),
)  # fmt: skip
def test_a_course_falls_evenly_without_a_gap_and_ends_where_it_should(
    first: Decimal, by: Decimal, last: Decimal, days: int, start: date
) -> None:
    assume(abs(first - last) / by < 50)
    assume(start < date(9000, 1, 1))
    steps = taper(first, by, days, last, start)
    assert (steps[0].amount, steps[0].start, steps[-1].amount) == (first, start, last)
    for one, two in pairwise(steps):
        assert two.start == one.end + timedelta(days=1)
        assert 0 < abs(one.amount - two.amount) <= by
        assert (two.amount < one.amount) == (last < first)
    day_by_day = sum(
        (next(s.amount for s in steps if s.start <= start + timedelta(n) <= s.end)
         for n in range(len(steps) * days)), Decimal(0),
    )  # fmt: skip
    assert total(steps) == day_by_day


AMOUNTS = st.decimals("0.25", 5000, places=2).map(str)
UNITS = st.sampled_from(order_sentences().units)
CLOCKS = st.lists(st.integers(0, 23), min_size=1, max_size=5, unique=True).map(
    lambda hours: " ".join(f"{hour:02}" for hour in sorted(hours))
)
FORMS = st.one_of(
    st.fixed_dictionaries({"how": st.just("daily"), "amount": AMOUNTS, "unit": UNITS,
                           "often": st.integers(1, 8).map(str)}),
    st.fixed_dictionaries({"how": st.just("daily"), "amount": AMOUNTS, "unit": UNITS, "at": CLOCKS,
                           "days": st.sampled_from(["", "mon", "tue fri"])}),
    st.fixed_dictionaries({"how": st.just("hours"), "amount": AMOUNTS, "unit": UNITS,
                           "hours": st.integers(1, 168).map(str)}),
    st.fixed_dictionaries({"how": st.just("as-needed"), "amount": AMOUNTS, "unit": UNITS,
                           "most": st.just("20000"), "needed_for": st.just("uro"),
                           "hours": st.sampled_from(["", "4"])}),
    st.fixed_dictionaries({"how": st.just("taper"), "amount": st.just("40"), "unit": UNITS,
                           "down": st.integers(1, 20).map(str), "last": st.just("5"), "at": CLOCKS,
                           "step_days": st.integers(1, 14).map(str)}),
)  # fmt: skip


@given(FORMS)
def test_an_order_opened_for_change_and_signed_as_it_stands_orders_the_same(
    form: dict[str, str],
) -> None:
    order = ordered(form)
    shown = line(order)
    opened = of_dosages(order["dosageInstruction"], shown.dose_text)
    assert opened["how"] == form["how"]
    assert dosages_of(opened, TODAY) == order["dosageInstruction"]


def test_the_usual_ways_to_order_can_all_be_ordered() -> None:
    for sentence in order_sentences().sentence:
        order = ordered(of_sentence(sentence, TODAY))
        assert check(order) == []
        assert line(order).dose_text
        assert use_of(order["dosageInstruction"][0])


async def test_an_order_that_could_not_be_checked_says_so_and_is_not_held_up() -> None:
    async def settled(permit: Any) -> frozenset[str]:
        return frozenset()

    down: Any = SimpleNamespace(card_log=SimpleNamespace(settled=settled))
    says = await checked(down, down, ordered(DAILY))
    assert says.must_answer == ()
    order = with_answers(ordered(DAILY), says, {})
    assert line(order).unchecked == says.unchecked != ""


def test_what_may_be_given_in_several_ways_is_ordered_when_one_is_chosen() -> None:
    ways = tuple(
        {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7477", "code": code}], "text": said}
        for code, said in (("62", "Subkutan bruk"), ("43", "Intraven\u00f8s bruk"))
    )
    several = Choice("m", "Morfin inj 10 mg/ml", "", {"text": "Morfin"}, (), routes=ways)
    opened: Any = SimpleNamespace(
        patient_id="p", encounter=None, actor=SimpleNamespace(id="Practitioner/p", name="P")
    )
    form = {**dict.fromkeys(FIELDS, ""), **DAILY, "key": "k"}
    with pytest.raises(NotPrescribable) as refused:
        order_of(opened, form, several)
    assert [issue.expression for issue in refused.value.issues] == ["route"]
    made = order_of(opened, {**form, "route": "43"}, several)
    assert made["dosageInstruction"][0]["route"]["text"] == "Intraven\u00f8s bruk"
    only = order_of(opened, form, structs.replace(several, routes=ways[:1]))
    assert only["dosageInstruction"][0]["route"]["text"] == "Subkutan bruk"
    assert [each["value"] for each in routes_of(several)] == ["", "62", "43"]
    assert of_dosages(made["dosageInstruction"], "")["route"] == "43"
