"""Where a FHIRPath leads to in a resource, as places that can be written.

http://hl7.org/fhir/R4/fhirpatch.html leaves open how much of FHIRPath a patch may use. Here it is
what keeps to places: elements, indexes, `where` and its like, types of choices and extensions.
What a `where` asks may be any expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from helsevev.fhir.definitions import PRIMITIVES, Element, elements, is_structure
from helsevev.fhir.patching import failed, malformed
from helsevev.fhir.path import PathError, TooCostly, compile_tree, kinds
from helsevev.fhir.path.site import Typed
from helsevev.fhir.path.syntax import (
    Call,
    Index,
    Literal,
    Name,
    Tree,
    TypeTest,
    Variable,
)
from helsevev.fhir.path.values import Env, Node, truth

MOST_STEPS: Final = 100_000
"""Items that all questions of one patch may look at, half a second's worth."""

_ON_PRIMITIVES: Final = frozenset({"id", "extension"})
Pairs = list[tuple[Any, Any]]
"""The items of a repeating element, each with the object beside it (for primitives)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One element: `holder[key]`, or its item at `index`. The resource itself has no `element`."""

    holder: dict[str, Any]
    key: str
    index: int | None
    type: str | None
    element: Element | None

    @property
    def value(self) -> Any:
        """What stands there; None for a primitive that has only extensions."""
        found = self.holder.get(self.key)
        if self.index is None:
            return found
        return found[self.index] if type(found) is list and self.index < len(found) else None

    @property
    def structure(self) -> str | None:
        """The type whose elements it has; what is in a Bundle or contained says it itself."""
        value = self.value
        if self.type is not None or type(value) is not dict:
            return self.type
        named = value.get("resourceType")
        return named if type(named) is str else None

    def inside(self) -> dict[str, Any]:
        """The object that holds its elements; for a primitive the one beside it, which is made."""
        value = self.value
        if type(value) is dict:
            return value
        items = pairs(self.holder, self.key) if self.index is not None else []
        beside = items[self.index][1] if self.index is not None else self.holder.get(f"_{self.key}")
        if type(beside) is not dict:
            beside = {}
            if self.index is None:
                self.holder[f"_{self.key}"] = beside
            else:
                items[self.index] = (value, beside)
                put(self.holder, self.key, items)
        return beside


def pairs(holder: dict[str, Any], key: str) -> Pairs:
    """The items of a repeating element, in its order."""
    values, beside = holder.get(key, []), holder.get(f"_{key}", [])
    length = max(len(values), len(beside))
    return [
        (values[n] if n < len(values) else None, beside[n] if n < len(beside) else None)
        for n in range(length)
    ]


def put(holder: dict[str, Any], key: str, items: Pairs) -> None:
    """Let a repeating element have these items."""
    for name, side in ((key, 0), (f"_{key}", 1)):
        if any(item[side] is not None for item in items):
            holder[name] = [item[side] for item in items]
        else:
            holder.pop(name, None)


def element_of(structure: str | None, name: str) -> Element | None:
    """The element that FHIRPath calls `name` in a type; None when there is none."""
    if structure in PRIMITIVES and name in _ON_PRIMITIVES:
        structure = "Extension"  # It has both, as every element does.
    if structure is None or not is_structure(structure):
        return None
    known = elements(structure)
    return known.get(name) or known.get(f"{name}[x]")


class Finder:
    """Follows the paths of one patch through one resource. `at` is where the patch says so."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.root = Place({"": resource}, "", None, str(resource.get("resourceType")), None)
        self._env = Env(resource, {}, None, steps=MOST_STEPS)

    def places(self, tree: Tree, at: str) -> list[Place]:
        """Every place that the path leads to. Raises `MalformedPatch` or `PatchFailed`."""
        match tree:
            case Name(source=None, name=name) if self._is_root(name):
                return [self.root]
            case Name(source=source, name=name):
                found = [self.root] if source is None else self.places(source, at)
                return [below for place in found for below in self._below(place, name, at)]
            case Index(source=source, index=Literal(value=int(number))):
                return self.places(source, at)[number : number + 1]
            case TypeTest(operator="as" | "ofType", source=source, type=kind):
                return _of_type(self.places(source, at), kind)
            case Variable(name="$this" | "resource" | "context"):
                return [self.root]
            case Call(source=source):
                found = [self.root] if source is None else self.places(source, at)
                return self._called(tree, found, at)
        raise malformed("A patch's path leads from element to element.", at, "not-supported")

    def _is_root(self, name: str) -> bool:
        known = kinds.written(name) if name[0].isupper() else None
        return known is not None and kinds.is_a(str(self.root.type), known)

    def _below(self, place: Place, name: str, at: str) -> list[Place]:
        structure = place.structure
        inner = _beside(place) if structure in PRIMITIVES else place.value
        holder = inner if type(inner) is dict else {}
        element = element_of(structure, name)
        if element is None:
            raise failed(f"{structure} has no element {name[:80]}.", at, "value")
        found: list[Place] = []
        for key, kind in element.json_names().items():
            of = None if kind.name in kinds.ABSTRACT else kind.name
            if element.repeats:
                count = len(pairs(holder, key))
                found += [Place(holder, key, n, of, element) for n in range(count)]
            elif key in holder or f"_{key}" in holder:
                found.append(Place(holder, key, None, of, element))
        return found

    def _called(self, call: Call, found: list[Place], at: str) -> list[Place]:
        match call.name, call.arguments:
            case "first", ():
                return found[:1]
            case "last", ():
                return found[-1:]
            case "tail", ():
                return found[1:]
            case "skip", (Literal(value=int(number)),):
                return found[number:]
            case "take", (Literal(value=int(number)),):
                return found[:number]
            case "single", ():
                if len(found) > 1:
                    raise failed(f"There are {len(found)} where one is meant.", at)
                return found
            case "ofType" | "as", (Name() as kind,):
                return _of_type(found, _type_named(kind))
            case "extension", (Literal(value=str(url)),):
                below = [e for place in found for e in self._below(place, "extension", at)]
                return [e for e in below if type(e.value) is dict and e.value.get("url") == url]
            case "where", (criterion,):
                return [place for place in found if self._fits(place, criterion, at)]
        raise malformed(f"A patch's path cannot use {call.name}() so.", at, "not-supported")

    def _fits(self, place: Place, criterion: Tree, at: str) -> bool:
        value = place.value
        item = value if type(value) is dict else Node(value, place.type, _beside(place))
        try:
            compiled = _compiled(criterion, place.structure, str(self.root.type))
            self._env.spend(1)
            return truth(compiled.run([item], self._env), "where()") is True
        except TooCostly as failure:
            raise failed(str(failure), at, "too-costly") from None
        except PathError as failure:
            raise failed(str(failure), at) from None


@lru_cache(maxsize=1000)
def _compiled(tree: Tree, of: str | None, focus: str) -> Typed:
    return compile_tree(tree, of, focus=focus)


def _beside(place: Place) -> Any:
    if place.index is not None:
        items = pairs(place.holder, place.key)
        return items[place.index][1] if place.index < len(items) else None
    return place.holder.get(f"_{place.key}")


def _of_type(found: list[Place], kind: str) -> list[Place]:
    wanted = kinds.written(kind)
    return [
        place
        for place in found
        if wanted is not None and place.structure is not None
        and kinds.is_a(place.structure, wanted)
    ]  # fmt: skip


def _type_named(tree: Name) -> str:
    return f"{_type_named(tree.source)}.{tree.name}" if isinstance(tree.source, Name) else tree.name
