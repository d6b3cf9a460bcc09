"""What the unit's patients will use: the doses due in the coming days, as plans stand now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Refused
from helsevev.access.people import Found
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.reading import OSLO
from helsevev.fhir.recurrence import Span
from helsevev.medication.coding import MULTIDOSE, flag
from helsevev.medication.leave import leaves_of
from helsevev.medication.round import governing, name_of
from helsevev.medication.round_times import times_of
from helsevev.medication.stock.ordering import Planned
from helsevev.medication.timing import Standing, due

_ENDED: Final = ("completed", "cancelled", "entered-in-error", "draft", "stopped")
_SLICES: Final = (Slice("Encounter", 20), Slice("MedicationRequest", 300, _ENDED))
_AT_ONCE: Final = 4


async def planned_doses(
    services: Services, actor: Actor, now: datetime, days: int
) -> tuple[list[Planned], int]:
    """What will be given to the patients the actor may open, and how many patients that is.

    What comes in multidose bags or is the patient's own takes nothing of the unit's stock.
    """
    people = [each for each in await services.people.mine(actor) if each.may_open]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(person: Found) -> Sequence[Planned] | None:
        async with turns:
            try:
                return await _of_patient(services, actor, person.patient_id, now, days)
            except Refused:
                return None  # It was closed while the list was drawn.

    found = [each for each in await asyncio.gather(*map(one, people)) if each is not None]
    return [planned for each in found for planned in each], len(found)


async def _of_patient(
    services: Services, actor: Actor, patient_id: str, now: datetime, days: int
) -> list[Planned]:
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, _SLICES, interaction="stock-order"
    )
    within, leaves = (
        Span(now, now + timedelta(days=days)),
        leaves_of([[Standing(now, stay)] for stay in found["Encounter"]]),
    )
    times = times_of(actor.organisations)
    made = []
    for order in governing(found["MedicationRequest"], found["Encounter"]):
        if flag(order, MULTIDOSE):
            continue
        doses = due([Standing(now, order)], within, OSLO, times, leaves)
        if doses:
            made.append(Planned(order, name_of(order), doses))
    return made
