"""Synthetic national numbers, each given once: old and 2032 rules side by side.

Only numbers with 80 added to the month are made, as the national test population has them
(Skatteetaten, "Test for konsumenter"), so none can be a real person's. Check digits are computed
after the addition. From 2032 the first check digit may leave 1, 2 or 3, and the ninth digit says
neither sex nor century (Skatteetaten, "Nytt fødselsnummer fra 2032").
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

_K1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_K2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_STRIDE = 199
"""Prime to the count of serial numbers, so that neighbours in time are far apart in number."""


class Register:
    """Gives every inhabitant, in order, the next number that is free on their day of birth.

    Its memory is one count for each day of birth, whatever the region's size.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = frozenset(taken)
        self._given: dict[tuple[int, int, bool], int] = {}

    def give(self, born: int, woman: bool, *, d_number: bool, rules_of_2032: bool) -> str:
        """Eleven digits for a day of birth. ValueError when the day has no number left."""
        key = (born, 2 if rules_of_2032 else int(woman), d_number)
        nth = self._given.get(key, 0)
        birth = date.fromordinal(born)
        head = f"{birth.day + 40 * d_number:02d}{birth.month + 80:02d}{birth.year % 100:02d}"
        while nth < 500:
            nth += 1
            serial = _serial(birth.year, woman, nth, rules_of_2032)
            # Serials run by hundreds of years; 2032's are told apart by what their k1 leaves.
            found = _checked(f"{head}{serial:03d}", 1 + nth % 3 if rules_of_2032 else 0)
            if found is not None and found not in self._taken:
                self._given[key] = nth
                return found
        raise ValueError(f"no synthetic number is left for {birth}")


def _serial(year: int, woman: bool, nth: int, rules_of_2032: bool) -> int:
    lowest = 0 if year < 2000 else 500
    if rules_of_2032:
        return lowest + nth * _STRIDE % 500
    return lowest + 2 * (nth * _STRIDE % 250) + (0 if woman else 1)


def _checked(nine: str, leaves: int) -> str | None:
    """The number with its check digits; `leaves` is what the first sum may leave by 11."""
    digits = [int(digit) for digit in nine]
    first = (leaves - sum(w * d for w, d in zip(_K1, digits, strict=True))) % 11
    if first == 10:
        return None
    digits.append(first)
    second = -sum(w * d for w, d in zip(_K2, digits, strict=True)) % 11
    return None if second == 10 else f"{nine}{first}{second}"
