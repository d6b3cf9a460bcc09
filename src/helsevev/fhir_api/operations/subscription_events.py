"""Subscription/[id]/$events (R5 backport): what a receiver missed, by event number."""

from __future__ import annotations

from typing import Final

from helsevev.fhir.subscription_asked import CONTENTS
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_ALL: Final = 2**62


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a notification of the events from one number to another, both included.

    At most 1,000 at once: ask again from the number after the last. Events that were delivered
    more than 30 days ago are gone. 400 for a number that is none, 404 or 403 as `$status`.
    """
    asked = await given(request, ("eventsSinceNumber", "eventsUntilNumber", "content"))
    since = asked.whole("eventsSinceNumber")
    until = asked.whole("eventsUntilNumber")
    content = asked.text("content") or None
    if content is not None and content not in CONTENTS:
        raise bad_request(f"content is one of {', '.join(CONTENTS)}.", "value", "content")
    body = await doors.services.subscriptions.events(
        request.actor, request.segments[1], since or 1, _ALL if until is None else until, content
    )
    return Answer(200, body)


OPERATION: Final = Operation(
    name="events",
    definition=(
        "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
        "backport-subscription-events"
    ),
    answer=answer,
    instances=("Subscription",),
)
