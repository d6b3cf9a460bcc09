"""Where an order meets decision support: cards when it answers, "unchecked" when it does not."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from helsevev.access.errors import Refused
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.decision_support.cards import Advice, Card
from helsevev.fhir.outcome import error
from helsevev.locale import gettext as _
from helsevev.medication.checks import check_orders, subject_of
from helsevev.medication.prescription import NotPrescribable

log = logging.getLogger("helsevev.medication")


class Checked(Struct, frozen=True):
    """The cards of an order, and why it is unchecked ("" when it was checked)."""

    cards: Sequence[Card] = ()
    unchecked: str = ""
    advice: Advice = Advice(())

    @property
    def must_answer(self) -> tuple[Card, ...]:
        """Cards that hold the signature until they are answered."""
        return tuple(card for card in self.cards if card.level != "quiet")


class Unanswered(NotPrescribable):
    """Warnings hold the signature back until they are answered."""

    def __init__(self, says: Checked) -> None:
        super().__init__([error("business-rule", _("Answer the warnings first."))])
        self.says = says


async def checked(
    services: Services,
    permit: Permit,
    order: Mapping[str, Any],
    *,
    hook: str = "order-sign",
    showing: str = "",
) -> Checked:
    """What decision support says of an order: see `checked_together`."""
    (found,) = await checked_together(services, permit, [order], hook=hook, showing=showing)
    return found


async def checked_together(
    services: Services,
    permit: Permit,
    orders: Sequence[Mapping[str, Any]],
    *,
    hook: str = "order-sign",
    showing: str = "",
) -> list[Checked]:
    """What decision support says of orders made together; what cannot be checked says so (G23).

    A failure of the checks never holds an order up, and never passes for an order without findings.
    `showing` names the form: its cards are logged as shown once, however often it asks.
    """
    try:
        found = await check_orders(services, permit, orders, hook=hook, showing=showing)
    except Refused:
        raise
    except Exception:
        log.exception("Decision support failed on an order.")
        return [Checked(unchecked=_("Decision support did not answer."))] * len(orders)
    return [Checked(advice.cards, advice.banner, advice) for advice in found]


async def answered(
    services: Services,
    permit: Permit,
    says: Checked,
    answers: Mapping[str, str],
    order: Mapping[str, Any],
) -> None:
    """Keep that the order was signed in spite of its warnings, and why; what went away, as heeded.

    Warnings that the form has shown and the order no longer gives were accepted by changing it.
    """
    for card in says.must_answer:
        await services.card_log.answer(
            permit.actor, card.id, "overridden", words=answers[card.key].strip()
        )
    standing = [card.id for card in says.cards]
    await services.card_log.went_away(permit, subject_of(order), standing)
