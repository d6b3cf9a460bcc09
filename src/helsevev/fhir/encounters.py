"""Which contacts somebody is in the middle of, by the states of R4's Encounter.status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

ONGOING: Final = frozenset({"arrived", "triaged", "in-progress", "onleave"})
EXPECTED: Final = frozenset({"planned"})


def the_ongoing(encounters: Iterable[Mapping[str, Any]]) -> str | None:
    """The reference of the Encounter that is going on; None for none, and for more than one."""
    ongoing = [each["id"] for each in encounters if each.get("status") in ONGOING]
    return f"Encounter/{ongoing[0]}" if len(ongoing) == 1 else None
