"""Tables of the record by SQL-on-FHIR's views, through the gate: decided, traced, one moment."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.export.asked import Asked
from helsevev.access.export.carrying_out import selection_of, trace
from helsevev.access.export.exports import Exports
from helsevev.access.gate import Gate
from helsevev.content import loading
from helsevev.fhir.outcome import error
from helsevev.fhir.views.compiling import Row, Table, table_of
from helsevev.fhir.views.definition import ViewError
from helsevev.record.snapshot import opened_snapshot
from helsevev.record.store import Stored

INTERACTION = "viewdefinition-run"

PATIENCE: Final = 20.0
"""Seconds that the rows of one run may take, unless a system asks: anybody may write a view."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a view is made of: the record, or only some inhabitants of it; or these resources."""

    patients: tuple[str, ...] | None = None
    since: datetime | None = None
    limit: int | None = None
    resources: Sequence[dict[str, Any]] = field(default=())


class Views:
    """Opens the record as tables, on top of the gate."""

    def __init__(self, gate: Gate, exports: Exports) -> None:
        self._gate = gate
        self._exports = exports

    async def decide(self, actor: Actor, run: Run) -> None:
        """That the actor may: one's own records one by one, the whole only a system's.

        Raises `Refused`, audited.
        """
        if run.resources:
            return
        if actor.kind == "system" or run.patients is None:
            await self._exports.decide(actor)
            return
        for patient in run.patients:
            await self._gate.open_chart(actor, patient, interaction=INTERACTION)

    async def rows(self, actor: Actor, table: Table, run: Run) -> AsyncIterator[list[Row]]:
        """The rows, page by page. `decide` comes first. Raises `Invalid` for what the data tell."""
        left = run.limit
        async for page in self._pages(actor, table, run):
            found = page if left is None else page[:left]
            if found:
                yield found
            if left is not None:
                left -= len(found)
                if left <= 0:
                    return

    async def _pages(self, actor: Actor, table: Table, run: Run) -> AsyncIterator[list[Row]]:
        until = math.inf if actor.kind == "system" else time.monotonic() + PATIENCE
        if run.resources:
            yield await asyncio.to_thread(_rows, table, run.resources, until)
            return
        asked = Asked(types=(table.resource,), patients=run.patients, since=run.since)
        async with opened_snapshot(self._gate.store.shown) as snapshot:
            async for page in snapshot.pages(selection_of(asked)):
                page = await self._gate.as_seen(actor, app_bounds.shown(actor, page, INTERACTION))
                await trace(self._gate, actor, page, INTERACTION)
                yield await asyncio.to_thread(_rows_of_stored, table, page, until)


def _rows(table: Table, resources: Iterable[dict[str, Any]], until: float) -> list[Row]:
    found: list[Row] = []
    try:
        for resource in resources:
            found += table.rows(resource)
            if time.monotonic() > until:
                text = f"The view takes more than {PATIENCE:g} seconds. Ask for less of it."
                raise Invalid([error("too-costly", text)])
    except ViewError as problem:
        raise Invalid(problem.issues) from problem
    return found


def _rows_of_stored(table: Table, page: Sequence[Stored], until: float) -> list[Row]:
    return _rows(table, (stored.resource for stored in page), until)


def compiled(definition: dict[str, Any]) -> Table:
    """The table of a ViewDefinition. Raises `Invalid` that says what is wrong and where."""
    try:
        return table_of(definition)
    except ViewError as problem:
        raise Invalid(problem.issues) from problem


@cache
def offered() -> Mapping[str, dict[str, Any]]:
    """The ViewDefinitions that come as content, by id."""
    return MappingProxyType({view.id: view.definition() for view in loading.views().view})


def named(view_id: str) -> dict[str, Any]:
    """A view that comes as content. Raises `NotFound`."""
    found = offered().get(view_id)
    if found is None:
        raise NotFound(f"ViewDefinition/{view_id[:80]}")
    return found
