"""$viewdefinition-export of SQL on FHIR v2: the rows of views as files, carried out as a job."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access import views
from helsevev.access.export.asked import Asked, format_of, moment_of
from helsevev.fhir.views.keeping import VIEW
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.export import need_async, taken_on
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.operations.viewdefinition_run import chosen, definition_of
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

_KNOWN: Final = frozenset(
    {"view", "viewReference", "viewResource", "patient", "group", "_since", "_format", "header"}
)
_PARTS: Final = {"name": "valueString", "viewReference": "valueReference", "viewResource": ""}


async def answer(doors: Doors, request: Request) -> Answer:
    """202 with Content-Location of the status; 400, 403, 404, 429."""
    await doors.services.exports.decide(request.actor)
    need_async(request)
    asked = await given(request)
    if request.prefer.strict:
        asked.refuse_others(_KNOWN)
    definitions = [await _named(doors, request, part) for part in asked.all("view")]
    if not definitions:
        definitions = [await definition_of(doors, request, asked)]
    for definition in definitions:
        views.compiled(definition)
    export = Asked(
        format=format_of(asked.text("_format"), ("ndjson", "csv", "parquet")),
        patients=await chosen(doors, request, asked),
        since=moment_of(asked.text("_since"), "_since"),
        views=tuple(definitions),
        header=asked.flag("header", default=True),
    )
    return await taken_on(doors, request, export)


async def _named(doors: Doors, request: Request, view: Any) -> dict[str, Any]:
    """The definition in one `view` parameter, under the name that it gives."""
    parts = view.get("part") if isinstance(view, dict) else None
    if not isinstance(parts, list):
        raise bad_request("view has parts: name, and viewReference or viewResource.", "structure")
    found = Given()
    for part in parts:
        name = part.get("name") if isinstance(part, dict) else None
        if name not in _PARTS:
            raise bad_request(f"view has no part {str(name)[:80]!r}.", "not-supported", "view")
        value = part.get("resource") if name == "viewResource" else part.get(_PARTS[name])
        found.texts.setdefault(name, []).append(value)
    definition = await definition_of(doors, request, found)
    name = found.text("name")
    return {**definition, "name": name} if name else definition


_DEFINITION: Final = "http://sql-on-fhir.org/OperationDefinition/$viewdefinition-export"
OPERATION: Final = Operation(
    "viewdefinition-export", _DEFINITION, answer, system=True, types=(VIEW,), instances=(VIEW,)
)
