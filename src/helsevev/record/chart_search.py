"""Full text within one inhabitant's record, by Norwegian stems: what was said, and what measured.

Words of notes and of structured entries are kept as the rows are written (`record.words`).
Measurements are found by their code, the newest of each: there are thousands, of a few kinds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("chart_search")
_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 8
_BEFORE, _AFTER, _STRETCHES, _LONGEST = 60, 110, 2, 400
"""Characters before and after what was found, how many stretches, and how long one may grow."""


def asked(words: str, also: Mapping[str, Sequence[str]]) -> list[str]:
    """What is typed as `words_begun` wants it (migration 0046); none when it holds no word.

    Every word has to be there, by its stem or as the beginning of one; `also` are other ways to say
    a word, of which any will do instead.
    """
    every = []
    for word in _WORD.findall(words.casefold())[:_MOST_WORDS]:
        ways = (" <-> ".join(_WORD.findall(way.casefold())) for way in (word, *also.get(word, ())))
        every.append("|".join(way for way in ways if way))
    return every


async def said_in(
    database: Database, patient: int, wanted: Sequence[str], most: int
) -> list[Stored]:
    """The newest `most` of each type of an inhabitant whose words hold what `asked` gave."""
    return [Stored(*row) for row in await database.fetch(_SQL["said"], patient, list(wanted), most)]


async def measured_in(database: Database, patient: int) -> list[Stored]:
    """The two newest measurements of each code of an inhabitant."""
    return [Stored(*row) for row in await database.fetch(_SQL["measured"], patient)]


async def contexts(
    database: Database, texts: Sequence[str], wanted: Sequence[str]
) -> dict[int, str]:
    """Place of each text that holds what is asked -> the words around it, what was found marked.

    The signs U+0002 and U+0003 stand around what was found. PostgreSQL says what is found; which
    words are marked is told by how they begin, since its own way takes seconds for long notes.
    """
    rows = await database.fetch(_SQL["holding"], list(texts), list(wanted))
    begun = _begun(wanted)
    return {row["place"] - 1: around(texts[row["place"] - 1], begun) for row in rows}


def _begun(wanted: Sequence[str]) -> tuple[str, ...]:
    """How words begin that are marked: long ones without the end that may be an inflection."""
    every = (word for group in wanted for word in _WORD.findall(group.replace("<->", " ")))
    return tuple(word[: max(4, len(word) - 3)] if len(word) > 5 else word for word in every)


def around(text: str, begun: tuple[str, ...]) -> str:
    """The stretches of a text around the first two words that begin so, with these marked."""
    told = text.replace("\x02", "").replace("\x03", "")
    found = [m for m in _WORD.finditer(told) if m[0].casefold().startswith(begun)]
    stretches: list[tuple[int, int]] = []
    for match in found:
        start, end = max(0, match.start() - _BEFORE), min(len(told), match.end() + _AFTER)
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        elif len(stretches) == _STRETCHES:
            break
        else:
            stretches.append((start, end))
        if stretches[-1][1] - stretches[-1][0] > _LONGEST:
            break
    parts = [_marked(told, start, end, found) for start, end in stretches or [(0, _AFTER)]]
    return " … ".join(parts)


def _marked(text: str, start: int, end: int, found: Sequence[re.Match[str]]) -> str:
    # Whole words alone, unless the text begins or ends there.
    start = text.find(" ", start) + 1 if start and " " in text[start:end] else start
    end = text.rfind(" ", start, end) if end < len(text) and " " in text[start:end] else end
    parts, last = [], start
    for match in found:
        if match.start() >= last and match.end() <= end:
            parts += [text[last : match.start()], "\x02", match[0], "\x03"]
            last = match.end()
    return "".join([*parts, text[last:end]]).strip()
