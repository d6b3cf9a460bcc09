"""Rows of the audit trail: who did what to whose record, why, when and from where; only ever added.

Who asks and from where is an origin, kept once: a row names it by a hash of its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec

from helsevev.record import keys
from helsevev.record.connection import Connection
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("audit")
_MOST_NAMED: Final = 12
"""So many resources of one touch are named one by one; of more, how many of each type."""

_MOST_KNOWN: Final = 200_000

_ORIGIN: Final = 8
"""Where in a row its origin stands."""

Row = tuple[Any, ...]


class Origin(msgspec.Struct, frozen=True):
    """Who asks and from where; `content` is JSON, `id` a hash of it."""

    id: int
    actor: str
    content: str


class Author(msgspec.Struct, frozen=True):
    """On whose behalf rows are touched, and why: what an audit row says besides what and when.

    `basis` is what let them in (`relation CareTeam/x`), `request` the number of the request.
    """

    origin: Origin
    interaction: str
    purpose: str = "TREAT"
    reason: str = ""
    basis: str = ""
    request: str = ""

    @property
    def actor(self) -> str:
        """The reference of who it is."""
        return self.origin.actor


class Named(Protocol):
    """A resource by its type and id."""

    @property
    def type(self) -> str:
        """Its resource type."""

    @property
    def id(self) -> str:
        """Its id."""


def origin(actor: str, said: Mapping[str, str]) -> Origin:
    """The origin of `actor` with what is known of it; empty values are left out."""
    content = {"actor": actor, **{name: value for name, value in said.items() if value}}
    text = msgspec.json.encode(content).decode()
    digest = blake2b(text.encode(), digest_size=8, person=b"audit-origin").digest()
    return Origin(int.from_bytes(digest, signed=True), actor, text)


def audit_row(
    patient: int,
    transaction: int,
    at: datetime,
    author: Author,
    target: str,
    *,
    action: str = "write",
    outcome: int = 0,
) -> Row:
    """One row of the trail, in the order of statement `audit`. Outcome 0 done, 8 refused."""
    return (
        *(patient, keys.next_key(), transaction, at, outcome, action, author.interaction),
        *(author.origin.actor, author.origin, author.purpose, author.reason, target),
        *(author.basis, author.request),
    )


async def keep(database: Database, rows: Sequence[Row]) -> None:
    """Write rows of `audit_row` with one statement. Raises `DatabaseError`; then none was kept."""
    await keep_origins(database, (row[_ORIGIN] for row in rows))
    await keep_known(database, rows)


async def keep_known(database: Database | Connection, rows: Iterable[Row]) -> None:
    """The same for rows whose origins are kept already (`keep_origins`), also in a transaction."""
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    columns[_ORIGIN] = [each.id for each in columns[_ORIGIN]]
    await database.execute(_SQL["audit"], *columns)


async def keep_origins(database: Database, origins: Iterable[Origin]) -> None:
    """See to it that what rows are going to name is there; mostly it is known to be."""
    known = database.origins
    new = {each.id: each.content for each in origins if each.id not in known}
    if not new:
        return
    # In one order, so that two writers never wait for each other.
    ids = sorted(new)
    await database.execute(_SQL["origins"], ids, [new[each] for each in ids])
    if len(known) > _MOST_KNOWN:
        known.clear()
    known.update(ids)


def told(touched: Sequence[Named], asked: str = "") -> str:
    """What a touch was about: each resource as `Type/id`, or of many `Type*how-many` by type.

    `asked` comes first: what was searched, or the operation.
    """
    if len(touched) <= _MOST_NAMED:
        words = [f"{each.type}/{each.id}" for each in touched]
    else:
        words = [f"{kind}*{count}" for kind, count in Counter(t.type for t in touched).items()]
    return " ".join([asked, *words] if asked else words)


def types_in(target: str) -> list[str]:
    """The types that a row's target names, in their order, each once."""
    found: dict[str, None] = {}
    for word in target.split():
        name = word.partition("/")[0].partition("*")[0].partition("?")[0]
        if name[:1].isupper() and name.isalnum():
            found[name] = None
    return list(found)
