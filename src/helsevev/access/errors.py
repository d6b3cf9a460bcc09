"""What can be wrong with a request to the gate, each with what the one asking needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helsevev.fhir.outcome import Issue

if TYPE_CHECKING:
    from helsevev.access.policy import Decision
    from helsevev.record.store import Stored


class AccessError(Exception):
    """A request that the gate does not carry out; `issues` say what and where."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__("; ".join(issue.diagnostics for issue in self.issues))


class Refused(AccessError):
    """The policy does not allow it; nothing was touched, and the refusal is audited."""

    def __init__(self, decision: Decision, patient_id: str | None) -> None:
        self.decision = decision
        self.patient_id = patient_id
        super().__init__([Issue("error", "forbidden", decision.reason)])


class NotFound(AccessError):
    """There never was such a resource."""

    def __init__(self, reference: str) -> None:
        super().__init__([Issue("error", "not-found", f"{reference} is not in the record.")])


class Gone(AccessError):
    """The resource was deleted; its earlier versions remain."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        text = f"{stored.reference} was deleted (version {stored.version})."
        super().__init__([Issue("error", "deleted", text)])


class Invalid(AccessError):
    """The content breaks the rules of its type; `issues` list every breach found."""


class Unprocessable(AccessError):
    """The content is well formed but cannot be stored here: wrong inhabitant, broken reference."""


class Conflict(AccessError):
    """Someone wrote in between; `current` is what stands now (None: it was deleted)."""

    def __init__(self, diagnostics: str, current: Stored | None) -> None:
        self.current = current
        super().__init__([Issue("error", "conflict", diagnostics)])


class PreconditionFailed(Conflict):
    """The version that the writer had seen is not the newest, or was not named."""


class VersionRequired(PreconditionFailed):
    """An update of what exists did not name the version that it follows."""


class TooManyMatches(AccessError):
    """A conditional write whose condition fits several resources."""
