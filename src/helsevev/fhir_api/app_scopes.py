"""The first wall for apps: whether the scopes can reach an interaction at all, before it begins.

What single resources are within is decided by the gate. What is not listed here is refused.
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.scopes import Grant, Letter
from helsevev.fhir.outcome import error
from helsevev.fhir_api.interaction import Interaction
from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.request import Request

CHALLENGE: Final = (
    b"www-authenticate",
    b'Bearer realm="Helsevev", error="insufficient_scope"',
)
WITHIN: Final = ""
"""Each resource is held against the scopes as it is met."""

INTERACTIONS: Final[Mapping[str, str]] = {
    "read": "r", "vread": "r", "history-instance": "r", "create": "c", "update": "cu",
    "patch": "u", "delete": "d", "search-type": "s", "history-type": "s",
    "history-system": WITHIN, "search-system": WITHIN, "transaction": WITHIN,
    "capabilities": WITHIN, "openapi": WITHIN,
}  # fmt: skip
"""By code, the acts of which one has to be granted for the type in the path."""

OPERATIONS: Final[Mapping[str, str]] = {
    "lookup": "r", "validate-code": "r", "subsumes": "r", "expand": "r", "translate": "r",
    "status": "r", "events": "r", "stream": "r", "dead-letters": "r", "retry": "u",
    "set-aside": "u", "document": "r", "apply": "r", "lastn": "s", "stats": "s", "everything": "r",
    "viewdefinition-run": WITHIN, "viewdefinition-export": WITHIN, "export": WITHIN,
    "validate": WITHIN, "convert": WITHIN, "meta": "r", "meta-add": "u", "meta-delete": "u",
}  # fmt: skip
"""The same for operations by name."""

WHOLE: Final[Mapping[str, tuple[str, str]]] = {
    "match": ("s", "Patient"), "merge": ("cruds", "*"), "unmerge": ("cruds", "*"),
}  # fmt: skip
"""Operations that look at, or change, whatever there is of a type: all of it has to be granted."""


def refuse_outside(interaction: Interaction, request: Request) -> None:
    """Raises `Problem` 403 when an app asks for what its scopes cannot reach."""
    granted = app_bounds.grant(request.actor)
    if granted is None or interaction.public:
        return
    segments = request.segments
    if interaction.code != "operation":
        reached = _reaches(granted, INTERACTIONS.get(interaction.code), _type_of(segments))
    else:
        # An export's own paths hold no operation: what it may be used for is decided there.
        is_named = segments[-1].startswith("$")
        reached = not is_named or _reaches_operation(granted, segments[-1][1:], segments[0])
    if not reached:
        issue = error("forbidden", app_bounds.REFUSED_SCOPE)
        raise Problem(403, issue, headers=(CHALLENGE,))


def _reaches(granted: Grant, letters: str | None, resource_type: str) -> bool:
    if letters is None:
        return False
    return (
        not letters
        or not resource_type
        or any(granted.reaches(each, resource_type) for each in _letters(letters))
    )


def _reaches_operation(granted: Grant, name: str, resource_type: str) -> bool:
    if name in WHOLE:
        letters, kind = WHOLE[name]
        return all(granted.covers(e, kind, of_patient=False) for e in _letters(letters))
    return _reaches(granted, OPERATIONS.get(name), resource_type)


def _type_of(segments: tuple[str, ...]) -> str:
    """The type that the path asks for: of a compartment, the type searched in it, if only one."""
    if len(segments) > 2 and segments[2] == "*":
        return ""
    in_compartment = len(segments) > 2 and segments[2] != "_history"
    return segments[2] if in_compartment else segments[0] if segments else ""


def _letters(text: str) -> tuple[Letter, ...]:
    return tuple(text)  # type: ignore[arg-type]
