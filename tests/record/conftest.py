"""The record and its gate over a fresh database, and a few people to care for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.kit import clock
from helsevev.record.audit import Author, origin
from helsevev.record.database import Database
from helsevev.record.store import Store

Resource = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """All that the gate offers, following changes."""
    made = services_over(database, {})
    await made.feed.start()
    yield made
    await made.feed.stop()


@pytest.fixture(scope="module")
def store(services: Services) -> Store:
    """The record itself, with the treatment relations as its read model."""
    return services.gate.store


@pytest.fixture(scope="session")
def author() -> Author:
    """On whose behalf tests write rows."""
    return Author(origin("Device/test", {"name": "Test", "role": "system"}), "test")


@pytest.fixture(scope="session")
def nurse() -> Actor:
    """A nurse on the ward, which is part of the hospital."""
    return Actor(
        "practitioner", "Practitioner/nurse", "Ness, Nora", "nurse", "nurse", "Organization/ward",
        "Ward", "Ward", ("Organization/ward", "Organization/hospital"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def stranger(nurse: Actor) -> Actor:
    """A physician at a unit that treats nobody here."""
    return replace(
        nurse, id="Practitioner/stranger", name="Storm, Stein", profession="physician",
        organisation="Organization/elsewhere", organisations=("Organization/elsewhere",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def secretary(nurse: Actor) -> Actor:
    """The ward's secretary."""
    return replace(nurse, id="Practitioner/secretary", profession="secretary")


@pytest.fixture(scope="session")
def patient() -> Callable[..., Resource]:
    """Make a Patient."""

    def make(patient_id: str, **more: Any) -> Resource:
        name = [{"family": "Berg", "given": [patient_id.capitalize()]}]
        return {"resourceType": "Patient", "id": patient_id, "name": name} | more

    return make


@pytest.fixture(scope="session")
def pulse() -> Callable[..., Resource]:
    """Make a measured pulse."""

    def make(patient_id: str, value: int = 72, **more: Any) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": f"Patient/{patient_id}"},
            "effectiveDateTime": "2026-01-02T10:00:00Z",
            "valueQuantity": {"value": value, "unit": "/min"},
        } | more

    return make


@pytest.fixture(scope="session")
def stay() -> Callable[..., Resource]:
    """Make an encounter on the ward, which ties its staff to the inhabitant."""

    def make(patient_id: str, encounter_id: str = "", **more: Any) -> Resource:
        return {
            "resourceType": "Encounter",
            "id": encounter_id or f"stay-{patient_id}",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": f"Patient/{patient_id}"},
            "serviceProvider": {"reference": "Organization/ward"},
            "period": {"start": "2026-01-01"},
        } | more

    return make


class Clock:
    """The program's clock, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """This moment, moved."""
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let time pass: `later(seconds=20)`."""
    moved = Clock()
    monkeypatch.setattr(clock, "now", moved.now)

    def pass_time(**span: float) -> None:
        moved.ahead += timedelta(**span)

    return pass_time


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def anne_and_berit(services: Services, patient: Any, pulse: Any, stay: Any) -> None:
    """Anne is on the ward; Berit is treated elsewhere; each has a pulse."""
    other = {"reference": "Organization/other"}
    made = [patient("anne"), patient("berit"), stay("anne"), stay("berit", serviceProvider=other)]
    made += [pulse(p, id=f"pulse-{p}") for p in ("anne", "berit")]
    for resource in made:
        await services.writer.write(SYSTEM, resource)
