"""R4's other error invariants, worked out from the FHIRPath that R4 gives for each.

`fhir.invariants` has by hand those that every record meets; these mostly belong to definitions,
plans and forms. http://hl7.org/fhir/R4/conformance-rules.html#constraints.
"""

from __future__ import annotations

from typing import Any

from helsevev.fhir.definitions import INVARIANTS
from helsevev.fhir.path import PathError, compile_path
from helsevev.fhir.primitive_checks import Check, Problem


def of(structure: str) -> Check | None:
    """The check of the expressions that a type or backbone path has, for values that are sound."""
    rules = [
        (name.removesuffix("[x]"), key, expression)
        for name, key, expression in INVARIANTS.get(structure, ())
    ]
    if not rules:
        return None

    def check(value: Any, _: Any) -> list[Problem] | None:
        problems: list[Problem] = []
        for name, key, expression in rules:
            if not _holds(f"{name}.all({expression})" if name else expression, value, structure):
                problems.append((f".{name}" if name else "", "invariant", f"{key}: {expression}"))
        return problems or None

    return check


def _holds(expression: str, value: Any, structure: str) -> bool:
    """Whether it does not say no: like R4, what cannot be compared breaks no rule."""
    try:
        return False not in compile_path(expression)(value, of=structure)
    except PathError:
        return True
