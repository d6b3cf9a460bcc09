"""The live page: tells an open chart which kinds of entries changed, within the second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.response import Stream

from helsevev.access.errors import Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.services import Services

_CONTACT_SECONDS: Final = 8.0


@get("/patient/{patient_id:str}/live", opt={"decision": "record"})
async def live(request: Request[Any, Any, Any], patient_id: str, after: str = "") -> Stream:
    """Server-sent events: `changed` with the types, and `contact` while nothing happens.

    The browser sends the last place it saw when it reconnects, so that nothing is missed; a page
    that had let go of the stream says it as `after`.
    """
    services: Services = request.app.state.services
    actor = actor_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="follow")
    return Stream(
        _events(
            services,
            permit,
            str(request.scope["auth"]),
            request.headers.get("last-event-id", after),
        ),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(services: Services, permit: Permit, token: str, last: str) -> AsyncIterator[str]:
    after = await services.live.now()
    with contextlib.suppress(ValueError):
        after = after.parse(last)
    changes = services.live.changes(permit, after).__aiter__()
    waiting = asyncio.ensure_future(anext(changes))
    yield _event("contact", {}, str(after))
    try:
        while True:
            done, _pending = await asyncio.wait({waiting}, timeout=_CONTACT_SECONDS)
            if not await _still_allowed(services, permit, token):
                return
            if not done:
                yield _event("contact", {})
                continue
            change = waiting.result()
            waiting = asyncio.ensure_future(anext(changes))
            yield _event("changed", {"types": sorted(set(change.types))}, str(change.place))
    finally:
        waiting.cancel()


async def _still_allowed(services: Services, permit: Permit, token: str) -> bool:
    """The session, a relation or an emergency may have ended while the page was open."""
    if await services.credentials.session_actor(token) is None:
        return False
    try:
        verdict = await services.gate.permits.verdict(permit.actor, permit.patient)
    except Refused:
        return False
    return verdict.decision.allowed


def _event(name: str, data: dict[str, Any], place: str = "") -> str:
    lead = f"id: {place}\n" if place else ""
    return f"{lead}event: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n"
