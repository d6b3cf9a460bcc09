"""The worker processes: each gets a portion when it has room, and reports on it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
from collections.abc import Callable
from typing import Final

from helsevev.fhir_api.bulk_import import wire, worker
from helsevev.fhir_api.bulk_import.portion import Mode, Portion, Report
from helsevev.kit.chapter import CommandContext

MOST_WORKERS: Final = 8
_AT_ONCE: Final = 2
"""Portions at a worker: it works one out while PostgreSQL writes the other."""

_MOST_BYTES: Final = 96 * 1024 * 1024
"""Bytes of text at all workers together; one larger text is alone."""


class Lost(Exception):
    """A worker has ended, or the database went away: the import cannot go on."""


class Crew:
    """Workers, forked before anything else is opened so that they share no connection."""

    def __init__(self, context: CommandContext, mode: Mode, size: int | None = None) -> None:
        size = size or min(os.cpu_count() or 1, MOST_WORKERS)
        pairs = [socket.socketpair() for _ in range(size)]
        self.links = [ours for ours, _ in pairs]
        forking = multiprocessing.get_context("fork")
        self._processes = []
        for n, (_, theirs) in enumerate(pairs):
            others = [*self.links, *(end for m, (_, end) in enumerate(pairs) if m > n)]
            process = forking.Process(
                target=worker.run, args=(theirs, others, context, mode), daemon=True
            )
            process.start()
            theirs.close()
            self._processes.append(process)

    def end(self) -> None:
        """Wait for workers that have been told to stop, and end those that do not."""
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


class Hub:
    """Hands out portions and collects reports, while the workers live."""

    def __init__(self, crew: Crew, told: Callable[[Portion, Report], None]) -> None:
        self._crew = crew
        self._told = told
        self._writers: list[asyncio.StreamWriter] = []
        self._given: list[dict[int, Portion]] = []
        self._listeners: list[asyncio.Task[None]] = []
        self._changed = asyncio.Condition()
        self._failure = ""

    async def open(self) -> None:
        """Connect to the workers."""
        for n, link in enumerate(self._crew.links):
            reader, writer = await asyncio.open_connection(sock=link)
            self._writers.append(writer)
            self._given.append({})
            self._listeners.append(asyncio.create_task(self._listen(n, reader)))

    async def give(self, portion: Portion) -> None:
        """Hand it to the worker with least to do, when there is room. Raises `Lost`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._failure or self._has_room(portion))
            if self._failure:
                raise Lost(self._failure)
            n = min(range(len(self._given)), key=lambda n: len(self._given[n]))
            self._given[n][portion.serial] = portion
        wire.send(self._writers[n], portion)
        await self._writers[n].drain()

    async def finish(self) -> None:
        """Wait until everything given has been reported on. Raises `Lost`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._failure or not any(self._given))
        if self._failure:
            raise Lost(self._failure)

    async def close(self) -> None:
        """Tell the workers to stop."""
        for writer in self._writers:
            writer.close()
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)

    def _has_room(self, portion: Portion) -> bool:
        if not any(self._given):
            return True
        given = [p for portions in self._given for p in portions.values()]
        if sum(len(p.text) for p in given) + len(portion.text) > _MOST_BYTES:
            return False
        return any(len(portions) < _AT_ONCE for portions in self._given)

    async def _listen(self, n: int, reader: asyncio.StreamReader) -> None:
        async for report in wire.received(reader, Report):
            portion = self._given[n][report.serial]
            if not report.fatal:
                self._told(portion, report)
            async with self._changed:
                del self._given[n][report.serial]
                self._failure = self._failure or report.fatal
                self._changed.notify_all()
        async with self._changed:
            self._failure = self._failure or "A worker of the import has ended unexpectedly."
            self._changed.notify_all()
