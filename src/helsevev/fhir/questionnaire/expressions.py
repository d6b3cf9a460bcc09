"""Expressions of forms: FHIRPath in the place where a form has it, and the variables it may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from helsevev.fhir.path import Knows, PathError, compile_tree, parse
from helsevev.fhir.path.compiling import constants
from helsevev.fhir.path.site import Typed
from helsevev.fhir.path.syntax import (
    Binary,
    Call,
    Index,
    Literal,
    Name,
    Tree,
    TypeTest,
    Unary,
    Variable,
)
from helsevev.fhir.path.values import Env, Items, plain_all

FHIRPATH: Final = "text/fhirpath"
QUERY: Final = "application/x-fhir-query"
_RESPONSE: Final = "QuestionnaireResponse"
_ITEM: Final = "QuestionnaireResponse.item"
_CHOICES: Final = {
    "valueBoolean": "boolean", "valueDecimal": "decimal", "valueInteger": "integer",
    "valueDate": "date", "valueDateTime": "dateTime", "valueTime": "time",
    "valueString": "string", "valueUri": "uri", "valueCoding": "Coding", "valueCode": "code",
    "valueQuantity": "Quantity", "valueReference": "Reference",
    "valueAttachment": "Attachment", "valueCodeableConcept": "CodeableConcept",
}  # fmt: skip
_WHOLE: Final = frozenset({"resource", "rootResource", "context", "$this"})
_INSERT: Final = re.compile(r"\{\{(.*?)\}\}", re.S)


class Expression:
    """One expression of a form: its text, and when it is FHIRPath, its closure.

    `mentions` are the texts it compares with (linkIds among them), `variables` the names it uses.
    `is_open` tells that it may read more items than it mentions.
    """

    __slots__ = (
        "_on_item", "_run", "inserts", "is_open", "language", "mentions", "name", "text",
        "variables",
    )  # fmt: skip

    def __init__(
        self, text: str, language: str = FHIRPATH, name: str = "", *, whole: bool = False
    ) -> None:
        """`whole` is said of a form, not of an item. Raises `PathError` when it cannot be read."""
        self.text = text
        self.language = language
        self.name = name
        self.mentions: frozenset[str] = frozenset()
        self.variables: frozenset[str] = frozenset()
        self.is_open = True
        self.inserts: tuple[Expression, ...] = ()
        self._run: Typed | None = None
        self._on_item = not whole
        if language == FHIRPATH:
            self._compile(narrowed(parse(text)))
        elif language == QUERY:
            found = _INSERT.findall(text)
            self.inserts = tuple(Expression(each, whole=whole) for each in found)
            self.variables = frozenset().union(*(each.variables for each in self.inserts))
        else:
            raise PathError(f"Expressions in {language or 'no language'} are not read.")

    def _compile(self, tree: Tree) -> None:
        nodes = list(_nodes(tree))
        self.mentions = frozenset(
            each.value for each in nodes if isinstance(each, Literal) and type(each.value) is str
        )
        self.variables = frozenset(each.name for each in nodes if isinstance(each, Variable))
        self.is_open = _reads_freely(nodes)
        # `QuestionnaireResponse.…` is said of the whole answer wherever it stands.
        self._on_item = self._on_item and not any(
            isinstance(each, Name) and each.source is None and each.name == _RESPONSE
            for each in nodes
        )
        of = _ITEM if self._on_item else _RESPONSE
        self._run = compile_tree(tree, of, focus=_RESPONSE, context=_ITEM)

    @property
    def is_query(self) -> bool:
        """Whether it is a search rather than FHIRPath."""
        return self.language == QUERY

    def __call__(
        self,
        response: Mapping[str, Any],
        item: Mapping[str, Any] | None,
        variables: Mapping[str, Any],
        knows: Knows | None = None,
        now: datetime | None = None,
    ) -> list[Any]:
        """Its values, of an item of an answer (None: of the whole). Raises `PathError`."""
        if self._run is None:
            raise PathError("A search is not worked out here.")
        env = Env(response, variables, None, knows=knows)
        env.now = now
        focus = item if self._on_item and item is not None else response
        return plain_all(self._run.run([focus], env))

    def filled(self, evaluate: Callable[[Expression], list[Any]]) -> str | None:
        """A search with its `{{…}}` worked out; None when one of them has nothing in it.

        Raises `PathError`.
        """
        parts: list[str] = []
        for each in self.inserts:
            values = evaluate(each)
            if not values:
                return None
            parts.append(",".join(str(value) for value in values))
        found = iter(parts)
        return _INSERT.sub(lambda _: next(found), self.text)


class Anywhere:
    """FHIRPath that may be said of anything: of an item, an answer's value, a text."""

    __slots__ = ("_run",)

    def __init__(self, text: str) -> None:
        """Raises `PathError` when it cannot be read."""
        self._run = compile_tree(narrowed(parse(text)), None, focus=_RESPONSE, context=_ITEM)

    def __call__(
        self,
        focus: Any,
        response: Mapping[str, Any],
        variables: Mapping[str, Any],
        knows: Knows | None,
        now: datetime | None,
    ) -> Items:
        """What it finds, with the types that are known (`Node`). Raises `PathError`."""
        env = Env(response, variables, None, knows=knows)
        env.now = now
        return self._run.run([focus], env)


