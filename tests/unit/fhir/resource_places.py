"""The elements that a resource has, each with its definition, its holder and its FHIRPath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helsevev.fhir.definitions import RESOURCE_TYPES, Element, ElementType, elements, is_structure


@dataclass(frozen=True, slots=True)
class Place:
    """An element that a resource has: the object it stands in, its name in JSON, and its path."""

    holder: dict[str, Any]
    structure: str
    name: str
    element: Element
    type: ElementType
    inside: str
    """The FHIRPath of the object, and `path` that of the element."""
    depth: int

    @property
    def path(self) -> str:
        if self.element.is_choice:
            return f"{self.inside}.{self.element.name[:-3]}.ofType({self.type.name})"
        return f"{self.inside}.{self.name}"

    @property
    def first(self) -> str:
        """The path of the first value."""
        return f"{self.path}[0]" if self.element.repeats else self.path

    @property
    def value(self) -> Any:
        """The first value."""
        found = self.holder[self.name]
        return found[0] if self.element.repeats else found

    def put(self, value: Any) -> str:
        """Let `value` stand as the first value; its path."""
        self.holder[self.name] = (
            [value, *self.holder[self.name][1:]] if self.element.repeats else value
        )
        return self.first


def places(value: dict[str, Any], structure: str, path: str, depth: int = 0) -> Iterator[Place]:
    """Every element that a valid resource has, also in what it contains."""
    for element in elements(structure).values():
        for name, kind in element.json_names().items():
            if name not in value:
                continue
            here = Place(value, structure, name, element, kind, path, depth)
            yield here
            values = value[name] if element.repeats else [value[name]]
            for index, item in enumerate(values):
                inner = f"{here.path}[{index}]" if element.repeats else here.path
                if kind.name == "Resource":
                    if item["resourceType"] in RESOURCE_TYPES:
                        yield from places(item, item["resourceType"], inner, depth + 1)
                elif is_structure(kind.name) and type(item) is dict:
                    yield from places(item, kind.name, inner, depth)
