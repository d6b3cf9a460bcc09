"""A unit's stock over a real database: two at once, what is told, and what a dose takes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import pytest_asyncio

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, Refused
from helsevev.access.services import Services, services_over
from helsevev.access.stock import Stock
from helsevev.medication.shelf import dispensing
from helsevev.medication.shelf.book import (
    BELOW,
    EXPIRED,
    allowed,
    as_body,
    replayed,
    shelf,
)
from helsevev.medication.shelf.supplies import taken_from_shelf
from helsevev.medication.shelf.taken import FROM_STOCK, PROJECTION
from helsevev.medication.stock import counting, ordering
from helsevev.medication.stock.counting import CountRefused
from helsevev.record.connection import DatabaseError
from helsevev.record.database import Database

from .shelf_keeping import OXYNORM, TODAY, Resource, amounts, filled, line, numbers, other


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """The gate, with the book's read model of doses."""
    rules = {"MedicationDispense": dispensing.check}
    made = services_over(database, rules, (PROJECTION, dispensing.PROJECTION))
    await made.feed.start()
    yield made
    await made.feed.stop()


@pytest.fixture
def here(nurse: Actor) -> Actor:
    """A nurse at a unit that no other test uses."""
    unit = f"Organization/unit-{next(numbers)}"
    return replace(nurse, organisations=(unit, *nurse.organisations))


async def test_what_is_on_the_shelf_is_the_sum_of_its_lines_and_of_a_replay(
    services: Services, here: Actor
) -> None:
    stock = await filled(services, here, 0)
    chance = random.Random(8)
    for _ in range(40):
        batch = chance.choice("AB")
        amount = chance.choice((-3, -2, -1, 4, 5))
        await stock.add("out", [line(amount, "wasted" if amount < 0 else "found", batch=batch)])
    book = await stock.book("oxynorm")
    chance.shuffle(book)
    summed = {(b.product, b.batch, b.expires): b.amount for b in await stock.balances() if b.amount}
    assert replayed(book) == summed
    assert len(book) == 40


async def test_two_who_take_of_the_same_at_once_both_count_and_the_last_is_told(
    services: Services, here: Actor
) -> None:
    stock = await filled(services, here, 10)

    async def take(actor: Actor) -> str:
        out = [line(-3, "wasted", reason="")]
        try:
            check = allowed(out, TODAY, "kapsel", even_so=False)
            await Stock(services.gate, actor).add("out", out, check=check)
        except Invalid as refused:
            return refused.issues[0].code
        return "taken"

    people = [other(here, name) for name in ("Aas, Anna", "Berg, Bo", "Dahl, Dag", "Eng, Eva")]
    ends = await asyncio.gather(*(take(person) for person in people))
    assert sorted(ends) == [BELOW, "taken", "taken", "taken"]
    assert await amounts(stock) == {"A1": 1}


async def test_more_than_there_is_can_be_taken_by_who_says_why_and_the_shelf_says_so(
    services: Services, here: Actor
) -> None:
    stock = await filled(services, here, 2)
    out = [line(-3, "wasted", reason="")]
    with pytest.raises(Invalid) as refused:
        await stock.add("out", out, check=allowed(out, TODAY, "kapsel", even_so=True))
    assert [issue.code for issue in refused.value.issues] == ["required"]
    out = [line(-3, "wasted", reason="Fant en som ikke var ført inn")]
    assert await stock.add("out", out, check=allowed(out, TODAY, "kapsel", even_so=True))
    [row] = shelf(await stock.items(), await stock.balances(), TODAY)
    assert [b.amount for b in row.below_zero] == [-1]


async def test_what_has_expired_is_given_out_only_with_a_reason(
    services: Services, here: Actor
) -> None:
    stock = await filled(services, here, 5, expires=date(2026, 11, 21))
    out = [line(-1, "dispensed", expires=date(2026, 11, 21))]
    with pytest.raises(Invalid) as refused:
        await stock.add("out", out, check=allowed(out, TODAY, "kapsel", even_so=False))
    assert [issue.code for issue in refused.value.issues] == [EXPIRED]
    last_day = allowed(out, date(2026, 11, 21), "kapsel", even_so=False)
    assert await stock.add("out", out, check=last_day)


