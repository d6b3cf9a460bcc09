"""The search values of a resource: every R4 SearchParameter of its type in one walk.

Getters are compiled from the parameters' expressions when a type is first met. All paths of a
type are merged into one tree of JSON keys, so that a resource is walked once and elements that
are absent cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from helsevev.fhir import search_paths
from helsevev.fhir.dates import MAX, MIN
from helsevev.fhir.search_parameters import (
    FULL_TEXT,
    LEFT_OUT,
    PARAMETERS,
    Component,
    Parameter,
)
from helsevev.fhir.search_paths import Key, Path
from helsevev.fhir.search_values import (
    COMPOSITE,
    DATE,
    KINDS,
    NUMBER,
    PARTS,
    POSITION,
    QUANTITY,
    REFERENCE,
    STRING,
    TOKEN,
    URI,
    Part,
    Parts,
    position,
    reference_text,
    reference_type,
)

__all__ = [
    "COMPOSITE",
    "DATE",
    "LEFT_OUT",
    "MAX",
    "MIN",
    "NUMBER",
    "PARAMETERS",
    "POSITION",
    "QUANTITY",
    "REFERENCE",
    "STRING",
    "TOKEN",
    "URI",
    "Parameter",
    "extract",
]

Row = tuple[Any, ...]
Handler = Callable[[Any, list[Row]], None]

# A row's own columns: the id and the time are not read from the body.
_COLUMNS = frozenset({"_id", "_lastUpdated"})


def extract(resource: dict[str, Any]) -> list[Row]:
    """All search values of a valid resource, each once.

    Rows are `(name, kind, …)`:
    `(name, TOKEN, system | None, code | None)`, `(name, REFERENCE, "Type/id" or URL)`,
    `(name + ":identifier", TOKEN, system, value)` for a logical reference,
    `(name + ":of-type", TOKEN, "system|code", value)` for an Identifier with a type,
    `(name, STRING, text)` as written, `(name, DATE, low, high)` in µs since 1970 with high
    exclusive and MIN or MAX for open ends, `(name, NUMBER, Decimal)`,
    `(name, QUANTITY, Decimal, system | None, code | None, unit | None)`, `(name, URI, uri)`,
    `(name, POSITION, latitude, longitude)`,
    `(name, COMPOSITE, part of component 1, part of component 2, …)` where a part is a row
    without its name. `_id` and `_lastUpdated` are left out: they are the row's own columns.
    KeyError when the resource type is unknown.
    """
    rows: list[Row] = []
    _compiled(resource["resourceType"])(resource, rows)
    return list(dict.fromkeys(rows))


@dataclass(slots=True)
class _Leaf:
    """What is wanted of a value: for which parameters, of which kind, under which condition."""

    name: str
    kind: int
    path: Path


@dataclass(slots=True)
class _Node:
    """A place in the tree of JSON keys."""

    leaves: list[_Leaf] = field(default_factory=list)
    composites: list[Handler] = field(default_factory=list)
    children: dict[Key, _Node] = field(default_factory=dict)

    def at(self, keys: tuple[Key, ...]) -> _Node:
        """The node that the keys lead to, made when it is missing."""
        node = self
        for key in keys:
            node = node.children.setdefault(key, _Node())
        return node


@cache
def _compiled(resource_type: str) -> Handler:
    root = _Node()
    for parameter in PARAMETERS[resource_type].values():
        if parameter.name in _COLUMNS or parameter.name in FULL_TEXT:
            continue
        if parameter.expression == search_paths.DECEASED:
            root.composites.append(_deceased)
        elif parameter.kind == "special":
            root.composites.append(_near)
        elif parameter.kind == "composite":
            _add_composite(root, parameter, resource_type)
        else:
            for path in _paths(parameter.expression, resource_type):
                leaf = _Leaf(parameter.name, KINDS[parameter.kind], path)
                root.at(path.keys).leaves.append(leaf)
    handler = _visitor(root)
    if resource_type == "MolecularSequence":
        return _with_sequence_composites(handler)
    return handler


def _paths(expression: str, structure: str) -> list[Path]:
    return [
        path
        for part in search_paths.union(expression)
        for path in search_paths.resolve(part, structure)
    ]


def _deceased(patient: dict[str, Any], rows: list[Row]) -> None:
    dead = patient.get("deceasedBoolean", False) or "deceasedDateTime" in patient
    rows.append(("deceased", TOKEN, None, "true" if dead else "false"))


def _near(location: dict[str, Any], rows: list[Row]) -> None:
    rows.extend([("near", *part) for part in position(location.get("position", {}))])


def _visitor(node: _Node) -> Handler:
    """A function that walks the element of a node and adds its rows."""
    by_name: dict[str, Handler] = {}
    for key, child in node.children.items():
        handler = _keyed(key, _all_of([*_emitters(child.leaves), *_visitors(child)]))
        before = by_name.get(key.name)
        by_name[key.name] = handler if before is None else _all_of([before, handler])
    find = by_name.get
    composites = tuple(node.composites)

    def visit(element: dict[str, Any], rows: list[Row]) -> None:
        for name, value in element.items():
            handler = find(name)
            if handler is not None:
                handler(value, rows)
        for composite in composites:
            composite(element, rows)

    return visit


def _visitors(node: _Node) -> list[Handler]:
    return [_visitor(node)] if node.children or node.composites else []


def _all_of(handlers: list[Handler]) -> Handler:
    if len(handlers) == 1:
        return handlers[0]

    def handle(value: Any, rows: list[Row]) -> None:
        for handler in handlers:
            handler(value, rows)

    return handle


def _keyed(key: Key, handler: Handler) -> Handler:
    """The handler for one value, made to take what stands at the key: an array, perhaps."""
    name, wanted, index = key.field, key.value, key.index
    if name is not None:
        only = handler

        def handler(value: Any, rows: list[Row]) -> None:
            if value.get(name) == wanted:
                only(value, rows)

    if not key.repeats:
        return handler

    def each(values: Any, rows: list[Row]) -> None:
        for value in values if index is None else values[index : index + 1]:
            if value is not None:
                handler(value, rows)

    return each


def _emitters(leaves: list[_Leaf]) -> list[Handler]:
    """One emitter for all parameters that want the same kind of rows from the same value."""
    together: dict[tuple[int, str], list[_Leaf]] = {}
    for leaf in leaves:
        together.setdefault((leaf.kind, leaf.path.type), []).append(leaf)
    return [_emitter(kind, type_name, same) for (kind, type_name), same in together.items()]


def _emitter(kind: int, type_name: str, leaves: list[_Leaf]) -> Handler:
    if (kind, type_name) == (REFERENCE, "Reference"):
        return _reference_emitter({leaf.name: leaf.path.target for leaf in leaves})
    names = tuple(dict.fromkeys(leaf.name for leaf in leaves))
    parts = PARTS[kind, type_name]
    if (kind, type_name) == (TOKEN, "Identifier"):
        return _identifier_emitter(names)

    def emit(value: Any, rows: list[Row]) -> None:
        for part in parts(value):
            rows.extend([(name, *part) for name in names])

    return emit


def _identifier_emitter(names: tuple[str, ...]) -> Handler:
    parts = PARTS[TOKEN, "Identifier"]

    def emit(value: dict[str, Any], rows: list[Row]) -> None:
        for part in parts(value):
            rows.extend([(name, *part) for name in names])
        if "type" in value and "value" in value:
            for coding in value["type"].get("coding", ()):
                if "system" in coding and "code" in coding:
                    kind = f"{coding['system']}|{coding['code']}"
                    rows.extend([(n + ":of-type", TOKEN, kind, value["value"]) for n in names])

    return emit


def _reference_emitter(targets: dict[str, str | None]) -> Handler:
    wanted = tuple(targets.items())

    def emit(value: dict[str, Any], rows: list[Row]) -> None:
        text = reference_text(value)
        if text is not None:
            named = reference_type(value, text)
            for name, target in wanted:
                if target is None or target == named:
                    rows.append((name, REFERENCE, text))
        identifier = value.get("identifier")
        if identifier is not None:
            said = value.get("type")
            for name, target in wanted:
                if target is None or said is None or target == said:
                    rows.append(
                        (name + ":identifier", TOKEN, identifier.get("system"),
                         identifier.get("value"))
                    )  # fmt: skip

    return emit


def _add_composite(root: _Node, parameter: Parameter, resource_type: str) -> None:
    if resource_type == "MolecularSequence":
        return
    for path in _paths(parameter.expression, resource_type):
        components = [_component(component, path.type) for component in parameter.components]
        root.at(path.keys).composites.append(_composite(parameter.name, components))


def _component(component: Component, structure: str) -> dict[str, list[Parts]]:
    """JSON key -> parts, for a component's expression read from its element."""
    kind = KINDS[component.kind]
    found: dict[str, list[Parts]] = {}
    for path in _paths(component.expression, structure):
        (key,) = path.keys
        # `value` of Group.characteristic may also be a Quantity, which no token stands for.
        if (kind, path.type) in PARTS:
            found.setdefault(key.name, []).append(PARTS[kind, path.type])
    return found


