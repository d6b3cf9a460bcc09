"""The log of decision support's cards: shown, accepted, overridden with reason, and the outcome."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.permit import Permit
from helsevev.fhir.outcome import Issue
from helsevev.kit import clock
from helsevev.record.audit import audit_row
from helsevev.record.statements import load

_SQL: Final = load("cards")
EVENTS: Final = ("accepted", "overridden", "outcome")
_MOST_WORDS: Final = 2000
_HIGH: Final = 1 << 64
SETTLED: Final = timedelta(days=365)
"""For how long a finding that was overridden is not asked about again."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as the log keeps it: the rule that made it, and on which finding and order."""

    id: str
    rule: str
    version: str
    level: str
    key: str
    subject: str


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How a rule has done since a time: counts of cards, and reasons with their counts."""

    rule: str
    version: str
    level: str
    shown: int
    accepted: int
    overridden: int
    outcomes: int
    reasons: tuple[tuple[str, int], ...] = ()

    @property
    def answered(self) -> int:
        """Cards that somebody accepted or overrode."""
        return self.accepted + self.overridden


@dataclass(frozen=True, slots=True)
class WeekCount:
    """How a rule did in one week (its Monday): cards by what happened to them."""

    week: date
    rule: str
    shown: int
    accepted: int
    overridden: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class CardEvent:
    """One line of an inhabitant's log."""

    at: datetime
    card: str
    event: str
    rule: str
    version: str
    level: str
    hook: str
    subject: str
    actor: str
    reason: str
    words: str


def new_card_id(patient: int, of: str = "") -> str:
    """An id (UUID version 8) that tells where the card's log is kept, and cannot be guessed.

    The same one for the same `of`, a secret and the card's key: shown again, it is the same card.
    """
    key = patient % _HIGH
    high, middle, low = key >> 16, (key >> 4) & 0xFFF, key & 0xF
    digest = blake2b(of.encode(), digest_size=8, person=b"card").digest()
    own = int.from_bytes(digest) >> 6 if of else secrets.randbits(58)
    rest = (low << 58) | own
    return str(uuid.UUID(int=(high << 80) | (8 << 76) | (middle << 64) | (2 << 62) | rest))


def patient_of_card(card: str) -> int:
    """The inhabitant's key in a card's id. Raises `NotFound` for what is no such id."""
    try:
        value = uuid.UUID(card).int
    except ValueError:
        raise NotFound(f"card {card[:40]}") from None
    if (value >> 76) & 0xF != 8 or (value >> 62) & 0x3 != 2:
        raise NotFound(f"card {card[:40]}")
    key = ((value >> 80) << 16) | (((value >> 64) & 0xFFF) << 4) | ((value >> 58) & 0xF)
    return key - _HIGH if key >= _HIGH >> 1 else key


