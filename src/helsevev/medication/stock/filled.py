"""What is filled for a patient beside the list as it stands, and the task to change it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.errors import AccessError
from helsevev.access.fillings import Fillings
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.reading import full_name, moment, text
from helsevev.kit import clock
from helsevev.kit.background import Background
from helsevev.medication.round import governing
from helsevev.medication.shelf.dispensing import Change, Filling, changes, fillings, newest
from helsevev.medication.shelf.refilling import REFILL, is_refill_of, refill_key, refill_task

_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 20), Slice("MedicationRequest", 300),
    Slice("MedicationDispense", 300), Slice("Task", 100),
)  # fmt: skip
EVERY: Final = 5.0
"""Seconds between two looks at what was changed."""
_RESTING: Final = 20.0
_log = logging.getLogger(__name__)


class Filled(Struct, frozen=True):
    """One patient's fillings, what has changed since, and the orders that stand."""

    patient_id: str
    name: str
    birth_date: str
    fillings: tuple[Filling, ...]
    changed: Mapping[str, tuple[Change, ...]]
    orders: tuple[Mapping[str, Any], ...]
    encounters: tuple[Mapping[str, Any], ...]
    tasks: tuple[Mapping[str, Any], ...]

    @property
    def governing(self) -> list[Mapping[str, Any]]:
        """The orders that doses are given by now."""
        return governing(self.orders, self.encounters)

    @property
    def in_use(self) -> list[Filling]:
        """Of each kind the newest that lasts."""
        return newest(self.fillings, clock.now())

    @property
    def needs_change(self) -> bool:
        """Whether something that is in use is otherwise than the list."""
        return any(self.changed.get(each.id) for each in self.in_use)


async def open_filled(
    services: Services, actor: Actor, patient_id: str, *, interaction: str = "filling"
) -> Filled:
    """A patient's fillings beside the list, decided and audited. Raises `Refused`."""
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, _SLICES, interaction=interaction
    )
    patient = next(iter(found["Patient"]), {})
    born = moment(patient.get("birthDate"))
    orders, given_by = (
        found["MedicationRequest"],
        governing(found["MedicationRequest"], found["Encounter"]),
    )
    listed = fillings(found["MedicationDispense"])
    return Filled(
        patient_id=patient_id,
        name=full_name(patient.get("name")),
        birth_date=born.text if born else "",
        fillings=tuple(listed),
        changed={
            each.id: tuple(changes(each, orders, given_by)) for each in newest(listed, clock.now())
        },
        orders=tuple(orders),
        encounters=tuple(found["Encounter"]),
        tasks=tuple(found["Task"]),
    )


async def tell_of_changes(services: Services, actor: Actor, filled: Filled) -> int:
    """Write the task for each filling that is otherwise than the list; how many were asked for.

    The same changes are the same task, however often and by how many it is looked at.
    """
    asked = 0
    for filling in filled.in_use:
        found = filled.changed.get(filling.id, ())
        if not found:
            continue
        key = refill_key(filling, found)
        if any(key in _keys(task) for task in filled.tasks):
            continue
        task = refill_task(filling, found, filled.patient_id, clock.now())
        entries = [created(task, only_once={"identifier": f"{REFILL}|{key}"})]
        # What was asked before is part of what is asked now.
        entries += [
            replaced({**each, "status": "cancelled"})
            for each in filled.tasks if is_refill_of(each, filling.id)
        ]  # fmt: skip
        await services.bundles.transact(actor, transaction(entries))
        asked += 1
    return asked


class FillingsFollowed(Background):
    """Tells units when the list of somebody changes for whom they have filled a dosette or bags.

    At the start everybody is looked at, then whoever's orders change, whichever door they came in
    through.
    """

    name = "fillings"

    def __init__(self, services: Services) -> None:
        self._services = services
        self.fillings = Fillings(services.gate)

    async def look(self, patients: list[int]) -> int:
        """Look at what is filled for some inhabitants; how many tasks were asked for."""
        asked = 0
        for patient in patients:
            patient_id = await self.fillings.patient_id(patient)
            if patient_id is None:
                continue
            try:
                filled = await open_filled(self._services, SYSTEM, patient_id)
                asked += await tell_of_changes(self._services, SYSTEM, filled)
            except AccessError as problem:
                # Somebody wrote meanwhile; the change of that is looked at next.
                _log.info("A filling could not be looked at: %s", problem)
            await asyncio.sleep(0)
        return asked

    async def _go_on(self) -> None:
        place = None
        while True:
            try:
                if place is None:
                    place = await self.fillings.now()
                    await self.look(await self.fillings.all(clock.now()))
                found, after = await self.fillings.changed(place, clock.now())
                await self.look(found)
                moved, place = after != place, after
                await asyncio.sleep(0 if moved else EVERY)
            except Exception as problem:  # noqa: BLE001 - it waits; care does not
                _log.warning("Fillings could not be followed; trying again: %s", problem)
                await asyncio.sleep(_RESTING)


def _keys(task: Mapping[str, Any]) -> set[str]:
    return {
        text(each.get("value"))
        for each in task.get("identifier", ())
        if each.get("system") == REFILL
    }
