"""http://hl7.org/fhir/R4/http.html#history: every version of a type's resources, newest first."""

from __future__ import annotations

from typing import Final

from helsevev.access.history import HistoryPage, Period
from helsevev.fhir_api.answer import Answer
from helsevev.fhir_api.history_period import answer_page
from helsevev.fhir_api.interaction import Doors, Interaction
from helsevev.fhir_api.request import Request


async def answer(doors: Doors, request: Request) -> Answer:
    """200 with a history Bundle of what the actor may see."""
    resource_type = request.segments[0]

    async def open_page(period: Period, count: int, cursor: str | None) -> HistoryPage:
        return await doors.history.of_type(
            request.actor, resource_type, period=period, count=count, cursor=cursor
        )

    return await answer_page(request, open_page)


INTERACTION: Final = Interaction("history-type", answer)
