"""http://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-status-request: how far, and what came."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from helsevev.access.export.contents import DELETED
from helsevev.access.export.exports import files_of
from helsevev.access.export.files import Written
from helsevev.access.stored import JobRow
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir_api.answer import Answer, http_date, of_issues
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request

PATH: Final = "_export"
"""Where exports are followed and their files lie, below the base."""

_JSON: Final = (b"content-type", b"application/json; charset=utf-8")
_LONGEST_WAIT: Final = 30


async def answer(doors: Doors, request: Request) -> Answer:
    """202 with X-Progress while it is under way, 200 with the manifest, 500 when it failed."""
    request.refuse_parameters()
    job = await doors.services.exports.job(request.actor, request.segments[1])
    if job.state == "done":
        expires = (b"expires", http_date(int(job.expires_at.timestamp())))
        body = serialization.encode(manifest(job, f"{request.base}/{PATH}/{job.id}"))
        return Answer(200, body, extra=(expires, _JSON))
    if job.state == "failed":
        return of_issues(500, [error("exception", f"The export failed: {job.problem}")])
    wait = b"%d" % min(_LONGEST_WAIT, 1 + job.expected // 200_000)
    headers = ((b"x-progress", progress(job).encode()), (b"retry-after", wait))
    return Answer(202, None, extra=headers)


async def remove(doors: Doors, request: Request) -> Answer:
    """202: cancelled, or its files removed (section Bulk Data Delete Request)."""
    await doors.services.exports.remove(request.actor, request.segments[1])
    told = Issue("information", "informational", "The export and its files are removed.")
    return of_issues(202, [told])


def progress(job: JobRow) -> str:
    """How far it has come, in at most 100 characters."""
    if job.state == "accepted":
        return "waiting for its turn"
    about = f" of about {job.expected}" if job.expected >= job.written > 0 else ""
    again = ", begun anew after a restart" if job.starts > 1 else ""
    return f"{job.written} resources{about}{again}"


def manifest(job: JobRow, base: str) -> dict[str, Any]:
    """What was exported as of when, and where its files are, with sizes and checksums."""
    found = files_of(job)
    return {
        "transactionTime": _instant(job.transaction_time or job.requested_at),
        "request": job.request,
        "requiresAccessToken": True,
        "output": [_file(w, base) for w in found if w.type != DELETED],
        "deleted": [_file(w, base) | {"type": "Bundle"} for w in found if w.type == DELETED],
        "error": [],
    }


def _file(written: Written, base: str) -> dict[str, Any]:
    return {
        "type": written.type,
        "url": f"{base}/{written.name}",
        "count": written.count,
        "extension": {"size": written.size, "sha256": written.sha256},
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


STATUS: Final = Interaction("operation", answer)
REMOVE: Final = Interaction("operation", remove)
