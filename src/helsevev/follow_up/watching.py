"""The job that moves on what nobody answered by its deadline, and tells of lists nobody opens.

Its whole state is in the tasks: a process that is killed leaves the next one the rest, and two that
look at once take each step once. It says each time that it has looked, so that others see when it
has not.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.services import Services
from helsevev.content.loading import follow_up
from helsevev.fhir.reading import reference_key, reference_text, text
from helsevev.follow_up.coding import Who
from helsevev.follow_up.escalating import escalated
from helsevev.follow_up.standing import standing_of
from helsevev.kit import clock
from helsevev.kit.background import Background

EVERY: Final = 2.0
"""Seconds between two looks."""
_RESTING: Final = 10.0
_BATCH: Final = 100
_log = logging.getLogger(__name__)


class Escalation(Background):
    """Looks for what is overdue, for as long as it runs."""

    name = "escalation"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def look(self) -> int:
        """Take every step that is due now; how many tasks went on. Raises `DatabaseError`."""
        rules, waiting = follow_up(), self._services.waiting
        longest = timedelta(minutes=rules.late_minutes)
        passed = await waiting.beat(clock.now(), longest)
        if passed > longest:
            _log.warning("Nobody had looked for what is overdue for %s.", passed)
        moved = 0
        while due := await waiting.due(clock.now(), _BATCH):
            done = sum([await self._move_on(each) for each in due])
            moved += done
            if not done:
                break  # Others write to them at this moment; they are looked at again soon.
        for unit, since in await waiting.lying_unopened(
            timedelta(hours=rules.unopened_hours), _BATCH
        ):
            own, above = await self._above(unit)
            told = above or own
            await waiting.tell_unopened(unit, own.name, told.reference, since)
        return moved

    async def _move_on(self, task_id: str) -> bool:
        """Take a task's steps that are due; False when somebody else was first."""
        found = await self._services.gate.open_many(
            SYSTEM, [("Task", task_id)], interaction="escalation"
        )
        task = found.get(("Task", task_id))
        if task is None:
            return False
        unit = standing_of(task).unit.reference
        above = (await self._above(unit))[1] if unit else None
        after = escalated(task, clock.now(), above)
        if after is None:
            return False
        try:
            version = int(text(task["meta"]["versionId"]))
            await self._services.writer.write(SYSTEM, after, if_match=version)
        except AccessError as problem:
            _log.info("Task/%s was not moved on, and is looked at again: %s", task_id, problem)
            return False
        return True

    async def _above(self, unit: str) -> tuple[Who, Who | None]:
        """(the unit by its name, the organisation that it is part of)."""
        own = await self._organisation(unit)
        part_of = reference_key(own.get("partOf"))
        named = Who(unit, text(own.get("name")))
        if not part_of.startswith("Organization/"):
            return named, None
        name = reference_text(own.get("partOf")) or text(
            (await self._organisation(part_of)).get("name")
        )
        return named, Who(part_of, name)

    async def _organisation(self, reference: str) -> dict[str, Any]:
        place = ("Organization", reference.removeprefix("Organization/"))
        found = await self._services.gate.open_many(SYSTEM, [place], interaction="escalation")
        return found.get(place, {})

    async def _go_on(self) -> None:
        while True:
            try:
                await self.look()
                await asyncio.sleep(EVERY)
            except Exception as problem:  # noqa: BLE001 - it waits; care does not
                _log.warning("What is overdue could not be looked for; trying again: %s", problem)
                await asyncio.sleep(_RESTING)
