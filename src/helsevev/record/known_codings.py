"""Which codings a connection knows to be stored, so that a write need not offer them again.

What is known hangs on the connection that committed it: a connection that lives has the same
server, with all that it committed there, behind it. Codings are never removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from helsevev.record.connection import Connection
from helsevev.record.rows import Row

MOST: Final = 20_000
"""Codings that one connection remembers, some 2 MB; then it begins anew."""

Coding = tuple[str, str, int, bool]
"""(code, system, hash, whether it stands in a `code` column), as in `Row.codings`."""


def codings_of(rows: Iterable[Row]) -> list[Coding]:
    """All codings of rows, in one order, so that two writers never wait for each other."""
    return sorted({coding for row in rows for coding in row.codings})


def unknown(connection: Connection, rows: Iterable[Row]) -> list[Coding]:
    """Those codings of rows that have to be offered to the table."""
    known = connection.known_codings
    return [coding for coding in codings_of(rows) if coding[2:] not in known]


def learn(connection: Connection, stored: Iterable[Coding]) -> None:
    """Remember codings whose transaction was committed by this connection."""
    known = connection.known_codings
    new = [coding[2:] for coding in stored]
    if len(known) + len(new) > MOST:
        known.clear()
    known.update(new[:MOST])
