"""Why a question about codes is not answered: what is not known here, and what cannot be told."""

from __future__ import annotations

from helsevev.access.errors import AccessError, NotFound, Unprocessable
from helsevev.fhir.outcome import error


class NotKnown(NotFound):
    """The code system, code, value set or map is not here: what depends on it cannot be told."""

    def __init__(self, diagnostics: str) -> None:
        AccessError.__init__(self, [error("not-found", diagnostics)])


class CannotTell(Unprocessable):
    """The question is understood and cannot be answered as it is asked; the issue says why."""

    def __init__(self, diagnostics: str, code: str = "not-supported") -> None:
        super().__init__([error(code, diagnostics)])


def unknown_system(system: str, version: str, versions: list[str]) -> NotKnown:
    """The code system, or that version of it, is not here."""
    if versions and version:
        there = ", ".join(name or "without a version" for name in versions)
        return NotKnown(f"{system} is not here in version {version}; there is: {there}.")
    return NotKnown(f"The code system {system} is not loaded here, so nothing can be told of it.")


def unknown_code(system: str, version: str, code: str, content: str) -> NotKnown:
    """The system has no such code, or only a part of it is here."""
    named = f"{system} {version}".strip()
    if content != "complete":
        text = f"Only a part of {named} is here ({content}), and {code[:80]!r} is not in it"
        return NotKnown(f"{text}: whether it is a code of the system cannot be told.")
    return NotKnown(f"{code[:80]!r} is no code of {named}.")
