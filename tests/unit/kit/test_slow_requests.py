"""Over real sockets: who is slow on purpose is cut, who waits is not, no request hides another."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from helsevev.kit import server, slow_requests

Address = tuple[str, int]
HOST = b"Host: here\r\n"


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": f"{message['type']}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/long":
        await asyncio.sleep(1.2)
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"4")]})  # fmt: skip
    await send({"type": "http.response.body", "body": b"done"})


async def _serve(listener: socket.socket, ready: threading.Event) -> None:
    await server.serve(_answer, listener, ready.set)


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A server with little patience, in a thread with a loop of its own."""
    for name, seconds in (("HEAD", 0.4), ("BODY", 0.6), ("_EVERY", 0.1)):
        monkeypatch.setattr(slow_requests, name, seconds)
    (listener,) = server.listen("127.0.0.1", 0)
    where = listener.getsockname()
    loop, ready = asyncio.new_event_loop(), threading.Event()
    task = loop.create_task(_serve(listener, ready))
    thread = threading.Thread(target=_run, args=(loop, task))
    thread.start()
    assert ready.wait(10)
    yield where
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    listener.close()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    waiting = asyncio.all_tasks(loop)
    for each in waiting:
        each.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    loop.close()


async def _said(address: Address, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What the server answers until it closes, to what is sent piece by piece; b"open": not cut."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 3)
    except TimeoutError:
        return b"open"
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET / HT"],
        [b"GET / HTTP/1.1\r\n", *[b"X-Slow: 1\r\n"] * 8],
        [b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n", *[b"a"] * 9],
        [b"GET / HTTP/1.1\r\n", *[b"X-Large: " + b"a" * 9000 + b"\r\n"] * 9],
    ],
    ids=["nothing", "half a line", "drops of a head", "drops of a body", "a head without end"],
)
async def test_a_request_that_does_not_come_is_cut(address: Address, pieces: list[bytes]) -> None:
    assert await _said(address, *pieces, pause=0.12) == b""


async def test_an_answer_may_take_its_time(address: Address) -> None:
    asked = b"GET /long HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    assert (await _said(address, asked)).endswith(b"done")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"X: 1\rContent-Length: 5\r\n",
        b"X\0: 1\r\n",
    ],
)
async def test_a_request_that_two_servers_could_read_in_two_ways_is_refused(
    address: Address, head: bytes
) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
    asked = b"POST / HTTP/1.1\r\n" + HOST + head + b"\r\n0\r\n\r\n" + hidden
    answer = await _said(address, asked)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
