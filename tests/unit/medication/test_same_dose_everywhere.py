"""One order means one dose: on the label, in lists and letters, when due, and exchanged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helsevev.content import loading
from helsevev.fhir import serialization
from helsevev.fhir.reading import OSLO
from helsevev.fhir.recurrence import Span
from helsevev.fhir.validation import validate
from helsevev.medication.choosing import words_of
from helsevev.medication.national_list import comparing, incoming, message, outgoing
from helsevev.medication.national_list.dosing import read
from helsevev.medication.national_list.simulated_list import bundle
from helsevev.medication.order_form import DAYS, dosages_of
from helsevev.medication.panel import Medicine, medicines
from helsevev.medication.patient_list import plain_list
from helsevev.medication.prescription import Prescriber, prescribe
from helsevev.medication.reconciliation.letter import medicines_section
from helsevev.medication.round_times import times_of
from helsevev.medication.timing import Standing, due
from helsevev.screens.rendering import environment

from .meanings import Step, in_range, of_resource, of_service, of_words

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
NUMBER = "13116900216"
PATIENT = {"resourceType": "Patient", "identifier": [
    {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": NUMBER}]}  # fmt: skip
MEDICINE = {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01",
                        "display": "Paracetamol"}], "text": "Paracet tabl 500 mg"}  # fmt: skip
SENDER = outgoing.Sender(
    {"identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.4", "value": "9144897"}],
     "name": [{"family": "Lege", "given": ["Line"]}]}, {"name": "Sengeposten"}, "Line Lege",
)  # fmt: skip
FIELDS = dict.fromkeys(
    ("how", "amount", "unit", "often", "at", "days", "hours", "most", "needed_for", "start", "end",
     "down", "step_days", "last", "rate", "rate_unit", "free_text"), "",
)  # fmt: skip

spellings = st.sampled_from(["{}", "{},0", "{},25", "0.{:03}"])
typed_amount = st.builds(lambda how, n: how.format(n), spellings, st.integers(1, 999))
unit = st.sampled_from([*loading.order_sentences().units, "plaster", "inhalasjon"])
clock = st.integers(0, 23).flatmap(
    lambda hour: st.sampled_from([f"{hour}", f"{hour:02}:30", f"{hour}.45"])
)
clocks = st.lists(clock, max_size=5).map(" ".join)
days = st.lists(st.sampled_from(DAYS), max_size=7, unique=True).map(" ".join)
often = st.integers(1, 8).map(str)
reason = st.text("abcdefghijklmnopqrstuvwxyzæøå ", min_size=1, max_size=15).filter(
    lambda said: bool(said.strip()) and "  " not in said and said == said.strip()
)


@st.composite
def bounds(draw: st.DrawFn) -> dict[str, str]:
    """No first or last day, one of them, or both."""
    start = draw(st.none() | st.integers(-2, 9))
    end = draw(st.none() | st.integers(0, 12))
    if start is not None and end is not None:
        start, end = sorted((start, end))
    said = {"start": start, "end": end}
    return {name: (TODAY + timedelta(days=n)).isoformat() for name, n in said.items()
            if n is not None}  # fmt: skip


@st.composite
def tapers(draw: st.DrawFn) -> dict[str, str]:
    """A course that falls or rises by even or uneven steps."""
    first, last, by = (draw(st.integers(1, 40)) for _ in range(3))
    quarters = draw(st.sampled_from([1, 4]))
    said = {name: f"{Decimal(n) / quarters}".replace(".", ",")
            for name, n in (("amount", first), ("last", last), ("down", by))}  # fmt: skip
    start = (TODAY + timedelta(days=draw(st.integers(0, 5)))).isoformat()
    return {"how": "taper", **said, "step_days": str(draw(st.integers(1, 6))),
            "unit": draw(unit), "at": draw(clocks), "days": draw(days), "often": draw(often),
            "start": draw(st.sampled_from(["", start]))}  # fmt: skip


def ways(**fields: Any) -> st.SearchStrategy[dict[str, str]]:
    return st.builds(lambda given, within: {**given, **within}, st.fixed_dictionaries(fields),
                     bounds())  # fmt: skip


@st.composite
def as_needed(draw: st.DrawFn) -> dict[str, str]:
    once = draw(st.integers(1, 2000))
    form = {"how": "as-needed", "amount": str(once), "unit": draw(unit),
            "needed_for": draw(reason), "most": str(once * draw(st.integers(1, 12))),
            "hours": draw(st.sampled_from(["", "1", "4", "6", "72"]))}  # fmt: skip
    return {**form, **draw(bounds())}


forms = st.one_of(
    ways(how=st.just("daily"), amount=typed_amount, unit=unit, at=clocks, days=days, often=often),
    ways(how=st.just("hours"), amount=typed_amount, unit=unit,
         hours=st.integers(1, 200).map(str)),
    ways(how=st.just("rate"), rate=typed_amount, rate_unit=st.sampled_from(["", "ml/t", "mg/t"])),
    as_needed(),
    tapers(),
)  # fmt: skip


def ordered(form: Mapping[str, str]) -> dict[str, Any]:
    made = prescribe(
        MEDICINE, dosages_of({**FIELDS, **form}, TODAY), patient_id="anne", at=NOW,
        prescriber=Prescriber("Practitioner/lege", "Line Lege"), reason="Smerter",
    )  # fmt: skip
    made |= {"id": "order-1", "meta": {"versionId": "1"}}
    assert validate(made) == []
    # As it comes back from the record.
    return serialization.decode(serialization.encode(made))


def line_of(resource: Mapping[str, Any]) -> Medicine:
    is_order = resource["resourceType"] == "MedicationRequest"
    listed = medicines([resource] if is_order else [], [] if is_order else [resource], now=NOW)
    (line,) = listed.every
    return line


def text_in(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#34;", '"').split())


def row_dose(line: Medicine) -> str:
    """What stands in the row of the list."""
    opened = SimpleNamespace(base="/patient/anne", may_prescribe=True)
    html = environment().get_template("medication/_line.html").render(
        medicine=line, changed={}, status="active", opened=opened, csrf_input=""
    )  # fmt: skip
    (found,) = re.findall(r'class="hv-medicine__dose[^"]*"[^>]*>(.*?)</', html, re.DOTALL)
    return text_in(found)


def printed_dose(line: Medicine) -> str:
    """What stands on the patient's paper."""
    listed = medicines([], now=NOW)
    listed = type(listed)(**{
        name: (line,) if name == line.group.replace("-", "_") else ()
        for name in listed.__struct_fields__
    })  # fmt: skip
    (part,) = plain_list(listed)
    (row,) = part.rows
    return "; ".join(row.how)


