"""Subscription/$dead-letters and what its owner does about them: send again, or set aside."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.subscriptions.door import DeadLetter
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import answered, given, parts, value
from helsevev.fhir_api.request import Request

_DEFINITIONS: Final = "https://helsevev.example/fhir/OperationDefinition"


async def tell(doors: Doors, request: Request) -> Answer:
    """200 with a Parameters: a `dead-letter` for each span of events that was given up."""
    await given(request, ())
    found = await doors.services.subscriptions.dead_letters(request.actor)
    return answered(_letter(letter) for letter in found)


async def retry(doors: Doors, request: Request) -> Answer:
    """200 once it begins again, at once, with the first event that was not delivered."""
    await given(request, ())
    await doors.services.subscriptions.retry(request.actor, request.segments[1])
    return answered([value("done", "boolean", True)])


async def set_aside(doors: Doors, request: Request) -> Answer:
    """200 once nothing of what waits is sent; `$events` still tells of it for 30 days."""
    await given(request, ())
    await doors.services.subscriptions.settle(request.actor, request.segments[1])
    return answered([value("done", "boolean", True)])


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return parts(
        "dead-letter",
        value("subscription", "Reference", {"reference": f"Subscription/{letter.subscription}"}),
        value("first-event", "string", str(letter.first_event)),
        value("last-event", "string", str(letter.last_event)),
        value("since", "instant", letter.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
        value("owner", "Reference", {"reference": letter.owner_id, "display": letter.owner_name}),
        value("reason", "string", letter.reason),
    )


TELL: Final = Operation(
    name="dead-letters",
    definition=f"{_DEFINITIONS}/Subscription-dead-letters",
    answer=tell,
    types=("Subscription",),
)
RETRY: Final = Operation(
    name="retry",
    definition=f"{_DEFINITIONS}/Subscription-retry",
    answer=retry,
    instances=("Subscription",),
    affects_state=True,
)
SET_ASIDE: Final = Operation(
    name="set-aside",
    definition=f"{_DEFINITIONS}/Subscription-set-aside",
    answer=set_aside,
    instances=("Subscription",),
    affects_state=True,
)
