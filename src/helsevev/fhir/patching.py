"""What can be wrong with a patch, whichever language it is written in."""

from __future__ import annotations

from collections.abc import Sequence

from helsevev.fhir.outcome import Issue, error


class PatchError(ValueError):
    """A patch that is not carried out; `issues` say which operation and why."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(f"{issue.expression}: {issue.diagnostics}" for issue in issues))
        self.issues = tuple(issues)


class MalformedPatch(PatchError):
    """The patch itself breaks the rules of its language."""


class PatchFailed(PatchError):
    """The patch is sound, and does not fit the resource."""


def malformed(diagnostics: str, expression: str = "", code: str = "invalid") -> MalformedPatch:
    """A `MalformedPatch` with one issue."""
    return MalformedPatch([error(code, diagnostics, expression)])


def failed(diagnostics: str, expression: str = "", code: str = "processing") -> PatchFailed:
    """A `PatchFailed` with one issue."""
    return PatchFailed([error(code, diagnostics, expression)])
