"""Plans over a real record: tasks made ahead once, whoever dies or presses twice meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import AccessError
from helsevev.access.services import Services, services_over
from helsevev.care_plan import plan as plans
from helsevev.care_plan.ahead import make_ahead
from helsevev.care_plan.keeping import begin, by, change, keep, open_plans, settle
from helsevev.care_plan.plan import Measure, new_plan, with_measure
from helsevev.care_plan.scheduling import key_of, kind_of_task
from helsevev.follow_up.answering import answer_task
from helsevev.follow_up.standing import PROJECTION
from helsevev.kit import clock
from helsevev.record.database import Database

WARD = ("Organization/ward", "Sengepost")
STEPS = "http://helsevev.no/fhir/StructureDefinition/step-deadline"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def planned(database: Database, patient: Any, stay: Any) -> AsyncIterator[Services]:
    """A record with Anne on the ward."""
    made = services_over(database, {"CarePlan": plans.check}, (PROJECTION,))
    ward = {"resourceType": "Organization", "id": "ward", "name": "Sengepost"}
    for resource in (ward, patient("anne"), stay("anne")):
        await made.writer.write(SYSTEM, resource)
    yield made


async def begun(services: Services, nurse: Actor, key: str, *clocks: str) -> str:
    """A plan with one measure at some times of day."""
    now = clock.now()
    repeat = {"frequency": len(clocks), "period": 1, "periodUnit": "d",
              "timeOfDay": [f"{each}:00" for each in clocks]}  # fmt: skip
    made = new_plan(
        "Patient/anne", "care", "Plan", by(nurse), now,
        evaluate=now.date() + timedelta(days=60),
    )  # fmt: skip
    measure = Measure(title="Vekt", repeat=repeat, performer=WARD)
    return await begin(services, nurse, with_measure(made, measure, now, name="weigh"), (), key)


async def tasks(services: Services, plan_id: str, kind: str = "measure") -> list[dict[str, Any]]:
    opened = await open_plans(services, SYSTEM, "anne")
    return [
        dict(each) for each in opened.found["Task"]
        if key_of(each).startswith(plan_id) and kind_of_task(each) == kind
    ]  # fmt: skip


async def current(services: Services, plan_id: str) -> dict[str, Any]:
    return (await services.gate.open_resource(SYSTEM, "CarePlan", plan_id)).resource


async def test_a_form_that_is_sent_twice_begins_one_plan_with_its_tasks_once(
    planned: Services, nurse: Actor
) -> None:
    key = str(uuid4())
    first, second = await asyncio.gather(
        begun(planned, nurse, key, "08:00", "20:00"), begun(planned, nurse, key, "08:00", "20:00")
    )
    assert first == second
    made = await tasks(planned, first)
    assert len(made) == len({key_of(each) for each in made}) == 6


async def test_tasks_are_made_as_the_days_go_and_never_twice_by_two_who_make_them(
    planned: Services, nurse: Actor, later: Callable[..., None]
) -> None:
    plan_id = await begun(planned, nurse, str(uuid4()), "08:00")
    for _day in range(3):
        later(days=1)
        await asyncio.gather(make_ahead(planned), make_ahead(planned))
    made = await tasks(planned, plan_id)
    assert len(made) == len({key_of(each) for each in made}) == 6
    assert await make_ahead(planned) == 0


async def test_a_job_that_was_cut_off_leaves_what_it_made_and_goes_on_the_next_time(
    planned: Services, nurse: Actor
) -> None:
    plan_id = await begun(planned, nurse, str(uuid4()), "08:00")
    for _again in range(4):
        changed = with_measure(
            await current(planned, plan_id),
            Measure(title="Puls", repeat={"frequency": 1, "period": 1, "periodUnit": "h"},
                    performer=WARD), clock.now(), name="pulse",
        )  # fmt: skip
        written = await planned.writer.write(nurse, changed)
        cut = asyncio.create_task(settle(planned, SYSTEM, written.stored.resource))
        await asyncio.sleep(0.005)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        await settle(planned, SYSTEM, await current(planned, plan_id))
        hourly = [t for t in await tasks(planned, plan_id) if t["code"]["text"] == "Puls"]
        going_on = [t for t in hourly if t["status"] == "requested"]
        assert 71 <= len(going_on) <= 73
        assert len(hourly) == len({key_of(each) for each in hourly})


async def test_a_plan_that_ends_takes_its_tasks_off_every_list(
    planned: Services, nurse: Actor
) -> None:
    plan_id = await begun(planned, nurse, str(uuid4()), "08:00")
    assert any(each["status"] == "requested" for each in await tasks(planned, plan_id))
    over = plans.ended(
        await current(planned, plan_id), "completed", "Frisk", by(nurse), clock.now()
    )
    await change(planned, nurse, over)
    left = [*await tasks(planned, plan_id), *await tasks(planned, plan_id, "evaluation")]
    assert {each["status"] for each in left} == {"cancelled"}


async def test_what_is_planned_hides_nothing_on_the_list_until_it_is_late(
    planned: Services, nurse: Actor, later: Callable[..., None]
) -> None:
    plan_id = await begun(planned, nurse, str(uuid4()), "03:00")
    mine = {each["id"] for each in await tasks(planned, plan_id)}
    listed = {each.task_id for each in await planned.waiting.of_unit(nurse)}
    assert mine
    assert mine.isdisjoint(listed)
    later(days=4)
    listed = {each.task_id for each in await planned.waiting.of_unit(nurse)}
    assert mine & listed


async def test_a_step_documented_on_the_desk_moves_the_deadline_of_the_next(
    planned: Services, nurse: Actor
) -> None:
    now = clock.now()
    made = new_plan("Patient/anne", "pathway", "Forløp", by(nurse), now,
                    evaluate=now.date() + timedelta(days=60))  # fmt: skip

    def step(name: str, after: str) -> dict[str, Any]:
        within = {"value": 10, "unit": "d", "code": "d", "system": "http://unitsofmeasure.org"}
        parts = [
            {"url": "after", "valueString": after},
            {"url": "within", "valueDuration": within},
        ]
        return {"id": name, "detail": {
            "extension": [{"url": STEPS, "extension": parts}], "status": "not-started",
            "code": {"text": name}, "performer": [{"reference": WARD[0]}],
        }}  # fmt: skip

    made["activity"] = [step("visit", "start"), step("decision", "visit")]
    plan_id = await begin(planned, nurse, made, (), str(uuid4()))
    steps = {t["code"]["text"]: t for t in await tasks(planned, plan_id, "step")}
    due = steps["decision"]["restriction"]["period"]["end"]
    await answer_task(planned, nurse, steps["visit"]["id"], "complete", patient_id="anne")
    await make_ahead(planned)
    steps = {t["code"]["text"]: t for t in await tasks(planned, plan_id, "step")}
    assert steps["decision"]["restriction"]["period"]["end"] < due
    kept = await current(planned, plan_id)
    assert kept["activity"][0]["detail"]["status"] == "completed"


async def test_an_individual_plan_without_a_coordinator_is_refused(
    planned: Services, nurse: Actor
) -> None:
    made = new_plan("Patient/anne", "individual", "IP", {}, clock.now(),
                    evaluate=clock.now().date())  # fmt: skip
    entry = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": made,
             "request": {"method": "POST", "url": "CarePlan"}}  # fmt: skip
    with pytest.raises(AccessError, match="coordinator"):
        await keep(planned, nurse, [entry])
