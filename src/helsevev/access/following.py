"""Jobs that look at whoever's record something has changed in, whichever door it came in through.

Each follows the feed of changes from where everybody was looked at, so that a killed process
leaves the next one nothing undone.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from helsevev.access.errors import AccessError
from helsevev.fhir.bundle import BundleError
from helsevev.kit.background import Background
from helsevev.record.changes import Place
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("store")
_BATCH: Final = 500
_FURTHEST: Final = 2**62
_RESTING: Final = 20.0
_log = logging.getLogger(__name__)


class Concerned(ABC):
    """Finds the inhabitants whom something concerns: it opens records of nobody else."""

    types: ClassVar[frozenset[str]]
    """The resource types whose changes may make it concern somebody."""

    def __init__(self, whole: Database) -> None:
        self._whole = whole

    async def now(self) -> Place:
        """The place in the feed of changes after all that is there."""
        return Place(await self._whole.fetchval(_SQL["now_settled"]), _FURTHEST)

    async def all(self) -> list[int]:
        """Everybody whom it concerns."""
        return await self._among(None)

    async def changed(self, after: Place) -> tuple[list[int], Place]:
        """Those of them whose records changed after a place in the feed, and the next place."""
        rows = await self._whole.fetch(_SQL["changes_after"], after.xid, after.seq, _BATCH)
        if not rows:
            return [], after
        touched = {
            row["patient"] for row in rows
            if row["patient"] > 0 and not self.types.isdisjoint(row["types"])
        }  # fmt: skip
        found = await self._among(sorted(touched)) if touched else []
        return found, Place(rows[-1]["xid"], rows[-1]["seq"])

    async def patient_id(self, patient: int) -> str | None:
        """The id of the Patient that a key is of; None when there is none."""
        rows = await self._whole.fetch(_SQL["patient_of"], patient)
        return str(rows[0]["id"]) if rows else None

    @abstractmethod
    async def _among(self, patients: Sequence[int] | None) -> list[int]:
        """Whom it concerns of some inhabitants, or of all of them."""


class Following(Background):
    """Looks at everybody whom something concerns at the start, then at whoever's record changes."""

    every: ClassVar[float]
    """Seconds between two looks at what was changed."""

    def __init__(self, concerned: Concerned) -> None:
        self.concerned = concerned

    @abstractmethod
    async def look_at(self, patient_id: str) -> int:
        """Look at one inhabitant; how many were asked about it. Raises `AccessError`."""

    async def look(self, patients: Iterable[int]) -> int:
        """Look at some inhabitants; how many were asked about it."""
        asked = 0
        for patient in patients:
            patient_id = await self.concerned.patient_id(patient)
            if patient_id is None:
                continue
            try:
                asked += await self.look_at(patient_id)
            except AccessError as problem:
                # Somebody wrote meanwhile; the change of that is looked at next.
                _log.info("A record was left for the next look at %s: %s", self.name, problem)
            except BundleError as problem:
                # One record must not keep the others waiting.
                _log.error("A record cannot be looked at for %s: %s", self.name, problem)
            await asyncio.sleep(0)
        return asked

    async def _go_on(self) -> None:
        place = None
        while True:
            try:
                if place is None:
                    place = await self.concerned.now()
                    await self.look(await self.concerned.all())
                found, after = await self.concerned.changed(place)
                await self.look(found)
                moved, place = after != place, after
                await asyncio.sleep(0 if moved else self.every)
            except Exception as problem:  # noqa: BLE001 - it waits; care does not
                _log.warning("No look at %s was possible; trying again: %s", self.name, problem)
                # What was not looked at is found among everybody.
                place = None
                await asyncio.sleep(_RESTING)
