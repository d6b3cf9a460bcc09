"""Which inhabitants have a result that nobody has acknowledged or is asked to acknowledge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from helsevev.access.following import Concerned
from helsevev.access.gate import Gate
from helsevev.record.statements import load

_SQL: Final = load("results")


@dataclass(frozen=True, slots=True)
class Counted:
    """Results that have to be acknowledged: all, those that are, those that wait, and the rest."""

    due: int
    acknowledged: int
    waiting: int
    lost: int


class ResultsWaiting(Concerned):
    """Finds inhabitants by their results, naming nobody else."""

    types = frozenset({"DiagnosticReport", "Task"})

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate.store.roles.whole)

    async def _among(self, patients: Sequence[int] | None) -> list[int]:
        rows = await self._whole.fetch(_SQL["unasked"], patients)
        return [row["patient"] for row in rows]

    async def counted(self) -> Counted:
        """How it stands with all results, naming nobody: `lost` is to be none."""
        row = await self._whole.fetchrow(_SQL["counted"])
        assert row is not None
        return Counted(*row)
