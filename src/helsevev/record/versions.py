"""A version as the record keeps it, and a write as statement `write` is given it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.fhir import serialization
from helsevev.record import audit, body, keys
from helsevev.record.appending import columns, listed, search_rows
from helsevev.record.audit import Author
from helsevev.record.rows import Row, array_text
from helsevev.record.turns import Turn
from helsevev.record.wall import OutOfReach, sees

_BY_OTHER_ROLES: Final = frozenset({"AuditEvent", "Subscription"})
"""What no window shows: made of the trail, or about nobody and for its owner alone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one resource as the record keeps it; `packed` is empty for a deletion."""

    patient: int
    type: str
    id: str
    version: int
    last_updated: datetime
    deleted: bool
    packed: bytes

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"

    @property
    def json(self) -> bytes:
        """The resource's exact JSON bytes. Raises `OutOfReach` behind the wall, unless seen."""
        if not sees(self.patient) and self.type not in _BY_OTHER_ROLES:
            raise OutOfReach
        return body.unpack(self.packed, self.type, self.id, self.version, self.last_updated)

    @property
    def resource(self) -> dict[str, Any]:
        """The resource, decoded; numbers keep every digit."""
        return serialization.decode_kept(self.json)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The result that an idempotency key stands for: who used it, for what, and what came of it."""

    key: str
    fingerprint: bytes
    result: str


@dataclass(frozen=True, slots=True)
class Write:
    """Rows that become current and resources that leave together, by one author at one time."""

    transaction: int
    at: datetime
    author: Author
    rows: Sequence[Row]
    remember: Remembered | None = None
    deletions: Sequence[Stored] = ()
    turns: Sequence[Turn] = ()
    """What was seen of the conditions on which this is written."""


def write_arguments(writes: Sequence[Write]) -> list[Any]:
    """The arguments of statement `write` but the last, which is the state of added parameters."""
    current = (
        (
            *(r.patient, r.type, r.id, r.version, r.code, r.date_low, r.date_high),
            *(array_text(r.keys), r.token_set, r.body),
            *(write.transaction, write.at, write.author.actor),
        )
        for write in writes
        for r in write.rows
    )
    rows = [row for write in writes for row in write.rows]
    strings, dates, quantities, texts = search_rows(rows)
    return [
        *columns(current, 13),
        *columns(strings, 5),
        *columns(dates, 6),
        *columns(quantities, 8),
        *columns(texts, 5),
        *columns(listed(rows), 2),
        *trace_arguments(writes),
    ]


def trace_arguments(writes: Sequence[Write]) -> list[Any]:
    """Token sets, codings, audit, idempotency keys: arguments of `append`, and of `write`."""
    rows = [row for write in writes for row in write.rows]
    # In one order, so that two writers never wait for each other.
    codings = sorted({coding for row in rows for coding in row.codings})
    sets = sorted({row.token_set: sorted(set(row.tokens)) for row in rows if row.tokens}.items())
    remembered = (
        (w.author.actor, m.key, w.transaction, w.at, m.fingerprint, m.result)
        for w in writes
        if (m := w.remember) is not None
    )
    return [
        [number for number, _ in sets],
        [array_text(tokens) for _, tokens in sets],
        *columns(codings, 4),
        *columns((trace for write in writes for trace in _audited(write)), 12),
        *columns(remembered, 6),
    ]


def _audited(write: Write) -> Iterator[tuple[Any, ...]]:
    touched: dict[int, list[Row]] = {}
    for row in write.rows:
        touched.setdefault(row.patient, []).append(row)
    author = write.author
    for patient, concerned in touched.items():
        yield (
            *(patient, keys.next_key(), audit.told(concerned), write.transaction, write.at),
            *(author.actor, author.interaction, author.origin.id, author.request, author.basis),
            *(author.purpose, author.reason),
        )
