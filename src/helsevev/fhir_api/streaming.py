"""Sends an answer that has no end, until the client or what it follows goes away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EVENTS: Final = b"text/event-stream"


def asks_for_events(accept: bytes) -> bool:
    """Whether a client takes server-sent events."""
    return EVENTS in accept


def answers_in_own_format(path: str) -> bool:
    """Whether what is answered at a path is no FHIR JSON: an export's files, a view's rows."""
    return "/_export/" in path or path.endswith(("/$viewdefinition-run", "/$viewdefinition-export"))


def event(data: bytes, name: str = "", number: int | None = None) -> bytes:
    """One server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    `data` has no line breaks, as JSON that the server writes has none.
    """
    told = b"" if number is None else b"id: %d\n" % number
    return told + (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


async def send_pieces(pieces: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send each piece as it comes; ends when there are no more, or nobody is there to read."""
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        while True:
            coming = asyncio.ensure_future(anext(pieces, None))
            await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                coming.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await coming
                return
            piece = coming.result()
            if piece is None:
                break
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await pieces.aclose()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
