"""FHIR's and FHIRPath's types: which is a kind of which, and what an element of one is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from helsevev.fhir import definitions
from helsevev.fhir.path.values import Node

SYSTEM: Final = frozenset(
    {"String", "Boolean", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"}
)
_PARENTS: Final = {
    "code": "string", "id": "string", "markdown": "string",
    "url": "uri", "canonical": "uri", "uuid": "uri", "oid": "uri",
    "positiveInt": "integer", "unsignedInt": "integer",
    "Age": "Quantity", "Distance": "Quantity", "Duration": "Quantity", "Count": "Quantity",
    "SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity",
    "Resource": "Base", "Element": "Base", "BackboneElement": "Element",
}  # fmt: skip
_NO_DOMAIN: Final = frozenset({"Bundle", "Parameters", "Binary"})
ABSTRACT: Final = frozenset({"Resource", "DomainResource", "Element", "BackboneElement", "Base"})
_MOMENTS: Final = {"date": "Date", "dateTime": "DateTime", "instant": "DateTime", "time": "Time"}


@dataclass(frozen=True, slots=True)
class Step:
    """One way down to an element: its JSON key, its type (None: told by the resource), whether it
    is a primitive (and so may have an object beside it)."""

    key: str
    type: str | None
    primitive: bool


def is_primitive(kind: str | None) -> bool:
    """True for FHIR's primitive types and for those of FHIRPath but Quantity."""
    return kind in definitions.PRIMITIVES or (
        kind is not None and kind.startswith("System.") and kind != "System.Quantity"
    )


@cache
def steps(kind: str, name: str) -> tuple[Step, ...] | None:
    """The ways from a type to its element; None when it has no such element."""
    if not definitions.is_structure(kind):
        return None
    known = definitions.elements(kind)
    element = known.get(name)
    if element is None:
        element = known.get(f"{name}[x]")
        if element is None:
            if name == "resourceType" and kind in definitions.RESOURCE_TYPES:
                return (Step(name, "System.String", True),)
            return None
    return tuple(
        Step(key, None if of.name in ABSTRACT else of.name, of.name in definitions.PRIMITIVES)
        for key, of in element.json_names().items()
    )


@cache
def names(kind: str) -> tuple[str, ...]:
    """The names of a type's elements as FHIRPath says them: `value`, not `value[x]`."""
    if not definitions.is_structure(kind):
        return ()
    return tuple(name.removesuffix("[x]") for name in definitions.elements(kind))


def written(kind: str) -> str | None:
    """The full name of a type as an expression writes it; None when there is none.

    `String` and `System.String` are FHIRPath's, `string` and `FHIR.string` FHIR's; what both
    have (Quantity) is FHIR's unless `System.` stands before it.
    """
    space, _, name = kind.rpartition(".")
    if space == "System":
        return f"System.{name}" if name in SYSTEM else None
    if space not in ("", "FHIR"):
        return kind if definitions.is_structure(kind) else None
    known = (
        name in definitions.PRIMITIVES or name in ABSTRACT or name in _PARENTS
        or definitions.is_structure(name)
    )  # fmt: skip
    if known:
        return name
    return f"System.{name}" if space == "" and name in SYSTEM else None


@cache
def is_a(kind: str, wanted: str) -> bool:
    """Whether a value of type `kind` is a `wanted`."""
    if kind == wanted or wanted == "Base":
        return True
    if kind == "System.Quantity" and wanted == "Quantity":
        return True
    if kind in definitions.RESOURCE_TYPES:
        return wanted == "Resource" or (wanted == "DomainResource" and kind not in _NO_DOMAIN)
    parent = _PARENTS.get(kind)
    if parent is not None and is_a(parent, wanted):
        return True
    if wanted == "BackboneElement":
        return "." in kind and kind[0].isupper() and not kind.startswith("System.")
    return wanted == "Element" and not kind.startswith("System.")


def type_of(item: Any, kind: str | None) -> str | None:
    """The type of an item; `kind` is what the expression tells of it. None when nobody knows."""
    if type(item) is Node:
        if item.type is not None:
            return item.type
        item = item.value
    if kind is not None:
        return kind
    if type(item) is dict:
        named = item.get("resourceType")
        return named if type(named) is str else None
    if type(item) is bool:
        return "System.Boolean"
    if type(item) is str:
        return "System.String"
    return "System.Integer" if type(item) is int else "System.Decimal"


def moment(kind: str | None) -> str | None:
    """ "Date", "DateTime" or "Time" when values of the type are moments."""
    if kind is None:
        return None
    if kind.startswith("System."):
        kind = kind[7:]
        return kind if kind in ("Date", "DateTime", "Time") else None
    return _MOMENTS.get(kind)
