"""Makes the tasks of plans some days ahead by itself, however often it is cut off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.services import Services
from helsevev.care_plan.coding import PLAN_KIND
from helsevev.care_plan.keeping import settle_by_program
from helsevev.fhir.search_query import parse
from helsevev.kit.background import Background

EVERY: Final = 6 * 3600.0
"""Seconds between two rounds; tasks are made three days ahead, so that some may fail."""
_SOON: Final = 20.0
_PAGE: Final = 100
_log = logging.getLogger(__name__)


async def make_ahead(services: Services) -> int:
    """Make the tasks of every plan in force what it asks for now; how many were changed.

    A plan that cannot be settled holds back no other: it is logged, and tried again next time.
    """
    made = 0
    async for plan in _in_force(services):
        try:
            made += await settle_by_program(services, plan)
        except AccessError as problem:
            _log.warning("The tasks of CarePlan/%s were not made: %s", plan.get("id"), problem)
        await asyncio.sleep(0)
    return made


async def _in_force(services: Services) -> AsyncIterator[Mapping[str, Any]]:
    asked = [("status", "active"), ("category", f"{PLAN_KIND}|"), ("_count", str(_PAGE))]
    query = parse("CarePlan", asked, base="")
    while True:
        page = await services.searcher.search(SYSTEM, query)
        for each in page.matches:
            yield each.resource
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


class TasksAhead(Background):
    """Makes tasks ahead some times a day, the first time soon after the start."""

    name = "tasks-of-plans"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def _go_on(self) -> None:
        wait = _SOON
        while True:
            await asyncio.sleep(wait)
            try:
                await make_ahead(self._services)
                wait = EVERY
            except Exception as problem:  # noqa: BLE001 - it waits; care does not
                _log.warning("Tasks of plans could not be made; trying again: %s", problem)
                wait = _SOON * 3
