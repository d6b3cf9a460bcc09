"""Brings a database's schema forward, step by step, and never back.

Every statement of `migrations/NNNN_name.sql` is one step with its own transaction and its own row
in table `migration`, so that a start that was cut short goes on where it stopped, and two at once
do not collide. A statement under the comment `-- outside a transaction` is run by itself and must
bear being run twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helsevev.record.database import Connection, Database, DatabaseError

FOLDER = Path(__file__).parent / "migrations"

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_OUTSIDE = "-- outside a transaction"
_PIECE = re.compile(
    r"""--[^\n]*            # a comment
      | /\*.*?\*/
      | '(?:[^']|'')*'      # texts and names
      | "(?:[^"]|"")*"
      | \$(\w*)\$.*?\$\1\$  # a body
      | ;
      | [^;'"$/-]+
      | .""",
    re.VERBOSE | re.DOTALL,
)
# Two starts at once both find no table, and one of them is told of its type, name or key.
_MADE_MEANWHILE = frozenset({"23505", "42710", "42P07"})
_MAKES_ROLES = "CREATE FUNCTION let_roles_in()"
_LETS_ROLES_IN = "SELECT let_roles_in()"
_UNFINISHED = """
SELECT format('%I.%I', s.nspname, c.relname) FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE NOT i.indisvalid AND s.nspname = current_schema() AND NOT EXISTS (
    SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
"""
_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    version integer NOT NULL,
    step integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version, step)
)
"""


class MigrationError(Exception):
    """The schema cannot be brought forward; the message says which step and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of one migration."""

    version: int
    number: int
    name: str
    statement: str

    @property
    def checksum(self) -> str:
        """What tells this statement from any other, comments and layout apart."""
        bare = " ".join(re.sub(r"--[^\n]*", "", self.statement).split())
        return hashlib.sha256(bare.encode()).hexdigest()[:16]

    @property
    def outside(self) -> bool:
        """Whether it cannot run in a transaction."""
        return _OUTSIDE in self.statement


async def migrate(database: Database, folder: Path = FOLDER) -> int:
    """Carry out every step the database has not seen; returns how many.

    Raises `MigrationError` when the database is newer than the code, when a step that was carried
    out has another text now, or when PostgreSQL refuses a step (those before it stay).
    """
    wanted = list(steps(folder))
    try:
        await database.execute(_TABLE)
    except DatabaseError as error:
        if error.sqlstate not in _MADE_MEANWHILE:
            raise
    known = {(step.version, step.number): step for step in wanted}
    done = await database.fetch("SELECT version, step, name, checksum FROM migration")
    for version, number, name, checksum in done:
        step = known.get((version, number))
        if step is None:
            raise MigrationError(
                f"The database is newer than this program: it has step {number} of migration "
                f"{version:04} ({name}), which is unknown here. Start the newer version instead."
            )
        if step.checksum != checksum:
            raise MigrationError(
                f"Step {number} of migration {version:04} ({name}) was changed after it was "
                "carried out. Migrations are only ever added."
            )
    carried_out = {(version, number) for version, number, _, _ in done}
    missing = [step for step in wanted if (step.version, step.number) not in carried_out]
    count = sum([await _carry_out(database, step) for step in missing])
    if count and any(_MAKES_ROLES in step.statement for step in wanted):
        async with database.transaction() as connection:
            await connection.execute("LOCK TABLE migration IN ACCESS EXCLUSIVE MODE")
            await connection.fetchval(_LETS_ROLES_IN)
    return count


def steps(folder: Path = FOLDER) -> Iterator[Step]:
    """Read the migrations in order of their numbers, which may have gaps.

    Raises `MigrationError` for a file without a number, or with another's.
    """
    before = 0
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None or int(match[1]) <= before:
            raise MigrationError(f"{path.name} should be called {before + 1:04}_name.sql or later")
        before = int(match[1])
        for number, statement in enumerate(split(path.read_text(encoding="utf-8")), 1):
            yield Step(before, number, match[2], statement)


def split(text: str) -> Iterator[str]:
    """Split SQL at the semicolons that end statements; each keeps the comments before it."""
    statement = ""
    bare = ""
    for piece in _PIECE.finditer(text):
        if piece[0] == ";":
            yield statement.strip()
            statement = bare = ""
            continue
        statement += piece[0]
        if not piece[0].startswith(("--", "/*")):
            bare += piece[0]
    if bare.strip():
        yield statement.strip()


async def _carry_out(database: Database, step: Step) -> bool:
    try:
        if step.outside:
            # What a start that was cut short left behind has the index's name, and finds nothing.
            for row in await database.fetch(_UNFINISHED):
                await database.execute(f"DROP INDEX IF EXISTS {row[0]}")
            await database.execute(step.statement)
        async with database.transaction() as connection:
            # Whoever else starts now waits here, and then sees that it is done.
            await connection.execute("LOCK TABLE migration IN ACCESS EXCLUSIVE MODE")
            if await _is_recorded(connection, step):
                return False
            if not step.outside:
                await connection.execute(step.statement)
            await connection.execute(
                "INSERT INTO migration (version, step, name, checksum) VALUES ($1, $2, $3, $4)",
                *(step.version, step.number, step.name, step.checksum),
            )
    except DatabaseError as error:
        raise MigrationError(
            f"Step {step.number} of migration {step.version:04} ({step.name}) failed: {error}"
        ) from error
    return True


async def _is_recorded(connection: Connection, step: Step) -> bool:
    found = await connection.fetchval(
        "SELECT true FROM migration WHERE version = $1 AND step = $2", step.version, step.number
    )
    return bool(found)
