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


class _Client(asyncio.Protocol):
    """Sends one request after another on a connection of its own, as cheaply as Python can.

    An answer tells its length, or comes in chunks: as nothing else is under way, their end is that
    of what was received.
    """

    def __init__(
        self, plan: dict[str, Any], requests: Any, until: float, took: list[float]
    ) -> None:
        self._expected = b"HTTP/1.1 %d" % plan["expect"]
        self._requests, self._until, self._took = requests, until, took
        self._received = b""
        self._whole = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Send the first."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next when the answer is whole."""
        self._received = self._received + data if self._received else data
        if self._whole == 0:
            self._whole = _whole(self._received)
        if not self._is_whole():
            return
        self._took.append(time.perf_counter() - self._begun)
        if self._received.startswith(self._expected):
            self._send()
        else:
            self._fail(RuntimeError(self._received[:1500].decode(errors="replace")))

    def _is_whole(self) -> bool:
        if self._whole < 0:
            return self._received.endswith(b"\r\n0\r\n\r\n")
        return 0 < self._whole <= len(self._received)

    def connection_lost(self, problem: Exception | None) -> None:
        """An answer is missing, unless all are here."""
        self._fail(problem or ConnectionError("The server closed the connection."))

    def _send(self) -> None:
        self._received, self._whole = b"", 0
        self._begun = time.perf_counter()
        request = next(self._requests, None) if self._begun < self._until else None
        if request is not None:
            self._transport.write(request)
            return
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def _fail(self, problem: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(problem)
        self._transport.close()


def _whole(received: bytes) -> int:
    """How many bytes head and body are; -1 for a body in chunks, 0 while that is not known."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = received[:end].lower() + b"\r\n"
    place = head.find(b"\r\ncontent-length:")
    if place >= 0:
        return end + 4 + int(head[place + 17 : head.index(b"\r", place + 2)])
    return -1 if b"\r\ntransfer-encoding: chunked" in head else end + 4


async def _load(plan: dict[str, Any], requests: Any, until: float, took: list[float]) -> None:
    loop = asyncio.get_running_loop()
    connected = [
        await loop.create_connection(
            lambda: _Client(plan, requests, until, took), plan["host"], plan["port"]
        )
        for _ in range(plan["clients"])
    ]
    await asyncio.gather(*(client.done for _, client in connected))


async def _run(plan: dict[str, Any]) -> dict[str, Any]:
    given = [base64.b64decode(text) for text in plan["requests"]]
    requests = iter(given) if plan["once"] else cycle(given)
    await _load(plan, requests, time.perf_counter() + 0.3, [])
    took: list[float] = []
    begun = time.perf_counter()
    await _load(plan, requests, begun + plan["seconds"], took)
    return {"took": took, "seconds": time.perf_counter() - begun}


if __name__ == "__main__":
    json.dump(uvloop.run(_run(json.load(sys.stdin))), sys.stdout)
