"""An OpenAPI 3.1 description of the API, made from the routes, the operations and R4's tables.

`GET /fhir/openapi.json` describes every path with the type as a parameter; with `?type=Patient`
the paths of one type, with each of its search parameters, for those who generate clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from helsevev.fhir import patch, serialization
from helsevev.fhir.compartments import COMPARTMENTS
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.views.keeping import VIEW
from helsevev.fhir_api import capabilities
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction, Routes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.registry import OPERATIONS
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

MEDIA_TYPE: Final = "application/vnd.oai.openapi+json"
_JSON: Final = "application/fhir+json"
_NO_RESOURCES: Final = {"openapi": MEDIA_TYPE, "smart-configuration": "application/json"}
"""What answers with other than a resource, and in which form."""
_FORM: Final = "application/x-www-form-urlencoded"
_ANY: Final = "{type}"
_ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
_BODIES: Final = {"create": (_JSON,), "update": (_JSON,), "transaction": (_JSON,),
                  "patch": patch.FORMATS}  # fmt: skip
_FORMS: Final = ("search-type", "search-system")
_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("200", "304"), "vread": ("200", "304"), "create": ("200", "201"),
    "update": ("200", "201"), "delete": ("204",), "capabilities": ("200", "304"),
    "operation": ("200", "202", "204", "303"),
}  # fmt: skip
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 1000}
_PRESENTATION: Final = {
    "_pretty": {"type": "string", "enum": ["true", "false"]},
    "_summary": {"type": "string", "enum": ["true", "text", "data", "count", "false"]},
    "_elements": _TEXT,
}
_PERIOD: Final = {"_since": _TEXT, "_at": _TEXT, "_count": _COUNT, "_cursor": _TEXT}
_RESULTS: Final = {
    "_count": _COUNT, "_cursor": _TEXT, "_sort": _TEXT, "_include": _TEXT, "_revinclude": _TEXT,
    "_total": {"type": "string", "enum": ["none", "estimate", "accurate"]},
}  # fmt: skip
_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("If-None-Match", "If-Modified-Since"), "vread": ("If-None-Match",),
    "create": ("If-None-Exist", "Prefer", "Idempotency-Key"),
    "update": ("If-Match", "Prefer", "Idempotency-Key"),
    "patch": ("If-Match", "Prefer", "Idempotency-Key"), "delete": ("If-Match",),
    "transaction": ("Prefer", "Idempotency-Key"), "search-type": ("Prefer",),
}  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the description; 400 for a `type` that R4 does not have."""
    request.refuse_parameters("type")
    kind = request.parameter("type")
    if kind is not None and kind not in RESOURCE_TYPES:
        raise bad_request(f"R4 has no resource type {kind[:80]!r}.", "value", "type")
    told = (b"content-type", f"{MEDIA_TYPE}; version=3.1".encode())
    body = serialization.encode(description(request.base, doors.routes, kind))
    caching = (b"cache-control", b"public, max-age=300")
    return Answer(200, body, extra=(told, caching))


