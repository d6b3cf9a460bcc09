"""http://hl7.org/fhir/R4/valueset-operation-validate-code.html: is it a code of a value set."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.code_systems import languages_of
from helsevev.access.terminology import Verdict
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.code_system_validate_code import told
from helsevev.fhir_api.operations.codings import asked_codes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.operations.terminology_resource import opened
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_KNOWN: Final = (
    "url", "valueSet", "valueSetVersion", "code", "system", "systemVersion", "display", "coding",
    "codeableConcept", "date", "abstract", "displayLanguage",
)  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the result; 404 when the value set or a system it needs is not here."""
    asked = await given(request, _KNOWN, resource="valueSet")
    value_set = await asked_value_set(doors, request, asked)
    codes = asked_codes(asked, version="systemVersion")
    languages = languages_of(asked.text("displayLanguage"))
    verdicts: list[Verdict] = []
    for code in codes:
        verdict = await doors.services.terminology.validate_in(
            value_set, code, version=asked.text("valueSetVersion"), languages=languages,
            abstract=asked.flag("abstract", True),
        )  # fmt: skip
        verdicts.append(verdict)
        if verdict.result:
            break
    best = next((v for v in verdicts if v.result), None)
    if best is None:
        best = Verdict(False, " ".join(dict.fromkeys(v.message for v in verdicts)))
    return told(best)


async def asked_value_set(doors: Doors, request: Request, asked: Given) -> str | dict[str, Any]:
    """The value set asked about: of the path, sent along, or a URL. Raises `Problem` 400."""
    resource = await opened(doors, request)
    inline = asked.element("valueSet")
    url = asked.text("url")
    if sum((resource is not None, inline is not None, bool(url))) != 1:
        text = "Name one value set: by the path, as url, or as valueSet."
        raise bad_request(text, "required", "url")
    return resource or inline or url


OPERATION: Final = Operation(
    name="validate-code",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    answer=answer,
    types=("ValueSet",),
    instances=("ValueSet",),
)
