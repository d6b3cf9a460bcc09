"""http://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-kick-off-request: `$export`, taken on."""

from __future__ import annotations

from typing import Final

from helsevev.access.export.asked import Asked
from helsevev.access.export.exports import TooMany
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir_api.answer import Answer, of_issues
from helsevev.fhir_api.bulk_export.status import PATH
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.export_parameters import asked_by
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.request import Request

_DEFINITION: Final = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"


async def answer(doors: Doors, request: Request) -> Answer:
    """202 with Content-Location of the status; 400, 403, 404, 429."""
    await doors.services.exports.decide(request.actor)
    need_async(request)
    return await taken_on(doors, request, await asked_by(doors, request))


def need_async(request: Request) -> None:
    """Raises `Problem` 400 unless the client is ready to wait."""
    wanted = request.header(b"prefer").lower().replace(" ", "")
    if "respond-async" not in wanted.replace(";", ",").split(","):
        text = "An export takes its time: ask for it with the header Prefer: respond-async."
        raise Problem(400, error("required", text))


async def taken_on(doors: Doors, request: Request, asked: Asked) -> Answer:
    """202 for an export that will be carried out."""
    url = "/".join((request.base, *request.segments)) + (f"?{request.query}" * bool(request.query))
    try:
        job_id = await doors.services.exports.ask(request.actor, asked, url)
    except TooMany as problem:
        raise Problem(429, *problem.issues, headers=((b"retry-after", b"60"),)) from None
    location = f"{request.base}/{PATH}/{job_id}".encode()
    told = Issue("information", "informational", "The export is under way; ask for its status.")
    return of_issues(202, [told], (b"content-location", location))


SYSTEM: Final = Operation("export", f"{_DEFINITION}export", answer, system=True)
PATIENT: Final = Operation("export", f"{_DEFINITION}patient-export", answer, types=("Patient",))
GROUP: Final = Operation("export", f"{_DEFINITION}group-export", answer, instances=("Group",))
