"""Cuts connections whose request does not come: who holds them open keeps nobody else out.

The HTTP server waits for ever for a request's head and body. Looking at all connections now and
then costs a request nothing, where a timer for each would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

HEAD: Final = 10.0
"""Seconds in which a request's head has to be there, from the connection or the last answer."""

BODY: Final = 120.0
"""Seconds in which its body has to follow: a large Bundle over a slow line."""

LARGEST_HEAD: Final = 64 * 1024
_EVERY: Final = 1.0


class SlowRequests:
    """Watches the connections of one HTTP server (uvicorn's, by httptools)."""

    def __init__(self, connections: Callable[[], Iterable[Any]]) -> None:
        self._connections = connections
        self._waiting: dict[Any, tuple[Any, bool, float]] = {}

    async def watch(self) -> None:
        """Look every second, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_EVERY)
            self.cut(clock())

    def cut(self, now: float) -> int:
        """Close what has waited for too long, or sends a head without end; how many."""
        waiting: dict[Any, tuple[Any, bool, float]] = {}
        late = []
        for connection in list(self._connections()):
            cycle: Any = getattr(connection, "cycle", None)
            has_head = cycle is not None and not cycle.response_complete
            if cycle is not None and has_head and not cycle.more_body:
                continue
            before = self._waiting.get(connection)
            same = before is not None and before[0] is cycle and before[1] == has_head
            since = before[2] if before is not None and same else now
            waiting[connection] = (cycle, has_head, since)
            if now - since >= (BODY if has_head else HEAD) or (
                not has_head and _head_size(connection) > LARGEST_HEAD
            ):
                late.append(connection)
        self._waiting = waiting
        for connection in late:
            connection.transport.close()
        return len(late)


def _head_size(connection: Any) -> int:
    headers = getattr(connection, "headers", None) or ()
    return sum(len(name) + len(value) for name, value in headers) + len(
        getattr(connection, "url", b"")
    )
