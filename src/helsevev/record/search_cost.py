"""What a search may cost: it is run for a moment, and the planner is asked when that is too short.

Most searches take a millisecond or two, and asking the planner first would cost as much again. So
a statement is run at once, stopped after `QUICK`, and only then explained: what the planner
expects to read too much is refused with what to change, the rest gets the time it needs. A
statement that was stopped once is explained first from then on, until it is quick again, so that
costly ones do not spend that moment each time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.record.database import Database, Row, TookTooLong

QUICK: Final = 0.25
"""Seconds for which a statement is run without asking what it will cost."""

MOST: Final = 250_000.0
"""The planner's units: one is a page read in order; so many take about two seconds."""

SECONDS: Final = 10.0
"""One statement of a search is stopped after this: five times what the planner's limit comes to, so
that a busy machine refuses nothing that it would allow when quiet."""

ADVICE: Final = (
    "Name an inhabitant (patient=Patient/…), or a code, an identifier or a reference that few"
    " have; or give a shorter time."
)

_MOST_REMEMBERED: Final = 500


class TooCostly(SearchError):
    """The search would read too much; the words say what to change."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__([error("too-costly", text, name)])


class Costs:
    """Runs the statements of searches over one database, and refuses those that cost too much."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._slow: dict[str, None] = {}
        """Statements that were not quick the last time."""

    async def fetch(
        self, statement: str, values: Sequence[Any], *, fenced: str = "", advice: str = ADVICE
    ) -> list[Row]:
        """The rows of a search's statement.

        `fenced` is the same in words that let the planner hope for nothing: all that matches is
        found and then ordered. What is not quick in the order asked for is answered so, if it can.
        Raises `TooCostly` when it is not quick and the planner expects it to cost more than
        `MOST`, or when it takes longer than `SECONDS`: the planner errs where values hang together.
        """
        if statement not in self._slow:
            try:
                return await self._database.fetch_within(QUICK, statement, *values)
            except TookTooLong:
                self._remember(statement)
        if fenced and (await self.expected(fenced, values))[0] <= MOST:
            return await self._at_length(fenced, values)
        await self._refuse_if_costly(statement, values, advice)
        begun = time.monotonic()
        rows = await self._at_length(statement, values)
        if time.monotonic() - begun < QUICK:
            self._slow.pop(statement, None)
        return rows

    async def fetch_quick(self, statement: str, values: Sequence[Any]) -> list[Row] | None:
        """The rows of a statement when it is quick, or None."""
        if statement in self._slow:
            return None
        try:
            return await self._database.fetch_within(QUICK, statement, *values)
        except TookTooLong:
            self._remember(statement)
            return None

    async def glance(self, statement: str, values: Sequence[Any]) -> list[Row] | None:
        """The rows of a statement when it is quick this time, or None: its values decide that."""
        try:
            return await self._database.fetch_within(QUICK, statement, *values)
        except TookTooLong:
            return None

    async def expected(self, statement: str, values: Sequence[Any]) -> tuple[float, int]:
        """The planner's cost of a statement, and how many rows it expects."""
        told = (await self._at_length(f"EXPLAIN (FORMAT JSON) {statement}", values))[0][0]
        plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
        return float(plan["Total Cost"]), int(plan["Plan Rows"])

    async def _refuse_if_costly(self, statement: str, values: Sequence[Any], advice: str) -> None:
        cost, _ = await self.expected(statement, values)
        if cost > MOST:
            times = f"{cost / MOST:.0f}"
            text = f"This search would read too much of the record ({times} times the limit)."
            raise TooCostly(f"{text} {advice}")

    async def _at_length(self, statement: str, values: Sequence[Any]) -> list[Row]:
        try:
            return await self._database.fetch_within(SECONDS, statement, *values)
        except TookTooLong as problem:
            text = f"This search was stopped after {SECONDS:g} seconds."
            raise TooCostly(f"{text} {ADVICE}") from problem

    def _remember(self, statement: str) -> None:
        if len(self._slow) >= _MOST_REMEMBERED:
            del self._slow[next(iter(self._slow))]
        self._slow[statement] = None
