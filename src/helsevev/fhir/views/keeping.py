"""A ViewDefinition inside the Library that keeps it: R4 has no resource type of that name.

A Library of type `view-definition` holds the definition as an attachment. So views are found,
versioned, labelled, exported and read by any client of R4, as all other reference data is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.serialization import MalformedJson
from helsevev.fhir.views.compiling import table_of
from helsevev.fhir.views.definition import ViewError

VIEW: Final = "ViewDefinition"
TYPE_SYSTEM: Final = "https://helsevev.example/fhir/CodeSystem/library-type"
TYPE_CODE: Final = "view-definition"
_TOPICS: Final = "http://hl7.org/fhir/resource-types"
_JSON: Final = "application/json"
_SAME: Final = (
    "url", "identifier", "version", "name", "title", "status", "experimental", "date",
    "publisher", "contact", "description", "useContext", "jurisdiction", "purpose", "copyright",
)  # fmt: skip
"""Elements that a Library and a ViewDefinition have alike."""

_OF_LIBRARY: Final = ("id", "versionId", "lastUpdated", "security", "tag")


def is_view(library: Mapping[str, Any]) -> bool:
    """Whether a Library keeps a ViewDefinition."""
    kind = library.get("type")
    codings = kind.get("coding") if type(kind) is dict else None
    return type(codings) is list and any(
        type(each) is dict and (each.get("system"), each.get("code")) == (TYPE_SYSTEM, TYPE_CODE)
        for each in codings
    )


def library_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """The Library that keeps a ViewDefinition; its labels and its id are the Library's own."""
    meta = view["meta"] if type(view.get("meta")) is dict else {}
    kept = {name: value for name, value in view.items() if name not in ("id", "meta")}
    if rest := {name: value for name, value in meta.items() if name not in _OF_LIBRARY}:
        kept["meta"] = rest
    found: dict[str, Any] = {"resourceType": "Library"}
    if "id" in view:
        found["id"] = view["id"]
    if own := {name: value for name, value in meta.items() if name in _OF_LIBRARY}:
        found["meta"] = own
    found |= {"status": "unknown"} | {name: view[name] for name in _SAME if name in view}
    found["type"] = {"coding": [{"system": TYPE_SYSTEM, "code": TYPE_CODE}]}
    if type(view.get("resource")) is str:
        found["topic"] = [{"coding": [{"system": _TOPICS, "code": view["resource"]}]}]
    data = base64.b64encode(serialization.encode(kept)).decode()
    return {**found, "content": [{"contentType": _JSON, "data": data}]}


def view_of(library: Mapping[str, Any]) -> dict[str, Any]:
    """The ViewDefinition that a Library keeps. Raises ValueError when it holds none."""
    held = library.get("content")
    texts = [
        each["data"] for each in (held if type(held) is list else ())
        if type(each) is dict and each.get("contentType") == _JSON
        and type(each.get("data")) is str
    ]  # fmt: skip
    if len(texts) != 1:
        raise ValueError(f"One content of type {_JSON} holds the ViewDefinition.")
    try:
        kept = serialization.decode(base64.b64decode(texts[0], validate=True))
    except (MalformedJson, binascii.Error) as problem:
        raise ValueError(f"The content is no JSON in base64: {problem}") from problem
    if type(kept) is not dict or kept.get("resourceType") != VIEW:
        raise ValueError(f"The content is no {VIEW}.")
    meta = {**kept.pop("meta", {}), **library.get("meta", {})}
    del kept["resourceType"]
    found = {"resourceType": VIEW, "id": library.get("id"), "meta": meta}
    return {name: value for name, value in found.items() if value} | kept


def check(library: dict[str, Any]) -> list[Issue]:
    """Why the view that a Library keeps cannot be run; a rule for those who write it."""
    if not is_view(library):
        return []
    try:
        table_of(view_of(library))
    except ViewError as problem:
        return problem.issues
    except ValueError as problem:
        return [error("structure", str(problem), "Library.content")]
    return []