def description(base: str, routes: Routes, kind: str | None = None) -> dict[str, Any]:
    """The description of a server at `base`: of all types at once, or of one."""
    about = f" of {kind}" if kind else ""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Helsevev: FHIR R4{about}",
            "version": capabilities.version_here(),
            "description": "FHIR R4 (4.0.1). The CapabilityStatement is at /metadata.",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": base}],
        "security": [{"bearer": []}],
        "paths": dict(_paths(routes, kind)),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _paths(routes: Routes, kind: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    for shape, methods in routes.items():
        of_kind = shape.startswith("[type]") or (
            shape.startswith("[compartment]") and kind in COMPARTMENTS
        )
        if kind is not None and not of_kind:
            continue
        first, *rest = shape.split("/")
        path = "/" + "/".join([kind or _step(first), *map(_step, rest)])
        described = {m.lower(): _described(i, m, path, kind) for m, i in methods.items()}
        yield path, {"parameters": _path_parameters(path), **described}
    for operation in OPERATIONS:
        for path in _places(operation, kind):
            described = {m.lower(): _operation(operation, m, path) for m in operation.methods}
            yield path, {"parameters": _path_parameters(path), **described}


def _step(step: str) -> str:
    return f"{{{step[1:-1]}}}" if step.startswith("[") else step


def _path_parameters(path: str) -> list[dict[str, Any]]:
    types = sorted(RESOURCE_TYPES)
    if not path.startswith("/{type}"):
        types = [*types, "*"]  # Of a compartment, where every type at once may be asked for.
    schemas: dict[str, dict[str, Any]] = {
        "type": {"type": "string", "enum": types},
        "compartment": {"type": "string", "enum": sorted(COMPARTMENTS)},
        "id": _ID,
        "vid": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": schemas.get(name, _ID)}
        for name in (step[1:-1] for step in path.split("/") if step.startswith("{"))
    ]


def _described(interaction: Interaction, method: str, path: str, kind: str | None) -> Any:
    code = interaction.code
    described: dict[str, Any] = {
        "operationId": _name(method, path),
        "summary": f"{code}, conditional" if interaction.conditional else code,
        "parameters": [
            *_query(_known(interaction, code, kind)),
            *({"name": name, "in": "header", "schema": _TEXT} for name in _HEADERS.get(code, ())),
        ],
        "responses": _responses(_STATUSES.get(code, ("200",))),
    }
    if interaction.public:
        described["security"] = []
    if code in _NO_RESOURCES:
        told = {_NO_RESOURCES[code]: {"schema": {"type": "object"}}}
        described["responses"]["200"]["content"] = told
    if method == "POST" and code in _FORMS:
        described["requestBody"] = _body((_FORM,), {"type": "object", "properties": _RESULTS})
    elif code in _BODIES:
        described["requestBody"] = _body(_BODIES[code], _ref(_sent(code)))
    return described


def _name(method: str, path: str) -> str:
    return f"{method.lower()}-{path.strip('/').replace('/', '-') or 'base'}"


def _known(interaction: Interaction, code: str, kind: str | None) -> dict[str, Any]:
    """The query parameters of an interaction, with their schemas."""
    conditions = dict.fromkeys(PARAMETERS.get(kind or "Resource", {"_id": None}), _TEXT)
    if code.startswith("history"):
        return {**_PERIOD, **_PRESENTATION}
    if code.startswith("search"):
        return {**_RESULTS, **_PRESENTATION, **conditions}
    if interaction.conditional:
        return conditions
    if code == "openapi":
        return {"type": {"type": "string", "enum": sorted(RESOURCE_TYPES)}}
    return {} if code in ("capabilities", "transaction") else dict(_PRESENTATION)


def _query(known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, schema in known.items():
        yield {"name": name, "in": "query", "schema": schema}


def _places(operation: Operation, kind: str | None) -> Iterator[str]:
    if kind is None:
        if operation.system:
            yield f"/${operation.name}"
        kinds: Iterable[str] = [_ANY] if operation.types == ("*",) else operation.types
        yield from (f"/{each}/${operation.name}" for each in kinds)
        kinds = [_ANY] if operation.instances == ("*",) else operation.instances
        yield from (f"/{each}/{{id}}/${operation.name}" for each in kinds)
        return
    if operation.is_at_type(kind):
        yield f"/{kind}/${operation.name}"
    if operation.is_at_instance(kind):
        yield f"/{kind}/{{id}}/${operation.name}"


def _operation(operation: Operation, method: str, path: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(method, path),
        "summary": f"${operation.name}",
        "externalDocs": {"url": operation.definition},
        "responses": _responses(_STATUSES["operation"]),
    }
    if method == "POST":
        described["requestBody"] = {**_body((_JSON,), _ref("Resource")), "required": False}
    return described | ({"security": []} if operation.public else {})


def _responses(statuses: Iterable[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status in statuses:
        told[status] = {"description": _WORDS[status]}
        if status in ("200", "201"):
            told[status]["content"] = {_JSON: {"schema": _ref("Resource")}}
    told["4XX"] = {
        "description": "What is wrong with the request, and where.",
        "content": {_JSON: {"schema": _ref("OperationOutcome")}},
    }
    return told


_WORDS: Final = {
    "200": "Done, or found.", "201": "Created.", "202": "Under way.", "204": "Done.",
    "303": "The result is elsewhere.", "304": "The client has it.",
}  # fmt: skip


def _body(kinds: Iterable[str], schema: dict[str, Any]) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind in kinds}
    if patch.JSON_PATCH in content:
        content[patch.JSON_PATCH] = {"schema": _ref("JsonPatch")}
    return {"required": True, "content": content}


def _sent(code: str) -> str:
    return {"transaction": "Bundle", "patch": "Parameters"}.get(code, "Resource")


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Any]:
    """Shapes as far as they help to write a client; R4's own definitions say the rest."""
    return {
        "Resource": {
            "type": "object",
            "required": ["resourceType"],
            "properties": {
                "resourceType": {"type": "string", "enum": sorted({*RESOURCE_TYPES, VIEW})},
                "id": _ID,
            },
        },
        **{name: _resource(name, **elements) for name, elements in _SHAPES.items()},
        "JsonPatch": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["op", "path"],
                "properties": {
                    "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                    "path": _TEXT,
                    "from": _TEXT,
                },
            },
        },
    }


def _resource(name: str, **elements: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"const": name}, **elements},
    }


_ARRAY: Final[dict[str, Any]] = {"type": "array", "items": {"type": "object"}}
_SHAPES: Final[Mapping[str, dict[str, Any]]] = {
    "Bundle": {"type": {"enum": ["transaction", "batch"]}, "entry": _ARRAY},
    "Parameters": {"parameter": _ARRAY},
    "OperationOutcome": {"issue": {**_ARRAY, "minItems": 1}},
}

INTERACTION: Final = Interaction("openapi", answer, public=True)
