"""The day's plan: who does what with whom at which minute, the same for one seed and record."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Final, NamedTuple

from ..chance import Chance
from ..facts import facts
from .actions.action import Action
from .roster import Roster, Unit
from .staff import Staff


class Event(NamedTuple):
    """One action at a minute of the day (0 to 1440)."""

    minute: float
    serial: int
    """The event's number in the whole day, whatever part of it is played."""
    action: Action
    who: Staff
    patient: str


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a day that is played, in hours: from 0 to 24, the first included."""

    first: float = 0.0
    last: float = 24.0

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return (self.last - self.first) * 60


WHOLE_DAY: Final = Part()


def is_possible(roster: Roster, action: Action) -> bool:
    """Whether anybody can do it: somewhere medicines are given, if it gives them."""
    return not action.gives_medicines or any(unit.doses for unit in roster.units)


def plan(
    roster: Roster, actions: Sequence[Action], day: date, seed: int, part: Part
) -> list[Event]:
    """Every event of the part, in its order.

    The whole day is drawn and the part cut out of it, so that two parts make the day between
    them. What nobody can do here (no unit gives medicines) is left out.
    """
    whole: int = facts("population")["inhabitants"]
    found: list[Event] = []
    first_serial = 0
    for action in actions:
        chance = Chance(seed, "replay", day, action.name)
        choose = _chooser(roster, action)
        count = action.a_day * roster.inhabitants / whole
        number = int(count) + chance.happens(count % 1)
        for serial in range(first_serial, first_serial + number):
            minute = action.curve.minute(chance.draw())
            where, patient, who = chance.draw(), chance.draw(), chance.draw()
            if choose is not None and part.first * 60 <= minute < part.last * 60:
                staff, about = choose(where, patient, who)
                found.append(Event(minute, serial, action, staff, about))
        first_serial += number
    return sorted(found, key=lambda event: (event.minute, event.serial))


def _chooser(
    roster: Roster, action: Action
) -> Callable[[float, float, float], tuple[Staff, str]] | None:
    """Chooses who and whom by three draws: units weigh by their work, patients by theirs."""
    if not is_possible(roster, action):
        return None
    units = [unit for unit in roster.units if unit.doses or not action.gives_medicines]
    weights = [_work(unit, action) for unit in units]
    ends = list(accumulate(weights))

    def choose(where: float, patient: float, who: float) -> tuple[Staff, str]:
        unit = units[_place(ends, where)]
        staff = unit.staff[int(who * len(unit.staff))]
        if not action.gives_medicines:
            return staff, unit.patients[int(patient * len(unit.patients))]
        doses = list(accumulate(count for _, count in unit.doses))
        return staff, unit.doses[_place(doses, patient)][0]

    return choose


def _work(unit: Unit, action: Action) -> int:
    return sum(count for _, count in unit.doses) if action.gives_medicines else unit.contacts


def _place(ends: Sequence[int], draw: float) -> int:
    return min(bisect_right(ends, draw * ends[-1]), len(ends) - 1)
