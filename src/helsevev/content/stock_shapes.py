"""What the content of a unit's stock must contain: what is counted by two, how often, and why."""

from __future__ import annotations

from .shapes import Document, Shape, unique


class Controlled(Shape, frozen=True, kw_only=True):
    """Medicines whose every tablet is accounted for: by group of prescription, or by ATC code.

    They are counted by two people at least every `count_days`.
    """

    group: str
    count_days: int
    atc: tuple[str, ...] = ()


class WayOut(Shape, frozen=True, kw_only=True):
    """A way in which something leaves the shelf; `code` is kept in the book.

    `witness`: of what is controlled, somebody else has to have seen it.
    """

    code: str
    label: str
    witness: bool = False
    needs_reason: bool = False
    reasons: tuple[str, ...] = ()


class StockRules(Document, frozen=True, kw_only=True):
    """All that professionals decide of a unit's stock."""

    expiring_days: int
    order_days: int
    dosette_days: int
    controlled: tuple[Controlled, ...]
    out: tuple[WayOut, ...]

    def __post_init__(self) -> None:
        """Refuse repeated groups and ways, and times that are not at least a day."""
        super().__post_init__()
        unique("group", (each.group for each in self.controlled))
        unique("out", (each.code for each in self.out))
        days = [self.expiring_days, self.order_days, self.dosette_days]
        if min([*days, *(each.count_days for each in self.controlled)]) < 1:
            raise ValueError("days must be at least 1")
