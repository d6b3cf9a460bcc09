"""$viewdefinition-run of SQL on FHIR v2: the rows of a view, now (https://sql-on-fhir.org/ig/latest)."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from helsevev.access import views
from helsevev.access.export.asked import Format, format_of, moment_of
from helsevev.access.export.contents import Rows
from helsevev.access.export.files import Tables, csv_lines
from helsevev.access.views import Run
from helsevev.fhir import references, serialization
from helsevev.fhir.outcome import error
from helsevev.fhir.views.compiling import Row
from helsevev.fhir.views.keeping import VIEW
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.export_parameters import members_of, patients_of
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import Request
from helsevev.fhir_api.view_definitions import referred_to

KNOWN: Final = frozenset(
    {"viewReference", "viewResource", "patient", "group", "_limit", "_since", "resource", "header",
     "_format"}
)  # fmt: skip
_FORMATS: Final[tuple[Format, ...]] = ("json", "ndjson", "csv", "parquet")
_TYPES: Final[dict[Format, bytes]] = {
    "json": b"application/json; charset=utf-8",
    "ndjson": b"application/x-ndjson",
    "csv": b"text/csv; charset=utf-8",
    "parquet": b"application/vnd.apache.parquet",
}
_LARGEST_TABLE: Final = 64 * 1024 * 1024


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with rows in the format asked for; 400, 403, 404."""
    asked = await given(request)
    if request.prefer.strict:
        asked.refuse_others(KNOWN)
    table = views.compiled(await definition_of(doors, request, asked))
    run = Run(
        await chosen(doors, request, asked),
        moment_of(asked.text("_since"), "_since"),
        asked.whole("_limit"),
        asked.all("resource"),
    )
    if not all(isinstance(resource, dict) for resource in run.resources):
        raise bad_request("The parameter resource holds resources.", "value", "resource")
    await doors.services.views.decide(request.actor, run)
    wanted = _format(asked, request)
    rows = doors.services.views.rows(request.actor, table, run)
    # The first page is made before the answer begins, so that what fails in it can be told.
    nothing: list[Row] = []
    first = await anext(rows, nothing)
    shape = Rows(table)
    headers = ((b"content-type", _TYPES[wanted]),)
    if wanted == "parquet":
        whole = await _parquet(shape, first, rows)
        return Answer(200, extra=headers, stream=_whole(whole))
    pieces = _pieces(wanted, shape, first, rows, asked.flag("header", default=True))
    return Answer(200, extra=headers, stream=pieces)


async def definition_of(doors: Doors, request: Request, asked: Given) -> dict[str, Any]:
    """The view that the path, a reference or a resource gives. Raises `Problem`, `NotFound`."""
    ways = [asked.element("viewResource")] if asked.all("viewResource") else []
    references = [asked.one("viewReference")] if asked.all("viewReference") else []
    if len(request.segments) == 3:
        references.append("/".join(request.segments[:2]))
    for each in references:
        text = each.get("reference") if isinstance(each, dict) else each
        ways.append(await referred_to(doors, request, str(text or "")))
    if len(ways) != 1:
        text = (
            "Name one view: by viewResource, by viewReference, or ViewDefinition/<id> in the URL."
        )
        raise bad_request(text, "required", "viewResource")
    return ways[0] or {}


async def chosen(doors: Doors, request: Request, asked: Given) -> tuple[str, ...] | None:
    """Ids of the patients to whom `patient` and `group` confine it, None: to nobody."""
    patients = patients_of(asked)
    group = asked.one("group")
    if group is None:
        return patients
    text = group.get("reference") if isinstance(group, dict) else group
    place = references.relative(str(text))
    if place is None or place[0] != "Group":
        raise bad_request("group is a reference: Group/<id>.", "value", "group")
    members = await members_of(doors, request, place[1])
    return members if patients is None else tuple(p for p in patients if p in members)


def _format(asked: Given, request: Request) -> Format:
    text = asked.text("_format")
    if text:
        return format_of(text, _FORMATS)
    accepted = request.header(b"accept").split(",")[0].partition(";")[0].strip().lower()
    for name, content_type in _TYPES.items():
        if content_type.decode().partition(";")[0] == accepted:
            return name
    return "ndjson" if "ndjson" in accepted else "json"


async def _pieces(
    wanted: Format, shape: Rows, first: list[Row], rows: AsyncIterator[list[Row]], header: bool
) -> AsyncGenerator[bytes, None]:
    async with aclosing(rows):  # type: ignore[type-var]
        if wanted == "csv" and header:
            yield csv_lines([shape.names])
        page, before = first, b"["
        while page:
            if wanted == "csv":
                yield csv_lines(page)
            elif wanted == "ndjson":
                yield b"".join(shape.line(row) + b"\n" for row in page)
            else:
                yield before + b",".join(shape.line(row) for row in page)
                before = b","
            page = await anext(rows, [])
        if wanted == "json":
            yield b"[]" if before == b"[" else b"]"


async def _whole(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _parquet(shape: Rows, first: list[Row], rows: AsyncIterator[list[Row]]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="helsevev-view-") as name:
        folder = Path(name)
        tables = Tables(folder, _LARGEST_TABLE)
        page = first
        while True:
            size = sum(len(serialization.encode(list(row))) for row in page)
            tables.write("rows", shape.kinds, page, size)
            page = await anext(rows, [])
            if not page:
                break
        written = tables.close()
        if len(written) > 1:
            text = "So many rows are more than one Parquet file: ask for $viewdefinition-export."
            raise Problem(400, error("too-costly", text))
        return (folder / written[0].name).read_bytes()


_DEFINITION: Final = "http://sql-on-fhir.org/OperationDefinition/$viewdefinition-run"
OPERATION: Final = Operation(
    "viewdefinition-run", _DEFINITION, answer, system=True, types=(VIEW,), instances=(VIEW,)
)
