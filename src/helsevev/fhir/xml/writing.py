"""Plain data as FHIR XML: elements in the definitions' order, numbers with the digits they have."""

from __future__ import annotations

from typing import Any, Final
from xml.sax.saxutils import quoteattr

from helsevev.fhir import serialization
from helsevev.fhir.definitions import PRIMITIVES, RESOURCE_TYPES, Element, ElementType, elements

NAMESPACE: Final = "http://hl7.org/fhir"
_BREAKS: Final = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def to_xml(resource: dict[str, Any]) -> bytes:
    """A valid resource as XML in UTF-8. What the definitions do not know is left out."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    _resource(parts, resource, f' xmlns="{NAMESPACE}"')
    return "".join(parts).encode()


def _resource(parts: list[str], resource: dict[str, Any], attributes: str = "") -> None:
    kind = resource["resourceType"]
    if kind not in RESOURCE_TYPES:
        return
    parts.append(f"<{kind}{attributes}>")
    _children(parts, kind, resource, frozenset())
    parts.append(f"</{kind}>")


def _children(
    parts: list[str], structure: str, value: dict[str, Any], attributes: frozenset[str]
) -> None:
    for element in elements(structure).values():
        for name, kind in element.json_names().items():
            if name not in attributes and (name in value or f"_{name}" in value):
                _each(parts, element, kind, name, value)


def _each(
    parts: list[str], element: Element, kind: ElementType, name: str, holder: dict[str, Any]
) -> None:
    value, beside = holder.get(name), holder.get(f"_{name}")
    if not element.repeats:
        _one(parts, kind, name, value, beside)
        return
    values, besides = value or [], beside or []
    for n in range(max(len(values), len(besides))):
        one = values[n] if n < len(values) else None
        near = besides[n] if n < len(besides) else None
        _one(parts, kind, name, one, near)


def _one(parts: list[str], kind: ElementType, name: str, value: Any, beside: Any) -> None:
    if kind.name == "xhtml" and value is not None:
        parts.append(value)
    elif kind.name in PRIMITIVES:
        _primitive(parts, name, value, beside)
    elif kind.name == "Resource":
        parts.append(f"<{name}>")
        _resource(parts, value)
        parts.append(f"</{name}>")
    else:
        _complex(parts, kind.name, name, value)


def _complex(parts: list[str], structure: str, name: str, value: dict[str, Any]) -> None:
    # http://hl7.org/fhir/R4/xml.html: an element's id and an extension's url are attributes.
    names = frozenset({"id", "url"} if structure == "Extension" else {"id"})
    parts.append(f"<{name}")
    parts += [
        f" {each}={_quoted(value[each])}" for each in ("id", "url") if each in names & value.keys()
    ]
    parts.append(">")
    _children(parts, structure, value, names)
    parts.append(f"</{name}>")


def _primitive(parts: list[str], name: str, value: Any, beside: Any) -> None:
    parts.append(f"<{name}")
    if beside and "id" in beside:
        parts.append(f" id={_quoted(beside['id'])}")
    if value is not None:
        parts.append(f" value={_quoted(_text(value))}")
    if not beside or "extension" not in beside:
        parts.append("/>")
        return
    parts.append(">")
    for extension in beside["extension"]:
        _complex(parts, "Extension", "extension", extension)
    parts.append(f"</{name}>")


def _text(value: Any) -> str:
    return value if type(value) is str else serialization.encode(value).decode()


def _quoted(text: str) -> str:
    return quoteattr(text, _BREAKS)
