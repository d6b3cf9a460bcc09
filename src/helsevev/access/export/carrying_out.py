"""One export from one snapshot: page by page to files, every inhabitant met in the audit trail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from helsevev.access import app_bounds
from helsevev.access.actor import Actor
from helsevev.access.export.asked import Asked, query_of
from helsevev.access.export.contents import DELETED, Resources, ResourceTables, Sink, ViewRows
from helsevev.access.export.files import Lines, Written
from helsevev.access.gate import Gate, author_of
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.search_query import Query
from helsevev.fhir.views.definition import view_of
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row, told
from helsevev.record.search import Search
from helsevev.record.snapshot import Selection, Snapshot
from helsevev.record.store import Stored

INTERACTION: Final = "export"
_NOBODY: Final = -(2**62)

Tell = Callable[[int], Awaitable[bool]]
"""Told how many resources have been read; answers False when nobody wants the rest."""


class Cancelled(Exception):
    """Nobody wants the export any longer."""


async def carry_out(
    gate: Gate, actor: Actor, asked: Asked, snapshot: Snapshot, folder: Path, tell: Tell
) -> tuple[list[Written], int]:
    """Write all that is asked for into `folder`; the files, and how many resources were read.

    Raises `Cancelled`, `ViewError`, `OSError` or `DatabaseError`.
    """
    sink = _sink(asked, folder)
    read = 0
    try:
        async for page in _pages(gate, asked, snapshot):
            page = await gate.as_seen(actor, app_bounds.shown(actor, page, INTERACTION))
            await trace(gate, actor, page, INTERACTION)
            # Expanding and writing happen beside the loop that answers others.
            await asyncio.to_thread(sink.take, page)
            read += len(page)
            if not await tell(read):
                raise Cancelled
        files = await asyncio.to_thread(sink.close)
    except BaseException:
        sink.abandon()
        raise
    if asked.since is not None and not asked.views:
        files += await _deletions(actor, asked, snapshot, folder)
    return files, read


def _sink(asked: Asked, folder: Path) -> Sink:
    if asked.views:
        return ViewRows(folder, asked)
    return ResourceTables(folder, asked) if asked.format == "parquet" else Resources(folder, asked)


def selection_of(asked: Asked, types: Sequence[str] = ()) -> Selection:
    """What of a snapshot an export reads, of these types or all that it asks for."""
    patients = None
    if asked.patients is not None:
        patients = tuple({keys.patient_key(patient) for patient in asked.patients})
    usual = Selection()
    return Selection(
        tuple(types) or asked.types,
        patients,
        asked.level == "system" and patients is None,
        asked.since or usual.since,
        asked.until or usual.until,
    )


async def _pages(gate: Gate, asked: Asked, snapshot: Snapshot) -> AsyncIterator[list[Stored]]:
    if asked.views:
        types = tuple({view_of(view).resource for view in asked.views})
        async for page in snapshot.pages(selection_of(asked, types)):
            yield page
        return
    filtered: dict[str, list[Query]] = defaultdict(list)
    for kind, query in asked.filters:
        filtered[kind].append(query_of(kind, query))
    wanted = asked.types or (tuple(sorted(RESOURCE_TYPES)) if filtered else ())
    whole = tuple(kind for kind in wanted if kind not in filtered)
    if whole or not filtered:
        async for page in snapshot.pages(selection_of(asked, whole)):
            yield page
    search = Search(gate.store)
    for kind, queries in filtered.items():
        if not asked.types or kind in asked.types:
            async for page in snapshot.matching(search, queries, selection_of(asked)):
                yield page


async def trace(gate: Gate, actor: Actor, page: Sequence[Stored], interaction: str) -> None:
    """Each inhabitant in a page gets a line in their trail, before any byte is written."""
    now = clock.now()
    purpose = "SYSADMIN" if actor.kind == "system" else "TREAT"
    author = author_of(actor, interaction, purpose, basis=actor.kind)
    read: dict[int, list[Stored]] = defaultdict(list)
    for stored in page:
        read[stored.patient].append(stored)
    rows = [
        audit_row(patient, 0, now, author, told(found, f"${interaction}"), action="read")
        for patient, found in read.items()
    ]
    await gate.trail.keep(*rows)


async def _deletions(actor: Actor, asked: Asked, snapshot: Snapshot, folder: Path) -> list[Written]:
    """Transactions that delete what was deleted (Bulk Data guide, `deleted`).

    Of what is gone nothing tells whether scopes that narrow a type reached it.
    """
    lines = Lines(folder)
    async for places in snapshot.deletions(selection_of(asked)):
        bundles = [
            (
                '{"resourceType":"Bundle","type":"transaction","entry":[{"request":'
                f'{{"method":"DELETE","url":"{kind}/{resource_id}"}}}}]}}'
            ).encode()
            for kind, resource_id in places
            if app_bounds.reads_whole(actor, kind)
        ]
        await asyncio.to_thread(lines.write, DELETED, bundles)
    return lines.close()
