"""Which interaction a method and a path ask for; also what the CapabilityStatement tells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from helsevev.fhir.compartments import COMPARTMENTS
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import error
from helsevev.fhir_api import (
    capabilities,
    create,
    delete,
    history_instance,
    history_system,
    history_type,
    openapi,
    patch,
    read,
    search_compartment,
    search_system,
    search_type,
    smart_configuration,
    subscription_read,
    transaction,
    update,
    view_definitions,
    vread,
)
from helsevev.fhir_api.bulk_export import file as export_file
from helsevev.fhir_api.bulk_export import status as export_status
from helsevev.fhir_api.interaction import Interaction
from helsevev.fhir_api.operations import registry
from helsevev.fhir_api.problem import Problem
from helsevev.fhir_api.request import is_id

SYSTEM: Final = "system"
TYPE: Final = "type"

ROUTES: Final[Mapping[str, Mapping[str, Interaction]]] = MappingProxyType(
    {
        "": {"POST": transaction.INTERACTION, "GET": search_system.INTERACTION},
        "metadata": {"GET": capabilities.INTERACTION},
        "openapi.json": {"GET": openapi.INTERACTION},
        smart_configuration.PATH: {"GET": smart_configuration.INTERACTION},
        "_search": {"POST": search_system.BY_POST},
        "_history": {"GET": history_system.INTERACTION},
        "[type]": {
            "GET": search_type.INTERACTION,
            "POST": create.INTERACTION,
            "PUT": update.CONDITIONAL,
            "PATCH": patch.CONDITIONAL,
            "DELETE": delete.CONDITIONAL,
        },
        "[type]/_search": {"POST": search_type.BY_POST},
        "[type]/_history": {"GET": history_type.INTERACTION},
        "[type]/[id]": {
            "GET": read.INTERACTION,
            "PUT": update.INTERACTION,
            "PATCH": patch.INTERACTION,
            "DELETE": delete.INTERACTION,
        },
        "[type]/[id]/_history": {"GET": history_instance.INTERACTION},
        "[type]/[id]/_history/[vid]": {"GET": vread.INTERACTION},
        "_export/[job]": {"GET": export_status.STATUS, "DELETE": export_status.REMOVE},
        "_export/[job]/[file]": {"GET": export_file.INTERACTION},
        "[compartment]/[id]/[type]": {"GET": search_compartment.INTERACTION},
        "[compartment]/[id]/[type]/_search": {"POST": search_compartment.BY_POST},
        **view_definitions.ROUTES,
    }
)


def find(method: str, segments: tuple[str, ...]) -> Interaction:
    """The interaction or operation asked for. Raises `Problem` 404 or 405 (with Allow)."""
    asks_operation = bool(segments) and segments[-1].startswith("$")
    methods = _operation(segments) if asks_operation else ROUTES[_shape(segments)]
    interaction = methods.get("GET" if method == "HEAD" else method)
    if interaction is None:
        allowed = ", ".join([*methods, "HEAD"] if "GET" in methods else methods)
        text = f"{method} is not possible here; possible: {allowed}."
        raise Problem(405, error("not-supported", text), headers=((b"allow", allowed.encode()),))
    if method != "POST" and segments[:1] == ("Subscription",):
        return subscription_read.OF_SUBSCRIPTIONS.get(interaction.code, interaction)
    return interaction


def _operation(segments: tuple[str, ...]) -> Mapping[str, Interaction]:
    operation = registry.find(segments)
    if operation is None:
        raise _nowhere(segments)
    asked = Interaction("operation", operation.answer, public=operation.public)
    return dict.fromkeys(operation.methods, asked)


def _shape(segments: tuple[str, ...]) -> str:
    match segments:
        case (resource_type, resource_id) if resource_type in RESOURCE_TYPES:
            if resource_id in ("_search", "_history"):
                return f"[type]/{resource_id}"
            if not is_id(resource_id):
                raise _nowhere(segments)
            return "[type]/[id]"
        case (resource_type,) if resource_type in RESOURCE_TYPES:
            return "[type]"
        case ():
            return ""
        case ("metadata" | "openapi.json" | "_search" | "_history" as name,):
            return name
        case ("ViewDefinition", *place) if (shape := _of_view(place)) in ROUTES:
            return shape
        case (".well-known", "smart-configuration"):
            return smart_configuration.PATH
        case ("_export", _):
            return "_export/[job]"
        case ("_export", _, _):
            return "_export/[job]/[file]"
        case (resource_type, *_) if resource_type not in RESOURCE_TYPES:
            raise Problem(404, error("not-found", _no_type(resource_type)))
        case (_, resource_id, *_) if not is_id(resource_id):
            raise _nowhere(segments)
        case (_, _, "_history"):
            return "[type]/[id]/_history"
        case (_, _, "_history", _):
            return "[type]/[id]/_history/[vid]"
        case (kind, _, name) if kind in COMPARTMENTS and (name == "*" or name in RESOURCE_TYPES):
            return "[compartment]/[id]/[type]"
        case (kind, _, name, "_search") if kind in COMPARTMENTS and (
            name == "*" or name in RESOURCE_TYPES
        ):
            return "[compartment]/[id]/[type]/_search"
    raise _nowhere(segments)


def _of_view(place: list[str]) -> str:
    if place and is_id(place[0]):
        place = ["[id]", *place[1:2], *("[vid]" for _ in place[2:])]
    return "/".join(("ViewDefinition", *place))


def _no_type(name: str) -> str:
    return f"{name[:80]!r} is no resource type of FHIR R4."


def _nowhere(segments: tuple[str, ...]) -> Problem:
    path = "/".join(segments)[:200]
    text = f"There is nothing at {path!r}."
    if any(segment.startswith("$") for segment in segments):
        text = f"The operation at {path!r} is not offered."
    return Problem(404, error("not-found", text))
