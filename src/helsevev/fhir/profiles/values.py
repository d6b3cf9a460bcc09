"""The values that an element of plain FHIR data has, each with its type and its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One value: itself, what stands beside a primitive (`_name`), its FHIRPath, its choice's type.

    `kind` is the ending of a choice's JSON name (`Reference` of `medicationReference`), else "".
    """

    value: Any
    beside: Any
    path: str
    kind: str = ""


def items(parent: Item, name: str) -> list[Item]:
    """The values of an element; a choice is asked for as `value[x]` or by one of its names."""
    if type(parent.value) is not dict:
        holder = parent.beside if type(parent.beside) is dict else {}
        return list(_under(holder, name, f"{parent.path}.{name}", "")) if holder else []
    if not name.endswith("[x]"):
        return list(_under(parent.value, name, f"{parent.path}.{name}", ""))
    stem = name[:-3]
    found: list[Item] = []
    for key in dict.fromkeys(key.removeprefix("_") for key in parent.value):
        kind = key[len(stem) :]
        if key.startswith(stem) and kind[:1].isupper():
            found += _under(parent.value, key, f"{parent.path}.{stem}.ofType({kind})", kind)
    return found


def _under(holder: dict[str, Any], name: str, path: str, kind: str) -> Iterator[Item]:
    value, beside = holder.get(name), holder.get(f"_{name}")
    if type(value) is list or type(beside) is list:
        values = value if type(value) is list else []
        besides = beside if type(beside) is list else []
        for n in range(max(len(values), len(besides))):
            one = values[n] if n < len(values) else None
            near = besides[n] if n < len(besides) else None
            if one is not None or near is not None:
                yield Item(one, near, f"{path}[{n}]", kind)
    elif value is not None or beside is not None:
        yield Item(value, beside, path, kind)


class Undecided(Exception):
    """What a path leads to is not in the resource, so that nothing can be said of it."""


Follow = Callable[[Item], Item]
"""What a Reference leads to; its value is None where only the type (`kind`) is known.

Raises `Undecided`.
"""

_STEP = re.compile(r"""([^.(]+)(?:\(\s*(?:['"]?)([^'")]*)(?:['"]?)\s*\))?(?:\.|$)""")


@cache
def steps(path: str) -> tuple[tuple[str, str | None], ...]:
    """A discriminator's path as names, each with what stands in its parentheses (None: nothing).

    http://hl7.org/fhir/R4/profiling.html#discriminator: names, `$this`, `extension(url)`,
    `ofType(type)` and `resolve()`.
    """
    found = [(each[1], each[2]) for each in _STEP.finditer(path)]
    return tuple(step for step in found if step != ("$this", None))


def along(item: Item, path: str, follow: Follow) -> list[Item]:
    """The values at a discriminator's path. Raises `Undecided`."""
    found = [item]
    for name, argument in steps(path):
        if name == "extension" and argument is not None:
            found = [
                inner for each in found for inner in items(each, name)
                if type(inner.value) is dict and inner.value.get("url") == argument
            ]  # fmt: skip
        elif name == "ofType" and argument is not None:
            found = [each for each in found if kind_of(each) == argument[:1].upper() + argument[1:]]
        elif name == "resolve" and argument is not None:
            found = [follow(each) for each in found]
        elif argument is not None:
            raise Undecided(f"{name}() is no step of a discriminator.")
        else:
            found = [
                inner for each in found
                for inner in (items(_known(each), name) or items(each, f"{name}[x]"))
            ]  # fmt: skip
    return found


def _known(item: Item) -> Item:
    if item.value is None and item.beside is None:
        raise Undecided("What is referred to is not here.")
    return item


def kind_of(item: Item) -> str:
    """The type of a value: its choice's, or a resource's own; "" when neither tells it."""
    if item.kind:
        return item.kind
    return str(item.value.get("resourceType", "")) if type(item.value) is dict else ""


def holds(value: Any, pattern: Any) -> bool:
    """Whether a value has all that a pattern has (http://hl7.org/fhir/R4/elementdefinition.html)."""
    if type(pattern) is dict:
        return type(value) is dict and all(
            name in value and holds(value[name], inner) for name, inner in pattern.items()
        )
    if type(pattern) is list:
        return type(value) is list and all(
            any(holds(each, wanted) for each in value) for wanted in pattern
        )
    return bool(value == pattern)