class CardLog:
    """Keeps what happens to cards, behind the wall; counts them over everybody, of nobody."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._roles = gate.store.roles

    async def show(self, permit: Permit, hook: str, cards: Iterable[Shown]) -> None:
        """Keep that cards were shown to the permit's actor, before they are."""
        await self._gate.require(permit, "show-cards")
        told = list(cards)
        if not told:
            return
        columns = [
            [getattr(card, name) for card in told]
            for name in ("id", "rule", "version", "level", "key", "subject")
        ]
        await self._roles.changed.execute(
            _SQL["keep_events"], permit.patient, clock.now(), hook, permit.actor.id,
            _unit(permit.actor), *columns,
        )  # fmt: skip

    async def answer(
        self, actor: Actor, card: str, event: str, *, reason: str = "", words: str = ""
    ) -> None:
        """Keep what was done about a card, or its outcome; once more changes nothing.

        Raises `Invalid` for an override without a reason or an unknown event, `NotFound` for a card
        that was not shown to this actor, `Refused` where the record is closed to them by now.
        """
        if event not in EVENTS:
            text = f"A card is {', '.join(EVENTS)}."
            raise Invalid([Issue("error", "value", text, "event")])
        if event == "overridden" and not (reason.strip() or words.strip()):
            text = "State the reason to go on."
            raise Invalid([Issue("error", "required", text, "reason")])
        patient = patient_of_card(card)
        verdict = await self._gate.permits.verdict(actor, patient)
        if not verdict.decision.allowed:
            await self._gate.refuse(actor, patient, verdict.decision, f"card-{event}")
        kept = await self._roles.changed.fetchval(
            _SQL["answer_card"], patient, card, clock.now(), event, actor.id, _unit(actor),
            reason.strip()[:_MOST_WORDS].replace("\0", ""),
            words.strip()[:_MOST_WORDS].replace("\0", ""),
        )  # fmt: skip
        if kept is None:
            shown = self._roles.shown
            if await shown.fetchval(_SQL["was_shown"], patient, card, actor.id) is None:
                raise NotFound(f"card {card[:40]}")
        author = author_of(actor, f"card-{event}", verdict.purpose, basis=verdict.why)
        await self._gate.trail.keep(
            audit_row(patient, 0, clock.now(), author, f"card {card}", action="write")
        )

    async def went_away(self, permit: Permit, subject: str, standing: Iterable[str]) -> None:
        """Keep as accepted what was shown to the actor on a subject, and stands no longer.

        `standing` are the ids of the cards that the subject has now. Quiet ones are left alone:
        nobody was asked about them.
        """
        rows = await self._roles.shown.fetch(
            _SQL["unanswered"], permit.patient, subject, permit.actor.id, list(standing)
        )
        for row in rows:
            await self.answer(permit.actor, row[0], "accepted", reason="changed")

    async def came_after(
        self, permit: Permit, subjects: Iterable[str], reason: str, words: str, before: datetime
    ) -> None:
        """Keep what became of orders that were signed in spite of a card: its outcome, once.

        `reason` is a code, such as `stopped`; `words` what was said of it. Cards that were
        overridden from `before` on belong to what was done, and not to what it was done to.
        """
        await self._gate.require(permit, "card-outcome")
        actor = permit.actor
        await self._roles.changed.execute(
            _SQL["keep_outcome"], permit.patient, list(subjects), clock.now(), actor.id,
            _unit(actor), reason[:100], words.strip()[:_MOST_WORDS].replace("\0", ""),
            before,
        )  # fmt: skip

    async def weeks(self, since: datetime) -> list[WeekCount]:
        """How each rule has done week by week since a time, of nobody in particular."""
        rows = await self._roles.whole.fetch(_SQL["weeks"], since)
        return [WeekCount(*row) for row in rows]

    async def outcomes(self, since: datetime) -> list[tuple[str, str, int]]:
        """(rule, what became of the order, how often) of cards that were overridden."""
        rows = await self._roles.whole.fetch(_SQL["outcomes"], since)
        return [(row[0], row[1], row[2]) for row in rows]

    async def settled(self, permit: Permit) -> frozenset[str]:
        """Findings on this inhabitant that somebody went on in spite of, with a reason."""
        since = clock.now() - SETTLED
        rows = await self._roles.shown.fetch(_SQL["overridden_keys"], permit.patient, since)
        return frozenset(row[0] for row in rows)

    async def of(self, permit: Permit, limit: int = 200) -> list[CardEvent]:
        """What happened to this inhabitant's cards, newest first."""
        await self._gate.require(permit, "read-cards")
        rows = await self._roles.shown.fetch(_SQL["events_of"], permit.patient, limit)
        return [CardEvent(*row) for row in rows]

    async def statistics(self, since: datetime) -> list[RuleCount]:
        """How each rule has done since a time, of nobody in particular."""
        reasons: dict[str, list[tuple[str, int]]] = {}
        for rule, reason, count in await self._roles.whole.fetch(_SQL["reasons"], since):
            reasons.setdefault(rule, []).append((reason, count))
        rows = await self._roles.whole.fetch(_SQL["statistics"], since)
        return [replace(RuleCount(*row), reasons=tuple(reasons.get(row[0], ()))) for row in rows]


def _unit(actor: Actor) -> str:
    return actor.organisations[0] if actor.organisations else ""
