"""Lists of work as professionals want them: a FHIR search, the columns it shows, and what to do."""

from __future__ import annotations

import re
from typing import ClassVar, Final

import msgspec

from helsevev.content.desk_shapes import Column
from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

NAMES: Final = ("today", "tomorrow", "yesterday", "week-ago", "day-ago", "now", "me", "unit")
"""What may stand in braces in a search: dates, instants, and the references of who looks."""
_IN_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]+")
_PLACES: Final = frozenset({"patient", "id"})


class Action(Shape, frozen=True, kw_only=True):
    """Where a row leads: an address in Helsevev, with {patient} and {id} (of the row) put in."""

    label: str
    href: str

    def __post_init__(self) -> None:
        """Refuse what leads out of Helsevev, and names that nobody fills in."""
        if not self.href.startswith("/") or self.href.startswith("//"):
            raise ValueError(f"{self.href!r} leads out of Helsevev")
        if strange := set(_IN_BRACES.findall(self.href)) - _PLACES:
            raise ValueError(f"{self.href!r}: nothing is put in for {min(strange)!r}")


class WorklistCase(Shape, frozen=True, kw_only=True):
    """A row, as FHIR JSON, and what its columns say."""

    resource: str
    cells: tuple[str, ...]

    def decoded(self) -> dict[str, object]:
        """The resource."""
        found: dict[str, object] = msgspec.json.decode(self.resource)
        return found


class Worklist(Item, frozen=True, kw_only=True):
    """A list for some professions (none: for all who treat). Only those one treats stand on it."""

    folder: ClassVar[str] = "worklists"

    professions: tuple[str, ...] = ()
    search: str
    column: tuple[Column, ...]
    action: tuple[Action, ...] = ()
    empty: str = ""
    case: tuple[WorklistCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a search of no type, names nobody fills in, and cases of other columns."""
        super().__post_init__()
        kind, _mark, query = self.search.partition("?")
        if not _TYPE.fullmatch(kind):
            raise ValueError(f"a search begins with the type it is of, not {kind!r}")
        if strange := set(_IN_BRACES.findall(query)) - set(NAMES):
            raise ValueError(f"nothing is put in for {min(strange)!r} in a search")
        if not self.column:
            raise ValueError("a list shows at least one column")
        unique("column", (each.label for each in self.column))
        for case in self.case:
            if len(case.cells) != len(self.column):
                raise ValueError("a case says what each column shows")

    @property
    def type(self) -> str:
        """The resource type of its rows."""
        return self.search.partition("?")[0]
