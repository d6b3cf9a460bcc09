"""Search parameters that are added while the record runs: SearchParameter resources, compiled.

http://hl7.org/fhir/R4/searchparameter.html. An active one whose code R4 does not have for its
types becomes a parameter like R4's own; any other is kept as a resource and no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.path import Path, PathError, compile_path
from helsevev.fhir.search_parameters import PARAMETERS, Parameter
from helsevev.fhir.search_values import KINDS, PARTS, REFERENCE

SUPPORTED = ("number", "date", "string", "token", "reference", "quantity", "uri")

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9\-_]{0,63}")
_LONGEST = 2000
_SYSTEM_TYPES = {
    "System.Boolean": "boolean", "System.String": "string", "System.Integer": "integer",
    "System.Decimal": "decimal", "System.Date": "date", "System.DateTime": "dateTime",
}  # fmt: skip
_LIKE = {
    "markdown": "string", "positiveInt": "integer", "unsignedInt": "integer", "oid": "uri",
    "uuid": "uri", "SimpleQuantity": "Quantity", "Count": "Quantity", "Distance": "Quantity",
    "MoneyQuantity": "Quantity",
}  # fmt: skip

Row = tuple[Any, ...]


class Unusable(ValueError):
    """The SearchParameter cannot become one; the message says why."""


@dataclass(frozen=True, slots=True)
class Custom:
    """A parameter that was added, for some resource types."""

    parameter: Parameter
    types: tuple[str, ...]
    path: Path

    def values(self, resource: dict[str, Any]) -> list[Row]:
        """What the resource is found by, as rows of `extraction.extract`; none when it fails."""
        name, kind = self.parameter.name, self.parameter.kind
        try:
            found = self.path.typed(resource)
        except PathError:
            return []
        rows: list[Row] = []
        for type_name, value in found:
            rows += [(name, *part) for part in _parts(kind, type_name, value)]
        return list(dict.fromkeys(rows))


def read(resource: dict[str, Any]) -> Custom | None:
    """The parameter that an active SearchParameter resource makes; None for what makes none.

    Raises `Unusable` when it is active and cannot be carried out.
    """
    code, bases = resource.get("code", ""), tuple(resource.get("base", ()))
    if resource.get("status") != "active":
        return None
    types = tuple(sorted(RESOURCE_TYPES)) if "Resource" in bases else bases
    types = tuple(kind for kind in types if kind in RESOURCE_TYPES)
    if not types or all(code in PARAMETERS[kind] for kind in types):
        return None
    if taken := [kind for kind in types if code in PARAMETERS[kind]]:
        raise Unusable(f"{taken[0]} has the parameter {code} already; choose another code")
    if _CODE.fullmatch(code) is None:
        raise Unusable("the code begins with a letter and has letters, digits, - and _")
    kind = resource.get("type", "")
    if kind not in SUPPORTED:
        raise Unusable(f"a parameter that is added is of type {', '.join(SUPPORTED)}, not {kind}")
    expression = resource.get("expression", "")
    if not expression or len(expression) > _LONGEST:
        raise Unusable(f"an expression of at most {_LONGEST} characters is needed")
    try:
        path = compile_path(expression)
    except PathError as problem:
        raise Unusable(f"the expression is not understood: {problem}") from problem
    targets = tuple(t for t in resource.get("target", ()) if t in RESOURCE_TYPES)
    url = resource.get("url", "")
    return Custom(Parameter(code, kind, targets, expression, url), types, path)


def check(resource: dict[str, Any]) -> list[Issue]:
    """Why an active SearchParameter cannot be carried out; a rule for those who write it."""
    try:
        read(resource)
    except Unusable as problem:
        return [error("business-rule", f"{problem}.", "SearchParameter.expression")]
    return []


def merged(
    customs: list[Custom], known: Mapping[str, Mapping[str, Parameter]] = PARAMETERS
) -> Mapping[str, Mapping[str, Parameter]]:
    """R4's parameters with those that were added."""
    added: dict[str, dict[str, Parameter]] = {}
    for custom in customs:
        for kind in custom.types:
            added.setdefault(kind, {})[custom.parameter.name] = custom.parameter
    return {kind: {**of_kind, **added.get(kind, {})} for kind, of_kind in known.items()}


def _parts(kind: str, type_name: str, value: Any) -> list[Row]:
    name = _SYSTEM_TYPES.get(type_name, type_name)
    wanted = KINDS[kind]
    parts = PARTS.get((wanted, name)) or PARTS.get((wanted, _LIKE.get(name, "")))
    if parts is None and type(value) is str and kind in ("token", "string", "uri"):
        parts = PARTS[wanted, "uri" if kind == "uri" else "string"]
    if parts is None and kind == "date" and type(value) is str:
        parts = PARTS[wanted, "dateTime"]
    if parts is None and wanted == REFERENCE and type(value) is dict:
        parts = PARTS[wanted, "Reference"]
    return parts(value) if parts is not None else []
