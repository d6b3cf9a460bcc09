"""What flows through an expression: plain data, and nodes where plain data does not say all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.path.syntax import PathError, TooCostly

MOST_STEPS: Final = 1_000_000
"""Items that one evaluation may look at, some seconds' worth: whoever asks may write anything."""

_STEPS_A_SECOND: Final = 200_000

LONGEST_TEXT: Final = 4_000_000
"""Characters of a text that an expression puts together."""

Items = list[Any]
"""A collection: plain values (dict, str, int, Decimal, bool) and `Node`s, never None."""


class Node:
    """A value with its FHIR type, and the object beside it that holds its id and extensions.

    Stands for the value where the type cannot be known from the expression alone (a choice), or
    where there are only extensions (`value` is then None).
    """

    __slots__ = ("beside", "type", "value")

    def __init__(self, value: Any, type_: str | None, beside: Any = None) -> None:
        self.value = value
        self.type = type_
        self.beside = beside


@dataclass(frozen=True, slots=True)
class Knows:
    """Who knows value sets, profiles and the points of answers; None: nobody does.

    `members` tells whether a value set (by its URL) has a system ("" when it is not said) and
    code, `conforms` whether a value conforms to the profile with a URL; both None when they
    cannot tell. `weight` says how many points an answer gives, None when it gives none.
    """

    members: Callable[[str, str, str], bool | None] | None = None
    conforms: Callable[[Any, str], bool | None] | None = None
    weight: Callable[[Any], int | Decimal | None] | None = None


class Env:
    """What one evaluation knows besides its focus."""

    __slots__ = (
        "index", "knows", "now", "resolve", "resource", "steps_left", "total", "variables"
    )  # fmt: skip

    def __init__(
        self,
        resource: Any,
        variables: Mapping[str, Any],
        resolve: Callable[[str], dict[str, Any] | None] | None,
        steps: int = MOST_STEPS,
        knows: Knows | None = None,
    ) -> None:
        self.resource = resource
        self.variables = variables
        self.resolve = resolve
        self.knows = knows
        self.index = 0
        self.now: datetime | None = None
        self.total: Items = []
        self.steps_left = steps

    def spend(self, steps: int) -> None:
        """Count items that are looked at. Raises `TooCostly` when there have been too many."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise TooCostly("The expression looks at too many items.")

    def spend_time(self, seconds: float) -> None:
        """Count what took so long as so many items. Raises `TooCostly`."""
        self.spend(int(seconds * _STEPS_A_SECOND))


def check_length(length: int) -> None:
    """Raises `TooCostly` for a text of so many characters: nobody can want it."""
    if length > LONGEST_TEXT:
        raise TooCostly(f"A text of more than {LONGEST_TEXT} characters would come of it.")


Run = Callable[[Items, Env], Items]
"""A compiled expression: from the context (`$this`) to a collection."""


def plain(item: Any) -> Any:
    """The item's value; None when it has extensions only."""
    return item.value if type(item) is Node else item


def plain_all(items: Items) -> Items:
    """The values of all items that have one."""
    return [v for item in items if (v := item.value if type(item) is Node else item) is not None]


def single(items: Items, what: str) -> Any:
    """The only item's value, None when there is none. Raises `PathError` when there are more."""
    if not items:
        return None
    if len(items) > 1:
        raise PathError(f"{what} takes one value, and there are {len(items)}.")
    item = items[0]
    return item.value if type(item) is Node else item


def truth(items: Items, what: str) -> bool | None:
    """Three-valued: the only item's truth; a single item that is no boolean is true.

    http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections.
    """
    if not items:
        return None
    value = single(items, what)
    if value is None:
        return None
    return value if type(value) is bool else True


def text_of(items: Items, what: str) -> str | None:
    """The only item as a string. Raises `PathError` when it is something else."""
    value = single(items, what)
    if value is None or type(value) is str:
        return value
    raise PathError(f"{what} takes a string.")


def whole_of(items: Items, what: str) -> int | None:
    """The only item as an integer. Raises `PathError` when it is something else."""
    value = single(items, what)
    if value is None or type(value) is int:
        return value
    raise PathError(f"{what} takes an integer.")


def is_number(value: Any) -> bool:
    """True for integers and decimals, not for booleans."""
    return type(value) is int or isinstance(value, Decimal)
