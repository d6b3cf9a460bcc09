"""Everything about an inhabitant or an encounter, with whom and what it names, through the gate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate
from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import error
from helsevev.record import everything, keys
from helsevev.record.everything import Part
from helsevev.record.store import Stored

MOST: Final = 10_000
"""Most resources of one page, whatever is asked."""

# In bytes as the record writes them; contained resources and texts cannot look like this.
_REFERENCE: Final = re.compile(rb'"reference":"([A-Z][A-Za-z]{2,30})/([A-Za-z0-9\-.]{1,64})["/]')


@dataclass(frozen=True, slots=True)
class EverythingPage:
    """What is kept with the inhabitant, what that names elsewhere, and where to go on."""

    matches: list[Stored]
    included: list[Stored]
    next_cursor: str | None


class Everything:
    """Opens whole records, on top of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def of_patient(
        self, actor: Actor, patient_id: str, part: Part, *, count: int | None, cursor: str
    ) -> EverythingPage:
        """One page. Raises `NotFound`, `Gone`, `Refused`, or `Invalid` for a bad cursor."""
        patient = await self._gate.open_resource(actor, "Patient", patient_id)
        return await self._page(actor, patient.patient, part, count, cursor)

    async def of_encounter(
        self, actor: Actor, encounter_id: str, part: Part, *, count: int | None, cursor: str
    ) -> EverythingPage:
        """The same of an encounter of somebody's; `part.encounter` is its id."""
        stored = await self._gate.open_resource(actor, "Encounter", encounter_id)
        if stored.patient <= keys.REFERENCE:
            raise NotFound(f"A patient of Encounter/{encounter_id}")
        return await self._page(actor, stored.patient, part, count, cursor)

    async def _page(
        self, actor: Actor, patient: int, part: Part, count: int | None, cursor: str
    ) -> EverythingPage:
        resource_type, slash, resource_id = cursor.partition("/")
        if cursor and (not slash or "\x00" in cursor or resource_type not in RESOURCE_TYPES):
            raise Invalid([error("value", "This _cursor was not given here.", "_cursor")])
        most = MOST if count is None else min(count, MOST)
        store = self._gate.store
        after = (resource_type, resource_id) if cursor else keys.BEFORE_ALL
        found = await everything.page(store.shown, patient, part, after, most + 1)
        # A page that is cut short by its size does not say whether it is the last.
        more = len(found) > most or _is_large(found)
        last = found[:most][-1:]
        matches = app_bounds.shown(actor, found[:most], "everything")
        matches = await self._gate.allow_read(actor, matches, "everything", "$everything")
        wanted = _named(matches, part.types)
        included = await store.read_many(wanted) if wanted else {}
        seen = await self._gate.visible(actor, list(included.values()), "everything")
        following = last[0].reference if more and last else None
        return EverythingPage(matches, seen, following)


def _is_large(rows: Iterable[Stored]) -> bool:
    return sum(len(stored.packed) for stored in rows) >= everything.MOST_BYTES


def _named(rows: Iterable[Stored], types: tuple[str, ...]) -> set[tuple[str, str]]:
    """The reference data (staff, units, medicines) that the resources name."""
    found = {match for stored in rows for match in _REFERENCE.findall(stored.json)}
    places = {(kind.decode(), resource_id.decode()) for kind, resource_id in found}
    return {
        (kind, resource_id)
        for kind, resource_id in places
        if kind in RESOURCE_TYPES and not is_clinical(kind) and (not types or kind in types)
    }


__all__ = ["MOST", "Everything", "EverythingPage", "Part"]
