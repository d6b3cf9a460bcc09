"""What a search may cost: the planner is asked before anything is read, the clock while it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.record.database import Database, Row, TookTooLong

MOST: Final = 250_000.0
"""The planner's units: one is a page read in order; so many take about two seconds."""

SECONDS: Final = 10.0
"""One statement of a search is stopped after this: five times what the planner's limit comes to, so
that a busy machine refuses nothing that it would allow when quiet."""

ADVICE: Final = (
    "Name an inhabitant (patient=Patient/…), or a code, an identifier or a reference that few"
    " have; or give a shorter time."
)


class TooCostly(SearchError):
    """The search would read too much; the words say what to change."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__([error("too-costly", text, name)])


async def refuse_if_costly(
    database: Database, statement: str, values: list[Any], *, advice: str = ADVICE
) -> None:
    """Raises `TooCostly` when the planner expects the statement to cost more than `MOST`."""
    cost, _ = await expected(database, statement, values)
    if cost > MOST:
        text = f"This search would read too much of the record ({cost / MOST:.0f} times the limit)."
        raise TooCostly(f"{text} {advice}")


async def fetch(database: Database, statement: str, values: Iterable[Any]) -> list[Row]:
    """The rows of a search's statement. Raises `TooCostly` when it takes longer than `SECONDS`.

    The planner errs where values hang together; what it foresaw as little is stopped here.
    """
    try:
        return await database.fetch_within(SECONDS, statement, *values)
    except TookTooLong as problem:
        text = f"This search was stopped after {SECONDS:g} seconds."
        raise TooCostly(f"{text} {ADVICE}") from problem


async def expected(database: Database, statement: str, values: list[Any]) -> tuple[float, int]:
    """The planner's cost of a statement, and how many rows it expects."""
    told = (await fetch(database, f"EXPLAIN (FORMAT JSON) {statement}", values))[0][0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return float(plan["Total Cost"]), int(plan["Plan Rows"])
