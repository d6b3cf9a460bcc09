"""How it stands with reconciling: nobody has in this stay, or something was left open; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from helsevev.medication.reconciliation.lists import the_stay
from helsevev.medication.reconciliation.record import last_of_stay, reconciled

IN_STAY: Final = ("admission", "transfer", "discharge")


class Reconciling(Struct, frozen=True):
    """`is_missing` while a stay goes on that nobody has reconciled in; `left_open` medicines."""

    is_missing: bool
    left_open: int


def reconciling(
    lists: Iterable[Mapping[str, Any]], encounters: Iterable[Mapping[str, Any]]
) -> Reconciling:
    """How it stands by some Lists and Encounters."""
    stay, done = the_stay(encounters), reconciled(lists, {})
    is_missing = stay is not None and last_of_stay(done, stay, IN_STAY) is None
    return Reconciling(is_missing, len(done[0].open) if done else 0)