def exchanged(order: Mapping[str, Any]) -> tuple[dict[str, Any], message.Line]:
    """The statement that is sent, and the line that is read from the message."""
    document = bundle(None, PATIENT, NOW)
    parameters = {"resourceType": "Parameters",
                  "parameter": [{"name": "medication", "resource": document}]}  # fmt: skip
    national = message.read(parameters, [NUMBER])
    resources = {f"MedicationRequest/{order['id']}": order}
    rows = comparing.rows(medicines([order], now=NOW), resources, national)
    made = outgoing.message(national, rows, resources, SENDER, NOW, "5f1c6e5e", {})
    assert not made.kept_back
    sent = serialization.decode(serialization.encode(made.parameters))
    (line,) = message.read(sent, [NUMBER]).lines
    assert line.problems == ()
    return dict(line.statement), line


@settings(max_examples=40)
@given(forms)
@example({"how": "as-needed", "amount": "1", "unit": "g", "needed_for": "smerter", "most": "4",
          "hours": "6"})  # fmt: skip
@example({"how": "as-needed", "amount": "1", "unit": "g", "needed_for": "smerter", "most": "4",
          "hours": "1", "end": "2026-11-25"})  # fmt: skip
@example({"how": "daily", "amount": "1,0", "unit": "tablett", "at": "8 8 14", "often": "3"})
@example({"how": "taper", "amount": "3", "down": "2", "last": "1", "step_days": "2", "unit": "mg",
          "at": "8 9", "start": "2026-11-24"})  # fmt: skip
def test_every_place_says_the_same_dose(form: dict[str, str]) -> None:
    check_places(form)


@pytest.mark.soak
@settings(max_examples=3000)
@given(forms)
def test_every_place_says_the_same_of_thousands_of_orders(form: dict[str, str]) -> None:
    check_places(form)
    check_due(form)


def check_places(form: Mapping[str, str]) -> None:
    """That each place where a dose is read says what the order does."""
    order = ordered(form)
    meant = of_resource(order["dosageInstruction"])
    line = line_of(order)
    letter = medicines_section([("regular", [line])], [order], readable=True, reconciled=True)
    sent, back = exchanged(order)
    received = {**incoming.statement(back, "anne", {}), "id": "line-1"}
    assert validate(received) == []
    places = {
        "label": of_words(words_of(order["dosageInstruction"])),
        "row": of_words(row_dose(line)),
        "print": of_words(printed_dose(line)),
        "letter": of_words(letter.rows[1][1]),
        "message, in words": of_words(sent["dosage"][0]["text"]),
        "read back": of_resource(received["dosage"]),
        "read back, in words": of_words(line_of(received).dose_text),
    }
    for place, found in places.items():
        assert [_told(each) for each in found] == [_told(each) for each in meant], place
    for step, (told, codes) in zip(meant, of_service(sent), strict=False):
        assert (told.amount, told.unit, told.last) == (step.amount, step.unit, step.last)
        assert told.first == (step.first or TODAY)
        assert told.a_day == step.a_day == len(step.clocks)
        assert all(in_range(c, code) for c, code in zip(step.clocks, codes, strict=True))
    assert len(of_service(sent)) in (0, len(meant))
    check_without_ours(sent, meant)


