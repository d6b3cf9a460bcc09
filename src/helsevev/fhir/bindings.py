"""Checks of codes against the value sets that R4 requires."""

from __future__ import annotations

from typing import Any

from helsevev.fhir.definitions import codes
from helsevev.fhir.primitive_checks import Check, Problem, problem, shown


def bound(check: Check, value_set: str, type_name: str) -> Check:
    """The check with the required value set added; unchanged when R4 does not list its codes."""
    systems = codes(value_set)
    if systems is None:
        return check
    name = value_set.rpartition("/")[2]
    if type_name == "CodeableConcept":
        pairs = frozenset((system, code) for system, found in systems.items() for code in found)
        return _concept(check, pairs, name)
    return _plain(check, frozenset().union(*systems.values()), name)


def _plain(check: Check, allowed: frozenset[str], name: str) -> Check:
    listed = ", ".join(sorted(allowed)) if len(allowed) <= 20 else f"see value set {name}"

    def bound_check(value: Any, parent: Any) -> list[Problem] | None:
        if type(value) is str and value in allowed:
            return None
        found = check(value, parent)
        if found is not None:
            return found
        return problem("code-invalid", f"{shown(value)} is not in {name}: {listed}")

    return bound_check


def _concept(check: Check, allowed: frozenset[tuple[str, str]], name: str) -> Check:
    listed = ", ".join(sorted({code for _, code in allowed}))

    def bound_check(value: Any, parent: Any) -> list[Problem] | None:
        found = check(value, parent)
        if found is not None:
            return found
        for coding in value.get("coding", ()):
            if (coding.get("system"), coding.get("code")) in allowed:
                return None
        return problem("code-invalid", f"a coding from {name} is required: {listed}")

    return bound_check
