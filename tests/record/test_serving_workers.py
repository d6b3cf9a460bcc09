"""A server of several processes: one is killed while systems write, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
from tests.record.test_server_kill import HELSEVEV, new_token

KILLS = 3
ALL = 3
"""Two that answer, and one for what goes on by itself."""


async def test_a_worker_killed_while_systems_write_loses_nothing_and_the_service_goes_on(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    environment = {**os.environ, "HELSEVEV_DATA": str(data)}
    server = await asyncio.create_subprocess_exec(
        *HELSEVEV, "serve", "--port", "0", "--workers", "2",
        env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = (await asyncio.wait_for(server.stdout.readline(), 60)).decode().split()[-1]
        assert int((data / "server.lock").read_text()) == server.pid
        token = await new_token(environment)
        headers = {"Authorization": f"Bearer {token}"}
        done: dict[str, str] = {}
        failed: list[str] = []
        stop = asyncio.Event()
        writers = [
            asyncio.create_task(write(address, headers, f"{n}", done, failed, stop))
            for n in range(6)
        ]
        for kill in range(KILLS):
            await until(done, len(done) + 20)
            workers = workers_of(server.pid)
            assert len(workers) == ALL
            os.kill(workers[kill % ALL], signal.SIGKILL)
            # The others go on, and soon there are as many again.
            await until(done, len(done) + 20)
            async with asyncio.timeout(20):
                while len(workers_of(server.pid)) < ALL:
                    await asyncio.sleep(0.02)
        stop.set()
        await asyncio.gather(*writers)
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
            assert (await client.get("/healthz")).text == "ok"
            for reference, name in done.items():
                stored = (await client.get(f"/fhir/{reference}")).json()
                assert stored["identifier"][0]["value"] == name
        assert len(failed) < len(done)
        left = workers_of(server.pid)
        server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.wait(), 30)
        assert not any(Path(f"/proc/{pid}").exists() for pid in left)
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def write(
    address: str,
    headers: dict[str, str],
    writer: str,
    done: dict[str, str],
    failed: list[str],
    stop: asyncio.Event,
) -> None:
    """Create one after another; what was acknowledged, and what got no answer."""
    number = 0
    while not stop.is_set():
        # A connection of its own, so that every worker is met.
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
            for _ in range(5):
                name, number = f"{writer}-{number}", number + 1
                person: dict[str, Any] = {
                    "resourceType": "Patient",
                    "identifier": [{"system": "urn:workers", "value": name}],
                }
                try:
                    answer = await client.post("/fhir/Patient", json=person)
                except httpx.HTTPError:
                    failed.append(name)
                    break
                assert answer.status_code == 201, answer.text
                done["/".join(answer.headers["location"].split("/")[-4:-2])] = name


async def until(done: dict[str, str], count: int) -> None:
    """Wait until so many were acknowledged."""
    async with asyncio.timeout(60):
        while len(done) < count:
            await asyncio.sleep(0.01)


def workers_of(server: int) -> list[int]:
    """The processes that answer or work: forked by the server, and so called as it is."""
    found = []
    command = Path(f"/proc/{server}/cmdline").read_bytes()
    for each in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        try:
            if Path(f"/proc/{each}/cmdline").read_bytes() == command:
                found.append(int(each))
        except OSError:
            continue
    return found
