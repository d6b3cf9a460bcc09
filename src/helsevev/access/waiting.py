"""What waits for somebody, as the read model of tasks says, and who looks after that it is seen to.

Of a unit's own list, staff see that something stands on it, by when and for whom, also where they
may not open whom it is about: nothing is unowned because nobody could see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.gate import Gate
from helsevev.fhir import dates
from helsevev.kit import clock
from helsevev.record.statements import load

_SQL: Final = load("follow_up")
WATCH: Final = "escalation"
"""The name under which the job says that it has looked."""


@dataclass(frozen=True, slots=True)
class Waits:
    """A task that waits: references of its owner and unit, and its deadline; nothing of whom."""

    task_id: str
    owner: str
    unit: str
    matter: str
    asked_at: datetime | None
    due_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unopened:
    """A list that lies unopened with something on it `since`; told at `told_at`."""

    unit: str
    unit_name: str
    since: datetime
    told_at: datetime


class Waiting:
    """Reads and keeps what the follow-up rests on. What a task says is opened through the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._whole = gate.store.roles.whole
        self._program = gate.store.roles.program

    async def mine(self, actor: Actor, limit: int = 200) -> list[Waits]:
        """What waits for the person, in whichever role, by deadline."""
        now = dates.microseconds(clock.now())
        return await self._rows("of_owners", list(actor.person), limit, now)

    async def of_unit(
        self, actor: Actor, members: Sequence[str] = (), limit: int = 200
    ) -> list[Waits]:
        """What stands on the list of the unit that the actor works in, by deadline.

        `members` are references of those who work there: what one of them owns about somebody whom
        the unit treats is the unit's to see to, where nobody wrote otherwise.
        """
        if not actor.unit:
            return []
        now = dates.microseconds(clock.now())
        return await self._rows("of_unit", actor.unit[0], limit, now, list(members))

    async def due(self, at: datetime, limit: int) -> list[str]:
        """The ids of tasks whose next step is due, the longest due first; for the job."""
        rows = await self._whole.fetch(_SQL["due"], dates.microseconds(at), limit)
        return [row["source_id"] for row in rows]

    async def beat(self, at: datetime, longest: timedelta) -> timedelta:
        """Say that what is overdue was looked for; how long nobody had. Too long a time is kept."""
        before = await self._program.fetchval(_SQL["beat"], WATCH, at)
        passed: timedelta = at - before if before is not None else timedelta(0)
        if passed > longest:
            await self._program.execute(_SQL["gap"], WATCH, before, at)
        return passed

    async def is_late(self, longest: timedelta) -> bool:
        """Whether nobody has looked for what is overdue for too long."""
        at = await self._program.fetchval(_SQL["last_beat"], WATCH)
        return at is not None and clock.now() - at > longest

    async def gaps(self, since: datetime) -> list[tuple[datetime, datetime]]:
        """The times in which nobody looked, the newest first."""
        rows = await self._program.fetch(_SQL["gaps"], WATCH, since)
        return [(row["from_at"], row["to_at"]) for row in rows]

    async def open_list(self, actor: Actor) -> None:
        """Say that the actor has opened the list of their unit."""
        if actor.unit:
            now = clock.now()
            await self._program.execute(_SQL["opened"], actor.unit[0], now, actor.id, actor.name)
            await self._program.execute(_SQL["end_unopened"], actor.unit[0], now, actor.name)

    async def lying_unopened(self, longest: timedelta, limit: int) -> list[tuple[str, datetime]]:
        """(unit, since when) of lists that nobody has opened for too long; for the job."""
        cut = clock.now() - longest
        rows = await self._whole.fetch(_SQL["lying_unopened"], dates.microseconds(cut), cut, limit)
        return [(row["unit"], _time(row["since"]) or cut) for row in rows]

    async def tell_unopened(self, unit: str, name: str, told: str, since: datetime) -> None:
        """Tell an organisation that the list of a unit lies unopened."""
        await self._program.execute(_SQL["tell_unopened"], unit, name, told, since, clock.now())

    async def unopened_below(self, actor: Actor) -> list[Unopened]:
        """Lists that lie unopened and of which the actor's unit was told."""
        rows = await self._program.fetch(_SQL["unopened_below"], list(actor.unit))
        return [Unopened(*row) for row in rows]

    async def own(self, actor: Actor, kind: str) -> dict[str, str]:
        """What the actor has put on their desk, of a kind: key -> body (JSON)."""
        rows = await self._program.fetch(_SQL["own"], actor.id, kind)
        return {row["key"]: row["body"] for row in rows}

    async def keep_own(self, actor: Actor, kind: str, key: str, body: str) -> None:
        """Put something on the actor's desk, in place of what is there under the same key."""
        await self._program.execute(_SQL["keep_own"], actor.id, kind, key, body, clock.now())

    async def drop_own(self, actor: Actor, kind: str, key: str) -> None:
        """Take something off the actor's desk."""
        await self._program.execute(_SQL["drop_own"], actor.id, kind, key)

    async def _rows(self, statement: str, *arguments: object) -> list[Waits]:
        rows = await self._whole.fetch(_SQL[statement], *arguments)
        return [
            Waits(
                row["source_id"], row["owner"], row["unit"], row["matter"], _time(row["asked_at"]),
                _time(row["due_at"]), _time(row["next_at"]),
            )
            for row in rows
        ]  # fmt: skip


def _time(microseconds: int | None) -> datetime | None:
    return None if not microseconds else dates.moment(microseconds)
