"""What content about access must contain: sensitive categories, marks, and how long ties last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .shapes import Document, Shape, unique


class Category(Shape, frozen=True, kw_only=True):
    """Entries of one kind: by their marks, or by how their ICD-10 or ICPC-2 code begins."""

    key: str
    label: str
    marks: tuple[str, ...]
    icd10: tuple[str, ...] = ()
    icpc2: tuple[str, ...] = ()


class Mark(Shape, frozen=True, kw_only=True):
    """A mark on an entry, on the Patient for the whole record, or on a person with an address."""

    key: str
    label: str
    codes: tuple[str, ...]
    on: Literal["entry", "record", "person"]


class Categories(Document, frozen=True, kw_only=True):
    """What entries and records may be marked with, and what is sensitive by its code.

    `address_gap` stands where a protected address was in a text. `homes` are places where people
    live, `local_services` those that serve a neighbourhood: tokens, `system|code` or `system|`.
    `street_endings` are ways to write one ending of a street's name, `number_words` what may stand
    before its number.
    """

    never_by_code: tuple[str, ...]
    address_gap: str
    street_endings: tuple[tuple[str, ...], ...]
    number_words: tuple[str, ...]
    homes: tuple[str, ...]
    local_services: tuple[str, ...]
    category: tuple[Category, ...]
    mark: tuple[Mark, ...]

    def __post_init__(self) -> None:
        """Refuse a key that occurs twice, and a mark that stands for two things on one kind."""
        super().__post_init__()
        unique("category or mark", self.labels())
        unique("mark of a category", (mark for each in self.category for mark in each.marks))
        unique("mark", (f"{each.on} {code}" for each in self.mark for code in each.codes))

    def labels(self) -> Iterator[str]:
        """Every label that an entry or a record can have."""
        yield from (each.key for each in self.category)
        yield from (each.key for each in self.mark)


class Relations(Document, frozen=True, kw_only=True):
    """How long what ties somebody to an inhabitant gives access before and after its time."""

    after_days: int
    appointment_before_days: int
    appointment_after_days: int
    work_days: int
    stated_hours: int

    def __post_init__(self) -> None:
        """Refuse times that are none."""
        super().__post_init__()
        if min(self.after_days, self.appointment_before_days, self.appointment_after_days) < 0:
            raise ValueError("days must not be negative")
        if self.stated_hours < 1:
            raise ValueError("a stated relation must last an hour at least")
