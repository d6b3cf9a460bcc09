"""Who works where: staff of every unit, the demo's own people among them, the same for every seed.

HPR numbers are nine digits beginning with 9991 (the stories' with 9990): the register has issued
seven-digit numbers so far, so none of these can be a real person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .catalogue import Unit, catalogue
from .chance import Chance
from .demo import staff as demo_staff
from .facts import facts


@dataclass(frozen=True, slots=True)
class Worker:
    """One member of staff at one unit."""

    id: str
    given: str
    family: str
    gender: str
    profession: str
    unit: str
    hpr_number: str | None
    """None for those of the demo, who have theirs there."""

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.given} {self.family}"


# How women share the work: 88 of 100 nurses, 60 of 100 doctors (SSB 07940, rounded).
_WOMEN = {"physician": 0.58, "paramedic": 0.3, "psychologist": 0.72, "radiographer": 0.68}
_DEMO_PROFESSION = {"secretary": "medical-secretary"}


@cache
def workforce() -> dict[str, dict[str, list[Worker]]]:
    """Unit -> profession -> those who work there. Built once; must not be changed."""
    found: dict[str, dict[str, list[Worker]]] = {}
    for each in demo_staff.STAFF:
        profession = _DEMO_PROFESSION.get(each.profession, each.profession)
        worker = Worker(each.id, each.given, each.family, each.gender, profession, each.unit, None)
        found.setdefault(each.unit, {}).setdefault(profession, []).append(worker)
    number = 0
    for unit in catalogue().units.values():
        here = found.setdefault(unit.id, {})
        for profession, count in unit.staff.items():
            there = here.setdefault(profession, [])
            for nth in range(len(there), count):
                number += 1
                there.append(_hired(unit, profession, nth + 1, number))
    return found


def _hired(unit: Unit, profession: str, nth: int, number: int) -> Worker:
    chance = Chance("staff", unit.id, profession, nth)
    woman = chance.happens(_WOMEN.get(profession, 0.86))
    names = facts("names")
    generation = names["generation"][chance.among((1, 2))]
    given = chance.among(generation["female" if woman else "male"])
    return Worker(
        f"{unit.id}-{profession}-{nth}", given, chance.among(names["family"]),
        "female" if woman else "male", profession, unit.id, f"9991{number:05d}",
    )  # fmt: skip


def role_of(profession: str) -> str:
    """What somebody of this profession is called at work."""
    role: str = facts("units")["profession"][profession][2]
    return role
