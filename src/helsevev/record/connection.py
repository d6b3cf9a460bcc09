"""One connection to PostgreSQL with its prepared statements, and the errors it can raise.

Together with `database` the only place that knows the driver.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import asyncpg

Row = Any
"""A row of a result: by position and by name."""

Answer = TypeVar("Answer")

_MOST_STATEMENTS = 400
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    ConnectionError,
    # What the driver says of an idle connection that has just been told of a shutdown.
    asyncpg.InternalClientError,
)
_STALE_PLAN = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)


class DatabaseError(Exception):
    """PostgreSQL refused a statement; `sqlstate` is its code, and nothing was changed."""

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class UniqueViolation(DatabaseError):
    """A row with the same key was there already."""


class VersionMismatch(DatabaseError):
    """A write was about another version than the newest one (SQLSTATE HV409)."""


class ConnectionLost(DatabaseError):
    """The server went away: whether a write under way was stored is not known."""


class Connection:
    """A connection for one task at a time. Statements are prepared once and stay prepared."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._prepared: dict[str, Any] = {}

    @property
    def closed(self) -> bool:
        """Whether it is of no more use."""
        return bool(self.driver.is_closed())

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Turn the driver's errors into this module's, and give up a connection that was lost."""
        try:
            with translated():
                yield
        except ConnectionLost:
            # The driver may still wait for the end of the server's last words.
            self.driver.terminate()
            raise

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """Run a statement; returns all its rows. Raises `DatabaseError`."""
        rows: list[Row] = await self._run(statement, lambda made: made.fetch(*arguments))
        return rows

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """Run a statement; returns its first row or None. Raises `DatabaseError`."""
        return await self._run(statement, lambda made: made.fetchrow(*arguments))

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """Run a statement; returns the first value of its first row, or None."""
        return await self._run(statement, lambda made: made.fetchval(*arguments))

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement; returns PostgreSQL's word for what it did, such as `UPDATE 3`.

        Without arguments it is not prepared, and may be any command. Raises `DatabaseError`.
        """
        if not arguments:
            with self.asking():
                return str(await self.driver.execute(statement))

        async def run(made: Any) -> str:
            await made.fetch(*arguments)
            return str(made.get_statusmsg())

        return await self._run(statement, run)

    async def copy_records(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]
    ) -> None:
        """Append rows by COPY, all or none. Raises `DatabaseError`."""
        with self.asking():
            await self.driver.copy_records_to_table(table, columns=list(columns), records=records)

    async def _run(self, statement: str, use: Callable[[Any], Awaitable[Answer]]) -> Answer:
        with self.asking():
            made = self._prepared.get(statement) or await self._prepare(statement)
            try:
                return await use(made)
            except _STALE_PLAN:
                # Refused before it ran, because a table has changed since it was prepared.
                self._prepared.clear()
                if self.driver.is_in_transaction():
                    raise
            return await use(await self._prepare(statement))

    async def _prepare(self, statement: str) -> Any:
        if len(self._prepared) >= _MOST_STATEMENTS:
            del self._prepared[next(iter(self._prepared))]
        made = await self.driver.prepare(statement)
        self._prepared[statement] = made
        return made


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into this module's."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolation(str(error), error.sqlstate) from error
    except asyncpg.ProtocolViolationError as error:
        # Its code is one of a broken connection's, and the connection is whole.
        raise DatabaseError(str(error), error.sqlstate) from error
    except LOST as error:
        raise ConnectionLost(f"The database went away: {error}") from error
    except asyncpg.PostgresError as error:
        kind = VersionMismatch if error.sqlstate == "HV409" else DatabaseError
        raise kind(str(error), error.sqlstate or "") from error
    except asyncpg.InterfaceError as error:
        # The driver has no class of its own for a connection that it found closed.
        if "closed" in str(error):
            raise ConnectionLost(f"The database went away: {error}") from error
        raise
