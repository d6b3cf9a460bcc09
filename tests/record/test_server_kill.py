"""The server is killed while systems write: what it acknowledged is there, and nothing is half."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

SIZE = 12
KILLS = 3
HELSEVEV = (sys.executable, "-c", "import sys; from helsevev.main import cli; sys.exit(cli())")


def bundle(name: str) -> dict[str, Any]:
    """One inhabitant with measurements, in one transaction."""
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:kill", "value": name}]}
    pulse = {
        "resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
    }  # fmt: skip
    entries: list[dict[str, Any]] = [
        {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": patient}
    ]
    entries += [{"resource": pulse} for _ in range(SIZE - 1)]
    for entry in entries:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@asynccontextmanager
async def served(
    environment: dict[str, str],
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server on a port of its own choice, and its address."""
    process = await asyncio.create_subprocess_exec(
        *HELSEVEV, "serve", "--port", "0", env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield process, line.decode().split()[-1]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 30)


async def write_until_lost(client: httpx.AsyncClient, writer: str, done: list[str]) -> None:
    """Send bundles one after another until the server is gone; note those it acknowledged."""
    number = 0
    while True:
        name = f"{writer}-{number}"
        try:
            answer = await client.post("/fhir", json=bundle(name))
        except httpx.HTTPError:
            return
        assert answer.status_code == 200, answer.text
        done.append(name)
        number += 1


async def test_a_killed_server_loses_no_acknowledged_bundle_and_leaves_no_half(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "HELSEVEV_DATA": str(tmp_path / "data")}
    done: list[str] = []
    token = ""
    for kill in range(KILLS):
        async with served(environment) as (process, address):
            if not token:
                token = await new_token(environment)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
                before = len(done)
                writers = [
                    asyncio.create_task(write_until_lost(client, f"{kill}-{n}", done))
                    for n in range(4)
                ]
                while len(done) < before + 12:
                    await asyncio.sleep(0.01)
                process.kill()
                await asyncio.gather(*writers)
    async with (
        served(environment) as (_, address),
        httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client,
    ):
        assert len(done) >= 12 * KILLS
        for name in done:
            assert await measurements_of(client, name) == SIZE - 1, name
        people = await total(client, "/fhir/Patient?_summary=count")
        assert await total(client, "/fhir/Observation?_summary=count") == people * (SIZE - 1)


async def new_token(environment: dict[str, str]) -> str:
    """A system's token, from the command line beside the server."""
    process = await asyncio.create_subprocess_exec(
        *HELSEVEV, "token", "--system", env=environment, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return printed.decode().strip()


async def measurements_of(client: httpx.AsyncClient, name: str) -> int:
    """How many measurements the one inhabitant of that name has."""
    found = (await client.get(f"/fhir/Patient?identifier=urn:kill|{name}")).json()
    (entry,) = found["entry"]
    return await total(
        client, f"/fhir/Observation?patient={entry['resource']['id']}&_summary=count"
    )


async def total(client: httpx.AsyncClient, query: str) -> int:
    """How many a search counts."""
    count: int = (await client.get(query)).json()["total"]
    return count
