"""Several processes over one record: each has its own services, as each worker of a server has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.conditional import Conditionals
from helsevev.access.errors import Conflict, Refused
from helsevev.access.services import Services, services_over
from helsevev.record.database import Database
from helsevev.record.store import TurnTaken
from helsevev.record.turns import seen, take

Resource = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(database_url: str) -> AsyncIterator[Services]:
    """The services of another process."""
    elsewhere = await Database.open(database_url, size=4)
    made = services_over(elsewhere, {})
    await made.feed.start()
    await made.credentials.follow()
    yield made
    await made.feed.stop()
    await elsewhere.close()


async def soon(true: Callable[[], Any]) -> None:
    """Wait until `true()` is, for two seconds at most."""
    async with asyncio.timeout(2):
        while not await true():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("round_", range(8))
async def test_conditional_creates_in_two_processes_make_one(
    services: Services, other: Services, round_: int
) -> None:
    condition = f"identifier=urn:several|{round_}"
    person = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:several", "value": str(round_)}],
    }
    doors = [Conditionals(each.writer, each.searcher) for each in (services, other)]
    written = await asyncio.gather(
        *(door.create(SYSTEM, dict(person), condition) for door in doors * 3)
    )
    assert len({each.stored.id for each in written}) == 1
    assert [each.created for each in written].count(True) == 1


@pytest.mark.parametrize("round_", range(8))
async def test_conditional_creates_in_bundles_of_two_processes_make_one(
    services: Services, other: Services, round_: int
) -> None:
    value = f"bundle-{round_}"
    person = {"resourceType": "Patient", "identifier": [{"system": "urn:several", "value": value}]}

    def bundle() -> Resource:
        request = {
            "method": "POST", "url": "Patient",
            "ifNoneExist": f"identifier=urn:several|{value}",
        }  # fmt: skip
        entry = [{"resource": dict(person), "request": request}]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entry}

    answers = await asyncio.gather(
        *(each.bundles.transact(SYSTEM, bundle()) for each in (services, other)),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, BaseException)]
    assert all(isinstance(each, Conflict) for each in refused)
    assert len(refused) < len(answers)
    found = await services.searcher.match(SYSTEM, "Patient", f"identifier=urn:several|{value}")
    assert len(found) == 1


async def test_who_saw_a_turn_before_another_took_it_is_undone(database: Database) -> None:
    first = (await seen(database, ["Patient?name=a", "Patient?name=b"])).values()
    late = list((await seen(database, ["Patient?name=b"])).values())
    now = await database.fetchval("SELECT now()")
    async with database.transaction() as connection:
        await take(connection, list(first), now)
    with pytest.raises(TurnTaken):
        async with database.transaction() as connection:
            await take(connection, late, now)
    again = list((await seen(database, ["Patient?name=b"])).values())
    async with database.transaction() as connection:
        await take(connection, again, now)


async def test_a_sign_out_is_noticed_in_the_other_processes(
    services: Services, other: Services, nurse: Actor
) -> None:
    token = await services.credentials.start_session(nurse)
    assert await other.credentials.session_actor(token) is not None
    await services.credentials.end_session(token)
    assert await services.credentials.session_actor(token) is None

    async def signed_out() -> bool:
        return await other.credentials.session_actor(token) is None

    await soon(signed_out)


async def test_an_ended_relation_closes_the_record_in_the_other_processes(
    services: Services, other: Services, nurse: Actor, patient: Callable[..., Resource]
) -> None:
    await services.writer.write(SYSTEM, patient("several"))
    team = {
        "resourceType": "CareTeam", "id": "several-team", "status": "active",
        "subject": {"reference": "Patient/several"},
        "participant": [{"member": {"reference": "Practitioner/nurse"}}],
    }  # fmt: skip
    written = await services.writer.write(SYSTEM, team)
    for each in (services, other):
        await each.gate.open_resource(nurse, "Patient", "several")
    await services.writer.write(
        SYSTEM, team | {"status": "inactive"}, if_match=written.stored.version
    )
    with pytest.raises(Refused):
        await services.gate.open_resource(nurse, "Patient", "several")

    async def closed() -> bool:
        try:
            await other.gate.open_resource(nurse, "Patient", "several")
        except Refused:
            return True
        return False

    await soon(closed)
