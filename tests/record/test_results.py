"""No result without somebody who has acknowledged it or is asked to, over a real database."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Conflict, Invalid, PreconditionFailed
from helsevev.access.results_waiting import ResultsWaiting
from helsevev.access.services import Services, services_over
from helsevev.access.slices import Slice
from helsevev.follow_up.coding import stamp
from helsevev.kit import clock
from helsevev.observation.orders import rules as order_rules
from helsevev.observation.orders.coding import CATALOGUE, SIDES, SNOMED
from helsevev.observation.results_acknowledging import CannotAcknowledge, acknowledge
from helsevev.observation.results_asking import ResultsFollowed, ask_about
from helsevev.observation.results_due import PROJECTION, awaiting, is_critical
from helsevev.record.database import Database

Resource = dict[str, Any]
numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """The gate, with the rule of orders and the read model of results."""
    made = services_over(database, {"ServiceRequest": order_rules.check}, (PROJECTION,))
    await made.feed.start()
    yield made
    await made.feed.stop()


@pytest.fixture
def doctor(nurse: Actor) -> Actor:
    """Somebody who orders and acknowledges."""
    return replace(
        nurse, id="Practitioner/doctor", name="Dorte Lege", profession="physician", role="Overlege"
    )


@pytest_asyncio.fixture(loop_scope="session")
async def admitted(
    services: Services, doctor: Actor, patient: Callable[..., Resource],
    stay: Callable[..., Resource],
) -> str:  # fmt: skip
    """Somebody new at the doctor's unit; the id."""
    name = f"result-{next(numbers)}"
    system = replace(doctor, kind="system", id="Device/test", scopes=None)
    await services.writer.write(system, patient(name))
    unit = {"reference": doctor.organisations[0], "display": "Sengepost"}
    await services.writer.write(system, stay(name, serviceProvider=unit))
    return name


async def ordered(services: Services, doctor: Actor, name: str, key: str = "k") -> Resource:
    return (await services.writer.write(doctor, {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "code": {"coding": [{"system": CATALOGUE, "code": key}], "text": "Kalium"},
        "subject": {"reference": f"Patient/{name}"},
        "requester": {"reference": doctor.id, "display": doctor.name},
    })).stored.resource  # fmt: skip


async def answered(
    services: Services, name: str, *, order: Resource | None = None, value: str = "4.1",
    judged: str = "N", **more: Any,
) -> Resource:  # fmt: skip
    measured = await services.writer.write(SYSTEM, {
        "resourceType": "Observation", "status": "final",
        "code": {"text": "P-Kalium"}, "subject": {"reference": f"Patient/{name}"},
        "valueString": value,
        "interpretation": [{"coding": [{"code": judged}]}],
    })  # fmt: skip
    report: Resource = {
        "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Elektrolytter"},
        "subject": {"reference": f"Patient/{name}"}, "issued": stamp(clock.now()),
        "result": [{"reference": f"Observation/{measured.stored.id}"}], **more,
    }  # fmt: skip
    if order is not None:
        report["basedOn"] = [{"reference": f"ServiceRequest/{order['id']}"}]
    return (await services.writer.write(SYSTEM, report)).stored.resource


async def read(services: Services, actor: Actor, name: str, kind: str) -> list[Resource]:
    _permit, found = await services.gate.open_chart_at(
        actor, name, (Slice(kind, 100),), interaction="results"
    )
    return found[kind]


async def waiting(services: Services, doctor: Actor, name: str) -> dict[str, Any]:
    return awaiting(await read(services, doctor, name, "Task"))


async def test_who_ordered_is_asked_once_and_the_order_is_closed(
    services: Services, doctor: Actor, admitted: str
) -> None:
    order = await ordered(services, doctor, admitted)
    report = await answered(services, admitted, order=order)
    assert await ask_about(services, admitted) == 1
    assert await ask_about(services, admitted) == 0
    found = await waiting(services, doctor, admitted)
    assert found[report["id"]]["owner"]["reference"] == doctor.id
    assert not is_critical(found[report["id"]])
    assert [o["status"] for o in await read(services, doctor, admitted, "ServiceRequest")] == [
        "completed"
    ]


async def test_a_critical_answer_is_urgent_even_before_it_is_final(
    services: Services, doctor: Actor, admitted: str
) -> None:
    harmless = await answered(services, admitted, status="preliminary")
    grave = await answered(services, admitted, status="preliminary", judged="HH", value="6.8")
    await ask_about(services, admitted)
    found = await waiting(services, doctor, admitted)
    assert harmless["id"] not in found
    assert is_critical(found[grave["id"]])
    assert found[grave["id"]]["priority"] == "stat"
    assert any("escalation" in e["url"] for e in found[grave["id"]]["extension"])


async def test_without_an_order_the_unit_of_the_stay_is_asked(
    services: Services, doctor: Actor, admitted: str
) -> None:
    report = await answered(services, admitted)
    await ask_about(services, admitted)
    found = await waiting(services, doctor, admitted)
    assert found[report["id"]]["owner"]["reference"] == doctor.organisations[0]


