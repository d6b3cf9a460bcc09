"""What nobody answers by its deadline goes on by itself, once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.content.loading import follow_up
from helsevev.follow_up.answering import answer_task, open_task
from helsevev.follow_up.asking import ask, entry
from helsevev.follow_up.standing import PROJECTION, standing_of
from helsevev.follow_up.watching import Escalation
from helsevev.kit import clock
from helsevev.record.database import Database

WARD = ("Organization/ward", "Sengepost")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def followed(database: Database, patient: Any, stay: Any) -> AsyncIterator[Services]:
    """A record with Anne on the ward of a hospital, which follows what waits."""
    made = services_over(database, {}, (PROJECTION,))
    hospital = {"resourceType": "Organization", "id": "hospital", "name": "Sykehuset"}
    part_of = {"partOf": {"reference": "Organization/hospital", "display": "Sykehuset"}}
    ward = {**hospital, "id": "ward", "name": "Sengepost", **part_of}
    for resource in (hospital, ward, patient("anne"), stay("anne")):
        await made.writer.write(SYSTEM, resource)
    yield made


async def need(services: Services, key: str, **more: Any) -> str:
    """Ask the nurse to see to Anne, twice, as one who presses twice; the id of the one Task."""
    said: dict[str, Any] = {
        "patient_id": "anne", "owner": ("Practitioner/nurse", "Nora"), "unit": WARD,
        "at": clock.now(), "matter": "deterioration", "key": key,
    }  # fmt: skip
    task = ask("NEWS2 er 8", **{**said, **more})
    found: set[str] = set()
    for _again in range(2):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(task)]}
        answer = await services.bundles.transact(SYSTEM, bundle)
        found.add(answer["entry"][0]["response"]["location"].split("/")[1])
    (task_id,) = found
    return task_id


async def test_a_need_is_asked_once_and_stands_with_its_owner_and_on_the_unit_s_list(
    followed: Services, nurse: Actor
) -> None:
    task_id = await need(followed, "once")
    assert task_id in [each.task_id for each in await followed.waiting.mine(nurse)]
    assert task_id in [each.task_id for each in await followed.waiting.of_unit(nurse)]
    colleague = replace(nurse, id="Practitioner/other")
    assert task_id not in [each.task_id for each in await followed.waiting.mine(colleague)]
    await answer_task(followed, nurse, task_id, "complete", patient_id="anne")
    assert task_id not in [each.task_id for each in await followed.waiting.of_unit(nurse)]


async def test_what_is_overdue_goes_to_the_unit_then_above_it_each_step_once(
    followed: Services, later: Callable[..., None]
) -> None:
    task_id, job = await need(followed, "steps"), Escalation(followed)
    owners = []
    for _quarter in range(4):
        # Two processes that look at once, as when one was killed and another took over.
        await asyncio.gather(job.look(), Escalation(followed).look())
        owners.append(standing_of(await open_task(followed, SYSTEM, task_id)).owner.reference)
        later(minutes=16)
    assert owners == [
        "Practitioner/nurse", "Organization/ward", "Organization/hospital", "Organization/hospital",
    ]  # fmt: skip
    task = await open_task(followed, SYSTEM, task_id)
    assert len(task["note"]) == 2
    assert "Sykehuset" in task["note"][1]["text"]


async def test_a_job_that_stood_still_is_noticed_and_the_time_is_kept(
    followed: Services, later: Callable[..., None]
) -> None:
    longest = timedelta(minutes=follow_up().late_minutes)
    await Escalation(followed).look()
    assert not await followed.waiting.is_late(longest)
    later(hours=2)
    assert await followed.waiting.is_late(longest)
    await Escalation(followed).look()
    assert not await followed.waiting.is_late(longest)
    (gap, *_) = await followed.waiting.gaps(clock.now() - timedelta(hours=3))
    assert gap[1] - gap[0] >= timedelta(hours=1)


async def test_a_list_that_nobody_opens_for_a_day_is_told_above_and_no_more_once_it_is_opened(
    followed: Services, nurse: Actor, later: Callable[..., None]
) -> None:
    leader = replace(nurse, id="Practitioner/leader", organisations=("Organization/hospital",))
    await followed.waiting.open_list(nurse)
    await need(followed, "unopened", matter="task")
    later(hours=follow_up().unopened_hours + 1)
    await Escalation(followed).look()
    await Escalation(followed).look()
    (told,) = await followed.waiting.unopened_below(leader)
    assert (told.unit, told.unit_name) == WARD
    await followed.waiting.open_list(nurse)
    assert await followed.waiting.unopened_below(leader) == []


async def test_two_who_answer_at_once_are_not_both_believed(
    followed: Services, nurse: Actor
) -> None:
    task_id = await need(followed, "race")
    seen = int((await open_task(followed, nurse, task_id))["meta"]["versionId"])
    await answer_task(followed, nurse, task_id, "accept", version=seen)
    with pytest.raises(Exception, match="another was seen"):
        await answer_task(followed, nurse, task_id, "complete", version=seen)
