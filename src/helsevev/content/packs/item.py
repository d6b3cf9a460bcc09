"""What every piece of a pack says of itself: its edition, its sources, and when it holds."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

import msgspec

from helsevev.content.loading import read
from helsevev.content.shapes import Shape, unique


class Change(Shape, frozen=True, kw_only=True):
    """One line of a changelog: which edition, when, and what changed, in a professional's words."""

    version: str
    on: date
    what: str


class Item(Shape, frozen=True, kw_only=True):
    """One file of a pack. `key` is the file's name without its ending; `owner` "" is the pack's.

    It holds from `effective_from` until (not including) `effective_to`.
    """

    folder: ClassVar[str] = ""
    """The folder of a pack in which such items lie; each kind says its own."""

    key: str = ""
    title: str
    version: str
    status: str = "draft"
    owner: str = ""
    source: tuple[str, ...]
    effective_from: date | None = None
    effective_to: date | None = None
    changelog: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an unknown status, content without a source, and editions that occur twice."""
        if self.status not in ("draft", "approved"):
            raise ValueError(f"status must be draft or approved, not {self.status!r}")
        if not self.source:
            raise ValueError("content must name its source")
        unique("changelog version", (each.version for each in self.changelog))

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day < self.effective_to
        )

    def is_later(self, day: date) -> bool:
        """Whether it comes into force after a day, so that what was before it holds till then."""
        return self.effective_from is not None and day < self.effective_from

    @classmethod
    def read(cls, text: str, name: str, key: str) -> Self:
        """The item from its file's text. ContentError names the file and the place."""
        return msgspec.structs.replace(read(text, cls, name), key=key)

    def cases(self) -> list[Any]:
        """Its own test cases, none when the kind has none."""
        return list(getattr(self, "case", ()))

    def resources(self) -> list[dict[str, Any]]:
        """The FHIR resources that it is to systems, with `url` and `version`; most are none."""
        return []
