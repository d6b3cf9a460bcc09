"""The record refuses the same substance ordered twice, unless somebody says that it is meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.services import Services, services_over
from helsevev.decision_support.reading import MEANT_BESIDE
from helsevev.medication import order_duplicates, prescription
from helsevev.medication.coding import AS_NEEDED, REGULAR, use_extension
from helsevev.record.database import Database

DAILY = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
ORAL = {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7477", "code": "53"}]}
RECTAL = {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7477", "code": "59"}]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """The gate with the rules of orders."""
    yield services_over(
        database,
        {"MedicationRequest": prescription.check},
        beside={"MedicationRequest": order_duplicates.RULE},
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(anne_and_berit: None) -> None:
    """Anne is on the ward; Berit is treated elsewhere."""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nothing_left(services: Services) -> AsyncIterator[None]:
    """What a test orders is ended by its end."""
    WRITTEN.clear()
    yield
    for stored in WRITTEN:
        now = await services.gate.open_resource(SYSTEM, "MedicationRequest", stored)
        await services.writer.write(
            SYSTEM, {**now.resource, "status": "entered-in-error"}, if_match=now.version
        )


WRITTEN: list[str] = []


def order(atc: str = "C07AB02", **more: Any) -> dict[str, Any]:
    """An order of metoprolol for Anne, told as the national model does."""
    dosage = {
        "extension": [use_extension(REGULAR)], "timing": DAILY,
        "doseAndRate": [{"doseQuantity": {"value": 50, "unit": "mg"}}],
        **more.pop("dosage", {}),
    }  # fmt: skip
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/anne"}, "authoredOn": "2026-11-01",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": atc}], "text": f"Middel {atc}",
        },
        "dosageInstruction": [dosage], **more,
    }  # fmt: skip


async def ordered(services: Services, made: dict[str, Any]) -> dict[str, Any]:
    """The order as it is kept. Raises `AccessError`."""
    stored = (await services.writer.write(SYSTEM, made)).stored
    WRITTEN.append(stored.id)
    return stored.resource


def as_needed() -> dict[str, Any]:
    """How a dosage says that it is taken as needed."""
    return {
        "extension": [use_extension(AS_NEEDED)],
        "asNeededCodeableConcept": {"text": "uro"},
        "maxDosePerPeriod": {
            "numerator": {"value": 100, "unit": "mg"}, "denominator": {"value": 24, "unit": "h"},
        },
    }  # fmt: skip


def days(start: str, end: str) -> dict[str, Any]:
    """A dosage's first and last day."""
    return {"timing": {"repeat": {**DAILY["repeat"], "boundsPeriod": {"start": start, "end": end}}}}


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the same again": (order(), order()),
    "another strength and dose": (order(), order(dosage={"doseAndRate": [
        {"doseQuantity": {"value": 100, "unit": "mg"}},
    ]})),
    "one of them without a route": (order(dosage={"route": ORAL}), order()),
    "both as needed": (order(dosage=as_needed()), order(dosage=as_needed())),
    "courses that overlap": (
        order(dosage=days("2026-11-01", "2026-11-10")),
        order(dosage=days("2026-11-10", "2026-11-20")),
    ),
    "said to be meant, with nothing but spaces": (order(), order(extension=[
        {"url": MEANT_BESIDE, "valueString": " "},
    ])),
    "an order of another system that stands already": (
        order(dosage={"extension": [{"url": "urn:x", "valueString": "x"}]}), order(),
    ),
}  # fmt: skip
TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "another substance": (order(), order("C07AB07")),
    "another route": (order(dosage={"route": ORAL}), order(dosage={"route": RECTAL})),
    "as needed beside regular": (order(), order(dosage=as_needed())),
    "one course after the other": (
        order(dosage=days("2026-11-01", "2026-11-09")),
        order(dosage=days("2026-11-10", "2026-11-20")),
    ),
    "beside a paused one": (
        order(status="on-hold", statusReason={"text": "Akutt sykdom"}), order(),
    ),
    "beside a stopped one": (order(status="stopped", statusReason={"text": "Ferdig"}), order()),
    "in a stay beside one at home": (
        order(category=[{"coding": [{"code": "community"}]}]),
        order(category=[{"coding": [{"code": "inpatient"}]}]),
    ),
    "steps of one course": (
        order(groupIdentifier={"value": "kur-1"}), order(groupIdentifier={"value": "kur-1"}),
    ),
    "said to be meant": (order(), order(extension=[
        {"url": MEANT_BESIDE, "valueString": "Depot og vanlig tablett"},
    ])),
    "one that tells what was ordered elsewhere": (order(), order(reportedBoolean=True)),
    "one of a system that does not say its use": (
        order(), order(dosage={"extension": [{"url": "urn:x", "valueString": "x"}]}),
    ),
    "a proposal": (order(), order(intent="proposal")),
}  # fmt: skip


@pytest.mark.parametrize("about", REFUSED)
async def test_the_same_substance_and_route_is_not_ordered_twice(
    services: Services, about: str
) -> None:
    first, second = REFUSED[about]
    await ordered(services, first)
    with pytest.raises(AccessError) as refused:
        await ordered(services, second)
    assert [issue.code for issue in refused.value.issues] == ["duplicate"]


@pytest.mark.parametrize("about", TAKEN)
async def test_what_is_rightly_ordered_beside_it_is_taken(services: Services, about: str) -> None:
    first, second = TAKEN[about]
    await ordered(services, first)
    await ordered(services, second)


async def test_an_order_is_changed_and_renewed_but_not_resumed_beside_its_like(
    services: Services,
) -> None:
    first = await ordered(services, order())
    changed = {**first, "note": [{"text": "Sammen med mat"}]}
    first = (await services.writer.write(SYSTEM, changed, if_match=1)).stored.resource
    renewed = order(priorPrescription={"reference": f"MedicationRequest/{first['id']}"})
    await ordered(services, renewed)
    paused = await ordered(services, order(status="on-hold", statusReason={"text": "Faste"}))
    with pytest.raises(AccessError):
        await services.writer.write(SYSTEM, {**paused, "status": "active"}, if_match=1)


async def test_two_who_order_the_same_at_once_make_one_order(services: Services) -> None:
    tries = [ordered(services, order("C03CA01")) for _ in range(6)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert all(isinstance(answer, dict | AccessError) for answer in answers)


async def test_two_of_the_same_in_one_transaction_are_refused_together(services: Services) -> None:
    entries = [
        {"resource": order("C03CA01"), "request": {"method": "POST", "url": "MedicationRequest"}}
        for _ in range(2)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    with pytest.raises(AccessError) as refused:
        await services.bundles.transact(SYSTEM, bundle)
    assert {issue.code for issue in refused.value.issues} == {"duplicate"}
