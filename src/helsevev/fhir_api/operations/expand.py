"""http://hl7.org/fhir/R4/valueset-operation-expand.html: the concepts of a value set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import uuid4

from helsevev.access.code_systems import languages_of
from helsevev.access.expansion import Asked, Expansion
from helsevev.access.value_sets import Versions
from helsevev.fhir import serialization
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.operation import Operation
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.operations.value_set_validate_code import asked_value_set
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request
from helsevev.kit import clock

_TOLD: Final = {
    "filter": "String", "offset": "Integer", "count": "Integer", "activeOnly": "Boolean",
    "includeDesignations": "Boolean", "includeDefinition": "Boolean",
    "excludeNotForUI": "Boolean", "displayLanguage": "Code",
}  # fmt: skip
"""Parameters that the expansion repeats, with their types."""

_KNOWN: Final = (
    *_TOLD, "url", "valueSet", "valueSetVersion", "designation", "excludeNested",
    "excludePostCoordinated", "exclude-system", "system-version", "check-system-version",
    "force-system-version",
)  # fmt: skip


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with the expansion; 404 when something it needs is not here, 422 when it is too large."""
    asked = await given(request, _KNOWN, resource="valueSet")
    value_set = await asked_value_set(doors, request, asked)
    wanted = _asked(asked)
    version = asked.text("valueSetVersion")
    definition, expansion = await doors.services.terminology.expand(
        value_set, wanted, version=version
    )
    described = dict(definition.resource)
    body = {"resourceType": "ValueSet", **{k: v for k, v in described.items() if k != "meta"}}
    if definition.url:
        body["url"] = definition.url
    body.setdefault("status", "active")
    body["expansion"] = _expansion(expansion, asked)
    return Answer(200, serialization.encode(body))


def _asked(asked: Given) -> Asked:
    return Asked(
        filter=asked.text("filter"),
        offset=asked.whole("offset") or 0,
        count=asked.whole("count"),
        active_only=asked.flag("activeOnly"),
        include_designations=asked.flag("includeDesignations"),
        include_definition=asked.flag("includeDefinition"),
        exclude_not_for_ui=asked.flag("excludeNotForUI"),
        languages=languages_of(asked.text("displayLanguage")),
        designations=tuple(str(each) for each in asked.all("designation")),
        versions=Versions(
            forced=_canonicals(asked, "force-system-version"),
            default=_canonicals(asked, "system-version"),
            checked=_canonicals(asked, "check-system-version"),
            excluded=frozenset(str(each).partition("|")[0] for each in asked.all("exclude-system")),
        ),
    )


def _canonicals(asked: Given, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in asked.all(name):
        system, _, version = str(each).partition("|")
        if not version:
            raise bad_request(f"{name} is written system|version.", "value", name)
        found[system] = version
    return found


def _expansion(expansion: Expansion, asked: Given) -> dict[str, Any]:
    told: dict[str, Any] = {
        "identifier": f"urn:uuid:{uuid4()}",
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
    }
    if expansion.total is not None:
        told["total"] = expansion.total
    if asked.all("offset") or asked.all("count"):
        told["offset"] = expansion.offset
    parameters = list(_parameters(expansion, asked))
    if parameters:
        told["parameter"] = parameters
    if expansion.contains:
        told["contains"] = expansion.contains
    return told


def _parameters(expansion: Expansion, asked: Given) -> Iterator[dict[str, Any]]:
    for name, kind in _TOLD.items():
        if asked.all(name):
            content: Any = asked.text(name) if kind in ("String", "Code") else None
            if kind == "Integer":
                content = asked.whole(name)
            elif kind == "Boolean":
                content = asked.flag(name)
            yield {"name": name, f"value{kind}": content}
    for name, uri in dict.fromkeys(_used(expansion)):
        yield {"name": name, "valueUri": uri}


def _used(expansion: Expansion) -> Iterable[tuple[str, str]]:
    """The releases that were used; `fragment` says that only a part of the system is here."""
    for chosen in expansion.used:
        if chosen.release is not None:
            named = f"{chosen.system}|{chosen.version}" if chosen.version else chosen.system
            yield "version" if chosen.version else "used-codesystem", named
            if chosen.release.content != "complete":
                yield "fragment", named


OPERATION: Final = Operation(
    name="expand",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    answer=answer,
    types=("ValueSet",),
    instances=("ValueSet",),
)
