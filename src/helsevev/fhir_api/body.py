"""Reading a request's body without ever holding more of it than is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import Read

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MOST_DISCARDED: Final = 256 * 1024 * 1024
"""Bytes thrown away for a client that is still sending what is too large, before it is cut off."""

SLOWEST: Final = 60.0
"""Seconds a body may take from first to last byte."""


def body_reader(headers: Mapping[bytes, bytes], receive: Receive) -> Read:
    """A function that reads the body once.

    It raises `Problem` 413 beyond its limit, 408 when the client is too slow, and 400 when the
    client goes away. What is too large is read on and thrown away, since clients look for the
    answer only after they have sent everything.
    """

    async def read(limit: int) -> bytes:
        declared = headers.get(b"content-length", b"")
        too_large = declared.isdigit() and int(declared) > limit
        if too_large and b"100-continue" in headers.get(b"expect", b"").lower():
            raise _too_large(limit)
        try:
            async with asyncio.timeout(SLOWEST):
                return await _gather(receive, limit, too_large)
        except TimeoutError:
            text = f"The body took longer than {SLOWEST:.0f} seconds."
            raise Problem(408, error("timeout", text)) from None

    return read


async def _gather(receive: Receive, limit: int, too_large: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request("The client went away before its body was complete.", "incomplete")
        part = message.get("body", b"")
        size += len(part)
        too_large = too_large or size > limit
        if too_large:
            parts.clear()
        else:
            parts.append(part)
        if not message.get("more_body", False):
            if too_large:
                raise _too_large(limit)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if size > MOST_DISCARDED:
            raise _too_large(limit)


def _too_large(limit: int) -> Problem:
    text = f"The body is larger than {limit} bytes."
    return Problem(413, error("too-long", text))
