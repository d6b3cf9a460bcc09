"""The ledger of a replay: every write before it is sent, and whether it was acknowledged."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from .notation import digest

Kind = Literal["identifier", "note", "round"]
"""How a write is found again: by its identifier; as a note of a patient that holds a mark; as the
measurements of a patient at a moment."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    patient TEXT NOT NULL,
    mark TEXT NOT NULL,
    digest TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    state TEXT NOT NULL,
    reference TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT ''
)
"""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Entry(NamedTuple):
    """One write: what it was, by what it is found again, the hash of what was sent.

    `sent_at` is a FHIR instant; `state` is `sent` while nothing was answered, then `acknowledged`
    or `refused`. `reference` and `version` are known only where the answer told them.
    """

    number: int
    action: str
    kind: Kind
    resource_type: str
    patient: str
    mark: str
    digest: str
    sent_at: str
    state: str
    reference: str
    version: str


class Ledger:
    """An SQLite file; what it says of a write is on the disk's way before the write is sent."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. A ledger goes on where it ended."""
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(_SCHEMA)

    def intend(
        self, action: str, kind: Kind, resource_type: str, patient: str, mark: str, content: Any
    ) -> int:
        """Enter a write that is about to be sent; its number."""
        cursor = self._database.execute(
            "INSERT INTO entry"
            " (action, kind, resource_type, patient, mark, digest, sent_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'sent')",
            (action, kind, resource_type, patient, mark, digest(content), _now()),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def acknowledge(self, number: int, reference: str = "", version: str = "") -> None:
        """The server said that it is stored, and perhaps as what."""
        self._database.execute(
            "UPDATE entry SET state = 'acknowledged', reference = ?, version = ? WHERE number = ?",
            (reference, version, number),
        )

    def refuse(self, number: int) -> None:
        """The server said that it is not stored."""
        self._database.execute("UPDATE entry SET state = 'refused' WHERE number = ?", (number,))

    def entries(self) -> Iterator[Entry]:
        """Every write, in the order they were sent."""
        for row in self._database.execute("SELECT * FROM entry ORDER BY number").fetchall():
            yield Entry(*row)

    def states(self) -> Counter[str]:
        """How many writes are in each state."""
        rows = self._database.execute("SELECT state, count(*) FROM entry GROUP BY state")
        return Counter(dict(rows.fetchall()))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
