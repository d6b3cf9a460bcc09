"""What many open sessions take: `python -m bench.sessions`, prints JSON.

Serves the demo, signs in over HTTP as its staff from many devices, keeps live streams of charts
open in more and more of the sessions, and reads how much memory the server's processes and
PostgreSQL have after each step, what they share counted once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import program

AT_ONCE: Final = 24
DEVICES_BEHIND_ONE_ADDRESS: Final = 400
"""An address may sign in 600 times a minute, so devices are spread over addresses of loopback."""

CHART_OF_EACH: Final = 10
"""Of so many sessions that follow a chart one opens it too; the others would only take longer."""

_COOKIE: Final = re.compile(rb"\r\nset-cookie: ([^;\r\n]+)", re.IGNORECASE)
_PATIENT: Final = re.compile(rb'href="/patient/([A-Za-z0-9.-]+)["/?]')
_SECONDS: Final = 60.0


@dataclass(slots=True)
class Device:
    """One browser: where on the network it is, who sits there, and what it holds."""

    address: str
    role: str
    cookies: dict[str, str] = field(default_factory=dict)
    stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None


class Client:
    """Asks as browsers do, each from its own address."""

    def __init__(self, served: program.Program, key: str) -> None:
        self._served, self._key = served, key

    async def sign_in(self, device: Device) -> None:
        """Begin a session."""
        await self._ask(device, f"/sign-in/{device.role}?key={self._key}")

    async def patients(self, device: Device) -> tuple[str, ...]:
        """Whose charts the page that staff begin at leads to, and who can follow them."""
        page = await self._ask(device, "/")
        found = dict.fromkeys(match.decode() for match in _PATIENT.findall(page))
        return tuple([p for p in found if b" 200 " in await self._ask(device, f"/patient/{p}")])

    async def follow(self, device: Device, patient: str, *, opens: bool) -> None:
        """Keep the live stream of a chart, which some open first."""
        path = f"/patient/{patient}"
        if opens:
            await self._ask(device, path)
        reader, writer = await self._sent(device, f"{path}/live")
        async with asyncio.timeout(_SECONDS):
            head = await reader.readline()
        if b" 200 " not in head:
            raise RuntimeError(f"{path}/live: {head.decode()}")
        device.stream = reader, writer

    async def _ask(self, device: Device, path: str) -> bytes:
        reader, writer = await self._sent(device, path, close=True)
        async with asyncio.timeout(_SECONDS):
            answer = await reader.read(-1)
        writer.close()
        # Some begin at another page.
        if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 303")):
            raise RuntimeError(f"{path}: {answer[:600].decode(errors='replace')}")
        for cookie in _COOKIE.findall(answer):
            name, _, value = cookie.decode().partition("=")
            device.cookies[name] = value
        return answer

    async def _sent(
        self, device: Device, path: str, *, close: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(
            self._served.host, self._served.port, local_addr=(device.address, 0), limit=1 << 16
        )
        head = (
            f"GET {path} HTTP/1.1", f"Host: {self._served.host}:{self._served.port}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in device.cookies.items()),
            f"Connection: {'close' if close else 'keep-alive'}", "", "",
        )  # fmt: skip
        writer.write("\r\n".join(head).encode())
        return reader, writer


async def _each(devices: Sequence[Device], do: Callable[[Device, int], Awaitable[None]]) -> None:
    waiting = iter(enumerate(devices))

    async def work() -> None:
        for number, device in waiting:
            await do(device, number)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def _roles(served: program.Program) -> list[str]:
    """The clinicians' roles of the region and the demo."""
    url = f"{served.base}/PractitionerRole?_count=500"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {served.token()}"})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        found = json.load(answer)
    return [entry["resource"]["id"] for entry in found["entry"]]


def _memory(served: program.Program) -> dict[str, float]:
    server = served.resident_bytes() or 0
    cluster = served.data / "postgres" / "cluster" / "postmaster.pid"
    postgres = program.resident_of(int(cluster.read_text().split()[0]))
    return {"server MB": round(server / 1e6), "PostgreSQL MB": round((postgres or 0) / 1e6)}


async def _measure(served: program.Program, wanted: int, streams: Sequence[int]) -> dict[str, Any]:
    key = next(iter(served.links.values())).partition("key=")[2]
    client = Client(served, key)
    roles = _roles(served)
    devices = [
        Device(f"127.1.{n // DEVICES_BEHIND_ONE_ADDRESS}.1", roles[n % len(roles)])
        for n in range(wanted)
    ]
    found: dict[str, Any] = {"sessions": wanted, "staff": len(roles), "before": _memory(served)}
    begun = time.monotonic()
    await _each(devices, lambda device, _: client.sign_in(device))
    found["signed in"] = _memory(served)
    found["seconds of signing in"] = round(time.monotonic() - begun)
    _say(found)
    charts = {device.role: await client.patients(device) for device in devices[: len(roles)]}
    able = [device for device in devices if charts[device.role]]
    found["sessions that have a chart to follow"] = len(able)

    async def follow(device: Device, number: int) -> None:
        own = charts[device.role]
        await client.follow(device, own[number % len(own)], opens=number % CHART_OF_EACH == 0)

    done = 0
    for count in streams:
        until = min(count, len(able))
        await _each(able[done:until], follow)
        done = until
        found[f"{done} live streams"] = _memory(served)
        _say(found)
    return found


def _say(found: dict[str, Any]) -> None:
    sys.stderr.write(f"{found}\n")
    sys.stderr.flush()


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description="What many open sessions take.")
    parser.add_argument("--sessions", type=int, default=18_000)
    parser.add_argument("--streams", type=int, nargs="*", default=[2_000, 6_000, 18_000])
    parser.add_argument("--scale", default="0", help="of the region beside the demo")
    parser.add_argument("--workers", default="2")
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        words = ("--workers", asked.workers, "--scale", asked.scale)
        with program.serving(Path(folder) / "data", *words, patience=1800) as served:
            found = uvloop.run(_measure(served, asked.sessions, asked.streams))
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
