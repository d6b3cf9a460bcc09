"""Full text within one inhabitant's record, by Norwegian stems: what was said, and what measured.

Words of notes and of structured entries are kept as the rows are written (`record.words`).
Measurements are found by their code, the newest of each: there are thousands, of a few kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.store import Stored

_SQL: Final = load("chart_search")
_WORD: Final = re.compile(r"\w+")
_MOST_WORDS: Final = 8


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
    database: Database, texts: Iterable[str], wanted: Sequence[str]
) -> dict[int, str]:
    """Place of each text that holds what is asked -> the words around it, what was found marked.

    The signs U+0002 and U+0003 stand around what was found.
    """
    rows = await database.fetch(_SQL["contexts"], list(texts), list(wanted))
    return {row["place"] - 1: row["around"] for row in rows}
