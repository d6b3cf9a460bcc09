"""Server, PostgreSQL and receiver are killed: every event of an acknowledged write comes (G24)."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import httpx

from .receiver import Receiver, receiving
from .subscribing import result_of, subscription
from .test_crash import postmaster
from .test_server_kill import new_token, served

ROUNDS = ("server", "postgres", "receiver", "server", "receiver and server")
MORE = 25


async def write_until_lost(client: httpx.AsyncClient, person: str, done: set[str]) -> None:
    """Report results one after another until the server is gone; note the acknowledged ones."""
    while True:
        try:
            answer = await client.post("/fhir/Observation", json=result_of(person))
        except httpx.HTTPError:
            return
        if answer.status_code == 503:  # PostgreSQL is coming back.
            await asyncio.sleep(0.02)
            continue
        assert answer.status_code == 201, answer.text
        done.add(f"Observation/{answer.json()['id']}")


async def test_kills_lose_no_event_and_leave_no_gap_in_their_numbers(tmp_path: Path) -> None:
    chance = Random(24)
    done: set[str] = set()
    data = tmp_path / "data"
    listening = AsyncExitStack()
    receiver = await listening.enter_async_context(receiving())
    environment = {
        **os.environ,
        "HELSEVEV_DATA": str(data),
        "HELSEVEV_SUBSCRIPTION_ENDPOINTS": f"http://127.0.0.1:{receiver.port}",
    }
    token = name = ""
    for what in ROUNDS:
        async with served(environment) as (process, address):
            token = token or await new_token(environment)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                name = name or await subscribe(client, receiver)
                writers = [
                    asyncio.create_task(write_until_lost(client, "kari", done)) for _ in range(3)
                ]
                await more_of(done, MORE)
                if what == "postgres":
                    os.kill(postmaster(data), signal.SIGKILL)
                    await more_of(done, MORE)
                if "receiver" in what:
                    await listening.aclose()
                    await more_of(done, MORE)
                if "server" in what:
                    process.kill()
                    await asyncio.gather(*writers)
                if "receiver" in what:
                    listening = AsyncExitStack()
                    await listening.enter_async_context(receiving(receiver.port, receiver))
                # Something, but not all, is delivered before the next round.
                await asyncio.sleep(chance.random() / 2)
                if process.returncode is None:
                    process.kill()
                    await asyncio.gather(*writers)
    async with served(environment) as (_, address):
        async with asyncio.timeout(90):
            while not done <= set(focuses(receiver)):
                await asyncio.sleep(0.1)
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
            told = (await client.get(f"/fhir/Subscription/{name}/$events")).json()
    await listening.aclose()
    assert len(done) >= MORE * len(ROUNDS)
    by_number = {int(event["event-number"]): event["focus"] for event in receiver.events}
    assert sorted(by_number) == list(range(1, max(by_number) + 1)), "a number is missing"
    assert len(set(by_number.values())) == len(by_number), "a change became two events"
    assert all(by_number[int(e["event-number"])] == e["focus"] for e in receiver.events)
    assert in_order(receiver.numbers), "an event came before one that it follows"
    assert told["entry"][0]["resource"]["parameter"][0]["valueReference"]["reference"].endswith(
        name
    )


async def subscribe(client: httpx.AsyncClient, receiver: Receiver) -> str:
    """A patient, and a subscription to results, once it is active; its id."""
    patient = {"resourceType": "Patient", "id": "kari"}
    assert (await client.put("/fhir/Patient/kari", json=patient)).status_code == 201
    answer = await client.post("/fhir/Subscription", json=subscription(receiver.url))
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    while (await client.get(f"/fhir/Subscription/{name}")).json()["status"] != "active":
        await asyncio.sleep(0.05)
    return name


async def more_of(done: set[str], number: int) -> None:
    """Wait until so many more have been acknowledged."""
    wanted = len(done) + number
    async with asyncio.timeout(60):
        while len(done) < wanted:
            await asyncio.sleep(0.01)


def focuses(receiver: Receiver) -> list[str]:
    """What the events that arrived are about."""
    return [event["focus"] for event in receiver.events]


def in_order(numbers: list[int]) -> bool:
    """Whether no number comes before all that precede it have come."""
    highest = 0
    for number in numbers:
        if number > highest + 1:
            return False
        highest = max(highest, number)
    return True