async def test_a_form_that_is_sent_twice_is_one_line(services: Services, here: Actor) -> None:
    stock = await filled(services, here, 5)
    out = [line(-1, "wasted"), line(-1, "wasted")]
    assert await stock.add("out", out)
    assert not await stock.add("out", out)
    assert await amounts(stock) == {"A1": 3}


async def test_the_book_cannot_be_written_over(services: Services, here: Actor) -> None:
    await filled(services, here)
    for statement in ("UPDATE stock_movement SET amount = 99", "DELETE FROM stock_note"):
        with pytest.raises(DatabaseError, match="never changed"):
            await services.gate.store.roles.whole.execute(statement)


async def test_only_those_who_handle_medicines_reach_a_stock_and_only_their_own_units(
    services: Services, here: Actor, secretary: Actor
) -> None:
    await filled(services, here)
    closed = Stock(services.gate, replace(secretary, organisations=here.organisations))
    with pytest.raises(Refused):
        await closed.open("")
    with pytest.raises(Refused):
        await closed.add("out", [line(-1, "wasted")])
    elsewhere = Stock(services.gate, replace(here, organisations=("Organization/elsewhere",)))
    assert await elsewhere.items() == []
    with pytest.raises(Invalid, match="does not keep"):
        await elsewhere.add("out", [line(-1, "wasted")])


async def test_two_different_people_count_and_a_difference_waits_for_the_manager(
    services: Services, here: Actor
) -> None:
    stock, anna = await filled(services, here), other(here)
    found = counting.found_of({"0": Decimal(8)}, await stock.balances(["oxynorm"]))
    await stock.add("count", [], [counting.first_count("oxynorm", "c1", found)])
    # A dose is given in between: both have counted right.
    await stock.add("out", [line(-1, "wasted")])
    notes = await stock.notes(counting.KINDS)
    open_first = counting.counts_by_product(notes)["oxynorm"].open_first
    assert open_first is not None
    second = Stock(services.gate, anna)
    again = counting.found_of({"0": Decimal(7)}, await second.balances(["oxynorm"]))
    assert counting.agrees(counting.read(open_first), again)
    said_id = f"counted.{open_first.id}"
    with pytest.raises(CountRefused):
        counting.settled("oxynorm", said_id, again, "", controlled=True)
    lines, said = counting.settled(
        "oxynorm", said_id, again, "To mangler i skapet", controlled=True
    )
    await second.add("count", lines, said)
    assert await amounts(stock) == {"A1": 7}
    with pytest.raises(Invalid):
        await Stock(services.gate, other(here, "Berg, Bo")).add("count", [], said)
    notes = await stock.notes(counting.KINDS)
    [incident] = counting.incidents(notes)
    assert incident.difference == -2
    assert (incident.by, incident.explained_by) == ("Aas, Anna", "")
    assert incident.signed == {here.id, anna.id}
    words = "Kassert uten å føres, funnet i søpla."
    for counter in incident.signed:
        with pytest.raises(CountRefused):
            counting.explanation(incident, counter, words)
    explained = counting.explanation(incident, "Practitioner/moe", words)
    with pytest.raises(Refused):
        await stock.add("explain", [], [explained], act="settle-stock")
    leader = Stock(services.gate, other(here, "Moe, Mia", role="Avdelingsleder"))
    await leader.add("explain", [], [explained], act="settle-stock")
    [incident] = counting.incidents(await stock.notes(counting.KINDS))
    assert incident.explained_by == "Moe, Mia"


async def test_what_is_wasted_waits_for_somebody_else_who_saw_it(
    services: Services, here: Actor
) -> None:
    stock = await filled(services, here)
    out = line(-1, "wasted", reason="Knust")
    await stock.add("out", [out])
    [waiting] = await stock.unwitnessed(["wasted"], ["oxynorm"])
    assert waiting.id == out.id
    saw = counting.witnessed(out.id, "oxynorm")
    await Stock(services.gate, other(here)).add("witness", [], [saw])
    assert await stock.unwitnessed(["wasted"], ["oxynorm"]) == []
    with pytest.raises(Invalid):
        await Stock(services.gate, other(here, "Berg, Bo")).add("witness", [], [saw])


