"""What a replay measured: every step's latencies by kind, and what went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

_EXAMPLES: Final = 5
PERCENTILES: Final = (50, 95, 99)


@dataclass(slots=True)
class Steps:
    """The steps of one kind, in seconds: from the moment planned, and from that of sending."""

    planned: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """Count and latencies in milliseconds."""
        return {
            "count": len(self.sent),
            "from_schedule_ms": latencies(self.planned),
            "from_sending_ms": latencies(self.sent),
        }


class Tally:
    """Counts one replay."""

    def __init__(self) -> None:
        self.kinds: dict[str, Steps] = {}
        self.actions: Counter[str] = Counter()
        """Actions that were carried out, by name."""
        self.errors: Counter[str] = Counter()
        self.examples: list[str] = []
        self.unanswered = 0
        self.nothing_to_do: Counter[str] = Counter()
        self.late: list[float] = []
        """How many seconds behind schedule each action's first request was sent."""

    def step(self, kind: str, planned: float, sent: float, done: float) -> None:
        """One answer, at moments of the same clock."""
        steps = self.kinds.setdefault(kind, Steps())
        steps.planned.append(done - planned)
        steps.sent.append(done - sent)

    def error(self, kind: str, what: str) -> None:
        """Something went wrong, in words."""
        self.errors[kind] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{kind}: {what}")


def latencies(seconds: list[float]) -> dict[str, float]:
    """Percentiles and the longest, in milliseconds; empty when there is nothing."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    found = {f"p{p}": percentile(ordered, p) for p in PERCENTILES}
    return {name: round(value * 1e3, 2) for name, value in {**found, "max": ordered[-1]}.items()}


def percentile(ordered: list[float], percent: int) -> float:
    """The value that `percent` of the sorted values do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
