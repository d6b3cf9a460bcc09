"""One connection to PostgreSQL with its prepared statements, and the errors it can raise.

Together with `database` the only place that knows the driver.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import asyncpg
from msgspec import Struct

Row = Any
"""A row of a result: by position and by name."""

_MOST_STATEMENTS = 400
_PIECE = 256 * 1024
"""Bytes of a stream that are handed to the socket at once."""

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    ConnectionError,
    # What the driver says of an idle connection that has just been told of a shutdown.
    asyncpg.InternalClientError,
)
FAILURES = (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError)


class DatabaseError(Exception):
    """PostgreSQL refused a statement; `sqlstate` is its code, and nothing was changed."""

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class UniqueViolation(DatabaseError):
    """A row with the same key was there already."""


class VersionMismatch(DatabaseError):
    """A write was about another version than the newest one (SQLSTATE HV409)."""


class WallRefused(DatabaseError):
    """Beyond what the wall lets who asks change (SQLSTATE 42501, 44000); nothing was."""


class TookTooLong(DatabaseError):
    """A statement was stopped because its time was up; nothing was changed."""


class ConnectionLost(DatabaseError):
    """The server went away: whether a write under way was stored is not known."""


class _Named(Struct, frozen=True):
    """What stands for a statement that was not run, so that nothing is prepared anew."""

    name: str = "known"


def driver_of(known: dict[frozenset[int], Any]) -> type[Any]:
    """The driver's connections to one database, which ask once for all of them what a type is.

    The driver asks for each connection by itself, by a statement that costs PostgreSQL more than a
    hundred reads; connections come and go with the load. `known` keeps the answers by OID.
    """

    class Driver(asyncpg.Connection):  # type: ignore[misc]
        async def _introspect_types(self, typeoids: Any, timeout: Any) -> Any:
            wanted = frozenset(typeoids)
            if wanted in known:
                return known[wanted], _Named()
            types, statement = await super()._introspect_types(typeoids, timeout)
            known[wanted] = types
            return types, statement

    return Driver


class Connection:
    """A connection for one task at a time. Statements are prepared once and stay prepared."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.left = 0.0
        """When nobody held it any longer, by the loop's clock."""
        self.scope: str | None = None
        """Whom it has been told that it may see (`wall.Windows`)."""
        self._prepared: dict[str, Any] = {}
        self._made = 0

    @property
    def closed(self) -> bool:
        """Whether it is of no more use."""
        return bool(self.driver.is_closed())

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """Run a statement; returns all its rows. Raises `DatabaseError`."""
        try:
            made = self._prepared.get(statement) or await self._prepare(statement)
            rows: list[Row] = await made.fetch(*arguments)
        except FAILURES as error:
            raise self.told(error) from error
        return rows

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> list[Row]:
        """Like `fetch`; PostgreSQL is told to stop after so long. Raises `TookTooLong` then."""
        try:
            made = self._prepared.get(statement) or await self._prepare(statement, seconds)
            rows: list[Row] = await made.fetch(*arguments, timeout=seconds)
        except TimeoutError as error:
            raise TookTooLong(f"A statement was stopped after {seconds:g} s.", "57014") from error
        except FAILURES as error:
            raise self.told(error) from error
        return rows

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """Run a statement; returns its first row or None. Raises `DatabaseError`."""
        try:
            made = self._prepared.get(statement) or await self._prepare(statement)
            return await made.fetchrow(*arguments)
        except FAILURES as error:
            raise self.told(error) from error

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """Run a statement; returns the first value of its first row, or None."""
        try:
            made = self._prepared.get(statement) or await self._prepare(statement)
            return await made.fetchval(*arguments)
        except FAILURES as error:
            raise self.told(error) from error

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement; returns PostgreSQL's word for what it did, such as `UPDATE 3`.

        Without arguments it is not prepared, and may be any command. Raises `DatabaseError`.
        """
        try:
            if not arguments:
                return str(await self.driver.execute(str(statement)))
            made = self._prepared.get(statement) or await self._prepare(statement)
            await made.fetch(*arguments)
            return str(made.get_statusmsg())
        except FAILURES as error:
            raise self.told(error) from error

    async def copy_records(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """Append rows by COPY as the driver writes them, all or none. Raises `DatabaseError`."""
        try:
            await self.driver.copy_records_to_table(table, columns=list(columns), records=records)
        except FAILURES as error:
            raise self.told(error) from error

    async def copy(self, table: str, columns: Iterable[str], stream: bytes) -> None:
        """Append the rows of a stream (`record.copying`), all or none. Raises `DatabaseError`."""
        try:
            # A file would do, but for files the driver makes a class each time, which keeps the
            # stream in memory until a search for cycles.
            await self.driver.copy_to_table(
                table, source=_pieces(stream), columns=list(columns), format="binary"
            )
        except FAILURES as error:
            raise self.told(error) from error
        except RuntimeError as error:
            # So the event loop says that the connection broke while the stream was written.
            self.driver.terminate()
            raise ConnectionLost(str(error)) from error

    async def abandon(self) -> None:
        """Roll back what is under way; a connection that cannot is given up with it."""
        try:
            await self.driver.execute("ROLLBACK")
        except FAILURES:
            self.driver.terminate()
        except BaseException:
            self.driver.terminate()
            raise

    def told(self, error: Exception) -> Exception:
        """Turn the driver's error into this module's, and give up a connection that was lost."""
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            self._prepared.clear()
        translated = told(error)
        if isinstance(translated, ConnectionLost):
            # The driver may still wait for the end of the server's last words.
            self.driver.terminate()
        return translated

    async def _prepare(self, statement: str, seconds: float | None = None) -> Any:
        if len(self._prepared) >= _MOST_STATEMENTS:
            del self._prepared[next(iter(self._prepared))]
        self._made += 1
        # Without a name, PostgreSQL would parse and plan it anew each time it is run.
        text = str(statement)  # The driver takes no kind of str but str.
        made = await self.driver.prepare(text, name=f"s{self._made}", timeout=seconds)
        self._prepared[statement] = made
        return made


def told(error: Exception) -> Exception:
    """Turn the driver's error into this module's; what is no trouble of the database stays."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation(str(error), error.sqlstate)
    # A broken protocol has a broken connection's code, and the connection is whole.
    if isinstance(error, LOST) and not isinstance(error, asyncpg.ProtocolViolationError):
        return ConnectionLost(f"The database went away: {error}")
    if isinstance(
        error, asyncpg.InsufficientPrivilegeError | asyncpg.WithCheckOptionViolationError
    ):
        return WallRefused(str(error), error.sqlstate)
    if isinstance(error, asyncpg.PostgresError):
        kind = VersionMismatch if error.sqlstate == "HV409" else DatabaseError
        return kind(str(error), error.sqlstate or "")
    # The driver has no class of its own for a connection that it found closed.
    if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
        return ConnectionLost(f"The database went away: {error}")
    return error


async def _pieces(stream: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(stream), _PIECE):
        yield stream[start : start + _PIECE]
