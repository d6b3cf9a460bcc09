"""Text phrases: sentences that are written often, by a short key."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

_KEY: Final = re.compile(r"[a-zæøå0-9-]{1,20}")


class Phrase(Shape, frozen=True, kw_only=True):
    """What is written instead of a dot and the key; `___` are blanks to be filled in."""

    key: str
    label: str
    text: str

    def __post_init__(self) -> None:
        """Refuse a key that nobody could type, and a phrase without words."""
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"a phrase's key is small letters, digits and -, not {self.key!r}")
        if not self.text.strip():
            raise ValueError(f"the phrase {self.key!r} says nothing")


class PhraseCase(Shape, frozen=True, kw_only=True):
    """What stands in a note after somebody has typed this."""

    typed: str
    gives: str


class Phrases(Item, frozen=True, kw_only=True):
    """The phrases of one field, for those professions."""

    folder: ClassVar[str] = "phrases"

    professions: tuple[str, ...]
    phrase: tuple[Phrase, ...]
    case: tuple[PhraseCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a key that occurs twice, and cases that do not hold."""
        super().__post_init__()
        unique("phrase", (each.key for each in self.phrase))
        for case in self.case:
            if (given := self.expanded(case.typed)) != case.gives:
                raise ValueError(f"{case.typed!r} gives {given!r}, not {case.gives!r}")

    def expanded(self, typed: str) -> str:
        """The text with a phrase's key at its end (".key") as the phrase."""
        for each in self.phrase:
            if re.search(rf"(?:^|\s)\.{re.escape(each.key)}$", typed):
                return typed[: -len(each.key) - 1] + each.text
        return typed
