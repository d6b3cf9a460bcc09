"""Where an order meets decision support: cards when it answers, "unchecked" when it does not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.locale import gettext as _

log = logging.getLogger("helsevev.medication")


class ShownCard(Protocol):
    """What the page shows of a card; a level is stop, interrupt or quiet."""

    level: Any
    title: str
    text: str
    source: str
    key: str


class Checked(Struct, frozen=True):
    """The cards of an order, and why it is unchecked ("" when it was checked)."""

    cards: Sequence[Any] = ()
    unchecked: str = ""

    @property
    def must_answer(self) -> tuple[Any, ...]:
        """Cards that hold the signature until they are answered."""
        return tuple(card for card in self.cards if card.level != "quiet")


Check = Callable[[Services, Permit, Mapping[str, Any]], Awaitable[Checked]]
"""check(services, permit, order) -> what decision support says of it."""


async def checked(
    check: Check | None, services: Services, permit: Permit, order: Mapping[str, Any]
) -> Checked:
    """What `check` says; an order that cannot be checked says so, and is never held up by that."""
    if check is None:
        return Checked(unchecked=_("No decision support is set up."))
    try:
        return await check(services, permit, order)
    except Exception:
        log.exception("Decision support failed on an order.")
        return Checked(unchecked=_("Decision support did not answer."))
