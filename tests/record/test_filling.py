"""What is filled for patients, over a real database: by two, and beside a list that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid
from helsevev.access.services import Services, services_over
from helsevev.kit import clock
from helsevev.medication.shelf import dispensing
from helsevev.medication.shelf.dispensing import DOSETTE, FillingRefused
from helsevev.medication.shelf.refilling import REFILL
from helsevev.medication.shelf.supplies import taken_from_shelf
from helsevev.medication.shelf.taken import PROJECTION
from helsevev.medication.stock.filled import FillingsFollowed, open_filled
from helsevev.medication.stock.filling import Wish, check_filling, fill, take_apart
from helsevev.record.database import Database

from .shelf_keeping import Resource, amounts, filled, numbers, other


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


async def resident(
    services: Services,
    here: Actor,
    patient: Callable[..., Resource],
    stay: Callable[..., Resource],
    name: str,
) -> Resource:
    """Somebody who lives at the unit and takes a capsule twice a day; gives the order."""
    system = replace(here, kind="system", id="Device/test", scopes=None)
    await services.writer.write(system, patient(name))
    unit = {"reference": here.organisations[0]}
    await services.writer.write(system, stay(name, serviceProvider=unit))
    return (await services.writer.write(system, {
        "resourceType": "MedicationRequest", "id": f"order-{name}", "status": "active",
        "intent": "order", "subject": {"reference": f"Patient/{name}"},
        "authoredOn": "2026-01-01", "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "N02AA05"}],
            "text": "Oksykodon kapsel 5 mg",
        },
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d",
                                  "timeOfDay": ["08:00:00", "20:00:00"]}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "kapsel"}}],
        }],
    })).stored.resource  # fmt: skip


def week(order: Resource, **more: Any) -> Wish:
    """A dosette for a week from tomorrow."""
    start = (clock.now() + timedelta(days=1)).date()
    made: dict[str, Any] = {"kind": DOSETTE, "key": f"w{next(numbers)}", "from_stock": True}
    return Wish(start=start, days=7, orders=frozenset({order["id"]}), **(made | more))


async def test_a_dosette_is_filled_by_one_checked_by_another_and_taken_of_the_shelf(
    services: Services, here: Actor, patient: Callable[..., Resource], stay: Callable[..., Resource]
) -> None:
    stock = await filled(services, here, 30)
    order = await resident(services, here, patient, stay, "dora")
    before = await open_filled(services, here, "dora")
    wish = week(order)
    await fill(services, here, before, wish)
    await fill(services, here, before, wish)
    assert await amounts(stock) == {"A1": 16}
    [dosette] = (await open_filled(services, here, "dora")).in_use
    with pytest.raises(FillingRefused):
        await check_filling(services, here, dosette)
    alone = {**dosette.dispenses[0], "status": "completed"}
    with pytest.raises(Invalid):
        await services.writer.write(here, alone, if_match=1)
    await check_filling(services, other(here), dosette)
    [dosette] = (await open_filled(services, here, "dora")).in_use
    assert dosette.is_checked
    # What lies in the dosette was taken when it was filled: the round takes nothing more.
    dose = {"dosage": {"dose": {"value": Decimal(1), "unit": "kapsel"}}}
    assert "extension" not in await taken_from_shelf(services, here, order, dose)
    await take_apart(services, here, dosette, "Mistet i gulvet")
    assert await amounts(stock) == {"A1": 30}


async def test_a_list_that_changes_after_the_dosette_was_filled_asks_the_unit_once_to_change_it(
    services: Services, here: Actor, patient: Callable[..., Resource], stay: Callable[..., Resource]
) -> None:
    order = await resident(services, here, patient, stay, "dina")
    await fill(services, here, await open_filled(services, here, "dina"), week(order))
    follower = FillingsFollowed(services)
    from_here = await follower.concerned.now()
    assert not (await open_filled(services, here, "dina")).needs_change
    system = replace(here, kind="system", id="Device/test", scopes=None)
    stopped = {**order, "status": "stopped", "statusReason": {"text": "Kvalme"}}
    await services.writer.write(system, stopped, if_match=1)
    changed, _place = await follower.concerned.changed(from_here)
    assert len(changed) == 1
    assert await follower.look(changed) == 1
    assert await follower.look(changed) == 0
    seen = await open_filled(services, here, "dina")
    [change] = seen.changed[seen.in_use[0].id]
    assert "Kvalme" in change.what
    [task] = [t for t in seen.tasks if t["identifier"][0]["system"] == REFILL]
    assert task["owner"]["reference"] == here.organisations[0]
    assert task["status"] == "requested"
    # It was a mistake to stop it: filling anew closes what was asked.
    await services.writer.write(system, {**order, "status": "active"}, if_match=2)
    await fill(services, here, await open_filled(services, here, "dina"), week(order))
    [task] = (await open_filled(services, here, "dina")).tasks
    assert task["status"] == "completed"


async def test_bags_that_were_packed_before_the_list_changed_are_told_when_they_come(
    services: Services, here: Actor, patient: Callable[..., Resource], stay: Callable[..., Resource]
) -> None:
    order = await resident(services, here, patient, stay, "dea")
    system = replace(here, kind="system", id="Device/test", scopes=None)
    flagged = {**order, "extension": [
        {"url": "http://helsevev.no/fhir/StructureDefinition/multidose", "valueBoolean": True}
    ]}  # fmt: skip
    first = (await services.writer.write(system, flagged, if_match=1)).stored.resource
    once = [{**order["dosageInstruction"][0], "timing": {"repeat": {
        "frequency": 1, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00"]}}}]  # fmt: skip
    now = {**first, "dosageInstruction": once}
    await services.writer.write(system, now, if_match=2)
    bags = week(order, kind="multidose", packed=date(2026, 1, 2), from_stock=False)
    await fill(services, here, await open_filled(services, here, "dea"), bags)
    seen = await open_filled(services, here, "dea")
    [change] = seen.changed[seen.in_use[0].id]
    assert change.before != change.now != ""
