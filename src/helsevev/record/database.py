"""The only door to PostgreSQL: a pool of pinned connections that keep their prepared statements.

The driver's own pool resets a connection each time it is given back, which costs more than a read
by key; here a connection is given back as it is, since nothing sets session state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from helsevev.record.connection import (
    FAILURES,
    LOST,
    Connection,
    ConnectionLost,
    DatabaseError,
    Row,
    TookTooLong,
    UniqueViolation,
    VersionMismatch,
    driver_of,
    told,
)
from helsevev.record.statements import PlannedAnew, PlannedOnce

_log = logging.getLogger(__name__)

_OLDEST = 16
_PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
_PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}
_SESSION = {"application_name": "helsevev", "timezone": "UTC", "jit": "off"}
_CANNOT_YET = (OSError, *LOST, asyncpg.TooManyConnectionsError)
_MOST_BESIDE = 3
"""So many times its own number a database and those beside it keep open when they have rested."""
_RESTED = 1.0
"""Seconds after which a connection that nobody has taken is one that nobody needs."""


class UnfitServer(DatabaseError):
    """The PostgreSQL server is too old for the record."""


class Database:
    """Connections to one database, opened as they are needed, up to `size`.

    Those beside it give up what has rested, so that together they stay few.

    Statements that are planned once (`statements.PlannedOnce`) have connections of their own, half
    as many, on which PostgreSQL keeps the plan that it made first; so have those that are planned
    anew each time (`statements.PlannedAnew`).
    """

    def __init__(
        self, url: str, size: int, patience: float, session: Mapping[str, str] = _SESSION
    ) -> None:
        self._url = url
        self._size = size
        self._session = session
        self._patience = patience
        self._idle: list[Connection] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False
        self.origins: set[int] = set()
        """Origins that the audit trail is known to have (`record.audit`)."""
        self._callbacks: defaultdict[str, list[Callable[[str], None]]] = defaultdict(list)
        self._listener: asyncio.Task[None] | None = None
        self._ear: Any = None
        self._beside: list[Database] = []
        self._family: list[Database] = [self]
        self._trimming: asyncio.TimerHandle | None = None
        self._driver = driver_of({})
        self._once: Database | None = None
        self._anew: Database | None = None
        self.login: str | None = None
        """The URL of a user who owns nothing, for connections beside; None: this one's."""

    @classmethod
    async def open(cls, url: str, *, size: int = 10, patience: float = 15.0) -> Database:
        """Connect to a PostgreSQL URL.

        `patience` is for how many seconds a new connection is tried for, now and whenever the
        server has gone away. Raises `ConnectionLost`, `UnfitServer` (below PostgreSQL 16) or
        another `DatabaseError`.
        """
        database = cls(url, size, patience)
        connection = await database._acquire()
        database._release(connection)
        version = connection.driver.get_server_version()
        if version.major < _OLDEST:
            await database.close()
            raise UnfitServer(
                f"Helsevev needs PostgreSQL {_OLDEST} or newer; this server is {version.major}."
            )
        return database

    def beside(
        self,
        session: Mapping[str, str],
        size: int | None = None,
        url: str | None = None,
        kind: type[Database] | None = None,
    ) -> Database:
        """Connections to the same database with other settings; closed with this one.

        They are of this one's `kind`, and by its `url`, unless told otherwise.
        """
        told = {**self._session, **session}
        make = kind or type(self)
        other = make(url or self._url, size or self._size, self._patience, told)
        self._beside.append(other)
        other._family, other._driver = self._family, self._driver
        self._family.append(other)
        return other

    def fit_for(self, statement: str) -> Database:
        """Where a statement is best run: here, or where plans are kept."""
        if isinstance(statement, PlannedAnew):
            if self._anew is None:
                self._anew = self.beside(_PLANNED_ANEW, max(1, self._size // 2))
            return self._anew
        if not isinstance(statement, PlannedOnce):
            return self
        if self._once is None:
            self._once = self.beside(_PLANNED_ONCE, max(1, self._size // 2))
        return self._once

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """Run a statement; returns all its rows.

        Raises `ConnectionLost` when the server went away while it ran: it may have been carried
        out, and is not repeated. Raises other `DatabaseError`s when PostgreSQL refused it.
        """
        pool = self.fit_for(statement)
        connection = await pool._acquire()
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            pool._release(connection)

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> list[Row]:
        """Like `fetch`, for reading: stopped after so many seconds, by raising `TookTooLong`.

        Waiting for a connection does not count.
        """
        pool = self.fit_for(statement)
        connection = await pool._acquire()
        try:
            return await connection.fetch_within(seconds, statement, *arguments)
        finally:
            pool._release(connection)

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """Like `fetch`; returns the first row, or None."""
        pool = self.fit_for(statement)
        connection = await pool._acquire()
        try:
            return await connection.fetchrow(statement, *arguments)
        finally:
            pool._release(connection)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """Like `fetch`; returns the first value of the first row, or None."""
        pool = self.fit_for(statement)
        connection = await pool._acquire()
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            pool._release(connection)

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Like `fetch`; returns PostgreSQL's word for what it did, such as `UPDATE 3`."""
        pool = self.fit_for(statement)
        connection = await pool._acquire()
        try:
            return await connection.execute(statement, *arguments)
        finally:
            pool._release(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Have one connection to oneself, outside any transaction."""
        connection = await self._acquire()
        try:
            yield connection
        finally:
            self._release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Have a connection in a transaction: committed at the end, rolled back on any error.

        Raises `ConnectionLost` when the server went away during the commit too.
        """
        async with self.connection() as connection:
            transaction = connection.driver.transaction()
            try:
                await transaction.start()
            except FAILURES as error:
                raise connection.told(error) from error
            try:
                yield connection
            except BaseException:
                # A dead connection rolls back by itself; the first error is the one to tell.
                with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except FAILURES as error:
                raise connection.told(error) from error

    async def listen(self, channel: str, callback: Callable[[str], None]) -> None:
        """Call `callback` with the payload of every NOTIFY on a channel, until `close`.

        After a break it is called once with an empty payload: something may have been missed.
        """
        self._callbacks[channel].append(callback)
        if self._listener is None:
            self._ear = await self._listening_connection()
            self._listener = asyncio.create_task(self._keep_listening(), name="database listener")
        else:
            await self._hear(self._ear, channel)

    async def close(self) -> None:
        """Close all connections. Statements under way elsewhere are left to finish."""
        self._closed = True
        if self._trimming is not None:
            self._trimming.cancel()
        for other in self._beside:
            await other.close()
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
        drivers = [self._ear] if self._ear is not None else []
        drivers += [connection.driver for connection in self._idle]
        self._open -= len(self._idle)
        self._idle.clear()
        while self._waiting:
            self._wake()
        for driver in drivers:
            await _close(driver)

    async def _acquire(self) -> Connection:
        while not self._closed:
            while self._idle:
                connection = self._idle.pop()
                if not connection.closed:
                    return connection
                self._open -= 1
            if self._open < self._size:
                self._open += 1
                try:
                    return Connection(await self._connect())
                except BaseException:
                    self._open -= 1
                    self._wake()
                    raise
            await self._turn()
        raise ConnectionLost("The database has been closed.")

    def _trim(self) -> None:
        # What has just been used is needed again under load, and a new one costs more than it.
        family = self._family
        if sum(each._open for each in family) <= _MOST_BESIDE * family[0]._size:
            return
        if family[0]._trimming is None and not self._closed:
            loop = asyncio.get_running_loop()
            family[0]._trimming = loop.call_later(_RESTED, self._trim_later)

    def _trim_later(self) -> None:
        first, rested = self._family[0], asyncio.get_running_loop().time() - _RESTED
        first._trimming = None
        while sum(each._open for each in self._family) > _MOST_BESIDE * first._size:
            if not self._give_up_one(rested):
                self._trim()
                return

    def _give_up_one(self, rested: float) -> bool:
        """End the connection of any kind that was left longest ago, at `rested` or before."""
        idle = [each for each in self._family if each._idle]
        longest = min(idle, key=lambda each: each._idle[0].left, default=None)
        if longest is None or longest._idle[0].left > rested:
            return False
        longest._idle.pop(0).driver.terminate()
        longest._open -= 1
        longest._wake()
        return True

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _release(self, connection: Connection) -> None:
        if not connection.closed and connection.driver.is_in_transaction():
            # Nobody else is to go on in it, nor by its settings.
            connection.driver.terminate()
        if self._closed:
            self._open -= 1
            connection.driver.terminate()
            return
        connection.left = asyncio.get_running_loop().time()
        self._idle.append(connection)
        self._wake()
        self._trim()

    async def _connect(self) -> Any:
        """Connect, trying again for as long as the server is away: nothing was asked of it yet."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        pause = 0.02
        while True:
            try:
                return await asyncpg.connect(
                    self._url, statement_cache_size=0, server_settings=dict(self._session),
                    connection_class=self._driver,
                )  # fmt: skip
            except _CANNOT_YET as error:
                # A server that is full may be full of what lies idle here.
                if isinstance(error, asyncpg.TooManyConnectionsError):
                    self._give_up_one(loop.time())
                if loop.time() + pause > deadline:
                    raise ConnectionLost(f"The database cannot be reached: {error}") from error
            except asyncpg.PostgresError as error:
                raise DatabaseError(str(error), error.sqlstate or "") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _listening_connection(self) -> Any:
        driver = await self._connect()
        for channel in list(self._callbacks):
            await self._hear(driver, channel)
        return driver

    async def _hear(self, driver: Any, channel: str) -> None:
        try:
            await driver.add_listener(channel, self._heard)
        except FAILURES as error:
            raise told(error) from error

    async def _keep_listening(self) -> None:
        while True:
            broken = asyncio.Event()
            self._ear.add_termination_listener(lambda _driver, broken=broken: broken.set())
            if not self._ear.is_closed():
                await broken.wait()
            try:
                self._ear = await self._listening_connection()
            except DatabaseError:
                _log.warning("The database is away; listening begins again when it is back.")
                await asyncio.sleep(1)
                continue
            for channel in list(self._callbacks):
                self._heard(self._ear, 0, channel, "")

    def _heard(self, _driver: Any, _process: int, channel: str, payload: object) -> None:
        for callback in self._callbacks[channel]:
            callback(str(payload))


async def _close(driver: Any) -> None:
    try:
        await driver.close(timeout=5)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        driver.terminate()


__all__ = [
    "Connection",
    "ConnectionLost",
    "Database",
    "DatabaseError",
    "Row",
    "TookTooLong",
    "UnfitServer",
    "UniqueViolation",
    "VersionMismatch",
]
