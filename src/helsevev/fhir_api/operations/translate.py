"""http://hl7.org/fhir/R4/conceptmap-operation-translate.html: a code in another system."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access.translation import Match, Translated
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.codings import asked_codes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import answered, given, parts, value
from helsevev.fhir_api.operations.terminology_resource import opened
from helsevev.fhir_api.request import Request

_KNOWN: Final = (
    "url", "conceptMap", "conceptMapVersion", "code", "system", "version", "source", "coding",
    "codeableConcept", "target", "targetsystem", "reverse",
)  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the matches, result false when there is none; 404 when no map fits."""
    asked = await given(request, _KNOWN, resource="conceptMap")
    resource = await opened(doors, request)
    found = [
        await doors.services.terminology.translate(
            code,
            url=asked.text("url"),
            version=asked.text("conceptMapVersion"),
            source=asked.text("source"),
            target=asked.text("target"),
            target_system=asked.text("targetsystem"),
            reverse=asked.flag("reverse"),
            concept_map=resource or asked.element("conceptMap"),
        )
        for code in asked_codes(asked)
    ]
    matches = list(dict.fromkeys(match for each in found for match in each.matches))
    told = Translated(matches, " ".join(dict.fromkeys(e.message for e in found if e.message)))
    parameters = [value("result", "boolean", told.result)]
    if told.message and not told.result:
        parameters.append(value("message", "string", told.message))
    return answered([*parameters, *(_match(match) for match in matches)])


def _match(match: Match) -> dict[str, Any]:
    inner = [value("equivalence", "code", match.equivalence)]
    if match.code:
        concept: dict[str, Any] = {"system": match.system, "code": match.code}
        if match.display:
            concept["display"] = match.display
        inner.append(value("concept", "Coding", concept))
    if match.source:
        inner.append(value("source", "uri", match.source))
    if match.comment:
        inner.append(value("message", "string", match.comment))
    return parts("match", *inner)


OPERATION: Final = Operation(
    name="translate",
    definition="http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
    answer=answer,
    types=("ConceptMap",),
    instances=("ConceptMap",),
)
