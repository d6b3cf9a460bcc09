"""Which profiles, tags and security labels are in use: in a type, or in the whole record."""

from __future__ import annotations

from typing import Any, Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Unprocessable
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.meta_labels import added, labels
from helsevev.fhir.outcome import error
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.database import TookTooLong
from helsevev.record.statements import load
from helsevev.record.store import Stored

PATIENCE: Final = 20.0
"""Seconds that looking for them may take."""

REFUSED: Final = "Which labels are in use across inhabitants is told to systems only."
_SQL: Final = load("labels")
_INTERACTION: Final = "meta"


class LabelsInUse:
    """Tells the labels that current resources have, whoever they are about."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def of(self, actor: Actor, resource_type: str | None = None) -> dict[str, Any]:
        """A Meta with each label once; of one type, or (None) of all.

        Raises `Refused` for those who may not read all of it, and `Unprocessable` when it takes
        too long.
        """
        await self._decide(actor, resource_type)
        database = self._gate.store.shown
        try:
            rows = await database.fetch_within(PATIENCE, _SQL["combinations"], resource_type)
        except TookTooLong:
            text = f"Looking for the labels takes more than {PATIENCE:g} seconds here."
            raise Unprocessable([error("too-costly", text)]) from None
        found: dict[str, Any] = {}
        for row in rows:
            found = added(found, labels(Stored(*row).resource))
        # The order of rows is no order that means anything.
        return {
            name: sorted(each, key=_shown) for name, each in found.get("meta", {}).items()
        }  # fmt: skip

    async def _decide(self, actor: Actor, resource_type: str | None) -> None:
        types = RESOURCE_TYPES if resource_type is None else (resource_type,)
        if actor.kind != "system":
            decision = Decision(False, "none", REFUSED)
        elif not all(app_bounds.reads_whole(actor, kind) for kind in types):
            decision = app_bounds.outside()
        else:
            author = author_of(actor, _INTERACTION, "SYSADMIN", basis="system")
            target = f"{resource_type or ''}/$meta".removeprefix("/")
            row = audit_row(keys.REFERENCE, 0, clock.now(), author, target, action="read")
            await self._gate.trail.keep(row)
            return
        await self._gate.refuse(actor, keys.REFERENCE, decision, _INTERACTION)


def _shown(label: Any) -> tuple[str, str]:
    if type(label) is str:
        return label, ""
    return str(label.get("system", "")), str(label.get("code", ""))
