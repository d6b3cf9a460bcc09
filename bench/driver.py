"""The limits: the same rows by the bare driver, at the same concurrency, in a process of its own.

Every client has a connection with the statement prepared; nothing is decided, checked or audited.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

COPIED = ("resource", "search_string", "search_date", "search_quantity", "search_text", "directory")
"""What an import of new resources leaves besides audit and change feed."""


def measured(
    url: str, statement: str, arguments: list[tuple[Any, ...]], clients: int, seconds: float
) -> tuple[list[float], float]:
    """The seconds of every round trip, and the whole."""
    plan = pickle.dumps((url, statement, arguments, clients, seconds))
    done = subprocess.run(
        [sys.executable, "-m", "bench.driver"], input=plan, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(done.stdout)
    return found["took"], found["seconds"]


async def copy_rate(url: str, resources: int) -> float:
    """Resources per second of raw COPY: the stored rows, into empty tables with their indexes."""
    connection = await asyncpg.connect(url)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for table in COPIED:
                path = str(Path(folder) / table)
                await connection.copy_from_table(table, output=path, format="binary")
            await connection.execute("CREATE SCHEMA copied")
            for table in COPIED:
                await connection.execute(
                    f"CREATE TABLE copied.{table} (LIKE public.{table} INCLUDING ALL)"
                )
            begun = time.perf_counter()
            for table in COPIED:
                path = str(Path(folder) / table)
                await connection.copy_to_table(
                    table, source=path, format="binary", schema_name="copied"
                )
            took = time.perf_counter() - begun
            await connection.execute("DROP SCHEMA copied CASCADE")
    finally:
        await connection.close()
    return resources / took


async def _client(prepared: Any, arguments: Any, until: float, took: list[float]) -> None:
    while (begun := time.perf_counter()) < until:
        await prepared.fetch(*next(arguments))
        took.append(time.perf_counter() - begun)


async def _run(
    url: str, statement: str, arguments: list[tuple[Any, ...]], clients: int, seconds: float
) -> dict[str, Any]:
    settings = {"timezone": "UTC", "jit": "off"}
    connections = [await asyncpg.connect(url, server_settings=settings) for _ in range(clients)]
    prepared = [await connection.prepare(str(statement)) for connection in connections]
    source = cycle(arguments) if len(arguments) < 5000 else iter(arguments)
    took: list[float] = []
    begun = time.perf_counter()
    until = begun + seconds
    try:
        await asyncio.gather(*(_client(each, source, until, took) for each in prepared))
    except (StopIteration, RuntimeError):
        pass  # arguments that can be used once have been used up
    spent = time.perf_counter() - begun
    for connection in connections:
        connection.terminate()
    return {"took": took, "seconds": spent}


if __name__ == "__main__":
    json.dump(uvloop.run(_run(*pickle.load(sys.stdin.buffer))), sys.stdout)  # noqa: S301
