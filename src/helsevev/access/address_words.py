"""What tells where somebody lives, as it may stand in running text, and how it is taken out.

Streets are found with and without their number, however they are spaced, cased and shortened;
postal codes with their place; telephone numbers and e-mail addresses. Of those whose address is
strictly confidential the places themselves are told nobody, so that their names go too.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote_plus

from helsevev.content.loading import categories

_SHORTEST: Final = 5
_SHORTEST_PLACE: Final = 3
_BETWEEN: Final = r"[^\w]{1,4}"
_NUMBER: Final = re.compile(r"\s+\d+\s*[^\W\d_]?(?:\s.*)?$", re.DOTALL)
_PARTS: Final = re.compile(r"\s*[,;\n]\s*")
_TAG: Final = re.compile(r"<[^>]*>")
_WORD: Final = re.compile(r"\w+")
_DIGITS: Final = re.compile(r"\d")
_PLACES: Final = ("city", "district")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Patterns of what must not be told.

    `anywhere` are found in every text, `places` in running text alone; `alone` are values that
    tell something when nothing stands beside them, in lower case.
    """

    anywhere: re.Pattern[str] | None = None
    places: re.Pattern[str] | None = None
    alone: frozenset[str] = frozenset()

    def within(self, text: str) -> bool:
        """Whether a text tells of a street or a number, as it stands or as a link with it reads."""
        return self.anywhere is not None and any(map(self.anywhere.search, _readings(text)))

    def out_of(self, text: str, *, running: bool = True) -> str:
        """The text with gaps; a gap alone where no part of it can be kept."""
        if running and text.strip().lower() in self.alone:
            return gap()
        left = text
        for pattern in (self.anywhere, self.places if running else None):
            if pattern is not None:
                left = pattern.sub(gap(), left)
        if any(self.anywhere.search(form) for form in _hidden_readings(left) if self.anywhere):
            return gap()
        if running and self.places is not None and ("<" in left or "&" in left):
            read = _TAG.sub(" ", html.unescape(left))
            return gap() if self.places.search(read) else left
        return left


NOTHING: Final = Secrets()


def gap() -> str:
    """What stands where an address was."""
    return categories().address_gap


def secrets_of(persons: Iterable[Mapping[str, Any]], *, strictly: bool = False) -> Secrets:
    """What tells where these persons live or lived; `strictly` also in which place."""
    phrases: set[tuple[str, str]] = set()
    places: set[str] = set()
    for person in persons:
        for address in _addresses(person):
            phrases.update(_of_address(address))
            places.update(place for name in _PLACES if (place := _text(address, name)))
            places.update(code for code in [_text(address, "postalCode")] if code)
        phrases.update(_of_contacts(person))
    return _compiled(frozenset(phrases), frozenset(places), strictly)


@lru_cache(maxsize=500)
def _compiled(
    phrases: frozenset[tuple[str, str]], places: frozenset[str], strictly: bool
) -> Secrets:
    # The longest first: an address before the street in it.
    every = [_PATTERNS[kind](text) for kind, text in phrases]
    every = sorted((pattern for pattern in every if pattern), key=len, reverse=True)
    names = sorted(
        (p for p in places if len(p) >= _SHORTEST_PLACE and not p.isdigit()), key=len, reverse=True
    )
    return Secrets(
        re.compile("|".join(every), re.IGNORECASE) if every else None,
        re.compile("|".join(map(_place, names))) if names and strictly else None,
        frozenset(place.lower() for place in places),
    )


