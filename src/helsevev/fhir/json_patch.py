"""JSON Patch (RFC 6902) of resources as they are decoded, without losing a digit.

A library would do for trusted documents. Here numbers keep their spelling, `true` is not 1, a
`test` of 1.0 finds 1.00, every refusal names its operation, and copies cannot grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.fhir.patching import PatchFailed, failed, malformed

MOST_OPERATIONS: Final = 5_000
MOST_COPIED: Final = 16 * 1024 * 1024
"""Bytes of JSON that the copies of one patch may add together."""

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_VALUED: Final = frozenset({"add", "replace", "test"})
_MOVING: Final = frozenset({"move", "copy"})

Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `place` says where it stands in the patch, for what is told of it."""

    op: str
    path: Pointer
    source: Pointer
    value: Any
    place: str


def read(document: Sequence[Any], place: str = "") -> tuple[Operation, ...]:
    """The operations of a decoded patch document. Raises `MalformedPatch` at the first fault."""
    if len(document) > MOST_OPERATIONS:
        text = f"A patch has {MOST_OPERATIONS} operations at most, this one {len(document)}."
        raise malformed(text, place, "too-long")
    return tuple(_operation(item, f"{place}[{n}]") for n, item in enumerate(document))


def apply(operations: Sequence[Operation], resource: dict[str, Any]) -> Any:
    """What the patch makes of the resource, which stays as it is; it may be no resource at all.

    Raises `PatchFailed` at the first operation that cannot be carried out; RFC 6902, section 5,
    makes the whole patch fail then.
    """
    root: dict[str, Any] = {"": deepcopy(resource)}
    copied = 0
    for operation in operations:
        if operation.op == "copy":
            copied += len(serialization.encode(_found(root, operation.source, operation)))
            if copied > MOST_COPIED:
                text = f"The copies add more than {MOST_COPIED} bytes."
                raise failed(text, operation.place, "too-costly")
        _ACTS[operation.op](root, operation)
    return root.get("")


def _operation(item: Any, place: str) -> Operation:
    if type(item) is not dict:
        raise malformed("An operation is an object.", place, "structure")
    op = item.get("op")
    if type(op) is not str or op not in _ACTS:
        names = ", ".join(_ACTS)
        raise malformed(f"op is one of {names}.", f"{place}.op", "value")
    if op in _VALUED and "value" not in item:
        raise malformed(f"{op} needs a value.", f"{place}.value", "required")
    path = _pointer(item, "path", place)
    source = _pointer(item, "from", place) if op in _MOVING else ()
    if op == "move" and path[: len(source)] == source and path != source:
        raise malformed("What moves cannot move into itself.", f"{place}.path", "value")
    return Operation(op, path, source, item.get("value"), place)


def _pointer(item: Mapping[str, Any], name: str, place: str) -> Pointer:
    """A JSON Pointer (RFC 6901), its first step standing for the whole resource."""
    text = item.get(name)
    if type(text) is not str:
        raise malformed(f"{name} is a JSON Pointer.", f"{place}.{name}", "required")
    if (text and not text.startswith("/")) or _BAD_ESCAPE.search(text):
        raise malformed(f"{text[:200]!r} is no JSON Pointer.", f"{place}.{name}", "value")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/"))


def _add(root: dict[str, Any], operation: Operation) -> None:
    _put(root, operation, deepcopy(operation.value))


def _remove(root: dict[str, Any], operation: Operation) -> None:
    parent, step = _place(root, operation.path, operation)
    del parent[step]


def _replace(root: dict[str, Any], operation: Operation) -> None:
    parent, step = _place(root, operation.path, operation)
    parent[step] = deepcopy(operation.value)


def _move(root: dict[str, Any], operation: Operation) -> None:
    parent, step = _place(root, operation.source, operation)
    value = parent[step]
    del parent[step]
    _put(root, operation, value)


def _copy(root: dict[str, Any], operation: Operation) -> None:
    _put(root, operation, deepcopy(_found(root, operation.source, operation)))


def _test(root: dict[str, Any], operation: Operation) -> None:
    if not _is_same(_found(root, operation.path, operation), operation.value):
        text = f"What stands at {_written(operation.path)} is not what is tested for."
        raise failed(text, operation.place, "conflict")


_ACTS: Final[Mapping[str, Callable[[dict[str, Any], Operation], None]]] = {
    "add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy,
    "test": _test,
}  # fmt: skip


def _put(root: dict[str, Any], operation: Operation, value: Any) -> None:
    *above, last = operation.path
    parent = _found(root, tuple(above), operation)
    if type(parent) is dict:
        parent[last] = value
    elif type(parent) is list:
        place = len(parent) if last == "-" else _index(last)
        if place is None or place > len(parent):
            raise _nothing_at(operation.path, operation)
        parent.insert(place, value)
    else:
        raise _nothing_at(operation.path, operation)


def _place(root: dict[str, Any], path: Pointer, operation: Operation) -> tuple[Any, Any]:
    """The object or array that holds what the path names, and its name or index in it."""
    *above, last = path
    parent = _found(root, tuple(above), operation)
    if type(parent) is dict and last in parent:
        return parent, last
    if type(parent) is list and (index := _index(last)) is not None and index < len(parent):
        return parent, index
    raise _nothing_at(path, operation)


def _found(root: dict[str, Any], path: Pointer, operation: Operation) -> Any:
    value: Any = root
    for step in path:
        index = _index(step) if type(value) is list else None
        if type(value) is dict and step in value:
            value = value[step]
        elif index is not None and index < len(value):
            value = value[index]
        else:
            raise _nothing_at(path, operation)
    return value


def _index(text: str) -> int | None:
    return int(text) if _INDEX.fullmatch(text) else None


def _is_same(one: Any, other: Any) -> bool:
    """RFC 6902, section 4.6: equal as JSON, numbers by their value."""
    if type(one) is bool or type(other) is bool or one is None or other is None:
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return one.keys() == other.keys() and all(_is_same(one[k], other[k]) for k in one)
    if type(one) is list:
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _nothing_at(path: Pointer, operation: Operation) -> PatchFailed:
    return failed(f"There is nothing at {_written(path)}.", operation.place, "not-found")


def _written(path: Pointer) -> str:
    text = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return repr(text[:200])
