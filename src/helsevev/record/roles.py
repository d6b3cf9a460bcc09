"""The connections of one process by what they are for, in roles with no more rights.

The program owns nothing. What it does of itself (tokens, ties, the trail) it does as `program`, who
reaches no content of any record; what it does for somebody, behind the wall. Lists of people and
those who follow up the trail have roles of their own. The whole record, and the tables themselves,
are for what is named in a list with reasons (`tests/architecture/test_the_wall.py`).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from helsevev.record.database import Database
from helsevev.record.statements import load
from helsevev.record.wall import AUTHOR, ROLE, Walled

_SQL: Final = load("roles")
PROGRAM: Final = "helsevev_program"
FINDER: Final = "helsevev_finder"
OFFICER: Final = "helsevev_officer"
WHOLE: Final = "helsevev_whole"
ERRANDS: Final = frozenset({ROLE, AUTHOR, FINDER, OFFICER, WHOLE})
"""What the program's role takes upon itself in turn, and has no right to before it does."""

_FEW: Final = 3


class Roles:
    """Connections to the database that its owner has opened, made as they are needed.

    `owner` migrates, copies imports into tables and tends indexes; `whole` reads and writes every
    record, for systems and for what goes on by itself; `program` decides, and knows no record.
    `shown` reads and `changed` writes what a request may reach: outside requests, and for systems,
    that is the whole. `people` finds Patients; `officer` reads the trail, and administers.
    All but the owner's connect as `owner.login`, when there is such a user.
    """

    def __init__(self, owner: Database) -> None:
        login = owner.login

        def taking(role: str, path: str = "", few: bool = False) -> Database:
            session = {"role": role, "search_path": path + '"$user", public'}
            return owner.beside(session, _FEW if few else None, login)

        self.owner = owner
        self.program = taking(PROGRAM)
        self.whole = taking(WHOLE)
        self.shown: Database = Walled(self.whole, owner, ROLE, login)
        self.changed: Database = Walled(self.whole, owner, AUTHOR, login)
        self.people = taking(FINDER, "people, ", few=True)
        self.officer = taking(OFFICER, "office, people, ", few=True)


async def let_sign_in(owner: Database, login: str) -> None:
    """Let the program's role sign in by the URL `login`, on a server that is ours alone.

    Raises `DatabaseError` when the owner may not.
    """
    if await owner.fetchval(_SQL["may_sign_in"], PROGRAM):
        return
    async with owner.transaction() as connection:
        # Several processes may begin at once.
        await connection.execute("LOCK TABLE migration IN ACCESS EXCLUSIVE MODE")
        if not await connection.fetchval(_SQL["may_sign_in"], PROGRAM):
            words: str = await connection.fetchval(
                _SQL["let_sign_in"], PROGRAM, urlsplit(login).password, sorted(ERRANDS)
            )
            await connection.execute(words)


class OfOne(Roles):
    """Everything by one database's own connections: for tools that look at a record from inside."""

    def __init__(self, database: Database) -> None:
        self.owner = self.program = self.whole = database
        self.shown = self.changed = self.people = self.officer = database