async def test_an_order_is_sent_once_however_many_press(services: Services, here: Actor) -> None:
    stock = await filled(services, here)
    await stock.add("order", [], [ordering.said("order", "o1", "", ordering.Body())])

    async def send(actor: Actor) -> bool:
        said = ordering.said("sent", "sent.o1", "o1", ordering.Body(words="nettbutikk"))
        try:
            return await Stock(services.gate, actor).add("order", [], [said])
        except Invalid:
            return False

    people = [here, *(other(here, name) for name in ("Aas, Anna", "Berg, Bo"))]
    assert sorted(await asyncio.gather(*(send(each) for each in people))) == [False, False, True]
    assert len(await stock.notes(["sent"])) == 1


async def test_a_dose_that_is_signed_is_a_line_of_the_book_and_one_taken_back_puts_it_back(
    services: Services, here: Actor, patient: Callable[..., Resource], stay: Callable[..., Resource]
) -> None:
    stock = await filled(services, here, 1, batch="A1", expires=date(2030, 1, 31))
    await stock.add("delivered", [line(20, batch="B2")])
    system = replace(here, kind="system", id="Device/test", scopes=None)
    unit = {"reference": here.organisations[0]}
    await services.writer.write(system, patient("stina"), if_match=None)
    await services.writer.write(system, stay("stina", serviceProvider=unit))
    order = {
        "resourceType": "MedicationRequest", "id": "order-stina", "status": "active",
        "intent": "order", "subject": {"reference": "Patient/stina"},
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "N02AA05"}],
            "text": "Oksykodon kapsel 5 mg",
        },
    }  # fmt: skip
    await services.writer.write(system, order)
    dose = {
        "resourceType": "MedicationAdministration", "status": "completed",
        "subject": order["subject"], "effectiveDateTime": "2026-11-22T08:00:00Z",
        "request": {"reference": "MedicationRequest/order-stina"},
        "performer": [{"actor": {"reference": here.id, "display": here.name}}],
        "medicationCodeableConcept": order["medicationCodeableConcept"],
        "dosage": {"dose": {"value": Decimal(10), "unit": "mg", "code": "mg",
                            "system": "http://unitsofmeasure.org"}},
    }  # fmt: skip
    signed = await taken_from_shelf(services, here, order, dose)
    assert [e["url"] for e in signed["extension"]] == [FROM_STOCK] * 2
    written = await services.writer.write(here, signed)
    assert await amounts(stock) == {"A1": 0, "B2": 19}
    book = await stock.book("oxynorm")
    given = [each for each in book if each.kind == "given"]
    assert {each.actor_name for each in given} == {here.name}
    stored = written.stored.resource
    note = [{"text": "Feil pasient"}]
    await services.writer.write(
        here, {**stored, "status": "entered-in-error", "note": note}, if_match=1
    )
    assert await amounts(stock) == {"A1": 1, "B2": 20}
    back = [each for each in await stock.book("oxynorm") if each.kind == "taken-back"]
    assert [each.reason for each in back] == ["Feil pasient"] * 2
    fresh = {(b.product, b.batch, b.expires): b.amount for b in await stock.balances() if b.amount}
    assert replayed(await stock.book("oxynorm")) == fresh


async def test_a_dose_in_an_amount_that_nobody_can_tell_is_told_and_not_guessed(
    services: Services, here: Actor
) -> None:
    order = {"medicationCodeableConcept": {"coding": [{"code": "oxynorm", "system": "x"}]}}
    await filled(services, here)
    dose = {"dosage": {"dose": {"value": Decimal(2), "unit": "pust"}}}
    made = await taken_from_shelf(services, here, order, dose)
    assert [e["url"] for e in made["extension"][0]["extension"]] == ["unit", "product"]
    own = {**order, "extension": [
        {"url": "http://helsevev.no/fhir/StructureDefinition/multidose", "valueBoolean": True}
    ]}  # fmt: skip
    assert "extension" not in await taken_from_shelf(services, here, own, dose)


async def test_what_is_sent_to_another_unit_is_on_its_way_until_it_is_received(
    services: Services, here: Actor
) -> None:
    there = replace(here, id="Practitioner/there", organisations=("Organization/there",))
    stock, arriving = await filled(services, here), Stock(services.gate, there)
    out = line(-4, "moved-out", about="Organization/there")
    await stock.add("out", [out])
    [sent] = await arriving.on_the_way()
    assert (sent.unit, sent.line.id) == (stock.unit, out.id)
    assert sent.line.amount == -4
    assert sent.item == as_body(OXYNORM)
    assert await amounts(stock) == {"A1": 6}