def _reads_freely(nodes: list[Tree]) -> bool:
    """Whether answers are read that are not those of items with a named linkId."""
    asked = sum(1 for each in nodes if isinstance(each, Name) and each.name == "linkId")
    named = sum(1 for each in nodes if _names_links(each))
    if asked != named:
        return True
    return any(
        isinstance(each, Name) and each.name in ("answer", "text") and not _is_narrow(each.source)
        for each in nodes
    )


def _names_links(tree: Tree) -> bool:
    if not isinstance(tree, Binary) or tree.operator not in ("=", "in"):
        return False
    of_link = isinstance(tree.left, Name) and tree.left.name == "linkId"
    texts = isinstance(tree.right, Literal) or constants(tree.right) is not None
    return of_link and texts


def _is_narrow(source: Tree | None) -> bool:
    """Whether a path goes through items that are picked by their linkId, or begins elsewhere."""
    while source is not None:
        picked = source.arguments if isinstance(source, Call) and source.name == "where" else ()
        if any(_names_links(each) for part in picked for each in _nodes(part)):
            return True
        if isinstance(source, Variable):
            return source.name not in _WHOLE
        if not isinstance(source, Name | Call | Index | TypeTest):
            return False
        source = source.source
    return False


def narrowed(tree: Tree) -> Tree:
    """The tree with `answer.valueDecimal` read as `answer.value.ofType(decimal)`.

    FHIRPath knows no such names, but forms everywhere use them, HL7's own among them.
    """
    match tree:
        case Name():
            source = None if tree.source is None else narrowed(tree.source)
            kind = _CHOICES.get(tree.name)
            if kind is None:
                return Name(source, tree.name)
            return TypeTest("as", Name(source, "value"), kind)
        case Call():
            source = None if tree.source is None else narrowed(tree.source)
            return Call(source, tree.name, tuple(narrowed(each) for each in tree.arguments))
        case TypeTest():
            return replace(tree, source=narrowed(tree.source))
        case Index():
            return Index(narrowed(tree.source), narrowed(tree.index))
        case Unary():
            return replace(tree, operand=narrowed(tree.operand))
        case Binary():
            return replace(tree, left=narrowed(tree.left), right=narrowed(tree.right))
        case _:
            return tree


def _nodes(tree: Tree | None) -> Iterator[Tree]:
    if tree is None:
        return
    yield tree
    match tree:
        case Name() | TypeTest():
            yield from _nodes(tree.source)
        case Call():
            yield from _nodes(tree.source)
            for each in tree.arguments:
                yield from _nodes(each)
        case Index():
            yield from _nodes(tree.source)
            yield from _nodes(tree.index)
        case Unary():
            yield from _nodes(tree.operand)
        case Literal() | Variable():
            return
        case _:
            yield from _nodes(tree.left)
            yield from _nodes(tree.right)


class Scope(Mapping[str, Any]):
    """Variables by name, worked out when they are first asked for, then remembered.

    `known` are values at hand; `made` are expressions; what neither has, `outer` is asked for.
    """

    __slots__ = ("_busy", "_evaluate", "_found", "_known", "_made", "_outer")

    def __init__(
        self,
        known: Mapping[str, Any],
        made: Mapping[str, Expression],
        evaluate: Callable[[Expression, Scope], Any],
        outer: Scope | None = None,
    ) -> None:
        self._known = known
        self._made = made
        self._evaluate = evaluate
        self._outer = outer
        self._found: dict[str, Any] = {}
        self._busy: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return (
            name in self._known
            or name in self._made
            or (self._outer is not None and name in self._outer)
        )

    def __getitem__(self, name: str) -> Any:
        if name in self._found:
            return self._found[name]
        if name in self._made:
            if name in self._busy:
                raise PathError(f"The variable %{name} is said by itself.")
            self._busy.add(name)
            try:
                value = self._found[name] = self._evaluate(self._made[name], self)
            finally:
                self._busy.discard(name)
            return value
        if name in self._known:
            return self._known[name]
        if self._outer is None:
            raise KeyError(name)
        return self._outer[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._made})

    def __len__(self) -> int:
        return len({**self._known, **self._made})
