"""Subscription/[id]/$stream: the notifications of a subscription as server-sent events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Final

from helsevev.access.errors import AccessError
from helsevev.fhir import serialization
from helsevev.fhir.outcome import outcome
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.streaming import EVENTS, event

LASTS: Final = 3600.0
"""Seconds after which a client connects anew, and shows its token again."""

_NUMBER: Final = re.compile(r"[0-9]{1,18}")


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with events that go on; `Last-Event-ID` says which number the client has.

    Without it they begin after the last that a client said it has. 404 and 403 as `$status`, 422
    for a subscription by another channel.
    """
    asked = await given(request, ("eventsSinceNumber",))
    text = request.header(b"last-event-id")
    if text and not _NUMBER.fullmatch(text):
        raise bad_request("Last-Event-ID is an event number.", "value")
    since = asked.whole("eventsSinceNumber")
    seen = int(text) if text else None if since is None else max(since - 1, 0)
    streams = doors.services.streams
    _, after = await streams.begin(request.actor, request.segments[1], seen)
    return Answer(
        200,
        extra=((b"content-type", EVENTS), (b"cache-control", b"no-store")),
        stream=_told(doors, request, after),
    )


async def _told(doors: Doors, request: Request, after: int) -> AsyncGenerator[bytes, None]:
    following = doors.services.streams.follow(request.actor, request.segments[1], after)
    ends = asyncio.get_running_loop().time() + LASTS
    try:
        async for notice in following:
            name = "notification" if notice.number is not None else "status"
            yield event(notice.body, name, notice.number)
            if asyncio.get_running_loop().time() > ends:
                return
    except AccessError as problem:
        yield event(serialization.encode(outcome(problem.issues)), "error")
    finally:
        await following.aclose()


OPERATION: Final = Operation(
    name="stream",
    definition="https://helsevev.example/fhir/OperationDefinition/Subscription-stream",
    answer=answer,
    instances=("Subscription",),
)
