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


def remembering(check: Check) -> Check:
    """The same check, which passes an object at once when it has passed before."""
    known: set[bytes] = set()
    met = found = 0
    is_worth_it = True

    def remembered(value: Any, parent: Any) -> list[Problem] | None:
        nonlocal met, found, is_worth_it
        if not is_worth_it or type(value) is not dict:
            return check(value, parent)
        try:
            text = encode(value)
        except (TypeError, ValueError, RecursionError):
            return check(value, parent)
        met += 1
        if text in known:
            found += 1
            return None
        if met >= _TRIAL:
            is_worth_it = found * _WORTH_IT >= met
            met = found = 0
            if not is_worth_it:
                known.clear()
        problems = check(value, parent)
        if problems is None and is_worth_it and len(text) <= LONGEST:
            if len(known) >= MOST:
                known.clear()
            known.add(text)
        return problems

    return remembered
