"""What goes wrong with a request, as a status and an OperationOutcome; never a stack trace."""

from __future__ import annotations

import logging
import secrets
from typing import Final

from helsevev.access.errors import (
    AccessError,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    Refused,
    TooManyMatches,
    Unprocessable,
    VersionRequired,
)
from helsevev.access.stored import ConnectionLost, DatabaseError, WallRefused
from helsevev.fhir.bundle import BundleError
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.patching import MalformedPatch, PatchFailed
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.serialization import MalformedJson
from helsevev.fhir_api.answer import Answer, Header, of_issues

_log = logging.getLogger(__name__)

CHALLENGE: Final = (b"www-authenticate", b'Bearer realm="Helsevev"')
_TRY_AGAIN: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: PostgreSQL undid the whole statement."""

_BEYOND_LIMITS: Final = ("22", "54")
"""Classes of SQLSTATE: data exception, program limit exceeded."""

_BUSINESS: Final = frozenset({"business-rule", "conflict", "duplicate", "too-costly"})
_STATUS: Final[tuple[tuple[type[AccessError], int], ...]] = (
    (Refused, 403),
    (NotFound, 404),
    # R4 (http.html#concurrency): 400 when a server requires If-Match and finds none.
    (VersionRequired, 400),
    (PreconditionFailed, 412),
    (TooManyMatches, 412),
    (Conflict, 409),
    (Unprocessable, 422),
)


class Problem(Exception):
    """A request that is answered with `status` and these issues."""

    def __init__(self, status: int, *issues: Issue, headers: tuple[Header, ...] = ()) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.status = status
        self.issues = issues
        self.headers = headers


def bad_request(diagnostics: str, code: str = "invalid", expression: str = "") -> Problem:
    """A `Problem` 400."""
    return Problem(400, error(code, diagnostics, expression))


def answer_to(failure: Exception) -> Answer:
    """The answer that tells the client what is wrong.

    What nobody foresaw is logged under an incident number, and the client is told the number only.
    """
    match failure:
        case Problem():
            return of_issues(failure.status, failure.issues, *failure.headers)
        case MalformedJson():
            return of_issues(400, [error("structure", str(failure))])
        case SearchError() if all(issue.code == "too-costly" for issue in failure.issues):
            # Well-formed, understood, and still too much: 403 would say that the actor may not,
            # 503 that the same search works later.
            return of_issues(422, failure.issues)
        case SearchError() | BundleError():
            return of_issues(400, failure.issues)
        case MalformedPatch():
            return of_issues(400, failure.issues)
        case PatchFailed():
            return of_issues(422, failure.issues)
        case Gone(stored=stored):
            answer = of_issues(410, failure.issues)
            answer.version, answer.last_modified = stored.version, stored.last_updated
            return answer
        case Invalid():
            return of_issues(status_of_invalid(failure.issues), failure.issues)
        case AccessError():
            status = next((s for kind, s in _STATUS if isinstance(failure, kind)), 400)
            return of_issues(status, failure.issues)
        case ConnectionLost():
            _log.warning("The database is away: %s", failure)
            text = "The record cannot be reached just now. What was sent may or may not be stored."
            return of_issues(503, [error("transient", text)], (b"retry-after", b"2"))
        case DatabaseError(sqlstate=state) if state in _TRY_AGAIN:
            text = "Others wrote the same at the same moment. Nothing was stored; try again."
            return of_issues(503, [error("transient", text)], (b"retry-after", b"1"))
        case WallRefused():  # A gate that is wider than the wall is a fault of ours.
            text = "The record itself refused this, where no rule did. Nothing was stored."
            return of_issues(403, [error("forbidden", f"{text} ({_noted(failure)})")])
        case DatabaseError(sqlstate=state) if state.startswith(_BEYOND_LIMITS):
            text = "A value is too long or too precise to be kept and found again."
            return of_issues(422, [error("too-long", f"{text} ({_noted(failure)})")])
        case _:
            text = f"Something went wrong here, and was noted as {_noted(failure)}."
            return of_issues(500, [error("exception", text)])


def status_of_invalid(issues: tuple[Issue, ...]) -> int:
    """400 for what breaks FHIR's own rules, 422 for what breaks only rules of care."""
    return 422 if all(issue.code in _BUSINESS for issue in issues) else 400


def _noted(failure: Exception) -> str:
    incident = f"incident {secrets.token_hex(6)}"
    _log.error("%s", incident, exc_info=failure)
    return incident
