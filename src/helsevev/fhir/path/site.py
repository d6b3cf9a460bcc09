"""Where a function stands while an expression is compiled: what it is called on and given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from helsevev.fhir.path.syntax import PathError, Tree
from helsevev.fhir.path.values import Items, Node, Run

TRUE: Final[Items] = [True]
FALSE: Final[Items] = [False]


@dataclass(frozen=True, slots=True)
class Typed:
    """A compiled expression, and the type its items have (None: told by each item)."""

    run: Run
    type: str | None = None
    # Set when the expression only walks down from `base` by these keys, so that steps are joined.
    base: Run | None = None
    keys: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One call. `this` is the type of the context outside it; `compile` compiles for a type."""

    name: str
    source: Typed
    arguments: tuple[Tree, ...]
    this: str | None
    compile: Callable[[Tree, str | None], Typed]
    # Whether an expression with types that are not R4's, or elements that they lack, is refused.
    strict: bool

    def takes(self, least: int, most: int | None = None) -> None:
        """Raises `PathError` unless there are so many arguments."""
        most = least if most is None else most
        if not least <= len(self.arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise PathError(f"{self.name}() takes {wanted} arguments, not {len(self.arguments)}.")

    def value(self, place: int) -> Run:
        """An argument that is evaluated once, in the context of the call."""
        return self.compile(self.arguments[place], self.this).run

    def criterion(self, place: int = 0) -> Typed:
        """An argument that is evaluated for each item of what the function is called on."""
        return self.compile(self.arguments[place], self.source.type)


Maker = Callable[[Site], Typed]


def as_nodes(items: Items, kind: str | None) -> Items:
    """The items with their type, for collections whose parts differ in type."""
    if kind is None:
        return items
    return [item if type(item) is Node else Node(item, kind) for item in items]


def joined_type(one: str | None, other: str | None) -> str | None:
    """The type of a collection made of two: None when they differ."""
    return one if one == other else None
