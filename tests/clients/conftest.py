"""A demo served by a process of its own, for clients that nobody here wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from tests.browser.served import ServedDemo


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API is, the token of a system that sees the whole record, and what serves it."""

    base: str
    token: str
    demo: ServedDemo


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The demo, freshly loaded and served."""
    demo = ServedDemo(tmp_path_factory.mktemp("clients") / "data")
    await demo.start()
    yield Server(f"{demo.address}/fhir", await demo.token(), demo)
    await demo.stop()
