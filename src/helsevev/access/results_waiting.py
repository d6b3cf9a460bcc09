"""Which inhabitants have a result that nobody has acknowledged or is asked to acknowledge.

For the job that asks: it opens records of nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from helsevev.access.gate import Gate
from helsevev.record.changes import Place
from helsevev.record.statements import load

_SQL: Final = load("results")
_STORE: Final = load("store")
_BATCH: Final = 500
_FURTHEST: Final = 2**62
_CONCERNED: Final = frozenset({"DiagnosticReport", "Task"})


@dataclass(frozen=True, slots=True)
class Counted:
    """Results that have to be acknowledged: all, those that are, those that wait, and the rest."""

    due: int
    acknowledged: int
    waiting: int
    lost: int


class ResultsWaiting:
    """Finds inhabitants by their results, naming nobody else."""

    def __init__(self, gate: Gate) -> None:
        self._whole = gate.store.roles.whole

    async def now(self) -> Place:
        """The place in the feed of changes after all that is there."""
        return Place(await self._whole.fetchval(_STORE["now_settled"]), _FURTHEST)

    async def all(self) -> list[int]:
        """Everybody with a result that nobody is asked to acknowledge."""
        return [row["patient"] for row in await self._whole.fetch(_SQL["unasked"], None)]

    async def changed(self, after: Place) -> tuple[list[int], Place]:
        """Those whose reports or tasks changed after a place in the feed, and the next place."""
        rows = await self._whole.fetch(_STORE["changes_after"], after.xid, after.seq, _BATCH)
        if not rows:
            return [], after
        touched = {
            row["patient"] for row in rows
            if row["patient"] > 0 and not _CONCERNED.isdisjoint(row["types"])
        }  # fmt: skip
        found = await self._whole.fetch(_SQL["unasked"], sorted(touched)) if touched else []
        return [row["patient"] for row in found], Place(rows[-1]["xid"], rows[-1]["seq"])

    async def patient_id(self, patient: int) -> str | None:
        """The id of the Patient that a key is of; None when there is none."""
        rows = await self._whole.fetch(_SQL["patient_of"], patient)
        return str(rows[0]["id"]) if rows else None

    async def counted(self) -> Counted:
        """How it stands with all results, naming nobody: `lost` is to be none."""
        row = await self._whole.fetchrow(_SQL["counted"])
        assert row is not None
        return Counted(*row)
