"""Finds products as one types: by trade name, substance and ATC code, what is common first.

Every word typed must begin a word of the product; at least one of them begins a word of its trade
name, its substances or its ATC code, the others may be of its form and strength. A word that begins
nothing is tried with one letter wrong, missing, doubled or swapped.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Final

from msgspec import Struct

from helsevev.medication.catalogue.product import BRAND, Product
from helsevev.terminology.words import fold

_WORD: Final = re.compile(r"[^\W\d_]+\d\w*|\d+(?:[.,]\d+)*|[^\W\d_]+")
_LETTERS: Final = (
    "abcdefghijklmnopqrstuvwxyz\N{LATIN SMALL LETTER AE}"
    "\N{LATIN SMALL LETTER O WITH STROKE}\N{LATIN SMALL LETTER A WITH RING ABOVE}"
)
_SHORTEST_SLIP: Final = 4
"""Letters of a word from which on it may have been typed wrongly."""
_LAST: Final = chr(0x10FFFF)
MOST_WORDS: Final = 8
_SOLID: Final = ("13", "6")
"""Tablet and capsule, in the list of units of dosing (7480)."""

# The better a product answers a word, the more it weighs.
# Where a word stands: inside a name, first of one, first of the trade name.
_WHOLE, _BEGUN = (8, 12, 13), (4, 6, 7)
_INSIDE, _FIRST, _FIRST_OF_TRADE = 0, 1, 2
_OF_FORM, _SLIP = 1, -3


class Found(Struct, frozen=True):
    """A product as it is offered: `used_by` people have an order for it in a common way here."""

    id: str
    kind: str
    name: str
    trade: str
    substance: str
    atc: str
    form: str
    group: str
    used_by: int = 0


def words(text: str) -> list[str]:
    """The words of a text as they are compared: numbers apart from units, ATC codes whole."""
    # A number's comma must outlive the folding, which parts words at it.
    return [
        part
        for piece in _WORD.findall(text.casefold())
        for part in ([piece.replace(",", ".")] if piece[0].isdigit() else fold(piece).split())
    ]


class Index:
    """All products in use, ready to be found."""

    def __init__(self, products: Iterable[Product], uses: Mapping[str, int]) -> None:
        listed = sorted(
            products,
            key=lambda p: (
                -uses.get(p.id, 0),
                -p.packages,
                not _is_swallowed(p),
                _natural(p),
                p.id,
            ),
        )
        self.found = [_found(product, uses.get(product.id, 0)) for product in listed]
        self._details = [" " + " ".join(_details(product)) for product in listed]
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for number, product in enumerate(listed):
            for word, place in _names(product).items():
                self._postings.setdefault(word, []).append((number, place))
        self._words = sorted(self._postings)
        detailed = {word for details in self._details for word in details.split()}
        self._detail_words = sorted(detailed)

    def __len__(self) -> int:
        return len(self.found)

    def find(self, text: str, limit: int = 20) -> list[Found]:
        """The products that a text may mean, best first; none when no word of it names any."""
        typed = list(dict.fromkeys(words(text)))[:MOST_WORDS]
        if not typed or limit < 1:
            return []
        answers = [self._answers(word) for word in typed]
        best = self._best(typed, answers, limit)
        if not best:
            answers = [
                answer or self._slips(word) for word, answer in zip(typed, answers, strict=True)
            ]
            best = self._best(typed, answers, limit)
        return [self.found[number] for number in best]

    def _best(
        self, typed: Sequence[str], answers: Sequence[Mapping[int, int]], limit: int
    ) -> list[int]:
        if len(typed) == 1:
            scores = answers[0]
            return nsmallest(limit, scores, key=lambda n: (-scores[n], n))
        total: dict[int, int] = {}
        for number in {n for answer in answers for n in answer}:
            score = 0
            for word, answer in zip(typed, answers, strict=True):
                if (named := answer.get(number)) is not None:
                    score += named
                elif f" {word}" in self._details[number]:
                    score += _OF_FORM + (f" {word} " in f"{self._details[number]} ")
                else:
                    break
            else:
                total[number] = score
        return nsmallest(limit, total, key=lambda n: (-total[n], n))

    def _answers(self, word: str) -> dict[int, int]:
        """The products whose name has a word that begins so, and how well it answers."""
        answers: dict[int, int] = {}
        for named in _range(self._words, word):
            weights = _WHOLE if named == word else _BEGUN
            for number, place in self._postings[named]:
                if weights[place] > answers.get(number, 0):
                    answers[number] = weights[place]
        return answers

    def _slips(self, word: str) -> dict[int, int]:
        if len(word) < _SHORTEST_SLIP or word.isdigit():
            return {}
        if next(_range(self._detail_words, word), ""):
            return {}
        answers: dict[int, int] = {}
        for meant in dict.fromkeys(_one_off(word)):
            for number, score in self._answers(meant).items():
                if score + _SLIP > answers.get(number, -99):
                    answers[number] = score + _SLIP
        return answers


def _range(listed: Sequence[str], start: str) -> Iterator[str]:
    at = bisect_left(listed, start)
    while at < len(listed) and listed[at].startswith(start):
        yield listed[at]
        at += 1


def _one_off(word: str) -> Iterator[str]:
    """What may have been meant: one letter swapped with the next, too many, wrong, or missing."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
    for at in range(len(word)):
        for letter in _LETTERS:
            yield word[:at] + letter + word[at + 1 :]
            yield word[:at] + letter + word[at:]


def _is_swallowed(product: Product) -> bool:
    """Of products of which none is known to be more common, most are tablets and capsules."""
    return any(unit.code in _SOLID for unit in product.units)


def _natural(product: Product) -> list[tuple[bool, float, str]]:
    """A name's place among names: 50 mg before 100 mg."""
    return [
        (True, float(word), "") if word.replace(".", "", 1).isdigit() else (False, 0.0, word)
        for word in words(product.name)
    ]


def _found(product: Product, used_by: int) -> Found:
    return Found(
        product.id, product.kind, product.name, product.trade, product.substances, product.atc,
        product.form.display if product.form else "", product.group.code if product.group else "",
        used_by,
    )  # fmt: skip


def _names(product: Product) -> dict[str, int]:
    """The words that a product is known by, and where each stands."""
    said: dict[str, int] = {}
    trade = words(product.trade)
    if len(trade) > 1:
        # Selo-Zok is typed as one word, too.
        said["".join(trade)] = _FIRST_OF_TRADE
    names = [product.atc_name, product.atc, *(i.name for i in product.ingredients)]
    if product.kind != BRAND or not product.trade:
        names.append(product.name.partition(" ")[0])
    for first, name in ((_FIRST_OF_TRADE, product.trade), *((_FIRST, name) for name in names)):
        for number, word in enumerate(words(name)):
            said[word] = max(said.get(word, _INSIDE), _INSIDE if number else first)
    return said


def _details(product: Product) -> list[str]:
    """The words of form and strength, short as in the name and as the form is called."""
    form = product.form.display if product.form else ""
    return list(dict.fromkeys(words(f"{product.name} {form}")))
