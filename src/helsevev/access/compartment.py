"""Everything kept with one inhabitant, opened through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid
from helsevev.access.gate import Gate
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import Issue
from helsevev.record import compartment, keys
from helsevev.record.store import Stored

MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class CompartmentPage:
    """Resources in the order of type and id; `next_cursor` when there are more."""

    resources: list[Stored]
    next_cursor: str | None


class Compartments:
    """Opens what is kept with an inhabitant, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def of_patient(
        self,
        actor: Actor,
        patient_id: str,
        *,
        types: Sequence[str] = (),
        count: int = 100,
        cursor: str | None = None,
    ) -> CompartmentPage:
        """One page; `types` empty means all. Raises `Refused`, or `Invalid` for a bad cursor."""
        await self._gate.open_chart(actor, patient_id, interaction="search-compartment")
        after = keys.BEFORE_ALL
        if cursor is not None:
            resource_type, slash, resource_id = cursor.partition("/")
            if not slash or "\x00" in cursor or resource_type not in RESOURCE_TYPES:
                raise Invalid([Issue("error", "value", "This _cursor was not given here.")])
            after = (resource_type, resource_id)
        most = min(count, MOST)
        patient = keys.patient_key(patient_id)
        database = self._gate.store.shown
        found = await compartment.of_patient(database, patient, after, types, most + 1)
        following = found[most - 1].reference if len(found) > most > 0 else None
        seen = app_bounds.shown(actor, found[:most], "search-compartment")
        seen = await self._gate.allow_read(actor, seen, "search-compartment")
        return CompartmentPage(seen, following)
