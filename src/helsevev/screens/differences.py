"""What changed between two texts, word by word, for readers and not for programmers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A number is one word: 2,4 that became 2,1 is never shown as a changed last digit.
_WORDS = re.compile(r"\d+(?:[.,:/]\d+)*\s*|\w+\s*|[^\w\s]\s*|\s+")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of text that is in both versions, only in the older, or only in the newer."""

    kind: Literal["same", "removed", "added"]
    text: str


def word_difference(before: str, after: str) -> list[Stretch]:
    """Return the stretches that, read in order, tell how `before` became `after`.

    Without the added stretches they spell `before`; without the removed ones they spell `after`.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    stretches: list[Stretch] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            stretches.append(Stretch("same", "".join(old[i1:i2])))
            continue
        if i1 < i2:
            stretches.append(Stretch("removed", "".join(old[i1:i2])))
        if j1 < j2:
            stretches.append(Stretch("added", "".join(new[j1:j2])))
    return stretches
