"""Cards: what decision support says of an order, how loud, by which rule, from which source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from helsevev.content.decision_shapes import Level

Kind = Literal["finding", "cannot-run"]
Why = Literal["", "knowledge-base", "patient-fact", "unknown-substance", "dose-text"]

_LOUDNESS: Final = {"stop": 0, "interrupt": 1, "quiet": 2}


class Suggestion(Struct, frozen=True):
    """What the reader can do by one action: its words, and the medicine or order it is about.

    `action` is `delete` (of the order), `stop` (of what is in use) or `review`.
    """

    id: str
    label: str
    action: str
    reference: str = ""


class Card(Struct, frozen=True):
    """One thing to know about an order.

    `rule` and `version` say which rule of which edition; `key` is the same for the same finding on
    the same medicines, so that what was answered once is not asked again. `rests_on` are the facts
    that the finding rests on, in words. Of a check that cannot run, `why` says what is missing.
    """

    rule: str
    version: str
    level: Level
    title: str
    text: str
    source: str
    key: str
    rests_on: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    kind: Kind = "finding"
    why: Why = ""
    id: str = ""


class Advice(Struct, frozen=True):
    """The cards of one order, loudest first, and the banner while the knowledge base is down."""

    cards: tuple[Card, ...]
    banner: str = ""

    @property
    def findings(self) -> tuple[Card, ...]:
        """What rules found."""
        return tuple(card for card in self.cards if card.kind == "finding")

    @property
    def unchecked(self) -> tuple[Card, ...]:
        """Checks that could not run."""
        return tuple(card for card in self.cards if card.kind == "cannot-run")

    @property
    def is_stopped(self) -> bool:
        """Whether the order cannot be signed as it is without a reason."""
        return any(card.level == "stop" for card in self.cards)

    @property
    def interrupts(self) -> bool:
        """Whether somebody must be asked before the order is signed."""
        return any(card.level != "quiet" for card in self.cards)


def sorted_cards(cards: Sequence[Card]) -> tuple[Card, ...]:
    """The cards, each key once and as loud as it came, loudest first."""
    loudest: dict[str, Card] = {}
    for card in cards:
        there = loudest.get(card.key)
        if there is None or _LOUDNESS[card.level] < _LOUDNESS[there.level]:
            loudest[card.key] = card
    return tuple(sorted(
        loudest.values(), key=lambda c: (_LOUDNESS[c.level], c.kind != "finding", c.key)
    ))  # fmt: skip
