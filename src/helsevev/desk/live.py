"""The desk's live stream: tells an open page of the desk which kinds of entries changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.response import Stream

from helsevev.access.actor import Actor
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services

_CONTACT_SECONDS: Final = 8.0
_GATHERED_SECONDS: Final = 0.3
"""What comes at once is told at once: a page refreshes itself once for it."""


@get("/desk/live", opt={"decision": "signed-in"})
async def desk_live(request: Request[Any, Any, Any], after: str = "") -> Stream:
    """Server-sent events: `changed` with types, of those whom the reader is tied to; `contact`."""
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    return Stream(
        _events(
            services, actor, str(request.scope["auth"]),
            request.headers.get("last-event-id", after),
        ),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )  # fmt: skip


async def _events(services: Services, actor: Actor, token: str, last: str) -> AsyncIterator[str]:
    now = await services.live.now()
    missed = bool(last)
    with contextlib.suppress(ValueError):
        missed = missed and now.parse(last).xid < now.xid
    yield _event("contact", {}, str(now))
    if missed:
        # What came while nobody listened may be anything that is shown.
        yield _event("changed", {"types": []}, str(now))
    changes = services.live.of_everyone_tied(actor).__aiter__()
    waiting = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _pending = await asyncio.wait({waiting}, timeout=_CONTACT_SECONDS)
            if await services.credentials.session_actor(token) is None:
                return
            if not done:
                yield _event("contact", {})
                continue
            types, place = set(), now
            while True:
                change = waiting.result()
                types |= set(change.types)
                place = change.place
                waiting = asyncio.ensure_future(anext(changes))
                done, _pending = await asyncio.wait({waiting}, timeout=_GATHERED_SECONDS)
                if not done or len(types) > 20:
                    break
            yield _event("changed", {"types": sorted(types)}, str(place))
    finally:
        waiting.cancel()


def _event(name: str, data: dict[str, Any], place: str = "") -> str:
    lead = f"id: {place}\n" if place else ""
    return f"{lead}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