def _of_address(address: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lines = [line for line in address.get("line", ()) if isinstance(line, str)]
    yield from (("street", line) for line in [*lines, *_named_lines(address)])
    if text := _text(address, "text"):
        yield "phrase", text
        yield from (("street", part) for part in _PARTS.split(text) if not part[:1].isdigit())
    code = _text(address, "postalCode")
    for name in _PLACES:
        if code and (place := _text(address, name)):
            yield "postal", f"{code} {place}"


def _of_contacts(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _of_contacts(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "telecom":
                points = inner if isinstance(inner, list) else [inner]
                for point in points:
                    if text := _text(point, "value"):
                        yield "written" if "@" in text else "number", text
            else:
                yield from _of_contacts(inner)


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found.strip() if isinstance(found, str) else ""


@cache
def _beside_a_number() -> str:
    """What may stand between a street and its number."""
    words = "|".join(map(re.escape, categories().number_words))
    return rf"[\s,.:/-]{{0,3}}(?:(?:{words})[\s,.:]{{0,2}})?"


@cache
def _endings() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Endings of streets, and a pattern of the ways in which each is written."""
    found = []
    for forms in categories().street_endings:
        # One with a point is written in a text, never at the end of an address as it is kept.
        kept = "|".join(re.escape(form) for form in forms if not form.endswith("."))
        written = "|".join(map(re.escape, forms))
        found.append((re.compile(rf"(?:{kept})$", re.IGNORECASE), rf"(?:{written})\.?"))
    return tuple(found)


def _phrase(text: str) -> str:
    """A phrase of words and numbers, however it is spaced and punctuated."""
    words = _WORD.findall(unicodedata.normalize("NFC", text))
    if sum(map(len, words)) < _SHORTEST:
        return ""
    found = re.escape(words[0])
    for before, word in pairwise(words):
        beside = before[-1].isdigit() or word[0].isdigit()
        found += (_beside_a_number() if beside else _BETWEEN) + re.escape(word)
    return rf"(?<!\w){found}(?!\d)" + ("" if words[-1][-1].isdigit() else r"s?(?!\w)")


def _street(text: str) -> str:
    """A street with whatever number, or none; the whole line where the name is too short."""
    name = _NUMBER.sub("", f"{text} ").strip()
    words = _WORD.findall(unicodedata.normalize("NFC", name))
    if not words or _DIGITS.search(name) or sum(map(len, words)) < _SHORTEST:
        return _phrase(text)
    last = re.escape(words[-1])
    for ending, forms in _endings():
        stem = ending.sub("", words[-1])
        if stem != words[-1] and len(stem) + len(words) > 2:
            last = re.escape(stem) + forms
    found = _BETWEEN.join([*map(re.escape, words[:-1]), last])
    numbered = rf"(?:{_beside_a_number()}\d{{1,4}}(?:\s?[A-Za-z](?!\w))?(?!\d))?"
    return rf"(?<!\w){found}s?(?![^\W\d]){numbered}"


def _postal(text: str) -> str:
    code, _, place = text.partition(" ")
    names = _BETWEEN.join(map(re.escape, _WORD.findall(place)))
    if not names:
        return ""
    written = rf"(?:NO?\W?)?{re.escape(code)}"
    return rf"(?<!\w){written}\W{{1,3}}{names}(?!\w)|(?<!\w){names}\W{{1,3}}{written}(?!\w)"


def _telephone(text: str) -> str:
    """The last eight digits, however they are grouped, with or without the country before."""
    digits = _DIGITS.findall(text)
    if len(digits) < _SHORTEST:
        return ""
    abroad = r"(?:(?:\+|00)\s?\d{2}[\s.\-]{0,2})?"
    return rf"(?<!\d){abroad}{r'[ .-]?'.join(digits[-8:])}(?!\d)"


def _written(text: str) -> str:
    return rf"(?<!\w){re.escape(text)}(?!\w)"


def _place(name: str) -> str:
    """A place's name as names are written: `ski` is none, `Ski` may be one."""
    words = _WORD.findall(unicodedata.normalize("NFC", name))
    forms = {tuple(form(word) for word in words) for form in (str, str.upper, str.capitalize)}
    either = "|".join(sorted(_BETWEEN.join(map(re.escape, form)) for form in forms))
    return rf"(?<!\w)(?:{either})s?(?!\w)"


_PATTERNS: Final[Mapping[str, Callable[[str], str]]] = {
    "street": _street, "phrase": _phrase, "postal": _postal, "number": _telephone,
    "written": _written,
}  # fmt: skip


def _readings(text: str) -> Iterator[str]:
    yield text
    yield from _hidden_readings(text)


def _hidden_readings(text: str) -> Iterator[str]:
    """The text as a page or a link with it reads, where that is another text."""
    if not unicodedata.is_normalized("NFC", text):
        yield unicodedata.normalize("NFC", text)
    if "<" in text or "&" in text:
        read = html.unescape(text)
        yield _TAG.sub(" ", read)
        yield _TAG.sub("", read)
    if "%" in text or "+" in text:
        yield unquote_plus(text)


def _addresses(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _addresses(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("address", "valueAddress"):
                yield from ([inner] if isinstance(inner, dict) else inner)
            else:
                yield from _addresses(inner)


def _named_lines(address: Mapping[str, Any]) -> Iterator[str]:
    """The street that the parts of a line name, as iso21090 has them."""
    street = number = ""
    for line in address.get("_line", ()):
        for extension in (line or {}).get("extension", ()):
            url, text = str(extension.get("url", "")), str(extension.get("valueString", ""))
            street = text if url.endswith("ADXP-streetName") else street
            number = text if url.endswith("ADXP-houseNumber") else number
    if street:
        yield f"{street} {number}".strip()


__all__ = ["NOTHING", "Secrets", "gap", "secrets_of"]
