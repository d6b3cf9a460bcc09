"""Exports as jobs: asked for, carried out one at a time, kept for a day, then removed.

A job that a restart cuts short begins anew with a snapshot of its own; its status says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from helsevev.access import app_bounds
from helsevev.access.actor import Actor, actor_of
from helsevev.access.errors import AccessError, NotFound, Unprocessable
from helsevev.access.export.asked import Asked, asked_of
from helsevev.access.export.carrying_out import INTERACTION, Cancelled, Tell, carry_out
from helsevev.access.export.files import Written
from helsevev.access.gate import Gate
from helsevev.access.policy import Decision
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.outcome import error
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.views.definition import ViewError
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.connection import DatabaseError
from helsevev.record.export_jobs import JobRow, JobRows
from helsevev.record.snapshot import opened_snapshot
from helsevev.record.wall import behind, see_whole

KEPT: Final = timedelta(hours=24)
"""How long the files of an export can be fetched."""

MOST_WAITING: Final = 5
"""Most unfinished exports of one actor."""

REFUSED: Final = "Only systems with a token for the whole record export in bulk."
_LOOK_SECONDS: Final = 30.0
_MOST_STARTS: Final = 5
_TELL_SECONDS: Final = 0.5
_JOB: Final = re.compile(r"[0-9a-f]{32}")

_log = logging.getLogger(__name__)


class TooMany(AccessError):
    """The actor has as many unfinished exports as one may have."""

    def __init__(self) -> None:
        text = f"You have {MOST_WAITING} exports under way. Wait for one, or delete it."
        super().__init__([error("throttled", text)])


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written as of a moment, and how many resources were read for it."""

    at: datetime
    files: list[Written]
    read: int


