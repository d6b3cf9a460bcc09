"""Subscription/$status (R5 backport): how one's subscriptions stand, without any content."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.subscriptions.door import Standing
from helsevev.access.subscriptions.standing import status_of
from helsevev.fhir import serialization
from helsevev.fhir.subscription_notification import parameters
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import given
from helsevev.fhir_api.request import Request


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a searchset of a Parameters for each; at type level narrowed by `id` and `status`.

    404 for what is no subscription to a topic, 403 for another's.
    """
    asked = await given(request, ("id", "status"))
    door = doors.services.subscriptions
    if len(request.segments) == 3:
        found = await door.standings(request.actor, request.segments[1])
    else:
        ids = {part for text in asked.all("id") for part in str(text).split(",")}
        states = {part for text in asked.all("status") for part in str(text).split(",")}
        found = [
            standing
            for standing in await door.standings(request.actor)
            if (not ids or standing.id in ids) and (not states or standing.status in states)
        ]
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [_entry(request.base, standing) for standing in found],
    }
    if not found:
        del bundle["entry"]
    return Answer(200, serialization.encode(bundle))


def _entry(base: str, standing: Standing) -> dict[str, Any]:
    said = parameters("query-status", status_of(standing), (), standing.id, base)
    return {
        "fullUrl": f"{base}/Subscription/{standing.id}/$status",
        "resource": said,
        "search": {"mode": "match"},
    }


OPERATION: Final = Operation(
    name="status",
    definition=(
        "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
        "backport-subscription-status"
    ),
    answer=answer,
    types=("Subscription",),
    instances=("Subscription",),
)
