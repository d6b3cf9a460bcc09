"""What a scanned code says: a package by its GS1 or national number, or one of our own codes. Pure.

GS1 General Specifications: GTIN and its check digit (2.1, 7.9), element strings and their
application identifiers (3), FNC1 as separator (7.8), symbology identifiers (5). The element strings
are read by biip; what is refused here is what biip reads and a bedside may not trust.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import takewhile
from typing import Final

import biip
from biip.checksums import gs1_standard_check_digit
from biip.gs1_element_strings import GS1ElementString
from msgspec import Struct

from helsevev.medication.scanning import own_codes
from helsevev.medication.scanning.own_codes import Prepared, Wristband

SEPARATOR: Final = "\x1d"
"""FNC1 between elements, as readers send it."""
NATIONAL_PREFIX: Final = "704626"
"""Prefix of the Nordic Number Centre: such a GTIN (NTIN) holds the item number (Vnr)."""
LONGEST: Final = 512
_AIM: Final = re.compile(r"^\](\w)(\w)")
_ELEMENTS: Final = frozenset({"d2", "C1", "e0", "e1", "e2", "Q3", "J1"})
"""Symbology identifiers of codes that hold element strings (5.1.2)."""
_ITEM: Final = re.compile(r"\d{6}")
_GTIN_LENGTHS: Final = (8, 12, 13, 14)
_MAY_HOLD_SERIAL, _MAY_HOLD_BATCH = re.compile(r".21."), re.compile(r".10.")
_FIXED: Final = frozenset({"01", "11", "12", "13", "15", "16", "17", "20"})
"""Identifiers whose values have one length, and are not ended by a separator (7.8.5)."""
_GTIN, _BATCH, _EXPIRES, _SERIAL, _RECIPIENT = "01", "10", "17", "21", "8018"


class Unreadable(ValueError):
    """No code that is used here, or a damaged one."""


class Pack(Struct, frozen=True, kw_only=True):
    """A package: its GTIN of fourteen digits, or its item number (`item`) alone; what else it says.

    `batch` and `serial` are "" where they are not said, or cannot be told apart.
    """

    gtin: str = ""
    item: str = ""
    batch: str = ""
    serial: str = ""
    expires: date | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """What the catalogue may know it by, the surest first."""
        national = self.gtin[1:].startswith(NATIONAL_PREFIX)
        inside = self.gtin[1 + len(NATIONAL_PREFIX) : -1] if national else ""
        return tuple(number for number in (self.gtin, inside, self.item) if number)


class Recipient(Struct, frozen=True):
    """A patient by the number of a GS1 wristband: AI (8018), GSRN of a recipient of care."""

    number: str


Said = Pack | Recipient | Wristband | Prepared


def read(code: str, *, typed: bool = False, exact: bool = False) -> Said:
    """What a code says. Raises `Unreadable`.

    `typed`: a person wrote it, so that an item number of six digits, which has no check digit, is
    taken; of scanners it is not. `exact`: the reader is known to keep separators (the camera).
    """
    said = code.strip()
    if not said or len(said) > LONGEST:
        raise Unreadable(said[:40])
    try:
        own = own_codes.read(_AIM.sub("", said))
    except own_codes.Damaged:
        raise Unreadable(said[:40]) from None
    if own is not None:
        return own
    aim = _AIM.match(said)
    plain = _AIM.sub("", said)
    holds_elements = aim is not None and aim[1] + aim[2] in _ELEMENTS
    if not holds_elements and plain.isascii() and plain.isdigit():
        if len(plain) in _GTIN_LENGTHS:
            return Pack(gtin=_gtin(plain))
        if typed and _ITEM.fullmatch(plain):
            return Pack(item=plain)
    elements = _elements(said)
    if _RECIPIENT in elements:
        return Recipient(_recipient(elements[_RECIPIENT].value))
    if _GTIN not in elements:
        raise Unreadable(said[:40])
    kept = exact or SEPARATOR in plain.strip(SEPARATOR)
    return _pack(elements, separators_kept=kept)


def _pack(elements: dict[str, GS1ElementString], *, separators_kept: bool) -> Pack:
    batch, serial = (elements[ai].value if ai in elements else "" for ai in (_BATCH, _SERIAL))
    if not separators_kept and len(elements) > 1:
        if not _is_among_the_first(_EXPIRES, elements):
            # The scanner leaves separators out: a date that has passed would hide in the batch.
            raise Unreadable(elements[_GTIN].value)
        if _MAY_HOLD_SERIAL.search(batch):
            batch = ""
        if _MAY_HOLD_BATCH.search(serial):
            serial = ""
    expires = elements[_EXPIRES].date if _EXPIRES in elements else None
    if _EXPIRES in elements and expires is None:
        raise Unreadable(elements[_EXPIRES].value)
    gtin = _gtin(elements[_GTIN].value)
    return Pack(gtin=gtin, batch=batch, serial=serial, expires=expires)


def _elements(said: str) -> dict[str, GS1ElementString]:
    """The elements of a code by their identifiers, in its order."""
    try:
        parsed = biip.parse(said)
    except biip.ParseError:
        raise Unreadable(said[:40]) from None
    holder = parsed.gs1_message or parsed.gs1_digital_link_uri
    if holder is None:
        raise Unreadable(said[:40])
    found: dict[str, GS1ElementString] = {}
    for element in holder.element_strings:
        if found.setdefault(element.ai.ai, element).value != element.value:
            raise Unreadable(
                said[:40]
            )  # Two words about one thing: no valid pair (4, data relationships).
    return found


def _is_among_the_first(wanted: str, elements: dict[str, GS1ElementString]) -> bool:
    """Whether an element comes before all that need a separator after them."""
    return wanted in takewhile(_FIXED.__contains__, elements)


def _gtin(digits: str) -> str:
    """The number as fourteen digits (2.1.1, 7.9.1). Raises `Unreadable` for a wrong check digit."""
    full = digits.zfill(14)
    if gs1_standard_check_digit(full[:-1]) != int(full[-1]) or not int(full[:-1]):
        raise Unreadable(digits)
    return full


def _recipient(digits: str) -> str:
    if gs1_standard_check_digit(digits[:-1]) != int(digits[-1]):
        raise Unreadable(digits)
    return digits