class Exports:
    """The exports of one record, with their files in `folder`."""

    def __init__(self, gate: Gate, folder: Path | None) -> None:
        self._gate = gate
        self._kept_in = folder
        self._jobs = JobRows(gate.store.database)
        self._rung = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self.are_here = True
        """Whether this process carries out what is asked of it, or leaves that to another."""

    async def decide(self, actor: Actor) -> None:
        """That the actor may read across inhabitants. Raises `Refused`, which is audited."""
        if actor.kind != "system":
            decision = Decision(False, "none", REFUSED)
            await self._gate.refuse(actor, keys.REFERENCE, decision, INTERACTION)

    async def ask(self, actor: Actor, asked: Asked, request: str) -> str:
        """Take on an export; its id. `request` is the URL that asked for it."""
        await self.decide(actor)
        asked = await self._within(actor, asked)
        self._folder_of("")
        await self._gate.trace_nothing(actor, INTERACTION, "$export")
        if await self._jobs.waiting_of(actor.id) >= MOST_WAITING:
            raise TooMany
        job_id, now = secrets.token_hex(16), clock.now()
        encoded = msgspec.json.encode(actor.as_data()).decode()
        await self._jobs.add((job_id, now, now + KEPT, request, actor.id, encoded, asked.encoded()))
        if self.are_here:
            self._start_runner()
            self._rung.set()
        else:
            await self._jobs.tell()
        return job_id

    async def export_to(self, actor: Actor, asked: Asked, folder: Path, tell: Tell) -> Exported:
        """Carry out an export at once, into a folder of the caller's. Raises as `carry_out`."""
        await self.decide(actor)
        async with opened_snapshot(self._gate.store.shown) as snapshot:
            files, read = await carry_out(self._gate, actor, asked, snapshot, folder, tell)
            return Exported(snapshot.at, files, read)

    async def job(self, actor: Actor, job_id: str) -> JobRow:
        """One of the actor's own exports. Raises `NotFound` or `Refused`."""
        await self.decide(actor)
        row = await self._jobs.read(job_id) if _JOB.fullmatch(job_id) else None
        if row is None or row.owner != actor.id or row.expires_at <= clock.now():
            raise NotFound(f"The export {job_id[:40]}")
        if not app_bounds.may_use(actor, actor_of(row.actor)):
            raise NotFound(f"The export {job_id[:40]}")
        return row

    async def remove(self, actor: Actor, job_id: str) -> None:
        """Cancel an export, and remove what it has written."""
        row = await self.job(actor, job_id)
        await self._forget(row.id)

    async def file(self, actor: Actor, job_id: str, name: str) -> tuple[Path, Written]:
        """A file of a finished export. Raises `NotFound` or `Refused`."""
        row = await self.job(actor, job_id)
        found = next((written for written in files_of(row) if written.name == name), None)
        path = self._folder_of(row.id) / name
        if found is None or row.state != "done" or not path.is_file():
            raise NotFound(f"The file {name[:80]} of this export")
        await self._gate.trace_nothing(actor, INTERACTION, f"_export/{row.id}/{name}")
        return path, found

    async def start(self) -> None:
        """Go on with what a restart cut short, and remove what has expired; until `stop`."""
        if self._kept_in is not None:
            await self._jobs.follow(self._rung.set)
            self._start_runner()

    async def stop(self) -> None:
        """End; what is under way is taken up again by the next `start`."""
        if self._runner is not None:
            self._runner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._runner
            self._runner = None

    async def _within(self, actor: Actor, asked: Asked) -> Asked:
        """What is asked for, as far as the scopes of the app reach. Raises `Refused`."""
        if actor.scopes is None or asked.views:
            return asked
        types = asked.types or tuple(sorted(RESOURCE_TYPES))
        reached = app_bounds.reading(actor, types)
        if not reached or (asked.types and reached != asked.types):
            await self._gate.refuse(actor, keys.REFERENCE, app_bounds.outside(), INTERACTION)
        return msgspec.structs.replace(asked, types=reached)

    def _folder_of(self, job_id: str) -> Path:
        if self._kept_in is None:
            raise Unprocessable([error("not-supported", "This server has no folder for exports.")])
        return self._kept_in / job_id

    def _start_runner(self) -> None:
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="exports")

    async def _run(self) -> None:
        while True:
            try:
                for job_id in await self._jobs.expired(clock.now()):
                    await self._forget(job_id)
                for job_id in await self._jobs.waiting():
                    await self._carry_out_walled(job_id)
            except DatabaseError as problem:
                _log.warning("Exports wait for the database: %s", problem)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._rung.wait()
            self._rung.clear()

    async def _forget(self, job_id: str) -> None:
        await self._jobs.remove(job_id)
        await asyncio.to_thread(shutil.rmtree, self._folder_of(job_id), ignore_errors=True)

    async def _carry_out_walled(self, job_id: str) -> None:
        """Whoever asked for it, only a system's export reaches beyond the wall."""
        row = await self._jobs.read(job_id)
        with behind():
            if row is not None and actor_of(row.actor).kind == "system":
                see_whole()
            await self._carry_out(job_id)

    async def _carry_out(self, job_id: str) -> None:
        async with opened_snapshot(self._gate.store.shown) as snapshot:
            if not await snapshot.lock(job_id):
                return  # another process has it
            row = await self._jobs.read(job_id)
            starts = await self._jobs.start(job_id, snapshot.at, await snapshot.expected())
            if row is None or starts is None:
                return
            folder = self._folder_of(job_id)
            await asyncio.to_thread(_emptied, folder)
            outcome: tuple[Any, ...]
            try:
                files, read = await carry_out(
                    self._gate, actor_of(row.actor), asked_of(row.asked), snapshot, folder,
                    self._teller(job_id),
                )  # fmt: skip
                encoded = msgspec.json.encode(files).decode()
                outcome = ("done", "", encoded, read)
            except Cancelled:
                outcome = ("cancelled", "", "[]", 0)
            except (AccessError, SearchError, ViewError, OSError) as problem:
                _log.warning("The export %s failed: %s", job_id, problem)
                outcome = ("failed", str(problem)[:2000], "[]", 0)
            except DatabaseError as problem:
                if starts < _MOST_STARTS:
                    raise
                outcome = ("failed", str(problem)[:2000], "[]", 0)
            except Exception:  # noqa: BLE001 - the log has it, and the job says so
                # One export that nobody foresaw is no reason to carry out no others.
                _log.exception("The export %s failed", job_id)
                outcome = ("failed", "Something went wrong here, and was noted.", "[]", 0)
        now = clock.now()
        if not await self._jobs.finish(job_id, *outcome, now, now + KEPT):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _teller(self, job_id: str) -> Any:
        loop = asyncio.get_running_loop()
        told = loop.time()

        async def tell(read: int) -> bool:
            nonlocal told
            if loop.time() - told < _TELL_SECONDS:
                return True
            told = loop.time()
            return await self._jobs.advance(job_id, read)

        return tell


def files_of(row: JobRow) -> list[Written]:
    """The files that an export left."""
    return msgspec.json.decode(row.files, type=list[Written])


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
