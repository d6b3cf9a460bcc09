"""Synthetic national identity numbers: month + 80, so that none can belong to a real person.

Source: Folkeregisteret's test population (month + 80, check digits computed after the addition) and
HIS 1001:2010 chapter 4 (weights; remainder 10 is never issued; d-number is day + 40).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date

_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def synthetic_number(birth: date, sex: str, seed: str, *, d_number: bool = False) -> str:
    """The eleven digits of a synthetic number for this birth date, the same for the same seed.

    `sex` is FHIR's administrative gender and decides whether the ninth digit is even (female) or
    odd. A d-number has 40 added to its day.
    """
    day = birth.day + (40 if d_number else 0)
    head = f"{day:02d}{birth.month + 80:02d}{birth.year % 100:02d}"
    for serial in _serials(birth, sex, seed):
        digits = _with_check_digits(head + f"{serial:03d}")
        if digits is not None:
            return digits
    raise ValueError(f"no synthetic number is left for {birth}")


def check_digits_hold(number: str) -> bool:
    """Whether eleven digits end in their two check digits (rules before 2032)."""
    return len(number) == 11 and number.isdigit() and _with_check_digits(number[:9]) == number


def _serials(birth: date, sex: str, seed: str) -> Iterator[int]:
    """Every serial number (individnummer) of the birth century and sex, from a seeded start."""
    lowest, highest = (0, 499) if birth.year < 2000 else (500, 999)
    fitting = range(lowest + (0 if sex == "female" else 1), highest + 1, 2)
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") % len(fitting)
    for step in range(len(fitting)):
        yield fitting[(start + step) % len(fitting)]


def _with_check_digits(nine: str) -> str | None:
    first = _check_digit(nine, _FIRST_WEIGHTS)
    if first is None:
        return None
    second = _check_digit(nine + str(first), _SECOND_WEIGHTS)
    return None if second is None else f"{nine}{first}{second}"


def _check_digit(digits: str, weights: tuple[int, ...]) -> int | None:
    remainder = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
    digit = 0 if remainder == 0 else 11 - remainder
    return None if digit == 10 else digit
