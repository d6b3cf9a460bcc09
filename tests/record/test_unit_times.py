"""A unit's own times of day: set by who leads it, from a moment on, and what was due stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Conflict, Invalid, Refused, Unprocessable
from helsevev.access.services import Services, services_over
from helsevev.access.setting_times import TimesSetting
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.medication import administration, administration_rules
from helsevev.medication.administration import Signer
from helsevev.medication.round_opening import open_round
from helsevev.medication.round_times import times_history
from helsevev.medication.timing import key_of
from helsevev.record.database import Database

NORA = Signer("Practitioner/nurse", "Nora Ness")
TWICE = '{"daily": {"2": ["06:30:00", "18:30:00"]}}'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """The gate with the rules of medicines."""
    yield services_over(
        database,
        {"MedicationAdministration": administration.check},
        beside={"MedicationAdministration": administration_rules.RULE},
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(anne_and_berit: None) -> None:
    """Anne is on the ward; Berit is treated elsewhere."""


@pytest.fixture
def leader(nurse: Actor) -> Actor:
    """Who leads the ward."""
    return replace(nurse, id="Practitioner/leader", name="Lea Li", role="Avdelingsleder")


def _local(day: datetime, at: time) -> datetime:
    return datetime.combine(day.astimezone(OSLO).date(), at, OSLO)


async def test_who_leads_sets_times_that_hold_from_then_on_and_the_record_takes_doses_by_them(
    services: Services, nurse: Actor, leader: Actor
) -> None:
    order: dict[str, Any] = {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": "Paracet"},
        "subject": {"reference": "Patient/anne"}, "authoredOn": clock.now().isoformat(),
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg"}}],
        }],
    }  # fmt: skip
    order = (await services.writer.write(SYSTEM, order)).stored.resource
    tomorrow = clock.now() + timedelta(days=1)
    given = [
        administration.given(
            order, order["dosageInstruction"][0], NORA, at, due=key_of(order["id"], at)
        )
        for at in (_local(tomorrow, time(6, 30)), _local(tomorrow, time(18, 30)))
    ]
    with pytest.raises(Unprocessable, match="har ingen dose"):
        await services.writer.write(SYSTEM, given[0])
    since = clock.now() + timedelta(minutes=1)
    setting = TimesSetting(services.gate, services.unit_times, leader)
    assert setting.allowed
    await setting.set(since, TWICE)
    for dose in given:
        kept = (await services.writer.write(SYSTEM, dose)).stored.resource
        assert kept["status"] == "completed"
    with pytest.raises(Conflict):
        await setting.set(since, TWICE)
    applied = times_history(leader.organisations, await services.unit_times.known())
    assert [each.times.daily[2][0] for each in applied] == [time(8), time(6, 30)]
    assert applied[1].times.daily[3] == applied[0].times.daily[3]
    elsewhere = times_history(("Organization/other",), await services.unit_times.known())
    assert len(elsewhere) == 1
    opened = await open_round(services, nurse, "anne")
    assert all(row.at < since or row.at.astimezone(OSLO).minute == 30 for row in opened.round.rows)


async def test_nobody_else_sets_them_and_nobody_what_has_been(
    services: Services, nurse: Actor, leader: Actor
) -> None:
    plain = TimesSetting(services.gate, services.unit_times, nurse)
    assert not plain.allowed
    with pytest.raises(Refused):
        await plain.set(clock.now() + timedelta(hours=1), TWICE)
    with pytest.raises(Invalid):
        await TimesSetting(services.gate, services.unit_times, leader).set(
            clock.now() - timedelta(seconds=1), TWICE
        )
