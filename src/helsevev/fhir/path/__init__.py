"""FHIRPath, compiled: an expression becomes a function of a resource (http://hl7.org/fhirpath/N1).

Values are plain data as `serialization.decode` makes them: exact decimals, dates as their text.
Beyond the specification it has FHIR's own functions and those of SQL-on-FHIR's views.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from helsevev.fhir.path import kinds
from helsevev.fhir.path.compiling import Compiler, NeedsNodes
from helsevev.fhir.path.site import Typed
from helsevev.fhir.path.syntax import PathError, TooCostly, Tree, parse
from helsevev.fhir.path.values import Env, Items, Knows, Node, plain_all

Resolve = Callable[[str], dict[str, Any] | None]
"""What a literal reference ("Patient/1") names, or None when it is not at hand."""

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Path:
    """An expression, ready for any number of resources; compiled once for each type of them."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tree: Tree = parse(expression)
        self._typed: dict[str | None, Typed] = {}

    def __call__(
        self,
        focus: Any,
        *,
        variables: Mapping[str, Any] = _NONE,
        resolve: Resolve | None = None,
        of: str | None = None,
        resource: Any = None,
        knows: Knows | None = None,
    ) -> list[Any]:
        """The values that the expression finds in `focus`, a resource or an element of type `of`.

        `variables` are plain values (or lists) by name; `resource` is `%resource` when the focus
        is an element of it; `knows` answers for value sets and profiles. Without `resolve`, or
        when it knows no better, `resolve()` gives a resource of which only type and id are told.
        Raises `PathError`.
        """
        return plain_all(self._run(focus, variables, resolve, of, resource, knows)[0])

    def typed(
        self,
        focus: Any,
        *,
        variables: Mapping[str, Any] = _NONE,
        resolve: Resolve | None = None,
        of: str | None = None,
        resource: Any = None,
        knows: Knows | None = None,
    ) -> list[tuple[str, Any]]:
        """As a call, with the type of each value: "Quantity", "code", "System.Boolean", or "" """
        items, kind = self._run(focus, variables, resolve, of, resource, knows)
        pairs = [(kinds.type_of(item, kind) or "", item) for item in items]
        values = [(t, i.value if type(i) is Node else i) for t, i in pairs]
        return [(kind, value) for kind, value in values if value is not None]

    def _run(
        self,
        focus: Any,
        variables: Mapping[str, Any],
        resolve: Resolve | None,
        of: str | None,
        resource: Any,
        knows: Knows | None,
    ) -> tuple[Items, str | None]:
        if of is None and type(focus) is dict:
            named = focus.get("resourceType")
            of = named if type(named) is str else None
        typed = self._typed.get(of)
        if typed is None:
            typed = self._typed[of] = compile_tree(self.tree, of)
        env = Env(focus if resource is None else resource, variables, resolve, knows=knows)
        return typed.run(focus if type(focus) is list else [focus], env), typed.type


@lru_cache(maxsize=4096)
def compile_path(expression: str) -> Path:
    """The expression, ready to be called. Raises `PathError` when it cannot be read."""
    return Path(expression)


def compile_tree(
    tree: Tree,
    of: str | None,
    *,
    focus: str | None = None,
    strict: bool = False,
    variables: Collection[str] | None = None,
    context: str | None = None,
) -> Typed:
    """The closure of a tree for elements of type `of` within a resource of type `focus`.

    `strict` refuses what can never be found there, and variables other than `variables`;
    `context` is the type of `%context` where it is not the focus. Raises `PathError`.
    """
    whole = of if focus is None else focus
    try:
        compiler = Compiler(whole, strict=strict, variables=variables, context=context)
        return compiler.compile(tree, of)
    except NeedsNodes:
        compiler = Compiler(whole, strict=strict, nodes=True, variables=variables, context=context)
        return compiler.compile(tree, of)


__all__ = [
    "Knows",
    "Path",
    "PathError",
    "Resolve",
    "TooCostly",
    "compile_path",
    "compile_tree",
    "parse",
]
