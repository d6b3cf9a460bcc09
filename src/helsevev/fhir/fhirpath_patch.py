"""FHIRPath Patch: Parameters that say what to change (http://hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir.definitions import Element, elements
from helsevev.fhir.outcome import Issue
from helsevev.fhir.patch_places import Finder, Place, element_of, pairs, put
from helsevev.fhir.patching import MalformedPatch, failed, malformed
from helsevev.fhir.path import PathError, parse
from helsevev.fhir.path.syntax import Name, Tree
from helsevev.fhir.validation import validate

MOST_OPERATIONS: Final = 1_000
_VALUES: Final = elements("Parameters.parameter")["value[x]"].json_names()


@dataclass(frozen=True, slots=True)
class Value:
    """A value to write: of a type, or put together from `parts` that name its elements."""

    type: str = ""
    plain: Any = None
    beside: Any = None
    parts: tuple[tuple[str, Value], ...] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `at` is its place in the Parameters."""

    kind: str
    path: Tree
    at: str
    name: str = ""
    value: Value | None = None
    numbers: tuple[int, ...] = ()


def read(parameters: dict[str, Any]) -> tuple[Operation, ...]:
    """The operations of a Parameters resource. Raises `MalformedPatch`."""
    issues: list[Issue] = [issue for issue in validate(parameters) if issue.is_error]
    if issues:
        raise MalformedPatch(issues)
    given = parameters.get("parameter", [])
    if len(given) > MOST_OPERATIONS:
        text = f"A patch has {MOST_OPERATIONS} operations at most, this one {len(given)}."
        raise malformed(text, "Parameters.parameter", "too-long")
    return tuple(_operation(item, f"Parameters.parameter[{n}]") for n, item in enumerate(given))


def apply(operations: Sequence[Operation], resource: dict[str, Any]) -> dict[str, Any]:
    """What the patch makes of the resource, which stays as it is. Raises `PatchFailed`."""
    changed = deepcopy(resource)
    finder = Finder(changed)
    for operation in operations:
        _ACTS[operation.kind](finder, operation)
    return changed


def _operation(item: Mapping[str, Any], at: str) -> Operation:
    if item.get("name") != "operation":
        raise malformed("Every parameter of a patch is an operation.", f"{at}.name", "value")
    parts = {str(part["name"]): part for part in item.get("part", ())}
    if len(parts) < len(item.get("part", ())):
        raise malformed("A part of an operation stands twice.", f"{at}.part", "duplicate")
    kind = _text(parts, "type", at)
    if kind not in _ACTS:
        raise malformed(f"type is one of {', '.join(_ACTS)}.", at, "value")
    try:
        path = parse(_text(parts, "path", at))
    except PathError as failure:
        raise malformed(str(failure), at, "value") from None
    return Operation(
        kind, path, at,
        name=_text(parts, "name", at) if kind == "add" else "",
        value=_value(_part(parts, "value", at), at) if kind in _VALUED else None,
        numbers=tuple(_number(parts, name, at) for name in _NUMBERS.get(kind, ())),
    )  # fmt: skip


def _part(parts: Mapping[str, Any], name: str, at: str) -> Mapping[str, Any]:
    if name not in parts:
        raise malformed(f"The operation has no {name}.", at, "required")
    found: Mapping[str, Any] = parts[name]
    return found


def _text(parts: Mapping[str, Any], name: str, at: str) -> str:
    part = _part(parts, name, at)
    value = next((part[key] for key in ("valueString", "valueCode") if key in part), None)
    if type(value) is not str:
        raise malformed(f"{name} is a valueString or valueCode.", at, "value")
    return value


def _number(parts: Mapping[str, Any], name: str, at: str) -> int:
    part = _part(parts, name, at)
    value = next((value for key, value in part.items() if key.startswith("value")), None)
    if type(value) is not int or value < 0:
        raise malformed(f"{name} is a valueInteger, from 0.", at, "value")
    return value


def _value(part: Mapping[str, Any], at: str) -> Value:
    if "resource" in part:
        return Value("Resource", part["resource"])
    for key, kind in _VALUES.items():
        if key in part or f"_{key}" in part:
            return Value(kind.name, part.get(key), part.get(f"_{key}"))
    if "part" in part:
        return Value(parts=tuple((str(p["name"]), _value(p, at)) for p in part["part"]))
    raise malformed("A value has a value[x], a resource or parts.", at, "required")


def _add(finder: Finder, operation: Operation) -> None:
    place = _the_one(finder, operation)
    element = element_of(place.structure, operation.name)
    if element is None:
        text = f"{place.structure} has no element {operation.name[:80]}."
        raise failed(text, operation.at, "value")
    _set_in(place.inside(), element, _given(operation), operation.at)


