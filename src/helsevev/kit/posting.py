"""Sends bytes to addresses on the network, and says in a few words what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

# The client tells the log each URL it calls, and a URL may hold what only two should know.
logging.getLogger("httpx").setLevel(logging.WARNING)

_MOST_OF_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receiver answered: its status (0: nothing), and in words what went wrong."""

    status: int
    problem: str = ""

    @property
    def taken(self) -> bool:
        """Whether the receiver has what was sent."""
        return 200 <= self.status < 300


class Poster:
    """Posts to many receivers at once; a slow one holds up nobody else."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - each call brings its own
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=200),
        )

    async def post(
        self, url: str, body: bytes, headers: Sequence[tuple[str, str]], seconds: float
    ) -> Receipt:
        """Send `body`; no redirect is followed, and no more of an answer is read than a page."""
        try:
            async with (
                asyncio.timeout(seconds),
                self._client.stream("POST", url, content=body, headers=list(headers)) as answer,
            ):
                read = 0
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > _MOST_OF_ANSWER:
                        break
        except TimeoutError:
            return Receipt(0, f"The receiver did not answer within {seconds:g} seconds.")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            return Receipt(0, f"The receiver could not be reached ({type(problem).__name__}).")
        status = answer.status_code
        if 200 <= status < 300:
            return Receipt(status)
        return Receipt(status, f"The receiver answered {status}.")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