async def test_an_acknowledged_result_that_is_corrected_is_asked_about_anew(
    services: Services, doctor: Actor, admitted: str
) -> None:
    report = await answered(services, admitted)
    await ask_about(services, admitted)
    task = (await waiting(services, doctor, admitted))[report["id"]]
    await acknowledge(services, doctor, report, task, "inform", "")
    assert await waiting(services, doctor, admitted) == {}
    assert await ask_about(services, admitted) == 0
    tasks = await read(services, doctor, admitted, "Task")
    assert [t["code"]["text"] for t in tasks if t["status"] == "requested"] == [
        "Gi pasienten beskjed"
    ]
    await services.writer.write(SYSTEM, {**report, "status": "corrected"}, if_match=1)
    assert await ask_about(services, admitted) == 1
    assert list(await waiting(services, doctor, admitted)) == [report["id"]]


async def test_a_task_that_is_cancelled_is_no_acknowledgement(
    services: Services, doctor: Actor, admitted: str
) -> None:
    report = await answered(services, admitted)
    await ask_about(services, admitted)
    task = (await waiting(services, doctor, admitted))[report["id"]]
    await services.writer.write(doctor, {**task, "status": "cancelled"}, if_match=1)
    assert await ask_about(services, admitted) == 1
    assert list(await waiting(services, doctor, admitted)) == [report["id"]]


async def test_two_who_acknowledge_at_once_are_one(
    services: Services, doctor: Actor, admitted: str
) -> None:
    report = await answered(services, admitted)
    await ask_about(services, admitted)
    task = (await waiting(services, doctor, admitted))[report["id"]]
    await acknowledge(services, doctor, report, task, "none", "")
    colleague = replace(doctor, id="Practitioner/colleague", name="Kari Kollega")
    with pytest.raises((Conflict, PreconditionFailed)):
        await acknowledge(services, colleague, report, task, "none", "")


async def test_only_those_who_may_acknowledge_do_and_say_what_is_to_be_done(
    services: Services, doctor: Actor, admitted: str
) -> None:
    report = await answered(services, admitted)
    assistant = replace(doctor, profession="assistant-nurse")
    for actor, step, words in ((assistant, "none", ""), (doctor, "unit", ""), (doctor, "?", "")):
        with pytest.raises(CannotAcknowledge):
            await acknowledge(services, actor, report, None, step, words)


async def test_old_answers_that_are_brought_in_wait_for_nobody(
    services: Services, admitted: str
) -> None:
    long_ago = stamp(clock.now() - timedelta(days=400))
    await answered(services, admitted, issued=long_ago)
    assert await ask_about(services, admitted) == 0


async def test_a_paired_part_is_not_ordered_without_a_side_through_any_door(
    services: Services, doctor: Actor, admitted: str
) -> None:
    with pytest.raises(Invalid):
        await ordered(services, doctor, admitted, "xr-knee")
    order = await ordered(services, doctor, admitted, "xr-chest")
    right = {"coding": [{"system": SNOMED, "code": SIDES["right"]}], "text": "høyre"}
    knee = {**order, "code": {"coding": [{"system": CATALOGUE, "code": "xr-knee"}]},
            "bodySite": [right]}  # fmt: skip
    await services.writer.write(doctor, knee, if_match=1)


async def test_over_a_day_of_answers_none_is_lost_whatever_happens_to_them(
    services: Services, doctor: Actor, admitted: str
) -> None:
    """Answers come, are corrected, acknowledged, handed about and struck out; the job is killed."""
    chance, reports = random.Random(7), []
    followed = ResultsFollowed(services)
    counting = ResultsWaiting(services.gate)
    for _hour in range(12):
        for _each in range(chance.randint(0, 2)):
            order = await ordered(services, doctor, admitted) if chance.random() < 0.5 else None
            judged = chance.choice(("N", "H", "HH"))
            reports.append(await answered(services, admitted, order=order, judged=judged))
        for place, report in enumerate(reports):
            if chance.random() < 0.15:
                changed = {**report, "status": "corrected", "issued": stamp(clock.now())}
                version = int(report["meta"]["versionId"])
                written = await services.writer.write(SYSTEM, changed, if_match=version)
                reports[place] = written.stored.resource
        if chance.random() < 0.3:
            continue  # The job lies dead for an hour.
        await followed.look(await followed.concerned.all())
        assert (await counting.counted()).lost == 0
        by_id = {report["id"]: report for report in reports}
        for key, task in (await waiting(services, doctor, admitted)).items():
            fate = chance.random()
            if fate < 0.4:
                await acknowledge(services, doctor, by_id[key], task, "none", "")
            elif fate < 0.6:
                version = int(task["meta"]["versionId"])
                ended = {**task, "status": chance.choice(("cancelled", "failed", "rejected"))}
                await services.writer.write(doctor, ended, if_match=version)
    await followed.look(await followed.concerned.all())
    stands = await counting.counted()
    assert stands.lost == 0
    assert stands.due == stands.acknowledged + stands.waiting
    assert stands.acknowledged > 3
