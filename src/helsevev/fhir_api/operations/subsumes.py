"""http://hl7.org/fhir/R4/codesystem-operation-subsumes.html: how one concept stands to another."""

from __future__ import annotations

from typing import Final

from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.codings import coded
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, answered, given, value
from helsevev.fhir_api.operations.terminology_resource import opened
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_KNOWN: Final = ("codeA", "codeB", "system", "version", "codingA", "codingB")


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the outcome; 404 when the system or a code is not known here."""
    asked = await given(request, _KNOWN)
    resource = await opened(doors, request)
    system, version = asked.text("system"), asked.text("version")
    if resource is not None:
        system, version = resource.get("url", ""), resource.get("version", "")
    first, second = _code(asked, "A"), _code(asked, "B")
    systems = {name for name in (first[0], second[0], system) if name}
    if len(systems) > 1:
        text = f"Concepts of one system are compared, not of several: {', '.join(sorted(systems))}."
        raise bad_request(text)
    if not systems:
        raise bad_request("Which system are the codes of?", "required", "system")
    outcome = await doors.services.terminology.subsumes(
        systems.pop(), first[1], second[1], version or first[2] or second[2]
    )
    return answered([value("outcome", "code", outcome)])


def _code(asked: Given, which: str) -> tuple[str, str, str]:
    coding = asked.element(f"coding{which}")
    if (coding is None) == (not asked.text(f"code{which}")):
        text = f"Ask with one of code{which} and coding{which}."
        raise bad_request(text, "required", f"code{which}")
    if coding is None:
        return "", asked.text(f"code{which}"), ""
    found = coded(coding, f"coding{which}")
    return found.system, found.code, found.version


OPERATION: Final = Operation(
    name="subsumes",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
    answer=answer,
    types=("CodeSystem",),
    instances=("CodeSystem",),
)
