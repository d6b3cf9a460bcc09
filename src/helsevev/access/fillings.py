"""Whose medicines are filled in a dosette or in bags, and which of them have had something changed.

For the job that tells when a list changes after it was filled: it opens records of nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from helsevev.access.gate import Gate
from helsevev.fhir import dates
from helsevev.record.changes import Place
from helsevev.record.statements import load

_SQL: Final = load("stock")
_STORE: Final = load("store")
_BATCH: Final = 500
_FURTHEST: Final = 2**62
_ORDERS: Final = "MedicationRequest"


class Fillings:
    """Finds inhabitants by what is filled for them."""

    def __init__(self, gate: Gate) -> None:
        self._whole = gate.store.roles.whole
        self._store = gate.store

    async def now(self) -> Place:
        """The place in the feed of changes after all that is there."""
        return Place(await self._whole.fetchval(_STORE["now_settled"]), _FURTHEST)

    async def all(self, at: datetime) -> list[int]:
        """Everybody for whom something is filled that lasts beyond a time."""
        return await self._filled(at, None)

    async def changed(self, after: Place, at: datetime) -> tuple[list[int], Place]:
        """Those of them whose orders were changed after a place in the feed, and the next place."""
        rows = await self._whole.fetch(_STORE["changes_after"], after.xid, after.seq, _BATCH)
        if not rows:
            return [], after
        touched = sorted({r["patient"] for r in rows if r["patient"] > 0 and _ORDERS in r["types"]})
        found = await self._filled(at, touched) if touched else []
        return found, Place(rows[-1]["xid"], rows[-1]["seq"])

    async def patient_id(self, patient: int) -> str | None:
        """The id of the Patient that a key is of; None when there is none."""
        rows = await self._whole.fetch(_SQL["patient_of"], patient)
        return str(rows[0]["id"]) if rows else None

    async def _filled(self, at: datetime, patients: Sequence[int] | None) -> list[int]:
        moment = dates.microseconds(at)
        rows = await self._whole.fetch(_SQL["filled_for"], moment, patients)
        return [row["patient"] for row in rows]
