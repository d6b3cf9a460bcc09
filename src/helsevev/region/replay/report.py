"""What a replay has to say: rates and latencies by kind, errors, the ledger's verdicts, cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ..facts import facts
from .plan import Part
from .play import Played
from .roster import Roster
from .tally import Tally, latencies
from .verify import Verdicts

LATE_MS: Final = 250.0
"""A replay held its speed when 99 of 100 actions began less than this behind schedule."""

_REGION: Final[int] = facts("population")["inhabitants"]
_OVERTIME_SECONDS: Final = 1.0
_LONGEST_THOUGHT: Final = 120.0
CHART_MS: Final = 250.0
"""What 99 of 100 openings of a chart may take at most."""


@dataclass(frozen=True, slots=True)
class Report:
    """One replay's figures."""

    day: date
    speed: float
    part: Part
    roster: Roster
    tally: Tally
    played: Played
    verdicts: Verdicts
    reading_seconds: float
    facts: dict[str, Any]
    """Where the ledger lies, and what the machine's processes cost."""

    @property
    def behind(self) -> dict[str, float]:
        """How late actions began, in milliseconds."""
        return latencies(self.tally.late)

    @property
    def chart_p99(self) -> float:
        """The 99th percentile of opening a chart, from its schedule, in milliseconds."""
        steps = self.tally.kinds.get("open chart")
        return latencies(steps.planned)["p99"] if steps else 0.0

    @property
    def held(self) -> bool:
        """Whether the asked speed was held: begun on time, and nothing was left over at the end."""
        kept_up = self.played.overtime <= _OVERTIME_SECONDS + _LONGEST_THOUGHT / self.speed
        return not self.played.given_up and kept_up and self.behind.get("p99", 0.0) <= LATE_MS

    @property
    def sustained(self) -> bool:
        """Whether it was held, charts opened in time, and nothing went wrong."""
        return self.held and self.chart_p99 <= CHART_MS and self.is_sound

    @property
    def is_sound(self) -> bool:
        """No error, nothing lost, nothing doubled."""
        return not (self.tally.errors or self.verdicts.lost or self.verdicts.doubled)

    def as_data(self) -> dict[str, Any]:
        """All of it, for JSON."""
        seconds = max(self.played.seconds, 0.001)
        steps = sum(len(each.sent) for each in self.tally.kinds.values())
        return {
            "day": str(self.day),
            "hours": [self.part.first, self.part.last],
            "speed": self.speed,
            "held": self.held,
            "sustained": self.sustained,
            "inhabitants": self.roster.inhabitants,
            "regions": round(self.roster.inhabitants * self.speed / _REGION, 3),
            "units": len(self.roster.units),
            "staff": len(self.roster.staff),
            "seconds": round(self.played.seconds, 2),
            "planned": self.played.planned,
            "begun": self.played.begun,
            "overtime_seconds": round(self.played.overtime, 2),
            "given_up": self.played.given_up,
            "requests": steps,
            "requests_per_second": round(steps / seconds, 1),
            "actions": {
                name: {"count": count, "per_second": round(count / seconds, 2)}
                for name, count in sorted(self.tally.actions.items())
            },
            "nothing_to_do": dict(self.tally.nothing_to_do),
            "steps": {name: each.as_data() for name, each in sorted(self.tally.kinds.items())},
            "behind_schedule_ms": self.behind,
            "errors": self.tally.errors.total(),
            "errors_by_step": dict(self.tally.errors),
            "error_examples": self.tally.examples,
            "unanswered_writes": self.tally.unanswered,
            "writes": self.verdicts.as_data(),
            "reading_back_seconds": round(self.reading_seconds, 2),
            **self.facts,
        }

    def table(self) -> str:
        """All of it, for people."""
        return "\n".join(_lines(self.as_data())) + "\n"


def _lines(data: dict[str, Any]) -> Iterator[str]:
    first, last = (f"{int(hour):02d}:{round(hour % 1 * 60):02d}" for hour in data["hours"])
    yield (
        f"{data['day']} {first}–{last} at {data['speed']:g} times the speed, for"
        f" {data['inhabitants']:,} inhabitants, by {data['staff']} of the staff of"
        f" {data['units']} units: {data['begun']:,} of {data['planned']:,} actions in"
        f" {data['seconds']} s, {data['requests_per_second']:,} requests a second"
    )
    yield ""
    yield f"{'action':<28}{'count':>9}{'a second':>12}"
    for name, each in data["actions"].items():
        yield f"{name:<28}{each['count']:>9,}{each['per_second']:>12,.2f}"
    for name in data["left_out"]:
        yield f"{name:<28} left out: nobody can do it"
    for name, count in data["nothing_to_do"].items():
        yield f"{name + ', nothing due':<28}{count:>9,}"
    yield ""
    yield f"{'ms':<28}{'':>9}{'from the schedule':>32}{'from sending':>32}"
    heads = "".join(f"{name:>8}" for name in ("p50", "p95", "p99", "max"))
    yield f"{'step':<28}{'count':>9}{heads}{heads}"
    for name, each in data["steps"].items():
        figures = (*each["from_schedule_ms"].values(), *each["from_sending_ms"].values())
        yield f"{name:<28}{each['count']:>9,}" + "".join(f"{value:>8.1f}" for value in figures)
    late = "".join(f"{value:>8.1f}" for value in data["behind_schedule_ms"].values())
    yield f"{'begun behind schedule':<37}{late}"
    yield ""
    yield from _verdict_lines(data)


def _verdict_lines(data: dict[str, Any]) -> Iterator[str]:
    writes = data["writes"]
    yield (
        f"writes: {writes['acknowledged']:,} acknowledged, {writes['read_back']:,} read back as"
        f" written, {writes['lost']} lost, {writes['doubled']} doubled,"
        f" {data['unanswered_writes']} without an answer"
        f" (of which {writes['unanswered_stored']} are stored)"
    )
    yield from (f"  {example}" for example in writes["examples"])
    yield f"errors: {data['errors']}"
    yield from (f"  {example}" for example in data["error_examples"])
    for name, cost in data["machine"].items():
        if cost is None:
            yield f"{name}: not measured"
        else:
            memory, peak = cost["memory_bytes"] / 1e6, cost["peak_memory_bytes"] / 1e6
            yield f"{name}: {cost['cpu_seconds']:.1f} s of CPU, {memory:.0f} MB, at most {peak:.0f}"
    held = "held" if data["held"] else "not held"
    yield (
        f"speed {data['speed']:g}: {held}, as much as {data['regions']:g} regions of {_REGION:,} at"
        " life's own speed"
    )
    yield f"ledger: {data['ledger']}"
