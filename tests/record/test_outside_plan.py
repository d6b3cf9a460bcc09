"""Doses given though no plan holds them: kept as what happened, and told who prescribes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from msgspec import structs

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Unprocessable
from helsevev.access.services import Services, services_over
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.medication import administration, administration_rules
from helsevev.medication.administration import Signer, said_outside
from helsevev.medication.outside_awaiting_pages import awaiting
from helsevev.medication.outside_plan import (
    AGREED,
    DISAGREED,
    Outside,
    acknowledge,
    give_outside_plan,
)
from helsevev.medication.timing import key_of
from helsevev.record.database import Database

CODING = {"system": "http://www.whocc.no/atc", "code": "N02BE01"}
DOSE = {"doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg"}}]}


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
def doctor(nurse: Actor) -> Actor:
    """Who prescribes on the ward."""
    return replace(nurse, id="Practitioner/dora", name="Dora Dal", profession="physician")


async def _order(services: Services, status: str = "active", **more: Any) -> dict[str, Any]:
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    repeat = {"frequency": 1, "period": 6, "periodUnit": "h",
              "boundsPeriod": {"start": start.isoformat()}}  # fmt: skip
    order = {
        "resourceType": "MedicationRequest", "status": status, "intent": "order",
        "medicationCodeableConcept": {"coding": [CODING], "text": "Paracet"},
        "subject": {"reference": "Patient/anne"}, "authoredOn": clock.now().isoformat(),
        "requester": {"reference": "Practitioner/dora", "display": "Dora Dal"},
        "dosageInstruction": [{"timing": {"repeat": repeat}, **DOSE}],
    } | more  # fmt: skip
    return (await services.writer.write(SYSTEM, order)).stored.resource


def _given(by: dict[str, Any], **more: Any) -> Outside:
    return structs.replace(
        Outside(
            patient="anne", at=clock.now(), kind="stopped", words="Gitt før jeg så at den var "
            "stoppet", order=by, dosage=DOSE,
        ), **more,
    )  # fmt: skip


async def _tasks(services: Services, key: str) -> list[dict[str, Any]]:
    asked = [("identifier", f"http://helsevev.no/fhir/pressed|{key}")]
    page = await services.searcher.search(SYSTEM, parse("Task", asked, base=""))
    return [stored.resource for stored in page.matches]


async def test_a_dose_of_a_stopped_order_is_kept_marked_and_awaits_who_ordered_it(
    services: Services, nurse: Actor, doctor: Actor
) -> None:
    order, key = await _order(services, "stopped"), str(uuid4())
    ends = [await give_outside_plan(services, nurse, _given(order), key) for _ in range(2)]
    assert [end.problem for end in ends] == ["", ""]
    assert ends[0].id == ends[1].id
    kept = (
        await services.gate.open_resource(SYSTEM, "MedicationAdministration", ends[0].id)
    ).resource
    why = said_outside(kept)
    assert why is not None
    assert (kept["status"], why["coding"][0]["code"]) == ("completed", "stopped")
    (task,) = await _tasks(services, key)
    assert task["owner"]["reference"] == "Practitioner/dora"
    assert task["focus"]["reference"] == f"MedicationAdministration/{ends[0].id}"
    waits = clock.now() + timedelta(hours=24)
    assert task["restriction"]["period"]["end"][:13] == f"{waits:%Y-%m-%dT%H}"
    mine = [each for each in await awaiting(services, doctor) if each.task["id"] == task["id"]]
    assert [(each.medicine, each.amount, each.is_overdue) for each in mine] == [
        ("Paracet", "500 mg", False)
    ]
    refused = await acknowledge(services, nurse, task, AGREED, "")
    assert "ordinerer" in refused.problem
    assert (await acknowledge(services, doctor, task, DISAGREED, "")).problem
    assert not (await acknowledge(services, doctor, task, AGREED, "")).problem
    (done,) = await _tasks(services, key)
    assert (done["status"], done["owner"]["display"]) == ("completed", "Dora Dal")
    assert "allerede" in (await acknowledge(services, doctor, done, AGREED, "")).problem


async def test_the_ordinary_door_refuses_the_same_dose_all_the_same(services: Services) -> None:
    order = await _order(services, "stopped")
    by = Signer("Practitioner/nurse", "Nora")
    with pytest.raises(Unprocessable, match="seponert"):
        await services.writer.write(SYSTEM, administration.given(order, DOSE, by, clock.now()))


async def test_a_medicine_that_nobody_has_ordered_awaits_who_is_responsible_for_the_stay(
    services: Services, nurse: Actor, doctor: Actor, stay: Any
) -> None:
    attending = [{"type": [{"coding": [{"code": "ATND"}]}],
                  "individual": {"reference": doctor.id, "display": doctor.name}}]  # fmt: skip
    there = (await services.gate.open_resource(SYSTEM, "Encounter", "stay-anne")).resource
    await services.writer.write(
        SYSTEM, {**there, "participant": attending}, if_match=int(there["meta"]["versionId"])
    )
    medicine = {"coding": [{**CODING, "code": "C01CA24"}], "text": "Adrenalin"}
    key = str(uuid4())
    said = _given({}, medicine=medicine, kind="emergency", words="Anafylaksi")
    end = await give_outside_plan(services, nurse, said, key)
    assert not end.problem
    kept = (await services.gate.open_resource(SYSTEM, "MedicationAdministration", end.id)).resource
    assert "request" not in kept
    (task,) = await _tasks(services, key)
    assert task["owner"]["reference"] == doctor.id


async def test_what_who_prescribes_gives_by_their_own_word_awaits_nobody(
    services: Services, doctor: Actor
) -> None:
    key = str(uuid4())
    end = await give_outside_plan(services, doctor, _given(await _order(services)), key)
    assert not end.problem
    assert [task["status"] for task in await _tasks(services, key)] == ["completed"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"words": " "}, "hvorfor"), ({"kind": "made-up"}, "hvorfor"),
        ({"at": clock.now() + timedelta(hours=1)}, "fram i tid"),
        ({"patient": "berit"}, "annen pasient"), ({"order": {}, "medicine": {}}, "legemiddelet"),
    ],
)  # fmt: skip
async def test_what_is_not_said_is_asked_for_and_nothing_is_kept(
    services: Services, nurse: Actor, wrong: dict[str, Any], said: str
) -> None:
    key = str(uuid4())
    given = _given(await _order(services, "stopped"), **wrong)
    assert said in (await give_outside_plan(services, nurse, given, key)).problem
    assert await _tasks(services, key) == []


async def test_a_dose_a_colleague_signed_meanwhile_is_one_dose_and_a_contradiction(
    services: Services, nurse: Actor, doctor: Actor
) -> None:
    order = await _order(services)
    at = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    due = key_of(order["id"], at)
    said = [_given(order, due=due), _given(order, due=due)]
    keys = [str(uuid4()), str(uuid4())]
    ends = await asyncio.gather(
        give_outside_plan(services, nurse, said[0], keys[0]),
        give_outside_plan(services, doctor, said[1], keys[1]),
    )
    assert ["avklares" in end.problem for end in ends].count(True) == 1
    assert [end.problem for end in ends].count("") == 1
    places = [("MedicationAdministration", end.id) for end in ends]
    kept = (await services.gate.open_many(SYSTEM, places)).values()
    assert sorted(each["status"] for each in kept) == ["completed", "unknown"]


async def test_a_mark_without_words_is_refused_at_every_door(services: Services) -> None:
    by = Signer("Practitioner/nurse", "Nora")
    made = administration.given(
        await _order(services), DOSE, by, clock.now(), outside_plan=" ", outside_kind="verbal"
    )
    with pytest.raises(Exception, match="med ord"):
        await services.writer.write(SYSTEM, made)
