"""Runs an ASGI application until it is asked to stop, and says when it answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import uvicorn

from helsevev.kit.joined_writes import JoinedWrites


class AddressInUse(Exception):
    """The port is taken; the message says which and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is started. Raises `AddressInUse`."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another with PORT=."
        ) from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener


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
    ready = asyncio.create_task(_tell_when_started(server, on_ready))
    try:
        await server.serve(sockets=[listener])
    finally:
        ready.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ready


async def _tell_when_started(server: uvicorn.Server, on_ready: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    on_ready()