def check_without_ours(sent: dict[str, Any], meant: list[Step]) -> None:
    """What is read when the service passes over our extension: the same, or only the words."""
    (dosage,) = sent["dosage"]
    left = [each for each in dosage["extension"] if "helsevev" not in each["url"]]
    bare = {**sent, "dosage": [{**dosage, "extension": left}]}
    found, problems = read(bare)
    assert problems == []
    structured = [each for each in found if each.get("doseAndRate")]
    if not structured:
        assert [each["text"] for each in found] == [dosage["text"]]
        return
    assert len(structured) == len(found) == len(meant)
    for step, each in zip(meant, found, strict=True):
        quantity = each["doseAndRate"][0]["doseQuantity"]
        assert (Decimal(quantity["value"]), quantity["unit"]) == (step.amount, step.unit)
        repeat = each["timing"]["repeat"]
        assert len(repeat["when"]) == step.a_day
        assert repeat["boundsPeriod"].get("end") == (step.last.isoformat() if step.last else None)


def _told(step: Step) -> Step:
    """A step as words can tell it: once on each named day is not said to be daily."""
    return replace(step, a_day=len(step.clocks) or step.a_day)


@settings(max_examples=60)
@given(forms)
@example({"how": "daily", "amount": "1", "unit": "mg", "often": "5", "days": "mon"})
def test_what_is_due_is_what_the_words_say(form: dict[str, str]) -> None:
    check_due(form)


def check_due(form: Mapping[str, str]) -> None:
    """That the doses due are those that the words tell."""
    order = ordered(form)
    said = of_words(line_of(order).dose_text)
    start = datetime(2026, 11, 24, tzinfo=OSLO)
    days = [start.date() + timedelta(days=n) for n in range(9)]
    history = [Standing(NOW, order)]
    within = Span(start.astimezone(UTC), (start + timedelta(days=len(days))).astimezone(UTC))
    found = due(history, within, OSLO, times_of(()))
    if any(step.needed for step in said):
        assert found == []
        return
    if said[0].is_rate:
        first = said[0].first or NOW.astimezone(OSLO).date()
        assert len(found) == (1 if first in days else 0)
        return
    if hours := said[0].hours:
        assert all(b.at - a.at == timedelta(hours=hours) for a, b in pairwise(found))
        assert {each.at.astimezone(OSLO).date() for each in found} <= set(_days(said[0], days))
        return
    for day in days:
        given_then = [each for each in found if each.at.astimezone(OSLO).date() == day]
        wanted = [step for step in said for _ in range(step.on(day))]
        amounts = [
            (Decimal(q["value"]), q["unit"]) for each in given_then
            for q in (each.dosage["doseAndRate"][0]["doseQuantity"],)
        ]  # fmt: skip
        assert amounts == [(step.amount, step.unit) for step in wanted]
        clocks = [c for step in said if step.on(day) for c in step.clocks]
        if clocks:
            assert [f"{each.at.astimezone(OSLO):%H:%M}" for each in given_then] == clocks


def _days(step: Step, days: list[date]) -> list[date]:
    return [d for d in days if (not step.first or d >= step.first)
            and (not step.last or d <= step.last)]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    ["Etter INR", "2 tabletter; 1 til natten", "1 tablett, annenhver dag", "«etter avtale»"],
)
def test_a_dose_in_words_is_these_words_everywhere(words: str) -> None:
    order = ordered({"how": "text", "free_text": words})
    line = line_of(order)
    sent, back = exchanged(order)
    received = {**incoming.statement(back, "anne", {}), "id": "line-1"}
    assert {
        line.dose_text, row_dose(line), printed_dose(line), sent["dosage"][0]["text"],
        back.words, line_of(received).dose_text,
    } == {words}  # fmt: skip
    assert of_service(sent) == []


def test_a_dose_changed_on_the_way_is_told_and_its_structure_is_not_trusted() -> None:
    order = ordered({"how": "daily", "amount": "1", "unit": "tablett", "at": "8"})
    sent, _back = exchanged(order)
    sent["dosage"][0]["text"] = "10 tablett, 1 gang daglig, kl. 08:00"
    document = bundle(None, PATIENT, NOW)
    url = "urn:uuid:9d9a34a5-0d2b-4a34-8e6f-3f1d4a0a4f11"
    document["entry"].append({"fullUrl": url, "resource": {
        **sent, "subject": document["entry"][0]["resource"]["subject"]}})  # fmt: skip
    section = document["entry"][0]["resource"]["section"][0]
    section["entry"] = [{"reference": url}]
    parameters = {"parameter": [{"name": "medication", "resource": document}]}
    (line,) = message.read(parameters, [NUMBER]).lines
    assert line.problems
    assert not any(each.get("timing") for each in line.dosages)
