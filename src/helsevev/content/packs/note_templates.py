"""Templates of notes: what a note opens with, and which facts of the record stand under it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

What = Literal[
    "person", "encounter", "problems", "allergies", "medicines", "observations", "procedures",
    "vaccines", "goals", "plans", "appointments", "note",
]  # fmt: skip


class Pull(Shape, frozen=True, kw_only=True):
    """Facts that are fetched from the record, newest first.

    `codes` (any code of the entry) and `categories` (of Observations) narrow them, `hours` how old
    they may be (0: any age), `most` how many there are at most. Of Observations the newest of each
    code is taken, with `every` all of them; with `abnormal` those judged outside the usual. For
    "note", `heading` is the section of the newest note of this template's kind. `intro` stands
    above them; `none` stands in their place when there are none.
    """

    what: What
    codes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    hours: int = 0
    most: int = 10
    every: bool = False
    abnormal: bool = False
    heading: str = ""
    intro: str = ""
    none: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never give anything."""
        if self.most < 1 or self.hours < 0:
            raise ValueError("most must be 1 or more, and hours 0 or more")
        if (self.what == "note") != bool(self.heading):
            raise ValueError("a section of the last note, and only that, is fetched by its heading")


class TemplateSection(Shape, frozen=True, kw_only=True):
    """A heading, the words that stand ready under it (`___` is a blank), and the facts."""

    heading: str
    text: str = ""
    pull: tuple[Pull, ...] = ()


class TemplateCase(Shape, frozen=True, kw_only=True):
    """A record (a JSON list of FHIR resources), and lines that the note then opens with."""

    says: str
    now: str
    given: str
    expect: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a case that expects nothing, or whose record cannot be read."""
        if not self.expect and not self.without:
            raise ValueError(f"the case {self.says!r} expects nothing")
        self.record()

    def record(self) -> list[dict[str, Any]]:
        """The resources. ValueError when it is no list of objects."""
        return msgspec.json.decode(self.given, type=list[dict[str, Any]])


class NoteTemplate(Item, frozen=True, kw_only=True):
    """How a discipline writes one kind of note.

    `kind` is the key of a note type (documentation/note_types.toml); `professions` write by it.
    `order` places it among those a profession has: the first is what a new note opens with.
    """

    folder: ClassVar[str] = "note_templates"

    kind: str
    professions: tuple[str, ...]
    order: int = 50
    section: tuple[TemplateSection, ...]
    case: tuple[TemplateCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a heading that occurs twice, and a template without cases or writers."""
        super().__post_init__()
        unique("heading", (each.heading.casefold() for each in self.section))
        if not self.professions or not self.section:
            raise ValueError("a template says who writes by it, and has sections")
        if not self.case:
            raise ValueError("a template has cases of its own")

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings, in order."""
        return tuple(each.heading for each in self.section)
