"""What is filled for a patient beside the list as it stands, and the task to change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.fillings import Fillings
from helsevev.access.following import Following
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.reading import birth_date, full_name, text
from helsevev.kit import clock
from helsevev.medication.round import governing
from helsevev.medication.shelf.dispensing import Change, Filling, changes, fillings, newest
from helsevev.medication.shelf.refilling import REFILL, is_refill_of, refill_key, refill_task

_SLICES: Final = (
    Slice("Patient", 1), Slice("Encounter", 20), Slice("MedicationRequest", 300),
    Slice("MedicationDispense", 300), Slice("Task", 100),
)  # fmt: skip


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
    orders, given_by = (
        found["MedicationRequest"],
        governing(found["MedicationRequest"], found["Encounter"]),
    )
    listed = fillings(found["MedicationDispense"])
    return Filled(
        patient_id=patient_id,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
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


class FillingsFollowed(Following):
    """Tells units when the list of somebody changes for whom they have filled a dosette or bags."""

    name = "fillings"
    every = 5.0

    def __init__(self, services: Services) -> None:
        super().__init__(Fillings(services.gate))
        self._services = services

    async def look_at(self, patient_id: str) -> int:
        """Look at what is filled for one inhabitant; how many tasks were asked for."""
        filled = await open_filled(self._services, SYSTEM, patient_id)
        return await tell_of_changes(self._services, SYSTEM, filled)


def _keys(task: Mapping[str, Any]) -> set[str]:
    return {
        text(each.get("value"))
        for each in task.get("identifier", ())
        if each.get("system") == REFILL
    }
