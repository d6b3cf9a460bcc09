"""http://hl7.org/fhir/R4/codesystem-operation-lookup.html: all that is known of a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from helsevev.access.code_systems import LookUp, languages_of
from helsevev.access.expansion import designation
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.codings import asked_codes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import answered, given, parts, value
from helsevev.fhir_api.request import Request

_KNOWN: Final = ("code", "system", "version", "coding", "date", "displayLanguage", "property")
_KINDS: Final = frozenset({"code", "string", "integer", "boolean", "dateTime", "decimal"})
_BASIC: Final = frozenset({"url", "system", "name", "version", "display"})


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with name, display, designations and properties; 404 when it is not known here."""
    asked = await given(request, _KNOWN)
    (code,) = asked_codes(asked)
    wanted = {str(each) for each in asked.all("property")}
    found = await doors.services.terminology.lookup(
        code.system, code.code, code.version,
        languages=languages_of(asked.text("displayLanguage")),
        children="child" in wanted or "*" in wanted,
    )  # fmt: skip
    return answered(_told(found, wanted))


def _told(found: LookUp, wanted: set[str]) -> Iterator[dict[str, Any]]:
    everything = not wanted or "*" in wanted
    yield value("name", "string", found.release.name)
    if found.release.version:
        yield value("version", "string", found.release.version)
    yield value("display", "string", found.display or found.concept.code)
    languages = {name[5:] for name in wanted if name.startswith("lang.")}
    for name in found.names:
        if everything or "designation" in wanted or name.language in languages:
            said = designation(found.release.system, name)
            inner = [value("language", "code", name.language)] if name.language else []
            if "use" in said:
                inner.append(value("use", "Coding", said["use"]))
            yield parts("designation", *inner, value("value", "string", name.value))
    yield from _properties(found, wanted - _BASIC, everything)


def _properties(found: LookUp, wanted: Iterable[str], everything: bool) -> Iterator[dict[str, Any]]:
    if found.concept.definition and (everything or "definition" in wanted):
        code = value("code", "code", "definition")
        yield parts("property", code, value("value", "string", found.concept.definition))
    for each in found.properties:
        if everything or each.code in wanted:
            kind = each.kind if each.kind in _KINDS else "string"
            content = each.value if kind in ("integer", "boolean", "decimal") else str(each.value)
            code = value("code", "code", each.code)
            yield parts("property", code, value("value", kind, content))


OPERATION: Final = Operation(
    name="lookup",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    answer=answer,
    types=("CodeSystem",),
)
