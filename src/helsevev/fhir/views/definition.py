"""Reading a ViewDefinition: what it must have, and what cannot be understood in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.path import PathError, parse
from helsevev.fhir.path.kinds import written
from helsevev.fhir.path.syntax import Tree
from helsevev.fhir.path.values import Node

MOST_SELECTS: Final = 500
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}", re.ASCII)
_TYPE: Final = "http://hl7.org/fhir/StructureDefinition/"


class ViewError(ValueError):
    """The ViewDefinition cannot be carried out; `issues` say what and where."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Expression:
    """A FHIRPath with the place where it stands in the definition."""

    tree: Tree
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `type` as declared, "" when it is not; `collection` when it holds lists."""

    name: str
    path: Expression
    type: str
    collection: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A part of a row: its columns, parts and alternatives, for each focus it goes through."""

    place: str
    columns: tuple[Column, ...]
    selects: tuple[Select, ...]
    unions: tuple[Select, ...]
    for_each: Expression | None
    or_null: bool
    repeat: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A ViewDefinition, read."""

    name: str
    resource: str
    constants: Mapping[str, Any]
    where: tuple[Expression, ...]
    selects: tuple[Select, ...]


def view_of(resource: Mapping[str, Any]) -> View:
    """The view that a ViewDefinition (as plain data) describes. Raises `ViewError`."""
    reader = _Reader()
    kind = resource.get("resource")
    if kind not in RESOURCE_TYPES:
        said = "resource is missing" if kind is None else f"{str(kind)[:80]!r} is no resource type"
        raise ViewError([error("required", f"{said} of R4.", "ViewDefinition.resource")])
    selects = tuple(reader.selects(resource.get("select"), "ViewDefinition.select"))
    if not selects:
        raise ViewError([error("required", "A view selects something.", "ViewDefinition.select")])
    name = resource.get("name")
    return View(
        name if type(name) is str else "view",
        str(kind),
        dict(reader.constants(resource.get("constant"))),
        tuple(reader.where(resource.get("where"))),
        selects,
    )


def _refused(text: str, place: str, code: str = "invalid") -> ViewError:
    return ViewError([error(code, text, place)])


def _objects(value: Any, place: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    if value is None:
        return
    if type(value) is not list:
        raise _refused("A list is expected here.", place, "structure")
    for n, item in enumerate(value):
        if type(item) is not dict:
            raise _refused("An object is expected here.", f"{place}[{n}]", "structure")
        yield item, f"{place}[{n}]"


class _Reader:
    def __init__(self) -> None:
        self._selects = 0

    def selects(self, value: Any, place: str) -> Iterator[Select]:
        for item, at in _objects(value, place):
            yield self._select(item, at)

    def _select(self, item: Mapping[str, Any], place: str) -> Select:
        self._selects += 1
        if self._selects > MOST_SELECTS:
            raise _refused(f"A view has at most {MOST_SELECTS} selects.", place, "too-costly")
        ways = [name for name in ("forEach", "forEachOrNull", "repeat") if name in item]
        if len(ways) > 1:
            raise _refused(f"{ways[0]} and {ways[1]} exclude each other.", place)
        each = ways[0] if ways and ways[0] != "repeat" else None
        select = Select(
            place,
            tuple(self._columns(item.get("column"), f"{place}.column")),
            tuple(self.selects(item.get("select"), f"{place}.select")),
            tuple(self.selects(item.get("unionAll"), f"{place}.unionAll")),
            _expression(item[each], f"{place}.{each}") if each else None,
            each == "forEachOrNull",
            self._repeat(item.get("repeat"), f"{place}.repeat"),
        )
        if not (select.columns or select.selects or select.unions):
            raise _refused("A select has columns, selects or a unionAll.", place, "required")
        return select

    def _repeat(self, value: Any, place: str) -> tuple[Expression, ...]:
        if value is None:
            return ()
        if type(value) is not list or not value:
            raise _refused("repeat is a list of paths.", place, "structure")
        return tuple(_expression(path, f"{place}[{n}]") for n, path in enumerate(value))

    def _columns(self, value: Any, place: str) -> Iterator[Column]:
        for item, at in _objects(value, place):
            name = item.get("name")
            if type(name) is not str or not _NAME.fullmatch(name):
                text = "A column's name begins with a letter and has letters, digits and _ only."
                raise _refused(text, f"{at}.name", "value")
            yield Column(
                name,
                _expression(item.get("path"), f"{at}.path"),
                _declared(item.get("type"), f"{at}.type"),
                item.get("collection") is True,
            )

    def constants(self, value: Any) -> Iterator[tuple[str, Any]]:
        for item, at in _objects(value, "ViewDefinition.constant"):
            name = item.get("name")
            if type(name) is not str or not _NAME.fullmatch(name):
                raise _refused("A constant needs a name.", f"{at}.name", "value")
            values = [(key, v) for key, v in item.items() if key.startswith("value")]
            if len(values) != 1 or values[0][1] is None:
                raise _refused(f"The constant {name} needs one value[x].", at, "required")
            key, found = values[0]
            kind = written(key[5].lower() + key[6:]) if key[5:] else None
            if kind is None or type(found) in (dict, list):
                raise _refused(f"{key} is no primitive of R4.", at, "value")
            yield name, Node(found, kind)

    def where(self, value: Any) -> Iterator[Expression]:
        for item, at in _objects(value, "ViewDefinition.where"):
            yield _expression(item.get("path"), f"{at}.path")


def _declared(value: Any, place: str) -> str:
    if value is None:
        return ""
    kind = value.removeprefix(_TYPE) if type(value) is str else ""
    known = written(kind) if kind else None
    if known is None:
        raise _refused(f"{str(value)[:80]!r} is no type of R4.", place, "value")
    return known


def _expression(value: Any, place: str) -> Expression:
    if type(value) is not str or not value.strip():
        raise _refused("A FHIRPath expression is expected here.", place, "structure")
    try:
        return Expression(parse(value), value, place)
    except PathError as problem:
        raise _refused(str(problem), place) from None
