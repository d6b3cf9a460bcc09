"""Which operations are offered, and which one a path asks for."""

from __future__ import annotations

from typing import Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.request import is_id

OPERATIONS: Final[tuple[Operation, ...]] = ()


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
