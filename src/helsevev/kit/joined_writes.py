"""Sends an answer's head and body in one piece, where the HTTP server writes them one by one."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_WAITING: Final = 64 * 1024
"""Bytes that wait for what follows; with more, flow control must hear of them at once."""


class JoinedWrites(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with one system call for each answer."""

    def connection_made(self, transport: Any) -> None:
        """Let what is written in one turn of the loop leave together."""
        super().connection_made(_Joining(transport))  # type: ignore[arg-type]


class _Joining:
    """A transport that sends what was written in one turn of the loop at the turn's end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        # What follows may not come before what was written: such as closing, or another protocol.
        self._send()
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """As the transport says."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send soon, together with what else is written until then."""
        if not self._waiting:
            self._loop.call_soon(self._send)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > MOST_WAITING:
            self._send()

    def _send(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._transport.write(data)
