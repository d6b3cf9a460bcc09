"""What a search would cost, asked of PostgreSQL's planner before anything is read."""

from __future__ import annotations

import json
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.record.database import Database

MOST: Final = 250_000.0
"""The planner's units: one is a page read in order; so many take about two seconds."""

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


async def expected(database: Database, statement: str, values: list[Any]) -> tuple[float, int]:
    """The planner's cost of a statement, and how many rows it expects."""
    told = await database.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return float(plan["Total Cost"]), int(plan["Plan Rows"])
