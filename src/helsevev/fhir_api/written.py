"""What a write answers: status, place, and as much of the result as the client prefers."""

from __future__ import annotations

from typing import Any

from helsevev.access import app_bounds
from helsevev.access.stored import Stored
from helsevev.access.writing import Written
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, outcome
from helsevev.fhir_api.answer import Answer, of_stored
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request


def of_written(request: Request, written: Written, *, repeated: bool = False) -> Answer:
    """201 for what this call created, else 200; the body as `Prefer: return=` asks.

    `repeated` tells that an earlier request created it, so that it is 200 all the same.
    """
    stored = written.stored
    status = 201 if written.created and not repeated else 200
    location = f"{request.base}/{stored.reference}/_history/{stored.version}"
    answer = of_stored(stored, b"", status, location)
    returning = request.prefer.returning
    if returning == "representation" and not app_bounds.shows(request.actor, stored):
        # An app may be let write what it may not read.
        returning = "minimal"
    answer.body = _body(returning, stored, written)
    return answer


def _body(returning: str, stored: Stored, written: Written) -> bytes | None:
    if returning == "minimal":
        return None
    if returning == "OperationOutcome":
        done = "created" if written.created else "updated" if written.changed else "unchanged"
        text = f"{stored.reference} is {done}, version {stored.version}."
        return serialization.encode(outcome([Issue("information", "informational", text)]))
    return stored.json


def refuse_other_type(resource: dict[str, Any], resource_type: str) -> None:
    """Raises `Problem` 400 when the body is not of the type the URL names."""
    named = resource.get("resourceType")
    if named == resource_type:
        return
    if named is None:
        raise bad_request("The body says no resourceType.", "required", "resourceType")
    text = f"The body is a {str(named)[:80]!r}, the URL is for {resource_type}."
    raise bad_request(text, "value", "resourceType")
