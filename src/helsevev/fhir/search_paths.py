"""The FHIRPath of R4's SearchParameters, resolved to plain paths through JSON.

R4's expressions use little of FHIRPath: dotted paths, unions, `as`, an index, `where` on one field
or on the type a reference resolves to. A path here says which JSON keys to follow, and what type
is found at the end (http://hl7.org/fhir/R4/searchparameter-registry.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from helsevev.fhir import definitions

DECEASED = "Patient.deceased.exists() and Patient.deceased != false"

_STEP = re.compile(
    r"\s*(?:"
    r"as\((?P<cast>\w+)\)"
    r"|where\(resolve\(\) is (?P<target>\w+)\)"
    r"|where\((?P<field>\w+)='(?P<value>[^']*)'\)"
    r"|(?P<name>[A-Za-z]+)(?:\[(?P<index>\d+)\])?"
    r")\s*"
)


@dataclass(frozen=True, slots=True)
class Key:
    """One step down: a JSON key, whether an array stands there, and which items count."""

    name: str
    repeats: bool
    index: int | None = None
    # Only items whose field has this value: telecom.where(system='phone').
    field: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """JSON keys from a structure to a value of FHIR type `type`.

    `target` is set when only references to that resource type count.
    """

    keys: tuple[Key, ...]
    type: str
    target: str | None = None


def union(expression: str) -> list[str]:
    """The parts of a union; no R4 expression has a union inside parentheses or quotes."""
    return [part.strip() for part in expression.split("|") if part.strip()]


def resolve(part: str, structure: str) -> list[Path]:
    """The paths of one part of a union, read from a type or a backbone ("Observation.component").

    Empty when the part is about another type. A choice element gives one path for each of its
    types. Raises ValueError for what is not in R4's subset.
    """
    steps = list(_steps(part))
    resource_type = structure.partition(".")[0]
    if steps and steps[0]["name"] in (resource_type, "Resource", "DomainResource"):
        steps = steps[1:]
    elif steps and steps[0]["name"] and steps[0]["name"][0].isupper():
        return []
    paths = [Path((), structure)]
    for step in steps:
        paths = [found for path in paths for found in _follow(path, step)]
    return paths


def _steps(part: str) -> Iterator[re.Match[str]]:
    # `(a.b as Type).c` and `a.b as Type` say the same as `a.b.as(Type).c`.
    text = re.sub(r"^\((.*?) as (\w+)\)", r"\1.as(\2)", part)
    text = re.sub(r" as (\w+)$", r".as(\1)", text)
    place = 0
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None:
            raise ValueError(f"not in R4's subset of FHIRPath: {part}")
        yield step
        place = step.end() + 1  # the dot


def _follow(path: Path, step: re.Match[str]) -> Iterator[Path]:
    if step["cast"]:
        if path.type.lower() == step["cast"].lower():
            yield path
    elif step["target"]:
        yield replace(path, target=step["target"])
    elif step["field"]:
        *before, last = path.keys
        last = replace(last, field=step["field"], value=step["value"])
        yield replace(path, keys=(*before, last))
    else:
        index = int(step["index"]) if step["index"] else None
        yield from _down(path, step["name"], index)


def _down(path: Path, name: str, index: int | None) -> Iterator[Path]:
    if not definitions.is_structure(path.type):
        return
    known = definitions.elements(path.type)
    element = known.get(name) or known.get(f"{name}[x]")
    if element is None:
        raise ValueError(f"{path.type} has no element {name}")
    for json_name, kind in element.json_names().items():
        yield Path((*path.keys, Key(json_name, element.repeats, index)), kind.name)
