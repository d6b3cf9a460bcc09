"""The highest speed that is sustained: doubled until it is not, then halved in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from .actions.table import ACTIONS
from .admission import Admission
from .machine import Machine
from .plan import Event, Part, plan
from .report import Report
from .stage import Cast, Screen, Wanted, gather, perform

_FASTEST: Final = 1_000_000.0
_HALVINGS: Final = 4
_TRIAL_SECONDS: Final = 15.0
_SERIALS_A_DAY: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """The trials in their order, and what they tell."""

    trials: tuple[Report, ...]

    @property
    def sustained(self) -> Report | None:
        """The fastest trial that was sustained."""
        kept = [each for each in self.trials if each.sustained]
        return max(kept, key=lambda each: each.speed) if kept else None

    @property
    def is_sound(self) -> bool:
        """Nothing was lost or doubled at any speed, and the sustained ones had no error."""
        return all(not (each.verdicts.lost or each.verdicts.doubled) for each in self.trials)

    def as_data(self) -> dict[str, Any]:
        """All of it, for JSON."""
        best = self.sustained
        return {
            "highest_sustained_speed": best.speed if best else None,
            "sustained": best.as_data() if best else None,
            "trials": [
                {
                    "speed": each.speed, "sustained": each.sustained,
                    "chart_p99_ms": each.chart_p99, "behind_schedule_ms": each.behind,
                    "errors": each.tally.errors.total(), "lost": each.verdicts.lost,
                    "doubled": each.verdicts.doubled,
                    "requests_per_second": each.as_data()["requests_per_second"],
                }
                for each in self.trials
            ],
        }  # fmt: skip

    def table(self) -> str:
        """All of it, for people."""
        lines = [f"{'speed':>10}{'requests/s':>12}{'chart p99 ms':>14}{'late p99 ms':>13}"]
        for each in self.as_data()["trials"]:
            late = each["behind_schedule_ms"].get("p99", 0.0)
            kept = "sustained" if each["sustained"] else "not sustained"
            lines.append(
                f"{each['speed']:>10,.0f}{each['requests_per_second']:>12,.0f}"
                f"{each['chart_p99_ms']:>14,.0f}{late:>13,.0f}  {kept}"
            )
        best = self.sustained
        if best is None:
            lines.append("No speed that was tried is sustained.")
            return "\n".join(lines) + "\n"
        lines.append(f"Highest speed sustained: {best.speed:g}")
        return "\n".join(lines) + f"\n\n{best.table()}"


async def find_limit(wanted: Wanted, admission: Admission, screen: Screen) -> Limit:
    """Try speeds on the asked part of the day, each for some seconds."""
    cast = await gather(wanted, admission, screen)
    trials: list[Report] = []

    async def holds(speed: float) -> bool:
        seconds = wanted.most_seconds or _TRIAL_SECONDS
        asked = replace(wanted, speed=speed, most_seconds=seconds)
        events = repeated(cast, asked, len(trials), seconds)
        machine = Machine(admission.data, wanted.server_pid)
        trials.append(await perform(cast, asked, events, screen, machine))
        return trials[-1].sustained

    try:
        low, high = 0.0, wanted.speed
        while high <= _FASTEST and await holds(high):
            low, high = high, high * 2
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if await holds(middle):
                low = middle
            else:
                high = middle
    finally:
        await cast.wire.close()
    return Limit(tuple(trials))


def repeated(cast: Cast, wanted: Wanted, trial: int, seconds: float) -> list[Event]:
    """The part of the day over and over, each time drawn anew, until it lasts so many seconds."""
    found: list[Event] = []
    part: Part = wanted.part
    rounds = max(1, -int(-(seconds * wanted.speed / 60) // part.minutes))
    for nth in range(rounds):
        seed = wanted.seed + 1000 * (trial + 1) + nth
        for event in plan(cast.roster, ACTIONS, wanted.day, seed, part):
            serial = event.serial + nth * _SERIALS_A_DAY
            found.append(event._replace(minute=event.minute + nth * part.minutes, serial=serial))
    return found
