"""How each composite parameter is kept: together with what its parts leave in the rows anyway."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Final

from helsevev.fhir import search_paths
from helsevev.fhir.search_filters import Condition
from helsevev.fhir.search_parameters import PARAMETERS, Component
from helsevev.fhir.search_terms import CompositeTerm, TokenTerm

UNIONS: Final = {
    "combo-code": ("code", "component-code"),
    "combo-code-value-concept": ("code-value-concept", "component-code-value-concept"),
    "combo-code-value-quantity": ("code-value-quantity", "component-code-value-quantity"),
    "combo-data-absent-reason": ("data-absent-reason", "component-data-absent-reason"),
    "combo-value-concept": ("value-concept", "component-value-concept"),
    "combo-value-quantity": ("value-quantity", "component-value-quantity"),
}
"""Parameters that R4 defines as the union of two others; only those are kept."""


@cache
def kept_as(resource_type: str, name: str) -> tuple[str, ...]:
    """The parameters whose rows stand for this one: its own, or those of which it is made."""
    if name == "phonetic":
        # Of a person it is the name by another name; of an organisation it leaves out the aliases.
        parameters = PARAMETERS[resource_type]
        if parameters["name"].expression == parameters["phonetic"].expression:
            return ("name",)
    return UNIONS.get(name, (name,))


@cache
def not_kept(resource_type: str) -> frozenset[str]:
    """The type's parameters that have no rows of their own: those of others stand for them."""
    names = PARAMETERS[resource_type]
    return frozenset(name for name in names if kept_as(resource_type, name) != (name,))


class Layout(Enum):
    """Where the parts of a composite are kept so that they are found together."""

    JOINED = "the parts stand once in a resource, so that both holding is enough"
    MEASURED = "the code stands in the row of the quantity"
    PAIRED = "a key for each pair"
    CHECKED = "the parts are found one by one, and the resource tells whether they belong together"


@cache
def layout(resource_type: str, name: str) -> Layout:
    """The layout of a composite parameter."""
    parameter = PARAMETERS[resource_type][name]
    kinds = [component.kind for component in parameter.components]
    paths = [
        path
        for part in search_paths.union(parameter.expression)
        for path in search_paths.resolve(part, resource_type)
    ]
    if not any(key.repeats for path in paths for key in path.keys):
        return Layout.JOINED
    if kinds == ["token", "quantity"]:
        return Layout.MEASURED
    if kinds in (["token", "token"], ["token", "reference"]):
        return Layout.PAIRED
    return Layout.CHECKED


def components(resource_type: str, name: str) -> tuple[Component, ...]:
    """The parts of a composite parameter."""
    return PARAMETERS[resource_type][name].components


@cache
def beside_code(resource_type: str) -> frozenset[str]:
    """Quantities in whose rows the resource's own leading code stands."""
    return frozenset(
        parameter.components[1].parameter
        for parameter in PARAMETERS[resource_type].values()
        if [component.kind for component in parameter.components] == ["token", "quantity"]
        and parameter.name not in UNIONS
        and layout(resource_type, parameter.name) is Layout.JOINED
    )


@cache
def stands_with_code(resource_type: str, name: str) -> bool:
    """Whether rows of this quantity may tell the code that they are of."""
    return any(
        parameter.components[1].parameter == name
        for parameter in PARAMETERS[resource_type].values()
        if len(parameter.components) == 2 and parameter.name not in UNIONS
    )


@cache
def is_canonical(resource_type: str, name: str) -> bool:
    """Whether values of a reference parameter are URLs that other resources give themselves."""
    if name not in PARAMETERS[resource_type]:
        # It was added here, and may be either.
        return True
    return any(
        path.type in ("canonical", "uri")
        for part in search_paths.union(PARAMETERS[resource_type][name].expression)
        for path in search_paths.resolve(part, resource_type)
    )


def leading_tokens(condition: Condition, code_parameter: str | None) -> list[TokenTerm]:
    """The tokens of a condition that are compared with codes in a column."""
    if condition.kind == "composite":
        parts = [term.parts[0] for term in condition.terms if isinstance(term, CompositeTerm)]
        return [part for part in parts if isinstance(part, TokenTerm)]
    if condition.name in (code_parameter, f"combo-{code_parameter}"):
        return [term for term in condition.terms if isinstance(term, TokenTerm)]
    return []
