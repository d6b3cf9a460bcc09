"""Doses that the record takes, and those it refuses, whichever door they come through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError, Invalid, Unprocessable
from helsevev.access.services import Services, services_over
from helsevev.kit import clock
from helsevev.medication import administration, administration_rules
from helsevev.medication.administration import Signer, second_signed
from helsevev.medication.timing import key_of
from helsevev.record.database import Database

NORA, OLA = Signer("Practitioner/nurse", "Nora Ness"), Signer("Practitioner/ola", "Ola Li")
HOUR = timedelta(hours=1)


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


def _at(hours: float) -> datetime:
    """A moment so many hours from the next full hour: orders stand from now on."""
    return clock.now().replace(minute=0, second=0, microsecond=0) + (1 + hours) * HOUR


def _every(hours: float, start: float = -0.0) -> dict[str, Any]:
    """A dose each so many hours, from so many hours from now."""
    bounds = {"start": _at(start).isoformat()}
    repeat = {"frequency": 1, "period": hours, "periodUnit": "h", "boundsPeriod": bounds}
    return {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": _mg(500)}]}


def _mg(value: int, unit: str = "mg") -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


AS_NEEDED = {
    "asNeededBoolean": True,
    "timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}},
    "doseAndRate": [{"doseQuantity": _mg(1000)}],
    "maxDosePerPeriod": {"numerator": _mg(2, "g"), "denominator": _mg(24, "h")},
}


async def _order(
    services: Services, dosage: dict[str, Any], atc: str = "N02BE01", status: str = "active"
) -> dict[str, Any]:
    concept = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]}
    order = {
        "resourceType": "MedicationRequest", "status": status, "intent": "order",
        "medicationCodeableConcept": concept, "subject": {"reference": "Patient/anne"},
        "authoredOn": _at(-48).isoformat(), "dosageInstruction": [dosage],
    }  # fmt: skip
    return (await services.writer.write(SYSTEM, order)).stored.resource


def _dose(order: dict[str, Any], at: datetime, due: datetime | None, **more: Any) -> dict[str, Any]:
    key = key_of(order["id"], due) if due else ""
    return administration.given(order, order["dosageInstruction"][0], NORA, at, due=key, **more)


async def _give(services: Services, *said: Any, **more: Any) -> dict[str, Any]:
    return (await services.writer.write(SYSTEM, _dose(*said, **more))).stored.resource


async def test_a_planned_dose_is_given_once_and_an_hour_before_its_time_at_most(
    services: Services,
) -> None:
    order = await _order(services, _every(6, start=1))
    with pytest.raises(Unprocessable, match="For tidlig"):
        await _give(services, order, _at(1) - HOUR - timedelta(seconds=1), _at(1))
    kept = await _give(services, order, _at(0), _at(1))
    assert kept["status"] == "completed"
    with pytest.raises(Unprocessable) as refused:
        await _give(services, order, _at(0.5), _at(1))
    assert refused.value.issues[0].code == administration_rules.DUPLICATE
    assert "Nora Ness" in refused.value.issues[0].diagnostics


@pytest.mark.parametrize("status", ["on-hold", "stopped", "completed", "cancelled", "draft"])
async def test_nothing_is_given_by_an_order_that_is_not_in_force(
    services: Services, status: str
) -> None:
    order = await _order(services, _every(6), status=status)
    with pytest.raises(Unprocessable):
        await _give(services, order, _at(0), _at(0))
    await _give(services, order, _at(0), _at(0), outside_plan="Muntlig ordinert av vakthavende")


async def test_what_was_given_before_a_stop_is_taken_and_what_comes_after_is_not(
    services: Services,
) -> None:
    order = await _order(services, AS_NEEDED)
    given_at = clock.now() - timedelta(seconds=1)
    await services.writer.write(SYSTEM, {**order, "status": "stopped"}, if_match=1)
    assert (await _give(services, order, given_at, None))["status"] == "completed"
    with pytest.raises(Unprocessable, match="seponert"):
        await _give(services, order, clock.now() + 5 * HOUR, None)


async def test_a_dose_too_soon_after_the_one_before_it_is_refused(services: Services) -> None:
    order = await _order(services, _every(6))
    await _give(services, order, _at(5), _at(0))
    with pytest.raises(Unprocessable, match="For tett"):
        await _give(services, order, _at(7), _at(6))
    await _give(services, order, _at(8), _at(6))


async def test_a_dose_that_no_plan_has_is_refused(services: Services) -> None:
    order = await _order(services, _every(6))
    with pytest.raises(Unprocessable, match="har ingen dose"):
        await _give(services, order, _at(1), _at(1))


async def test_as_needed_keeps_its_interval_and_its_maximum_whatever_order_doses_come_in(
    services: Services,
) -> None:
    order = await _order(services, AS_NEEDED)
    await _give(services, order, _at(-10), None)
    for near in (-13, -7, -10):
        with pytest.raises(Unprocessable, match="For tett"):
            await _give(services, order, _at(near), None)
    await _give(services, order, _at(-2), None)
    for hours in (2.5, -20, -6):
        with pytest.raises(Unprocessable, match="Over maksimum: 2 g på 24"):
            await _give(services, order, _at(hours), None)
    await _give(services, order, _at(14), None)


async def test_another_patients_order_gives_no_dose(services: Services) -> None:
    order = await _order(services, AS_NEEDED)
    crossed = {**_dose(order, _at(0), None), "subject": {"reference": "Patient/berit"}}
    with pytest.raises(Unprocessable, match="another inhabitant"):
        await services.writer.write(SYSTEM, crossed)


async def test_a_high_risk_medicine_is_given_when_two_people_have_signed(
    services: Services,
) -> None:
    order = await _order(services, _every(6), atc="L01BC02")
    prepared = await _give(services, order, _at(0), _at(0))
    assert prepared["status"] == "in-progress"
    alone = {**prepared, "status": "completed"}
    with pytest.raises(Invalid, match="to signaturer"):
        await services.writer.write(SYSTEM, alone, if_match=1)
    with pytest.raises(administration.Refusal):
        second_signed(prepared, NORA, _at(0))
    signed = second_signed(prepared, OLA, _at(0))
    kept = (await services.writer.write(SYSTEM, signed, if_match=1)).stored.resource
    assert kept["status"] == "completed"
    assert administration.performers(kept) == [NORA.id, OLA.id]


@pytest.mark.parametrize("door", ["one by one", "transactions", "one transaction"])
async def test_of_devices_that_sign_the_same_dose_at_once_one_is_taken(
    services: Services, door: str
) -> None:
    order = await _order(services, _every(6))
    dose = _dose(order, _at(0), _at(0))

    def entry() -> dict[str, Any]:
        request = {"method": "POST", "url": "MedicationAdministration"}
        return {"resource": deepcopy(dose), "request": request}

    async def sign(entries: int) -> None:
        if door == "one by one":
            await services.writer.write(SYSTEM, dict(dose))
        else:
            bundle = {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [entry() for _ in range(entries)],
            }
            await services.bundles.transact(SYSTEM, bundle)

    signs = [sign(2)] if door == "one transaction" else [sign(1) for _ in range(6)]
    ends = await asyncio.gather(*signs, return_exceptions=True)
    refused = [end for end in ends if end is not None]
    assert [end for end in refused if not isinstance(end, AccessError)] == []
    assert len(refused) == (1 if door == "one transaction" else 5)


async def test_a_dose_not_given_says_why_and_answers_the_plan(services: Services) -> None:
    order = await _order(services, _every(6))
    key = key_of(order["id"], _at(0))
    with pytest.raises(administration.Refusal):
        administration.not_given(order, NORA, _at(0), due=key, reason="")
    said = administration.not_given(order, NORA, _at(0), due=key, reason="refused")
    wordless = {name: value for name, value in said.items() if name != "statusReason"}
    with pytest.raises(Invalid, match="hvorfor"):
        await services.writer.write(SYSTEM, wordless)
    kept = (await services.writer.write(SYSTEM, said)).stored.resource
    with pytest.raises(Unprocessable):
        await _give(services, order, _at(0), _at(0))
    taken_back = administration.corrected(kept, NORA, _at(0), "Feil pasient i listen")
    await services.writer.write(SYSTEM, taken_back, if_match=1)
    await _give(services, order, _at(0), _at(0))


@pytest.mark.parametrize("both", [True, False])
async def test_two_words_about_one_dose_are_kept_until_somebody_says_what_happened(
    services: Services, both: bool
) -> None:
    order = await _order(services, _every(6))
    first = await _give(services, order, _at(0), _at(0))
    second = administration.contradicting(_dose(order, _at(0), _at(0)), first)
    kept = (await services.writer.write(SYSTEM, second)).stored.resource
    assert administration.is_contradiction(kept)
    said = administration.settled(kept, OLA, datetime.now(UTC), both=both)
    after = (await services.writer.write(SYSTEM, said, if_match=1)).stored.resource
    assert after["status"] == ("completed" if both else "entered-in-error")
    with pytest.raises(administration.Refusal):
        administration.settled(after, OLA, datetime.now(UTC), both=both)
