"""A cheap HTTP client in a process of its own: raw sockets kept alive, one request after another.

Reads a `Plan` as JSON on stdin, prints the seconds of every answer and the whole as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
import time
from itertools import cycle
from typing import Any

import uvloop


def measured(
    host: str,
    port: int,
    requests: list[bytes],
    clients: int,
    seconds: float,
    expect: int,
    *,
    once: bool = False,
) -> tuple[list[float], float]:
    """The seconds of every answer, and the whole; each client sends one request at a time.

    `once` sends no request twice, and ends when there are no more.
    """
    plan = {
        "host": host, "port": port, "clients": clients, "seconds": seconds, "expect": expect,
        "once": once,
        "requests": [base64.b64encode(request).decode() for request in requests],
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(plan), text=True,
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    return found["took"], found["seconds"]


def status(host: str, port: int, request: bytes) -> int:
    """The status of the answer to one request."""
    with socket.create_connection((host, port)) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split()[1])


def summary(took: list[float], seconds: float) -> dict[str, Any]:
    """Rate and percentiles (ms) of so many answers in so many seconds."""
    took.sort()
    at = {f"p{p}_ms": round(took[min(len(took) * p // 100, len(took) - 1)] * 1e3, 2)
          for p in (50, 95, 99)}  # fmt: skip
    return {"per_second": round(len(took) / seconds, 1), **at}


async def _client(plan: dict[str, Any], requests: Any, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    expected = b"HTTP/1.1 %d" % plan["expect"]
    while (begun := time.perf_counter()) < until:
        request = next(requests, None)
        if request is None:
            break
        writer.write(request)
        head, body = await _answer(reader)
        took.append(time.perf_counter() - begun)
        if not head.startswith(expected):
            raise RuntimeError((head + body[:500]).decode())
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one answer, whose length is told or whose body comes in chunks."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    place = lower.find(b"\r\ncontent-length:")
    if place >= 0:
        length = int(lower[place + 17 : lower.index(b"\r", place + 2)])
        return head, await reader.readexactly(length) if length else b""
    if b"\r\ntransfer-encoding: chunked" not in lower:
        return head, b""
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return head, b"".join(parts)


async def _run(plan: dict[str, Any]) -> dict[str, Any]:
    given = [base64.b64decode(text) for text in plan["requests"]]
    requests = iter(given) if plan["once"] else cycle(given)
    warm = time.perf_counter() + 0.3
    await asyncio.gather(*(_client(plan, requests, warm, []) for _ in range(plan["clients"])))
    took: list[float] = []
    begun = time.perf_counter()
    until = begun + plan["seconds"]
    await asyncio.gather(*(_client(plan, requests, until, took) for _ in range(plan["clients"])))
    return {"took": took, "seconds": time.perf_counter() - begun}


if __name__ == "__main__":
    json.dump(uvloop.run(_run(json.load(sys.stdin))), sys.stdout)
