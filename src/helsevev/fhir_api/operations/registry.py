"""Which operations are offered, and which one a path asks for."""

from __future__ import annotations

from typing import Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.views.keeping import VIEW
from helsevev.fhir_api.operations import (
    code_system_validate_code,
    composition_document,
    convert,
    everything,
    expand,
    export,
    lookup,
    meta,
    observation_lastn,
    observation_stats,
    patient_match,
    patient_merge,
    plan_definition_apply,
    subscription_dead_letters,
    subscription_events,
    subscription_status,
    subscription_stream,
    subsumes,
    translate,
    validate,
    value_set_validate_code,
    viewdefinition_export,
    viewdefinition_run,
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
    composition_document.OPERATION,
    observation_lastn.OPERATION,
    observation_stats.OPERATION,
    patient_match.OPERATION,
    plan_definition_apply.OPERATION,
    patient_merge.MERGE,
    patient_merge.UNMERGE,
    everything.PATIENT,
    everything.ENCOUNTER,
    viewdefinition_run.OPERATION,
    viewdefinition_export.OPERATION,
    validate.OPERATION,
    convert.OPERATION,
    meta.META,
    meta.ADD,
    meta.DELETE,
    export.SYSTEM,
    export.PATIENT,
    export.GROUP,
)

# A ViewDefinition is no resource of R4, and has operations all the same.
_TYPES: Final = RESOURCE_TYPES | {VIEW}


def find(segments: tuple[str, ...]) -> Operation | None:
    """The operation that the path's last segment names, or None when it is not offered there."""
    *place, last = segments
    named = [operation for operation in OPERATIONS if f"${operation.name}" == last]
    match place:
        case []:
            offered = (o for o in named if o.system)
        case [kind] if kind in _TYPES:
            offered = (o for o in named if o.is_at_type(kind))
        case [kind, resource_id] if kind in _TYPES and is_id(resource_id):
            offered = (o for o in named if o.is_at_instance(kind))
        case [kind, resource_id, "_history", version] if is_id(resource_id) and is_id(version):
            offered = (o for o in named if o.of_versions and o.is_at_instance(kind))
        case _:
            return None
    return next(offered, None)
