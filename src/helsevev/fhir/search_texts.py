"""The texts beside a token's codes, for `:text` (http://hl7.org/fhir/R4/search.html#modifiers)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from helsevev.fhir import search_paths
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_paths import Key, Path
from helsevev.fhir.search_terms import StringTerm, normalize


def has_text(resource: dict[str, Any], name: str, term: StringTerm) -> bool:
    """Whether a word of some text beside the parameter's codes begins what the term says."""
    return any(
        f" {term.normalized}" in f" {normalize(text)}"
        for path in _paths(resource["resourceType"], name)
        for value in _values(resource, path.keys)
        for text in _texts(path.type, value)
    )


@cache
def _paths(resource_type: str, name: str) -> tuple[Path, ...]:
    expression = PARAMETERS[resource_type][name].expression
    if expression == search_paths.DECEASED:
        return ()
    return tuple(
        path
        for part in search_paths.union(expression)
        for path in search_paths.resolve(part, resource_type)
    )


def _values(element: Any, keys: tuple[Key, ...]) -> Iterator[Any]:
    if element is None:
        return
    if not keys:
        yield element
        return
    key, *rest = keys
    found = element.get(key.name)
    items = found if key.repeats and found is not None else [found]
    for item in items if key.index is None else items[key.index : key.index + 1]:
        if item is not None and (key.field is None or item.get(key.field) == key.value):
            yield from _values(item, tuple(rest))


def _texts(type_name: str, value: Any) -> Iterator[str]:
    if type_name == "CodeableConcept":
        yield from [value["text"]] if "text" in value else []
        for coding in value.get("coding", ()):
            yield from [coding["display"]] if "display" in coding else []
    elif type_name == "Coding":
        yield from [value["display"]] if "display" in value else []
    elif type_name == "Identifier":
        yield from _texts("CodeableConcept", value.get("type", {}))
