"""Which operations are offered, and which one a path asks for."""

from __future__ import annotations

from typing import Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir_api.operations import (
    code_system_validate_code,
    expand,
    lookup,
    subscription_dead_letters,
    subscription_events,
    subscription_status,
    subscription_stream,
    subsumes,
    translate,
    value_set_validate_code,
)
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.request import is_id

OPERATIONS: Final[tuple[Operation, ...]] = (
    lookup.OPERATION,
    code_system_validate_code.OPERATION,
    subsumes.OPERATION,
    expand.OPERATION,
    value_set_validate_code.OPERATION,
    translate.OPERATION,
    subscription_status.OPERATION,
    subscription_events.OPERATION,
    subscription_stream.OPERATION,
    subscription_dead_letters.TELL,
    subscription_dead_letters.RETRY,
    subscription_dead_letters.SET_ASIDE,
)


def find(segments: tuple[str, ...]) -> Operation | None:
    """The operation that the path's last segment names, or None when it is not offered there."""
    *place, last = segments
    named = [operation for operation in OPERATIONS if f"${operation.name}" == last]
    match place:
        case []:
            offered = (o for o in named if o.system)
        case [kind] if kind in RESOURCE_TYPES:
            offered = (o for o in named if o.is_at_type(kind))
        case [kind, resource_id] if kind in RESOURCE_TYPES and is_id(resource_id):
            offered = (o for o in named if o.is_at_instance(kind))
        case _:
            return None
    return next(offered, None)
