"""Remembers which values of an element were found valid: a record says the same things again.

Codes, categories, units and the staff come back thousands of times, and to write such a value as
JSON takes a tenth of the time of checking it. An element whose values hardly ever come back is
left to its check.
"""

from __future__ import annotations

from typing import Any, Final

from helsevev.fhir.primitive_checks import Check, Problem
from helsevev.fhir.serialization import encode

MOST: Final = 512
"""Values that are remembered of one element; then it begins anew."""

LONGEST: Final = 1024
"""Bytes of JSON: what is longer is checked each time."""

_TRIAL: Final = 2048
_WORTH_IT: Final = 4
"""One value in so many has to be a known one."""


class _Trial:
    """Whether an element's values come back often enough to be remembered."""

    __slots__ = ("_found", "_met", "is_worth_it")

    def __init__(self) -> None:
        self._met = self._found = 0
        self.is_worth_it = True

    def count(self, found: bool) -> None:
        """One more value was met, and was a known one or was not."""
        self._met += 1
        self._found += found
        if self._met >= _TRIAL:
            self.is_worth_it = self._found * _WORTH_IT >= self._met
            self._met = self._found = 0


def remembering(check: Check) -> Check:
    """The same check, which passes an object at once when it has passed before."""
    known: set[bytes] = set()
    trial = _Trial()

    def remembered(value: Any, parent: Any) -> list[Problem] | None:
        if not trial.is_worth_it or type(value) is not dict:
            return check(value, parent)
        try:
            text = encode(value)
        except (TypeError, ValueError, RecursionError):
            return check(value, parent)
        passed = text in known
        trial.count(passed)
        if passed:
            return None
        problems = check(value, parent)
        if problems is None and len(text) <= LONGEST:
            if len(known) >= MOST or not trial.is_worth_it:
                known.clear()
            known.add(text)
        return problems

    return remembered
