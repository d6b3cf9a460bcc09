"""The parameters of a bulk export, as the Bulk Data guide has them, read into what is asked."""

from __future__ import annotations

import re
from typing import Any, Final

from helsevev.access.errors import Unprocessable
from helsevev.access.export.asked import Asked, filters_of, format_of, moment_of, types_of
from helsevev.fhir import references
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.outcome import error
from helsevev.fhir_api.interaction import Doors
from helsevev.fhir_api.operations.parameters import Given, given
from helsevev.fhir_api.problem import Problem, bad_request
from helsevev.fhir_api.request import Request

KNOWN: Final = (
    "_outputFormat", "_since", "_until", "_type", "_elements", "_typeFilter", "patient",
)  # fmt: skip
_NOT_OFFERED: Final = {
    "includeAssociatedData": "Provenance is exported as any other type: name it in _type",
    "organizeOutputBy": "files are by type",
    "allowPartialManifests": "the manifest comes when everything is written",
}
_NEXT_FILTER: Final = re.compile(r",(?=[A-Z][A-Za-z]+\?)")


async def asked_by(doors: Doors, request: Request) -> Asked:
    """What a kick-off asks for. Raises `Problem`, `Invalid`, `NotFound` or `Unprocessable`."""
    found = await given(request)
    _refuse(found, request)
    level = {"Group": "group", "Patient": "patient"}.get(request.segments[0], "system")
    types = types_of(_texts(found, "_type"))
    if level != "system" and (others := [kind for kind in types if not is_clinical(kind)]):
        text = f"{', '.join(others)} is kept with no inhabitant; export it at system level."
        raise bad_request(text, "value", "_type")
    patients = patients_of(found)
    if patients is not None and level == "system":
        raise bad_request("Choose patients at Patient or Group level.", "invalid", "patient")
    if level == "group":
        members = await members_of(doors, request, request.segments[1])
        if strangers := set(patients or ()) - set(members):
            text = f"Patient/{min(strangers)} is no member of the group."
            raise bad_request(text, "value", "patient")
        patients = members if patients is None else patients
    filters = [part for text in _texts(found, "_typeFilter") for part in _NEXT_FILTER.split(text)]
    asked = Asked(
        level=level,  # type: ignore[arg-type]
        format=format_of(found.text("_outputFormat"), ("ndjson", "parquet")),
        types=types,
        patients=patients,
        since=moment_of(found.text("_since"), "_since"),
        until=moment_of(found.text("_until"), "_until"),
        elements=_elements(found),
        filters=filters_of(filters),
    )
    if left := [kind for kind, _ in asked.filters if types and kind not in types]:
        text = f"_typeFilter is about {left[0]}, which _type leaves out."
        raise bad_request(text, "invalid", "_typeFilter")
    return asked


def _refuse(found: Given, request: Request) -> None:
    if request.prefer.strict:
        for name, reason in _NOT_OFFERED.items():
            if found.all(name) and found.all(name) != ["false"]:
                text = f"{name} is not offered: {reason}."
                raise Problem(400, error("not-supported", text, name))
        found.refuse_others([*KNOWN, *_NOT_OFFERED])


def _texts(found: Given, name: str) -> list[str]:
    values = found.all(name)
    if not all(isinstance(value, str) for value in values):
        raise bad_request(f"The parameter {name} is a text.", "value", name)
    return values


def _elements(found: Given) -> tuple[str, ...]:
    parts = [part.strip() for text in _texts(found, "_elements") for part in text.split(",")]
    return tuple(part for part in parts if part)


def patients_of(found: Given) -> tuple[str, ...] | None:
    """Ids of the patients that are named, None when none is. Raises `Problem` 400."""
    named: list[str] = []
    for value in found.all("patient"):
        text: Any = value.get("reference") if isinstance(value, dict) else value
        for part in text.split(",") if isinstance(text, str) else [""]:
            place = references.relative(part.strip())
            if place is None or place[0] != "Patient":
                raise bad_request("patient is a reference: Patient/<id>.", "value", "patient")
            named.append(place[1])
    return tuple(dict.fromkeys(named)) if named else None


async def members_of(doors: Doors, request: Request, group_id: str) -> tuple[str, ...]:
    """Ids of the group's patients. Raises `NotFound`, `Gone`, `Refused` or `Unprocessable`."""
    await doors.services.exports.decide(request.actor)
    group = (await doors.gate.open_resource(request.actor, "Group", group_id)).resource
    if group.get("actual") is not True or group.get("type") != "person":
        text = "Only groups of actual persons can be exported, whose members are listed."
        raise Unprocessable([error("not-supported", text, "Group.actual")])
    found = [
        place[1]
        for member in group.get("member", ())
        if not member.get("inactive")
        and (place := references.relative(member["entity"].get("reference", "")))
        and place[0] == "Patient"
    ]
    return tuple(dict.fromkeys(found))