def _insert(finder: Finder, operation: Operation) -> None:
    holder, element = _list(finder, operation)
    key, plain, beside = _written(element, _given(operation), operation.at)
    items = pairs(holder, key)
    (index,) = operation.numbers
    if index > len(items):
        raise failed(f"There are {len(items)}; {index} is beyond.", operation.at, "value")
    items.insert(index, (plain, beside))
    put(holder, key, items)


def _delete(finder: Finder, operation: Operation) -> None:
    found = finder.places(operation.path, operation.at)
    if not found:
        return  # It is not there: nothing is left to do.
    place = _only(found, operation)
    if place.element is None:
        raise failed("A patch does not delete the resource.", operation.at)
    if place.index is None:
        place.holder.pop(place.key, None)
        place.holder.pop(f"_{place.key}", None)
    else:
        items = pairs(place.holder, place.key)
        del items[place.index]
        put(place.holder, place.key, items)


def _replace(finder: Finder, operation: Operation) -> None:
    place = _the_one(finder, operation)
    if place.element is None:
        raise failed("A patch does not replace the resource.", operation.at)
    key, plain, beside = _written(place.element, _given(operation), operation.at)
    if place.index is not None:
        items = pairs(place.holder, key)
        items[place.index] = (plain, beside)
        put(place.holder, key, items)
        return
    # What keeps its name keeps its place among the others, too.
    if key != place.key or plain is None:
        place.holder.pop(place.key, None)
    place.holder.pop(f"_{place.key}", None)
    _assign(place.holder, key, plain, beside)


def _move(finder: Finder, operation: Operation) -> None:
    holder, element = _list(finder, operation)
    items = pairs(holder, element.name)
    source, destination = operation.numbers
    if max(source, destination) >= len(items):
        text = f"There are {len(items)}; {max(source, destination)} is beyond."
        raise failed(text, operation.at, "value")
    items.insert(destination, items.pop(source))
    put(holder, element.name, items)


_ACTS: Final[Mapping[str, Callable[[Finder, Operation], None]]] = {
    "add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move,
}  # fmt: skip
_VALUED: Final = frozenset({"add", "insert", "replace"})
_NUMBERS: Final = {"insert": ("index",), "move": ("source", "destination")}


def _the_one(finder: Finder, operation: Operation) -> Place:
    return _only(finder.places(operation.path, operation.at), operation)


def _only(found: Sequence[Place], operation: Operation) -> Place:
    if len(found) != 1:
        text = f"The path leads to {len(found)} elements, not to one."
        raise failed(text, operation.at, "not-found" if not found else "multiple-matches")
    return found[0]


def _list(finder: Finder, operation: Operation) -> tuple[dict[str, Any], Element]:
    """The repeating element that the path names, with or without items, and what holds it."""
    path = operation.path
    if not isinstance(path, Name):
        text = f"The path of {operation.kind} ends in the name of a repeating element."
        raise malformed(text, operation.at, "value")
    found = [finder.root] if path.source is None else finder.places(path.source, operation.at)
    place = _only(found, operation)
    element = element_of(place.structure, path.name)
    if element is None or not element.repeats:
        raise failed(f"{path.name[:80]} does not repeat.", operation.at, "value")
    return place.inside(), element


def _given(operation: Operation) -> Value:
    assert operation.value is not None
    return operation.value


def _set_in(holder: dict[str, Any], element: Element, value: Value, at: str) -> None:
    """Append to a repeating element, or give one that is not there yet."""
    key, plain, beside = _written(element, value, at)
    if element.repeats:
        put(holder, key, [*pairs(holder, key), (plain, beside)])
        return
    if any(name in holder or f"_{name}" in holder for name in element.json_names()):
        text = f"{element.name.removesuffix('[x]')} is there already, and does not repeat."
        raise failed(text, at, "duplicate")
    _assign(holder, key, plain, beside)


def _assign(holder: dict[str, Any], key: str, plain: Any, beside: Any) -> None:
    if plain is not None:
        holder[key] = plain
    if beside is not None:
        holder[f"_{key}"] = beside


def _written(element: Element, value: Value, at: str) -> tuple[str, Any, Any]:
    """The JSON name for a value in an element, the value, and the object beside it."""
    names = element.json_names()
    if value.parts is not None:
        if element.is_choice:
            raise failed(f"{element.name} needs a value of a type.", at, "value")
        return element.name, _put_together(element.types[0].name, value.parts, at), None
    if not element.is_choice:
        return element.name, deepcopy(value.plain), deepcopy(value.beside)
    for key, kind in names.items():
        if kind.name == value.type:
            return key, deepcopy(value.plain), deepcopy(value.beside)
    raise failed(f"{element.name} cannot be a {value.type}.", at, "value")


def _put_together(structure: str, parts: Sequence[tuple[str, Value]], at: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in parts:
        element = element_of(structure, name)
        if element is None:
            raise failed(f"{structure} has no element {name[:80]}.", at, "value")
        _set_in(made, element, value, at)
    return made
