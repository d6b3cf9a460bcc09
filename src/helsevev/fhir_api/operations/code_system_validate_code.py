"""http://hl7.org/fhir/R4/codesystem-operation-validate-code.html: is it a code of its system."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from helsevev.access.code_systems import languages_of
from helsevev.access.terminology import Verdict
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.codings import asked_codes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import answered, given, value
from helsevev.fhir_api.operations.terminology_resource import opened
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_KNOWN: Final = (
    "url", "codeSystem", "code", "version", "display", "coding", "codeableConcept", "date",
    "abstract", "displayLanguage", "system",
)  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the result; 404 when the system is not here, since then it cannot be told."""
    asked = await given(request, _KNOWN)
    resource = await opened(doors, request)
    inline = asked.element("codeSystem")
    url, version = asked.text("url") or asked.text("system"), asked.text("version")
    if resource is not None:
        url, version = resource.get("url", ""), version or resource.get("version", "")
        inline = None if url else resource
    codes = [
        replace(each, system=each.system or url, version=each.version or version)
        for each in asked_codes(asked, system="url", needs_system=False)
    ]
    if inline is None and not all(each.system for each in codes):
        raise bad_request("Which system is the code of?", "required", "url")
    strange = sorted({c.system for c in codes if url and c.system != url})
    if strange:
        text = f"The code is of {', '.join(strange)}, and is asked for in {url}."
        return told(Verdict(False, text))
    languages = languages_of(asked.text("displayLanguage"))
    verdicts = [
        await doors.services.terminology.validate_code(
            code, languages=languages, abstract=asked.flag("abstract", True), code_system=inline
        )
        for code in codes
    ]
    return told(next((v for v in verdicts if v.result), verdicts[0]))


def told(verdict: Verdict) -> Answer:
    """The answer of both $validate-code operations."""
    parameters = [value("result", "boolean", verdict.result)]
    if verdict.message:
        parameters.append(value("message", "string", verdict.message))
    if verdict.display:
        parameters.append(value("display", "string", verdict.display))
    return answered(parameters)


OPERATION: Final = Operation(
    name="validate-code",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
    answer=answer,
    types=("CodeSystem",),
    instances=("CodeSystem",),
)
