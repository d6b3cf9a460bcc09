"""Histories as the gate opens them: decided for each inhabitant in them, and audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate
from helsevev.fhir.outcome import Issue
from helsevev.record import history, keys
from helsevev.record.history import NEWEST, Found, Period, Position
from helsevev.record.store import Stored

MOST: Final = 1000
"""Most versions in one page."""

ALWAYS: Final = Period()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Versions, newest first; `total` when it is known; `next_cursor` when there may be more."""

    versions: list[Stored]
    total: int | None
    next_cursor: str | None


class History:
    """Opens what was, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.shown

    async def of_instance(
        self,
        actor: Actor,
        resource_type: str,
        resource_id: str,
        *,
        period: Period = ALWAYS,
        count: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """The versions of one resource, deletions included.

        Raises `NotFound` when there never was one, `Refused`, or `Invalid` for a bad cursor.
        """
        await self._gate.reach(actor, [(resource_type, resource_id)])
        current = await self._gate.store.read(resource_type, resource_id)
        if current is None:
            await self._gate.tell_closed(actor, resource_type, resource_id, "history-instance")
            raise NotFound(f"{resource_type}/{resource_id}")
        if not await self._gate.allow_read(actor, [current], "history-instance"):
            raise NotFound(f"{resource_type}/{resource_id}")
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise _bad_cursor()
        below = None if cursor is None else int(cursor)
        most = min(count, MOST)
        found = await history.of_instance(self._database, current, below, period, most + 1)
        following = str(found[most - 1].version) if len(found) > most > 0 else None
        # An app may be let in to some versions of a resource alone.
        seen = app_bounds.shown(actor, found[:most], "history-instance")
        seen = await self._gate.as_seen(actor, seen)
        whole = period == ALWAYS and actor.scopes is None
        return HistoryPage(seen, current.version if whole else None, following)

    async def of_type(
        self,
        actor: Actor,
        resource_type: str,
        *,
        period: Period = ALWAYS,
        count: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """The versions of every resource of a type that the actor may see."""
        most, before = min(count, MOST), _position(cursor)
        await self._gate.permits.reach_all(actor)
        found = await history.of_all(self._database, resource_type, before, period, most + 1)
        return await self._page(actor, found, most, "history-type", f"{resource_type}/_history")

    async def of_system(
        self,
        actor: Actor,
        *,
        period: Period = ALWAYS,
        count: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """The versions of everything that the actor may see."""
        most, before = min(count, MOST), _position(cursor)
        await self._gate.permits.reach_all(actor)
        found = await history.of_all(self._database, None, before, period, most + 1)
        return await self._page(actor, found, most, "history-system", "_history")

    async def of_patient(
        self,
        actor: Actor,
        patient_id: str,
        *,
        period: Period = ALWAYS,
        count: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """The versions of everything kept with one inhabitant. Raises `Refused`."""
        await self._gate.open_chart(actor, patient_id, interaction="history-patient")
        most, before = min(count, MOST), _position(cursor)
        patient = keys.patient_key(patient_id)
        found = await history.of_patient(self._database, patient, before, period, most + 1)
        return await self._page(
            actor, found, most, "history-patient", f"Patient/{patient_id}/_history"
        )

    async def _page(
        self, actor: Actor, found: Found, most: int, interaction: str, target: str
    ) -> HistoryPage:
        shown = found[:most]
        following = str(shown[-1][0]) if shown and len(found) > most else None
        versions = [stored for _, stored in shown]
        seen = await self._gate.visible(actor, versions, interaction, target)
        if not seen:
            await self._gate.trace_nothing(actor, interaction, target)
        return HistoryPage(seen, None, following)


def _position(cursor: str | None) -> Position:
    if cursor is None:
        return NEWEST
    try:
        return Position.parse(cursor)
    except ValueError:
        raise _bad_cursor() from None


def _bad_cursor() -> Invalid:
    return Invalid([Issue("error", "value", "This _cursor was not given by the server.")])


__all__ = ["History", "HistoryPage", "Period"]
