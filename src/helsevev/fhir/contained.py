"""Contained resources: what they are found by, and which parameters of their container name them.

http://hl7.org/fhir/R4/search.html#contained and http://hl7.org/fhir/R4/references.html#contained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.extraction import REFERENCE, TOKEN, URI, extract
from helsevev.fhir.search_terms import ReferenceTerm, Term, TokenTerm, UriTerm

_WITHIN: Final = "/#"
"""Between the type of what is contained and its id, in the place of its own reference."""

Value = tuple[str, str | None, str | None]
"""What somebody may look for: a name, and two parts."""


def contained_in(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources within that can be named, as far as they are of a type of R4's."""
    found = resource.get("contained", ())
    return [e for e in found if e.get("resourceType") in RESOURCE_TYPES and e.get("id")]


def named_by(resource: dict[str, Any]) -> dict[str, set[str]]:
    """By the id of what is contained, the reference parameters of the container that name it."""
    inner = {each["id"]: each["resourceType"] for each in contained_in(resource)}
    outer = {name: value for name, value in resource.items() if name != "contained"}
    found: dict[str, set[str]] = {}
    for entry in extract(_said_aloud(outer, inner)):
        if entry[1] == REFERENCE and _WITHIN in entry[2]:
            found.setdefault(entry[2].partition("#")[2], set()).add(entry[0])
    return found


def _said_aloud(value: Any, inner: dict[str, str]) -> Any:
    """A copy in which references to what is contained say its type, as others do."""
    if type(value) is list:
        return [_said_aloud(each, inner) for each in value]
    if type(value) is not dict:
        return value
    copied = {name: _said_aloud(each, inner) for name, each in value.items()}
    text = value.get("reference")
    if type(text) is str and text.startswith("#") and text[1:] in inner:
        copied["reference"] = f"{inner[text[1:]]}{_WITHIN}{text[1:]}"
    return copied


def values_of(resource: dict[str, Any]) -> Iterator[Value]:
    """What a container is found by for the sake of what it contains.

    Of each contained resource that it is there, and its codes, references and URLs; and once more
    for every parameter that names it.
    """
    inner = contained_in(resource)
    named = named_by(resource) if inner else {}
    for each in inner:
        kind, values = each["resourceType"], extract(each)
        for parameter in ("", *sorted(named.get(each["id"], ()))):
            yield present(kind, parameter)
            for entry in values:
                if entry[1] in (REFERENCE, URI):
                    yield _value(kind, parameter, entry[0], entry[2])
                elif entry[1] == TOKEN and entry[3] is not None:
                    yield _value(kind, parameter, entry[0], entry[3])


def present(kind: str, parameter: str) -> Value:
    """What tells that a resource of a type is contained, and named by a parameter unless ""."""
    return f"\x0f{parameter}:{kind}", None, None


def wanted(kind: str, parameter: str, name: str, terms: tuple[Term, ...]) -> list[Value] | None:
    """What tells that one of the terms may fit; None when only the resources themselves do."""
    if name == "_id":
        return None
    texts: list[str] = []
    for term in terms:
        if isinstance(term, TokenTerm) and term.code is not None:
            texts.append(term.code)
        elif isinstance(term, ReferenceTerm):
            texts += term.texts
        elif isinstance(term, UriTerm):
            texts.append(term.uri)
        else:
            return None
    return [_value(kind, parameter, name, text) for text in texts]


def _value(kind: str, parameter: str, name: str, text: str) -> Value:
    return f"\x0f{parameter}:{kind}.{name}", None, text
