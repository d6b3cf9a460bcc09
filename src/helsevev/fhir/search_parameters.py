"""R4's SearchParameters by resource type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from helsevev.fhir import definitions, search_paths


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite parameter: what it means and where it stands in each element."""

    parameter: str
    kind: str
    expression: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type.

    `kind` is R4's own word: number, date, string, token, reference, composite, quantity, uri,
    special. `expression` holds only the parts of R4's expression that are about this type.
    `targets` are the types a reference may name. `components` belong to composites.
    """

    name: str
    kind: str
    targets: tuple[str, ...]
    expression: str
    url: str
    components: tuple[Component, ...] = ()


# In R4's registry, but without a meaning of its own: no part of PARAMETERS.
LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {"_query": "names queries that a server defines itself"}
)

FULL_TEXT = frozenset({"_text", "_content"})
"""Parameters whose values are the words of a resource; R4 gives them no expression."""

_PLAIN_RESOURCES = frozenset({"Binary", "Bundle", "Parameters"})
"""Types that are no DomainResource, and have no narrative."""

# R4 gives the reference's parameter to the code and the code's to the reference.
_CROSSED = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship"


def _parameters() -> dict[str, Mapping[str, Parameter]]:
    rows = [row for row in definitions.search_parameter_rows() if row["name"] not in LEFT_OUT]
    by_url = {row["url"]: row for row in rows}
    by_type: dict[str, dict[str, Parameter]] = {
        resource_type: {} for resource_type in sorted(definitions.RESOURCE_TYPES)
    }
    for row in rows:
        components = _components(row, by_url)
        for resource_type in _types(row["base"]):
            by_type[resource_type][row["name"]] = Parameter(
                row["name"],
                row["kind"],
                tuple(row.get("target", ())),
                _expression(row["expression"], resource_type),
                row["url"],
                components,
            )
    return {
        resource_type: MappingProxyType(dict(sorted(found.items())))
        for resource_type, found in by_type.items()
    }


def _components(row: dict[str, Any], by_url: dict[str, dict[str, Any]]) -> tuple[Component, ...]:
    pairs = row.get("component", [])
    if row["url"] == _CROSSED:
        (first, code), (second, target) = pairs
        pairs = [(second, code), (first, target)]
    return tuple(
        Component(by_url[url]["name"], by_url[url]["kind"], expression) for url, expression in pairs
    )


def _types(base: list[str]) -> list[str]:
    if "Resource" in base:
        return sorted(definitions.RESOURCE_TYPES)
    if "DomainResource" in base:
        return sorted(definitions.RESOURCE_TYPES - _PLAIN_RESOURCES)
    return base


def _expression(expression: str, resource_type: str) -> str:
    if expression == search_paths.DECEASED:
        return expression
    parts = [part for part in search_paths.union(expression) if _is_about(part, resource_type)]
    return " | ".join(parts)


def _is_about(part: str, resource_type: str) -> bool:
    root = part.lstrip("(").replace(" ", ".").partition(".")[0].rstrip(")")
    return root in (resource_type, "Resource", "DomainResource") or root[:1].islower()


@cache
def implied_systems(resource_type: str, name: str) -> frozenset[str]:
    """The code systems that a parameter on elements of type `code` leaves unsaid.

    The value set of the element gives them, so that `gender=<system>|female` and `gender=female`
    ask the same. Empty when any of the parameter's elements has a system of its own.
    """
    systems: set[str] = set()
    if PARAMETERS[resource_type][name].expression == search_paths.DECEASED:
        return frozenset()
    for part in search_paths.union(PARAMETERS[resource_type][name].expression):
        for path in search_paths.resolve(part, resource_type):
            if path.type != "code":
                return frozenset()
            *before, last = path.keys
            structure = resource_type
            for key in before:
                structure = definitions.elements(structure)[key.name].types[0].name
            binding = definitions.elements(structure)[last.name].binding
            systems |= (definitions.codes(binding) or {}).keys() if binding else set()
    return frozenset(systems)


# Resource type -> parameter name -> parameter; common ones (`_id`, `_tag`) are in every type.
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(_parameters())
