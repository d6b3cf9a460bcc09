"""The benchmark asks for every interaction as any client would, and is answered."""

from __future__ import annotations

import asyncio

from bench import load
from bench.fhir_server import Server
from bench.interactions import Stock, asked_of

from .conftest import Server as Demo


def answers(server: Server) -> dict[str, tuple[int, int]]:
    """The expected and the real status of each interaction's first request."""
    stock = Stock(server, people=2, measurements=8)
    return {
        asked.name: (
            asked.expected, load.status(server.host, server.port, asked.requests[0][0])
        )
        for asked in asked_of(stock, levels=1, spare=2)
    }  # fmt: skip


async def test_every_interaction_that_is_measured_is_answered(server: Demo) -> None:
    asked = Server(server.base, server.token)
    found = await asyncio.to_thread(answers, asked)
    assert len(found) > 25
    assert {name: each for name, each in found.items() if each[0] != each[1]} == {}
    exported = await asyncio.to_thread(asked.export, "_type=Observation")
    assert exported["resources"] >= 16
