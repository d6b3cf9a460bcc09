"""The day's curve: which share of a day's work falls in which hour of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

HOURS: Final = 24
BUSIEST: Final = 0.2
"""The share of the day in its busiest hour."""


class Curve:
    """Shares of 24 hours, drawn from evenly within each hour."""

    def __init__(self, others: Sequence[float], busiest: int) -> None:
        """`others` weigh the hours against each other; `busiest` gets `BUSIEST` of the whole."""
        rest = sum(weight for hour, weight in enumerate(others) if hour != busiest)
        self.shares = tuple(
            BUSIEST if hour == busiest else weight / rest * (1 - BUSIEST)
            for hour, weight in enumerate(others)
        )
        self._ends = tuple(accumulate(self.shares))

    def minute(self, draw: float) -> float:
        """The minute of the day (0 to 1440) below which a share `draw` (0 to 1) of it lies."""
        hour = min(bisect_right(self._ends, draw), HOURS - 1)
        begin = self._ends[hour] - self.shares[hour]
        part = (draw - begin) / self.shares[hour]
        return (hour + min(max(part, 0.0), 1.0 - 1e-9)) * 60

    def share(self, first: float, last: float) -> float:
        """The share of the day from one hour to another (0 to 24, also parts of hours)."""
        return sum(
            share * max(0.0, min(last, hour + 1) - max(first, hour))
            for hour, share in enumerate(self.shares)
        )


CONTACTS: Final = Curve(
    (3, 2, 2, 2, 3, 6, 20, 60, 0, 130, 110, 90, 70, 75, 65, 50, 35, 28, 32, 28, 22, 16, 9, 5), 8
)
"""Contacts, and what goes with them: mornings are full, evenings thin, nights quiet."""

ROUNDS: Final = Curve(
    (4, 3, 2, 2, 3, 8, 25, 90, 0, 90, 35, 30, 70, 50, 55, 30, 40, 55, 70, 60, 95, 70, 30, 8), 8
)
"""Medicines: the rounds of morning, noon, afternoon and evening."""
