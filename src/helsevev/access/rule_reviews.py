"""Reviews of rules of decision support: asked for, and ended by who says what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Conflict
from helsevev.access.gate import Gate
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record.statements import load

_SQL: Final = load("cards")
_MOST_WORDS: Final = 2000


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a rule; `told` are the figures that called for it. Under way: no `ended_at`."""

    rule: str
    asked_at: datetime
    told: str
    ended_at: datetime | None
    verdict: str
    ended_by: str


class RuleReviews:
    """Keeps them; they are about no inhabitant."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._database = gate.store.roles.program

    async def all(self) -> list[Review]:
        """Every review, the newest first."""
        return [Review(*row) for row in await self._database.fetch(_SQL["reviews"])]

    async def waiting(self) -> dict[str, Review]:
        """Rule -> its review, of those that nobody has ended."""
        return {each.rule: each for each in await self.all() if each.ended_at is None}

    async def ask(self, rule: str, told: str) -> bool:
        """Ask for a review of a rule; False when it is under review already."""
        row = await self._database.fetchval(_SQL["ask_review"], rule, told, clock.now())
        return row is not None

    async def end(self, actor: Actor, rule: str, verdict: str) -> None:
        """Keep what a review came to, and by whom. Raises `Conflict` when there is none to end."""
        words = verdict.strip()[:_MOST_WORDS].replace("\0", "")
        row = await self._database.fetchval(
            _SQL["end_review"], rule, clock.now(), words, actor.id, actor.name
        )
        if row is None:
            raise Conflict(_("This rule is not under review."), None)
        await self._gate.trace_nothing(actor, f"end-review {rule[:80]}", "Task")
