"""References between resources: what they name, and where they stand in a resource."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

# http://hl7.org/fhir/R4/references.html#literal: an optional base, a type, an id, a version.
_LITERAL = re.compile(
    r"(?:(?P<base>[a-z][a-z0-9+.-]*://.+?)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+")


def relative(reference: str, base: str = "") -> tuple[str, str] | None:
    """`(type, id)` of a literal reference to a resource of this server, else None.

    A relative reference is local; an absolute one is when it begins with `base` (for example
    "https://record.example/fhir", with or without a final slash). The version is left out.
    """
    match = _LITERAL.fullmatch(reference)
    if match is None:
        return None
    if match["base"] is not None and (not base or match["base"] != base.rstrip("/")):
        return None
    return match["type"], match["id"]


def unversioned(reference: str) -> str:
    """The reference without `/_history/<version>`."""
    return reference.partition("/_history/")[0]


def is_conditional(reference: str) -> bool:
    """True for a search in place of an id, as transactions may use: `Practitioner?identifier=1`."""
    return _CONDITIONAL.fullmatch(reference) is not None


def localize(resource: dict[str, Any], base: str, besides: Collection[str] = ()) -> None:
    """Make references to this server relative, in place: `<base>/Patient/1` becomes `Patient/1`.

    Whose a resource is and what refers to what is then one text, whichever way it was sent.
    Those in `besides` stay: the fullUrls of a Bundle, which mean its own entries.
    """
    prefix = base.rstrip("/") + "/"
    for _, reference in walk(resource):
        text = reference.get("reference")
        if type(text) is not str or not text.startswith(prefix) or unversioned(text) in besides:
            continue
        if relative(text, base) is not None:
            reference["reference"] = text[len(prefix) :]


def walk(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Reference of the resource as `(path, Reference)`, contained resources included.

    The path is an index path from the resource's type: `Observation.performer[0]`. A Reference
    is an object with a string `reference`, or with an `identifier` and nothing that is not a
    Reference's own; the objects are the resource's own, so that they can be rewritten.
    """
    yield from _walk(resource, str(resource.get("resourceType", "")))


_REFERENCE_KEYS = frozenset(
    {"id", "extension", "reference", "_reference", "type", "_type", "identifier", "display",
     "_display"}
)  # fmt: skip


def _walk(element: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names_a_resource = (
        type(element.get("reference")) is str or type(element.get("identifier")) is dict
    )
    if names_a_resource and _REFERENCE_KEYS.issuperset(element):
        yield path, element
    for key, value in element.items():
        if type(value) is dict:
            yield from _walk(value, f"{path}.{key}")
        elif type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict:
                    yield from _walk(item, f"{path}.{key}[{index}]")