def _composite(name: str, components: list[dict[str, list[Parts]]]) -> Handler:
    """Rows of a composite with two components that stand directly in its element."""
    first, second = ([(k, p) for k, ps in c.items() for p in ps] for c in components)

    def emit(element: dict[str, Any], rows: list[Row]) -> None:
        values = [part for key, parts in second if key in element for part in parts(element[key])]
        if values:
            for key, parts in first:
                if key in element:
                    for one in parts(element[key]):
                        rows.extend([(name, COMPOSITE, one, other) for other in values])

    return emit


def _with_sequence_composites(handler: Handler) -> Handler:
    """MolecularSequence's composites of three, two of which begin in the resource itself."""

    def visit(resource: dict[str, Any], rows: list[Row]) -> None:
        handler(resource, rows)
        sequence = resource.get("referenceSeq", {})
        chromosome = _tokens(sequence.get("chromosome"), "CodeableConcept")
        sequence_id = _tokens(sequence.get("referenceSeqId"), "CodeableConcept")
        window = [sequence] if sequence else []
        _place(rows, "chromosome-window-coordinate", chromosome, window, "windowStart", "windowEnd")
        _place(rows, "referenceseqid-window-coordinate", sequence_id, window,
               "windowStart", "windowEnd")  # fmt: skip
        variants = resource.get("variant", [])
        _place(rows, "chromosome-variant-coordinate", chromosome, variants, "start", "end")
        _place(rows, "referenceseqid-variant-coordinate", sequence_id, variants, "start", "end")

    return visit


def _tokens(value: Any, type_name: str) -> list[Part]:
    return [] if value is None else PARTS[TOKEN, type_name](value)


def _place(
    rows: list[Row],
    name: str,
    tokens: list[Part],
    elements: Iterable[dict[str, Any]],
    start: str,
    end: str,
) -> None:
    number = PARTS[NUMBER, "integer"]
    for element in elements:
        for token in tokens:
            for low in number(element.get(start)):
                highs = number(element.get(end))
                rows.extend([(name, COMPOSITE, token, low, high) for high in highs])
