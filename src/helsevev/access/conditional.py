"""Writes on a condition: create unless it is there, update or delete the one that a search finds.

http://hl7.org/fhir/R4/http.html#cond-update. Two writers with the same condition never both find
nothing and create it twice (`record.turns`); within this process they wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Conflict, Invalid, NotFound, TooManyMatches
from helsevev.access.searching import Searcher
from helsevev.access.writing import Change, Writer, Written
from helsevev.fhir.outcome import Issue, error
from helsevev.record.store import Stored
from helsevev.record.turns import Turn, TurnTaken, seen

_ASKS_NOTHING: Final = frozenset(
    {"", "_count", "_sort", "_format", "_pretty", "_summary", "_elements", "_total", "_include",
     "_revinclude", "_cursor"}
)  # fmt: skip


_TRIES: Final = 5
MOST_AT_ONCE: Final = 500
"""Resources that one conditional delete takes, where it may take several."""


class Turns:
    """One at a time for each name; those who hold several take them in the names' order."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def taken(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold every one of `names` until the block ends."""
        async with AsyncExitStack() as stack:
            for name in sorted(set(names)):
                await stack.enter_async_context(self._one(name))
            yield

    @property
    def waiting(self) -> int:
        """How many names are held or waited for."""
        return len(self._locks)

    @asynccontextmanager
    async def _one(self, name: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            users = self._locks[name][1] - 1
            if users:
                self._locks[name] = (lock, users)
            else:
                del self._locks[name]


class Conditionals:
    """Conditional writes of single resources, on top of the writer and the searcher."""

    def __init__(self, writer: Writer, searcher: Searcher) -> None:
        self._writer = writer
        self._searcher = searcher
        self._turns = Turns()

    async def create(
        self, actor: Actor, resource: dict[str, Any], condition: str, key: str | None = None
    ) -> Written:
        """Create, unless one resource fits the condition: that one is returned, unchanged.

        Raises `TooManyMatches`, a `SearchError` for a condition that is none, or what
        `Writer.write` raises.
        """
        resource_type = resource["resourceType"]

        async def write(found: Stored | None, turns: Sequence[Turn]) -> Written:
            if found is not None:
                return Written(found, created=False, changed=False)
            return await self._writer.write(
                actor, resource, create=True, idempotency_key=key, turns=turns
            )

        return await self._in_turn(actor, resource_type, condition, write)

    async def update(
        self,
        actor: Actor,
        resource: dict[str, Any],
        condition: str,
        if_match: int | None = None,
        key: str | None = None,
    ) -> Written:
        """Update the one that fits; create when none does. Raises like `create`.

        An id in the resource must be that of the one that fits (`Invalid`).
        """
        resource_type = resource["resourceType"]

        async def write(found: Stored | None, turns: Sequence[Turn]) -> Written:
            if found is not None:
                turns = ()  # The version says who is first.
                if resource.setdefault("id", found.id) != found.id:
                    raise Invalid([another_id(found, resource["id"])])
            return await self._writer.write(
                actor, resource, if_match=if_match, idempotency_key=key, turns=turns
            )

        return await self._in_turn(actor, resource_type, condition, write)

    async def _in_turn(
        self,
        actor: Actor,
        resource_type: str,
        condition: str,
        write: Callable[[Stored | None, Sequence[Turn]], Awaitable[Written]],
    ) -> Written:
        name = f"{resource_type}?{condition}"
        async with self._turns.taken([name]):
            for _ in range(_TRIES):
                turns = await seen(self._writer.gate.store.database, [name])
                found = await self._match(actor, resource_type, condition)
                with contextlib.suppress(TurnTaken):
                    return await write(found, list(turns.values()))
        raise Conflict(f"Others write on {name} all the time.", None)

    async def patch(
        self,
        actor: Actor,
        resource_type: str,
        condition: str,
        change: Change,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        fingerprint: bytes = b"",
    ) -> Written:
        """Patch the one that fits, as `Writer.patch` does.

        Raises `NotFound` when none does, `TooManyMatches`, or what `Writer.patch` raises.
        """
        found = await self._match(actor, resource_type, condition)
        if found is None:
            await self._writer.gate.trace_nothing(actor, "match", f"{resource_type}?")
            raise NotFound(f"{resource_type}?{condition}")
        return await self._writer.patch(
            actor, resource_type, found.id, change,
            if_match=if_match, idempotency_key=idempotency_key, fingerprint=fingerprint,
        )  # fmt: skip

    async def delete(self, actor: Actor, resource_type: str, condition: str) -> Stored | None:
        """Delete the one that fits; None when none does. Raises `TooManyMatches` or `Refused`."""
        found = await self._match(actor, resource_type, condition)
        if found is None:
            await self._writer.gate.trace_nothing(actor, "match", f"{resource_type}?")
            return None
        return await self._writer.delete(actor, resource_type, found.id, found.version)

    async def fitting(self, actor: Actor, resource_type: str, condition: str) -> list[Stored]:
        """All that fit. Raises `TooManyMatches` beyond `MOST_AT_ONCE`, or `Invalid`."""
        check_condition(resource_type, condition)
        found = await self._searcher.match(actor, resource_type, condition, MOST_AT_ONCE + 1)
        if len(found) > MOST_AT_ONCE:
            raise TooManyMatches([too_many(resource_type, condition)])
        await self._writer.gate.trace_nothing(actor, "match", f"{resource_type}?")
        return found

    async def _match(self, actor: Actor, resource_type: str, condition: str) -> Stored | None:
        check_condition(resource_type, condition)
        found = await self._searcher.match(actor, resource_type, condition)
        if len(found) > 1:
            raise TooManyMatches([too_many(resource_type, condition)])
        # That it is there is told, and of a create which one it is.
        await self._writer.gate.allow_read(actor, found, "match", f"{resource_type}?")
        return found[0] if found else None


def check_condition(resource_type: str, condition: str, expression: str = "") -> None:
    """Raises `Invalid` for a query that asks nothing, and would so mean any resource at all."""
    names = (part.partition("=")[0] for part in condition.split("&"))
    if all(name in _ASKS_NOTHING for name in names):
        text = f"{resource_type}?{condition} names no search parameter."
        raise Invalid([error("value", text, expression)])


def too_many(resource_type: str, condition: str, expression: str = "") -> Issue:
    """What to say of a condition that fits several resources."""
    text = f"Several resources match {resource_type}?{condition}."
    return error("multiple-matches", text, expression)


def another_id(found: Stored, named: str, expression: str = "") -> Issue:
    """What to say of a resource whose id is not that of the one its condition fits."""
    text = f"The condition fits {found.reference}, the resource has the id {named}."
    return error("value", text, expression)
