"""Is this a valid R4 resource? Every problem is said, each with its FHIRPath."""

from __future__ import annotations

from typing import Any

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import Issue
from helsevev.fhir.structure_checks import check_resource


def validate(resource: dict[str, Any]) -> list[Issue]:
    """All errors of the resource against R4's own definitions; empty when it is valid.

    Checked are unknown elements, cardinality, JSON types, R4's regular expressions, dates that
    exist, choice types, required bindings, contained resources, references and the types they may
    name, extensions of primitives, empty values, narratives, and R4's error invariants (by hand in
    `fhir.invariants`, as FHIRPath in `fhir.invariant_expressions`). The resource is plain data as
    `serialization.decode` gives it. A path is FHIRPath from the resource:
    `Observation.component[0].value.ofType(Quantity).code`.
    """
    problems = check_resource(resource, None)
    if problems is None:
        return []
    root = resource.get("resourceType") if type(resource) is dict else None
    name = root if type(root) is str and root in RESOURCE_TYPES else "Resource"
    return [Issue("error", code, text, name + path) for path, code, text in problems]
