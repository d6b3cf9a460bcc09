"""Whose medicines are filled in a dosette or in bags, found for the job that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from helsevev.access.following import Concerned
from helsevev.access.gate import Gate
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record.statements import load

_SQL: Final = load("stock")


class Fillings(Concerned):
    """Finds those for whom something is filled that still lasts, by their orders."""

    types = frozenset({"MedicationRequest"})

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate.store.roles.whole)

    async def _among(self, patients: Sequence[int] | None) -> list[int]:
        moment = dates.microseconds(clock.now())
        rows = await self._whole.fetch(_SQL["filled_for"], moment, patients)
        return [row["patient"] for row in rows]
