"""Head and body leave in one piece, in order, and nothing that was written is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from helsevev.kit.joined_writes import MOST_WAITING, JoinedWrites


class Wire:
    """Notes what would go out, and when the connection is closed."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return b"closed" in self.sent

    def close(self) -> None:
        self.sent.append(b"closed")

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _answered(request: bytes, body: bytes) -> list[bytes]:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"%d" % len(body))]})  # fmt: skip
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, lifespan="off", log_config=None)
    config.load()
    wire = Wire()
    protocol = JoinedWrites(config, uvicorn.Server(config).server_state, {})
    protocol.connection_made(wire)
    protocol.data_received(request)
    for _ in range(5):
        await asyncio.sleep(0)
    sent = wire.sent.copy()
    protocol.connection_lost(None)
    return sent


async def test_an_answer_leaves_in_one_piece() -> None:
    (sent,) = await _answered(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"blood pressure")
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sent.endswith(b"\r\n\r\nblood pressure")


async def test_an_answer_is_sent_before_the_connection_closes() -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sent, *closed = await _answered(request, b"the last")
    assert sent.endswith(b"\r\n\r\nthe last")
    assert set(closed) == {b"closed"}


async def test_what_is_large_does_not_wait() -> None:
    large = b"x" * (MOST_WAITING + 1)
    (sent,) = await _answered(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", large)
    assert sent.endswith(b"\r\n\r\n" + large)
