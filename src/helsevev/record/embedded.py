"""The embedded PostgreSQL as its users see it: open, use, close; the last one out stops it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from helsevev.record.keeper import locks
from helsevev.record.keeper.places import Places, State, answers, url

_POLL = 0.02
_WATCH = 0.5
_START_SECONDS = 660
_STOP_SECONDS = 130


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be started; the message says why and what to do."""


class AlreadyServing(Exception):
    """Another server uses the data folder; the message names it and its process."""


class EmbeddedPostgres:
    """One user of a data folder's PostgreSQL; any number may use it at the same time.

    While it is open, PostgreSQL is brought back when it or its keeper is killed: connections
    break, and new ones soon succeed at the same address.
    """

    def __init__(self, data: Path) -> None:
        self._places = Places(data.absolute())
        self._users: int | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Make the data folder if need be, start PostgreSQL if it is not running, and wait for it.

        Returns its URL. Raises `EmbeddedPostgresError`.
        """
        places = self._places
        try:
            places.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._users = locks.open_lock(places.users)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The data folder {places.data} cannot be used: {error.strerror}."
            ) from error
        try:
            # Held exclusively only by a keeper that is stopping PostgreSQL: a matter of seconds.
            while not locks.try_lock(self._users, shared=True):
                await asyncio.sleep(_POLL)
            socket_folder = await self._ready()
        except BaseException:
            self._leave()
            raise
        self._watcher = asyncio.create_task(self._watch())
        return url(socket_folder, places.password.read_text())

    async def stop(self) -> None:
        """Stop using it. When nobody else does, return once PostgreSQL has shut down."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        self._leave()
        users = locks.open_lock(self._places.users)
        try:
            deadline = time.monotonic() + _STOP_SECONDS
            while locks.is_held(self._places.keeper) and time.monotonic() < deadline:
                if not locks.try_lock(users, shared=False) and locks.try_lock(users, shared=True):
                    return
                locks.unlock(users)
                await asyncio.sleep(_POLL)
        finally:
            os.close(users)

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    async def _ready(self) -> str:
        deadline = time.monotonic() + _START_SECONDS
        started = 0
        while time.monotonic() < deadline:
            held = locks.is_held(self._places.keeper)
            state = State.read(self._places.keeper)
            if held and state and state.phase == "ready" and answers(state.socket):
                return state.socket
            if not held:
                if started and state and state.phase == "failed":
                    raise EmbeddedPostgresError(state.message)
                if started > 3:
                    break
                await asyncio.to_thread(self._start_keeper)
                started += 1
            await asyncio.sleep(_POLL)
        raise EmbeddedPostgresError(f"PostgreSQL did not start; see {self._places.log}.")

    def _start_keeper(self) -> None:
        command = [sys.executable, "-P", "-m", "helsevev.record.keeper", str(self._places.data)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"PostgreSQL's keeper did not start:\n{done.stderr}")

    async def _watch(self) -> None:
        pause = _WATCH
        while True:
            await asyncio.sleep(pause)
            if locks.is_held(self._places.keeper):
                pause = _WATCH
            else:
                pause = min(pause * 2, 30.0)
                with contextlib.suppress(EmbeddedPostgresError):
                    await asyncio.to_thread(self._start_keeper)


@asynccontextmanager
async def embedded(data: Path) -> AsyncIterator[str]:
    """Use the PostgreSQL of a data folder; gives its URL. Raises `EmbeddedPostgresError`."""
    server = EmbeddedPostgres(data)
    address = await server.start()
    try:
        yield address
    finally:
        await server.stop()


@contextmanager
def exclusive(data: Path) -> Iterator[int]:
    """Be the only server on a data folder; raises `AlreadyServing` when there is one.

    Gives the lock's descriptor, which processes that are forked are not to hold.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "server.lock"
    descriptor = locks.open_lock(path)
    try:
        if not locks.try_lock(descriptor, shared=False):
            owner = path.read_text().strip() or "unknown"
            raise AlreadyServing(
                f"Helsevev is already running on {data.absolute()} (process {owner}). "
                "Stop it first, or choose another data folder with DATA= or HELSEVEV_DATA."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)
