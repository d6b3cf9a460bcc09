"""National numbers of persons and health personnel: their systems and their check digits.

A number tells who, and nothing else: from 2032 neither sex nor century can be read from a national
identity number (Skatteetaten, nyttfnr2032), so nothing here derives them. Whether a number is in
use is a question for Folkeregisteret.
"""

from __future__ import annotations

from calendar import monthrange
from enum import StrEnum

FODSELSNUMMER = "urn:oid:2.16.578.1.12.4.1.4.1"
D_NUMMER = "urn:oid:2.16.578.1.12.4.1.4.2"
FELLES_HJELPENUMMER = "urn:oid:2.16.578.1.12.4.1.4.3"
HPR_NUMMER = "urn:oid:2.16.578.1.12.4.1.4.4"
DUF_NUMMER = "urn:oid:2.16.578.1.12.4.1.4.5"
ORGANISASJONSNUMMER = "urn:oid:2.16.578.1.12.4.1.4.101"
RESH_ID = "urn:oid:2.16.578.1.12.4.1.4.102"
HER_ID = "urn:oid:2.16.578.1.12.4.1.2"

# The numbers that name an inhabitant, the surest first.
PERSON_SYSTEMS = (FODSELSNUMMER, D_NUMMER, FELLES_HJELPENUMMER)


class Kind(StrEnum):
    """What an eleven-digit number is by the way it is built."""

    FODSELSNUMMER = "fodselsnummer"
    D_NUMMER = "d-nummer"
    # A number that one enterprise gives by itself: with 40 added to the month.
    H_NUMMER = "h-nummer"
    FELLES_HJELPENUMMER = "felles-hjelpenummer"


SYSTEMS = {
    Kind.FODSELSNUMMER: FODSELSNUMMER,
    Kind.D_NUMMER: D_NUMMER,
    Kind.FELLES_HJELPENUMMER: FELLES_HJELPENUMMER,
}

_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
# From 2032 the first check digit of what Folkeregisteret gives may leave 1, 2 or 3 as well; the
# health service's own numbers follow HIS 1001:2010.
_REMAINDERS = {
    Kind.FODSELSNUMMER: (0, 1, 2, 3),
    Kind.D_NUMMER: (0, 1, 2, 3),
    Kind.H_NUMMER: (0,),
    Kind.FELLES_HJELPENUMMER: (0,),
}


def kind_of(number: str) -> Kind | None:
    """Which kind of person number it is, by its build alone; None when none fits.

    Synthetic persons (80 added to the month, Tenor) count as what they imitate.
    """
    if len(number) != 11 or not number.isascii() or not number.isdigit():
        return None
    day, month = int(number[0:2]), int(number[2:4])
    if number[0] in "89":
        return Kind.FELLES_HJELPENUMMER
    if month > 80:
        month -= 80
    in_house = 40 < month <= 52
    if in_house:
        month -= 40
    if not 1 <= month <= 12:
        return None
    if 41 <= day <= 71:
        return None if in_house else Kind.D_NUMMER
    if 1 <= day <= 31:
        return Kind.H_NUMMER if in_house else Kind.FODSELSNUMMER
    return None


def is_synthetic(number: str) -> bool:
    """True for numbers of the synthetic population: 80 is added to the month."""
    return kind_of(number) in (Kind.FODSELSNUMMER, Kind.D_NUMMER) and int(number[2:4]) > 80


def person_number_fault(number: str, kind: Kind | None = None) -> str | None:
    """What is wrong with a person number in English, or None when it is well built.

    `kind` asks for one kind; without it any will do. Both today's check digits and those of 2032
    are right, for they are in use side by side.
    """
    if len(number) != 11:
        return f"a person number has 11 digits, this has {len(number)} characters"
    if not number.isascii() or not number.isdigit():
        return "a person number has digits only"
    found = kind_of(number)
    if found is None:
        return "the first four digits are neither a day and month nor those of a D-number"
    if kind is not None and found is not kind:
        return f"this is built as a {found}, not as a {kind}"
    if found is not Kind.FELLES_HJELPENUMMER and not _day_exists(number):
        return "there is no such day"
    if not _is_checked(number, found):
        return "the check digits do not fit: a digit is wrong or two are swapped"
    return None


def is_person_number(number: str) -> bool:
    """True when the number is well built, of whichever kind."""
    return person_number_fault(number) is None


def system_of(number: str) -> str | None:
    """The identifier system of a well-built person number; None for H-numbers and faulty ones.

    An H-number means something only inside the enterprise that gave it, which has its own system.
    """
    kind = kind_of(number)
    if kind is None or person_number_fault(number) is not None:
        return None
    return SYSTEMS.get(kind)


def hpr_number_fault(number: str) -> str | None:
    """What is wrong with a number of the Health Personnel Register, or None.

    HPR gives running numbers without a check digit: up to nine digits, none leading with zero.
    """
    if not number.isascii() or not number.isdigit() or not 1 <= len(number) <= 9:
        return "an HPR number has one to nine digits"
    return "an HPR number does not begin with 0" if number[0] == "0" else None


def organisation_number_fault(number: str) -> str | None:
    """What is wrong with a number of Enhetsregisteret (nine digits, the last a check), or None."""
    if len(number) != 9 or not number.isascii() or not number.isdigit():
        return "an organisation number has nine digits"
    weights = (3, 2, 7, 6, 5, 4, 3, 2)
    check = -sum(w * int(d) for w, d in zip(weights, number, strict=False)) % 11
    return None if check == int(number[8]) else "the check digit does not fit"


def identifier_fault(system: str, value: str) -> str | None:
    """What is wrong with an Identifier of a national system, or None (also for other systems)."""
    for kind, known in SYSTEMS.items():
        if system == known:
            return person_number_fault(value, kind)
    if system == HPR_NUMMER:
        return hpr_number_fault(value)
    if system == ORGANISASJONSNUMMER:
        return organisation_number_fault(value)
    return None


def _day_exists(number: str) -> bool:
    day, month = int(number[0:2]) % 40, int(number[2:4]) % 80 % 40
    # The century is not known: 29 February is taken as a day of a leap year when the two digits
    # can be one (00 stands for 2000).
    year = 2000 + int(number[4:6])
    return 1 <= day <= monthrange(year, month)[1]


def _is_checked(number: str, kind: Kind) -> bool:
    digits = [int(character) for character in number]
    first = sum(weight * digit for weight, digit in zip(_K1, digits, strict=False)) + digits[9]
    second = sum(weight * digit for weight, digit in zip(_K2, digits, strict=False)) + digits[10]
    return first % 11 in _REMAINDERS[kind] and second % 11 == 0
