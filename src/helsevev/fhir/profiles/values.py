"""The values that an element of plain FHIR data has, each with its type and its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


def along(item: Item, path: str) -> list[Item]:
    """The values at a discriminator's path: `$this`, `system`, `coding.system`."""
    found = [item]
    for step in path.split("."):
        if step == "$this":
            continue
        found = [
            inner for each in found for inner in (items(each, step) or items(each, f"{step}[x]"))
        ]
    return found


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
