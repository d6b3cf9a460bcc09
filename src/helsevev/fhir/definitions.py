"""The R4 definitions as the generated tables hold them: types, elements, codes, parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

_LINE = re.compile(r"(?P<min>\d+)\.\.(?P<max>\d+|\*) (?P<types>\S+)(?: =(?P<binding>\S+))?")
_TYPE = re.compile(r"([A-Za-z0-9.]+)(?:\(([A-Za-z,]+)\))?")


def _table(name: str) -> Any:
    return json.loads(files(__package__).joinpath("tables", name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class ElementType:
    """One type an element may have; `targets` are the types a Reference may name (empty: any)."""

    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type: `name` is as in the definitions, a choice ends in `[x]`."""

    name: str
    least: int
    most: int | None
    types: tuple[ElementType, ...]
    binding: str | None

    @property
    def is_choice(self) -> bool:
        """True for value[x] and its like."""
        return self.name.endswith("[x]")

    @property
    def repeats(self) -> bool:
        """True when JSON holds the element as an array."""
        return self.most != 1

    def json_names(self) -> dict[str, ElementType]:
        """The element's names in JSON with the type each means."""
        if not self.is_choice:
            return {self.name: self.types[0]}
        stem = self.name[:-3]
        return {stem + kind.name[0].upper() + kind.name[1:]: kind for kind in self.types}


_STRUCTURES: Mapping[str, Mapping[str, str]] = _table("structures.json")
_CODES: Mapping[str, Mapping[str, list[str]]] = _table("codes.json")

RESOURCE_TYPES: frozenset[str] = frozenset(_table("resource_types.json"))
# Primitive type -> the regular expression R4 gives for its text.
PRIMITIVES: Mapping[str, str] = MappingProxyType(_table("primitives.json"))
# Type or backbone path -> [name of the element or "", key, FHIRPath] of its error invariants.
INVARIANTS: Mapping[str, list[list[str]]] = MappingProxyType(_table("invariants.json"))
# Resource type -> the names of its elements that a summary shows.
_SUMMARIES: Mapping[str, list[str]] = _table("summary_elements.json")
# Resource type -> the search parameters that place it in a patient's compartment.
PATIENT_COMPARTMENT: Mapping[str, list[str]] = MappingProxyType(_table("patient_compartment.json"))


@cache
def elements(structure: str) -> Mapping[str, Element]:
    """The elements of a type or backbone path ("Observation.component"); KeyError when unknown."""
    return MappingProxyType(
        {name: _element(name, line) for name, line in _STRUCTURES[structure].items()}
    )


@cache
def summary_elements(resource_type: str) -> frozenset[str]:
    """Names of the resource's elements that `_summary=true` asks for, required ones included."""
    required = (name for name, element in elements(resource_type).items() if element.least)
    return frozenset([*_SUMMARIES[resource_type], *required])


@cache
def reference_targets() -> Mapping[str, frozenset[str]]:
    """Element name -> all types that References of elements so called may name in any type."""
    found: dict[str, set[str]] = {}
    for structure in _STRUCTURES:
        for element in elements(structure).values():
            for kind in element.types:
                found.setdefault(element.name, set()).update(kind.targets)
    return MappingProxyType({name: frozenset(types) for name, types in found.items()})


def is_structure(name: str) -> bool:
    """True for complex types, resource types and backbone paths."""
    return name in _STRUCTURES


@cache
def codes(value_set: str) -> Mapping[str, frozenset[str]] | None:
    """System -> codes of a required value set; None when R4 does not list them."""
    systems = _CODES.get(value_set)
    if systems is None:
        return None
    return MappingProxyType({system: frozenset(found) for system, found in systems.items()})


def search_parameter_rows() -> list[dict[str, Any]]:
    """The R4 SearchParameters as the table has them (url, name, kind, base, expression, …)."""
    rows: list[dict[str, Any]] = _table("search_parameters.json")
    return rows


def _element(name: str, line: str) -> Element:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"unreadable line in structures.json: {line}")
    types = tuple(
        ElementType(code, tuple(targets.split(",")) if targets else ())
        for code, targets in _TYPE.findall(match["types"])
    )
    most = None if match["max"] == "*" else int(match["max"])
    return Element(name, int(match["min"]), most, types, match["binding"])
