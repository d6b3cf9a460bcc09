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
from helsevev.medication.checks import check_orders
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
    services: Services, permit: Permit, order: Mapping[str, Any], *, hook: str = "order-sign"
) -> Checked:
    """What decision support says of an order; one that cannot be checked says so (G23).

    A failure of the checks never holds an order up, and never passes for an order without findings.
    """
    try:
        (advice,) = await check_orders(services, permit, [order], hook=hook)
    except Refused:
        raise
    except Exception:
        log.exception("Decision support failed on an order.")
        return Checked(unchecked=_("Decision support did not answer."))
    return Checked(advice.cards, advice.banner, advice)


async def answered(
    services: Services, permit: Permit, says: Checked, answers: Mapping[str, str]
) -> None:
    """Keep that the order was signed in spite of its warnings, and why."""
    for card in says.must_answer:
        await services.card_log.answer(
            permit.actor, card.id, "overridden", words=answers[card.key].strip()
        )
