"""http://hl7.org/fhir/R4/http.html#capabilities: what works here, told from the router."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, Final

from helsevev.access.subscriptions.topics import topics
from helsevev.fhir import patch, serialization, subscription_asked
from helsevev.fhir.compartments import COMPARTMENTS
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_parameters import PARAMETERS, Parameter
from helsevev.fhir.views.keeping import TYPE_CODE, TYPE_SYSTEM
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors, Interaction, Routes
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.registry import OPERATIONS
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request

PUBLISHED: Final = "2026-01-01"
"""The date of this description; it changes when what is described does."""

_SYSTEM_LEVEL: Final = ("transaction", "batch", "history-system", "search-system")
_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_REFERENCES: Final = ("literal", "logical", "local")

_VIEWS: Final = (
    "ViewDefinition of SQL on FHIR v2 is no resource type of R4, so that it cannot be listed here:"
    " ViewDefinition/[id] is read, created, updated and deleted, ViewDefinition is searched by"
    " _id, url, identifier, version, name, title, status, date, publisher, description and"
    " resource, with versions and history; in JSON; not by PATCH, nor in a Bundle. Each is kept"
    f" as a Library of type {TYPE_SYSTEM}|{TYPE_CODE}, and may be written and exported as such."
)

_FILTER: Final = {
    "name": "_filter",
    "definition": "http://hl7.org/fhir/SearchParameter/filter",
    "type": "special",
    "documentation": "Of every type. ne is refused of parameters that may have several codes.",
}

# A client names the host itself, so that there are as many bases as it likes.
_MOST_BASES: Final = 16
Added = Mapping[str, Sequence[Parameter]]
"""By resource type, the search parameters that were added here and can be searched."""
NOTHING: Final[Added] = MappingProxyType({})
_described: dict[tuple[str, bool, str], tuple[bytes, bytes]] = {}


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the CapabilityStatement, 304 when the client has it."""
    request.refuse_parameters("mode")
    if request.parameter("mode") not in (None, "full"):
        raise bad_request("mode is full.", "not-supported", "mode")
    added = await doors.searcher.added()
    body, etag = described(request.base, doors.routes, doors.deletes_several, added)
    if request.headers.get(b"if-none-match") == etag:
        return Answer(304, None, extra=((b"etag", etag),))
    return Answer(200, body, extra=((b"etag", etag), (b"cache-control", b"public, max-age=300")))


def described(
    base: str, routes: Routes, deletes_several: bool, added: Added = NOTHING
) -> tuple[bytes, bytes]:
    """The statement's bytes and their ETag, for a server at `base`."""
    key = (base, deletes_several, repr(added))
    if key not in _described:
        if len(_described) >= _MOST_BASES:
            _described.clear()
        body = serialization.encode(statement(base, routes, deletes_several, added))
        digest = blake2b(body, digest_size=8).hexdigest()
        _described[key] = body, f'W/"{digest}"'.encode()
    return _described[key]


def statement(
    base: str, routes: Routes, deletes_several: bool = False, added: Added = NOTHING
) -> dict[str, Any]:
    """The CapabilityStatement of a server at `base`, with the search parameters added to it."""
    codes = {
        path: [i.code for i in methods.values() if not i.conditional]
        for path, methods in routes.items()
    }
    of_type = [path for path in routes if path.startswith("[type]")]
    by_type = [code for path in of_type for code in codes[path]]
    conditional = {
        method: "multiple" if deletes_several else "single"
        for path in of_type
        for method, i in routes[path].items()
        if i.conditional
    }
    system = {code for path in ("", "_history", "_search") for code in codes[path]} | {"batch"}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Helsevev", "version": version_here()},
        "implementation": {"description": "The shared record", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "patchFormat": list(patch.FORMATS),
        "rest": [
            {
                "mode": "server",
                "documentation": _VIEWS,
                "security": _security(),
                "resource": [
                    _resource(kind, by_type, conditional, added.get(kind, ()))
                    for kind in sorted(RESOURCE_TYPES)
                ],
                "interaction": [{"code": code} for code in _SYSTEM_LEVEL if code in system],
                "searchParam": [_FILTER],
                **_operations([o for o in OPERATIONS if o.system]),
                "compartment": [
                    f"http://hl7.org/fhir/CompartmentDefinition/{name[0].lower()}{name[1:]}"
                    for name in COMPARTMENTS
                ],
            }
        ],
    }


def _operations(offered: Iterable[Operation]) -> dict[str, Any]:
    told = [{"name": o.name, "definition": o.definition} for o in offered]
    return {"operation": told} if told else {}


def _security() -> dict[str, Any]:
    text = (
        "A bearer token names who asks. What is shown and accepted follows the treatment relation"
        " between that actor and each inhabitant, and an app's scopes; everything is audited."
    )
    return {
        "cors": True,
        "service": [
            {
                "coding": [{"system": _SERVICES, "code": "SMART-on-FHIR"}],
                "text": "SMART App Launch 2",
            },
            {"coding": [{"system": _SERVICES, "code": "OAuth"}], "text": "Bearer token (RFC 6750)"},
        ],
        "description": text,
    }


def _resource(
    kind: str, codes: list[str], conditional: Mapping[str, str], added: Sequence[Parameter]
) -> dict[str, Any]:
    parameters = [
        {"name": p.name, "definition": p.url, "type": p.kind}
        for p in (*PARAMETERS[kind].values(), *added)
    ]
    refers = [p.name for p in PARAMETERS[kind].values() if p.kind == "reference"]
    referring = sorted(
        f"{other}:{p.name}"
        for other in _referrers(kind)
        for p in PARAMETERS[other].values()
        if p.kind == "reference" and kind in p.targets
    )
    described: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in dict.fromkeys(codes)],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": "create" in codes,
        "conditionalRead": "full-support",
        "conditionalUpdate": "PUT" in conditional,
        "conditionalDelete": conditional.get("DELETE", "not-supported"),
        "referencePolicy": list(_REFERENCES),
        "searchParam": parameters,
    }
    if kind == "Subscription":
        described["extension"] = [
            {"url": subscription_asked.TOPICS, "valueCanonical": url} for url in topics()
        ]
    if refers:
        described["searchInclude"] = [f"{kind}:{name}" for name in refers]
    if referring:
        described["searchRevInclude"] = referring
    offered = (o for o in OPERATIONS if o.is_at_type(kind) or o.is_at_instance(kind))
    return {**described, **_operations(offered)}


@cache
def _referrers(kind: str) -> tuple[str, ...]:
    return tuple(
        other
        for other in sorted(RESOURCE_TYPES)
        if any(p.kind == "reference" and kind in p.targets for p in PARAMETERS[other].values())
    )


def version_here() -> str:
    """The program's version."""
    try:
        return version("helsevev")
    except PackageNotFoundError:
        return "0"


INTERACTION: Final = Interaction("capabilities", answer, public=True)
