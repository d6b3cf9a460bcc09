"""The CodeSystem, ValueSet or ConceptMap that an operation on an instance is about."""

from __future__ import annotations

from typing import Any

from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.request import Request


async def opened(doors: Doors, request: Request) -> dict[str, Any] | None:
    """The resource that the path names, decided and audited; None at the level of the type.

    Raises the gate's `NotFound`, `Gone` and `Refused`.
    """
    if len(request.segments) != 3:
        return None
    kind, resource_id, _ = request.segments
    stored = await doors.gate.open_resource(request.actor, kind, resource_id)
    return stored.resource
