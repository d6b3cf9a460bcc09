"""How names are written down to be found: small letters, words apart, Norwegian letters kept."""

from __future__ import annotations

import unicodedata
from typing import Final

_MARK: Final = "Mn"
_RING: Final = "\N{COMBINING RING ABOVE}"
LONGEST: Final = 200
"""Characters of a name that are searched; what follows is not."""


def fold(text: str) -> str:
    """The words of a text in small letters, one space between them.

    Accents fall away (`Ménière` is found as `meniere`), but the Norwegian letters stay letters.
    What is neither letter nor digit parts words.
    """
    lowered = text[:LONGEST].casefold()
    if lowered.isascii():
        plain = lowered
    else:
        kept = (
            char
            for char in unicodedata.normalize("NFD", lowered)
            if char == _RING or unicodedata.category(char) != _MARK
        )
        plain = unicodedata.normalize("NFC", "".join(kept))
    return " ".join("".join(char if char.isalnum() else " " for char in plain).split())


def matches(folded: str, words: list[str]) -> bool:
    """Whether every one of the words is the beginning of a word of a folded text."""
    spaced = f" {folded}"
    return all(f" {word}" in spaced for word in words)
