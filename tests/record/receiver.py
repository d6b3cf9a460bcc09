"""Somebody who listens: an HTTP server that keeps what it is sent, and can be slow or broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """What arrived: notifications in their order, with headers; `status` is what it answers."""

    port: int = 0
    status: int = 200
    seconds: float = 0.0
    bundles: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The notifications of one type that were taken."""
        return [bundle for bundle in self.bundles if said(bundle, "type") == kind]

    @property
    def numbers(self) -> list[int]:
        """The event numbers in the order in which they were taken."""
        return [int(event["event-number"]) for event in self.events]

    @property
    def events(self) -> list[dict[str, str]]:
        """The events in the order in which they were taken."""
        return [event for b in self.of_kind("event-notification") for event in events_in(b)]

    async def until(self, *numbers: int, seconds: float = 20.0) -> None:
        """Wait until all these event numbers have been taken."""
        async with asyncio.timeout(seconds):
            while not set(numbers) <= set(self.numbers):
                await asyncio.sleep(0.02)


def said(bundle: dict[str, Any], name: str) -> str:
    """A parameter of the notification's status."""
    for parameter in bundle["entry"][0]["resource"]["parameter"]:
        if parameter["name"] == name:
            return str(next(value for key, value in parameter.items() if key != "name"))
    return ""


def events_in(bundle: dict[str, Any]) -> list[dict[str, str]]:
    """Each event that a notification tells of: its parts by name, references as `Type/id`."""
    found = []
    for parameter in bundle["entry"][0]["resource"]["parameter"]:
        if parameter["name"] == "notification-event":
            parts = {}
            for part in parameter["part"]:
                value = next(value for key, value in part.items() if key != "name")
                if isinstance(value, dict):
                    assert value["reference"].startswith("http"), "not to be resolved by itself"
                    value = "/".join(value["reference"].split("/")[-2:])
                parts[part["name"]] = value
            found.append(parts)
    return found


@asynccontextmanager
async def receiving(port: int = 0, into: Receiver | None = None) -> AsyncIterator[Receiver]:
    """A receiver that answers until the block ends; on `port`, when it comes back."""
    receiver = into or Receiver()
    connections: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
                headers = {k.lower(): v.strip() for k, _, v in (h.partition(":") for h in head)}
                body = await reader.readexactly(int(headers["content-length"]))
                await asyncio.sleep(receiver.seconds)
                if receiver.status < 300:
                    receiver.bundles.append(json.loads(body))
                    receiver.headers.append(headers)
                else:
                    receiver.refused += 1
                writer.write(b"HTTP/1.1 %d x\r\ncontent-length: 0\r\n\r\n" % receiver.status)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            connections.discard(writer)
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in list(connections):
            writer.transport.abort()
        await asyncio.sleep(0)
