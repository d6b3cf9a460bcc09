"""Runs an ASGI application until it is asked to stop, and says when it answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Final

import uvicorn

from helsevev.kit.joined_writes import JoinedWrites
from helsevev.kit.slow_requests import SlowRequests

_SPREADS: Final = sys.platform == "linux"


class AddressInUse(Exception):
    """The port is taken; the message says which and what to do."""


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Listening sockets at one address, one for each of `count` processes.

    They are taken before anything else is started. Where the system spreads connections over
    sockets (Linux) each process has its own, else they share one. Raises `AddressInUse`.
    """
    # Without a share in the address, so that another server's is not joined by mistake.
    first = _bound(host, port, shared=False)
    if count == 1:
        return [_listening(first)]
    if not _SPREADS:
        return [_listening(first)] * count
    port = first.getsockname()[1]
    first.close()
    return [_listening(each) for each in [_bound(host, port, shared=True) for _ in range(count)]]


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise AddressInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with PORT=."
        ) from error
    return bound


def _listening(bound: socket.socket) -> socket.socket:
    bound.listen(2048)
    bound.setblocking(False)
    return bound


async def serve(app: object, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve `app` on the socket until SIGINT or SIGTERM; open streams are closed on the way out."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="uvloop",
        http=JoinedWrites,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=None,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = uvicorn.Server(config)
    slow = SlowRequests(lambda: server.server_state.connections)
    beside = [asyncio.create_task(_tell_when_started(server, on_ready))]
    beside.append(asyncio.create_task(slow.watch()))
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in beside:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _tell_when_started(server: uvicorn.Server, on_ready: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    on_ready()
