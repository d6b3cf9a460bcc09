"""How scanning at the bedside goes, by unit and week: counts that say nothing of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from helsevev.access.actor import Actor
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("scans")
PATIENT: Final = "patient"
MEDICINE: Final = "medicine"
DOSE: Final = "dose"
RIGHT: Final = "right"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class ScanCount:
    """How often something happened in the week that begins on `week`, a Monday.

    `means` is camera, scanner, typed or "" (nothing was scanned); `what` is patient, medicine or
    dose (one that was signed); `outcome` is right, the code of a stop or of a failure, or the
    reason why nothing was scanned; `product` names the medicine, or the number that nothing has.
    """

    week: date
    means: str
    what: str
    outcome: str
    product: str
    times: int


class ScanCounts:
    """Counts, and tells what it has counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(
        self, actor: Actor, what: str, outcome: str, *, means: str = "", product: str = ""
    ) -> None:
        """Count something at the unit that the actor works in, on this day in Norway."""
        day = clock.now().astimezone(OSLO).date()
        await self.add(actor, day, what, outcome, means=means, product=product, times=1)

    async def add(
        self, actor: Actor, day: date, what: str, outcome: str, *, means: str, product: str,
        times: int,
    ) -> None:  # fmt: skip
        """Count something that happened so many times on a day at the actor's unit."""
        unit = actor.unit[0] if actor.unit else ""
        named = product.replace("\0", "")[:_LONGEST]
        await self._database.execute(
            _SQL["count"], day, unit, means, what, outcome, named, times
        )  # fmt: skip

    async def of_units(self, units: Sequence[str], since: date) -> list[ScanCount]:
        """What was counted at units (references) since a day, the oldest week first."""
        rows = await self._database.fetch(_SQL["of_units"], list(units), since)
        return [ScanCount(*row) for row in rows]
