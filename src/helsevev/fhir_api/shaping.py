"""Leaving out of a resource what a client does not want (http://hl7.org/fhir/R4/search.html#summary)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Protocol

from helsevev.fhir import serialization
from helsevev.fhir.definitions import elements, summary_elements
from helsevev.fhir_api.problem import bad_request
from helsevev.fhir_api.request import Request


class Shown(Protocol):
    """What an answer shows: something stored, or something within it."""

    @property
    def type(self) -> str:
        """The resource type."""

    @property
    def reference(self) -> str:
        """Where it is, below the base."""

    @property
    def json(self) -> bytes:
        """The whole as JSON."""

    @property
    def resource(self) -> dict[str, Any]:
        """The same, decoded."""


Shape = Callable[[Shown], bytes]
"""The bytes to send of a resource."""

SUMMARIES: Final = ("true", "text", "data", "count", "false")
_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules"})
_SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def whole(stored: Shown) -> bytes:
    """The resource exactly as it is stored."""
    return stored.json


def shape_asked(request: Request) -> Shape:
    """The shape of one resource that `_summary` and `_elements` ask for. Raises `Problem` 400."""
    if request.query and request.parameter("_summary") == "count":
        raise bad_request("There is one: only searches and histories are counted.",
                          "value", "_summary")  # fmt: skip
    return shape_of_entries(request)


def shape_of_entries(request: Request) -> Shape:
    """The same for the entries of a Bundle, which may only be counted."""
    if not request.query:
        return whole
    summary = request.parameter("_summary")
    asked = request.parameter("_elements")
    names = tuple(part.strip() for part in asked.split(",") if part.strip()) if asked else ()
    return shape_of(summary, names)


def shape_of(summary: str | None, names: Sequence[str]) -> Shape:
    """The shape for a value of `_summary` and element names. Raises `Problem` 400."""
    if summary is not None and summary not in SUMMARIES:
        raise bad_request(f"_summary is one of {', '.join(SUMMARIES)}.", "value", "_summary")
    if names:
        wanted = frozenset(names)
        return lambda stored: _cut(stored, lambda kind: wanted | _required(kind))
    if summary == "true":
        return lambda stored: _cut(stored, summary_elements)
    if summary == "text":
        return lambda stored: _cut(stored, lambda kind: _required(kind) | {"text"})
    if summary == "data":
        return lambda stored: _cut(stored, lambda kind: frozenset(elements(kind)) - {"text"})
    return whole


def _cut(stored: Shown, kept: Callable[[str], frozenset[str]]) -> bytes:
    resource = stored.resource
    names = _json_names(stored.type, kept(stored.type)) | _ALWAYS
    cut = {name: value for name, value in resource.items() if name.removeprefix("_") in names}
    if len(cut) < len(resource):
        meta = dict(cut.get("meta", {}))
        meta["tag"] = [*meta.get("tag", ()), _SUBSETTED]
        cut["meta"] = meta
    return serialization.encode(cut)


@cache
def _required(resource_type: str) -> frozenset[str]:
    return frozenset(name for name, element in elements(resource_type).items() if element.least > 0)


@cache
def _json_names(resource_type: str, wanted: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for name, element in elements(resource_type).items():
        names = element.json_names()
        if name in wanted or name.removesuffix("[x]") in wanted:
            found |= names.keys()
        found |= names.keys() & wanted
    return frozenset(found)
