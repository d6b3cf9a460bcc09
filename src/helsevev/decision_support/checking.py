"""All checks of one order: the same for our own pages, for CDS Hooks and for the cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from helsevev.decision_support.allergies import allergy_cards
from helsevev.decision_support.amounts import age_cards, dose_cards, kidney_cards
from helsevev.decision_support.cards import Advice, Card, Suggestion, sorted_cards
from helsevev.decision_support.contraindications import (
    breast_feeding_cards,
    condition_cards,
    pregnancy_cards,
)
from helsevev.decision_support.duplicates import SAME_SUBSTANCE, duplicate_cards
from helsevev.decision_support.interactions import interaction_cards
from helsevev.decision_support.intervals import as_needed_cards, interval_cards
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import Medicine, Patient, Situation
from helsevev.locale import gettext as _

Check = Callable[[Situation, Knowledge], Iterator[Card]]
CHECKS: Final[tuple[Check, ...]] = (
    interaction_cards, allergy_cards, duplicate_cards, dose_cards, age_cards, kidney_cards,
    pregnancy_cards, breast_feeding_cards, condition_cards, interval_cards, as_needed_cards,
)  # fmt: skip


def advise(situation: Situation, known: Knowledge) -> Advice:
    """The cards of one order, loudest first. Pure; never silent about what could not be checked."""
    banner = known.stopped
    order = situation.order
    if not order.atc:
        missing = cannot_run(
            "medicine", "unknown-substance",
            _("%(medicine)s has no ATC code: nothing has been checked.") % {"medicine": order.name},
            level="interrupt",
        )  # fmt: skip
        return Advice((missing, *_without_codes(situation)), banner)
    found = [card for check in CHECKS for card in check(situation, known)]
    cards = sorted_cards([*found, *_without_codes(situation)])
    return Advice(tuple(_answered(card, situation) for card in cards), banner)


def standing(patient: Patient, in_use: tuple[Medicine, ...], known: Knowledge) -> Advice:
    """What is to be known of the medicines in use while nothing is ordered.

    Nobody is held up: what would stop an order interrupts nobody here, and all is told quietly.
    """
    found = [
        structs.replace(
            card, level="quiet",
            suggestions=(Suggestion("review", _("Review the medicine"), "review", each.reference),),
        )
        for each in in_use
        for card in advise(Situation(patient, each, in_use), known).findings
        if card.level != "quiet"
    ]  # fmt: skip
    return Advice(sorted_cards(found), known.stopped)


def _without_codes(situation: Situation) -> Iterator[Card]:
    for each in situation.others:
        if not each.atc:
            yield cannot_run(
                f"medicine:{each.name}", "unknown-substance",
                _("%(medicine)s in use has no ATC code: the order is not checked against it.")
                % {"medicine": each.name},
            )  # fmt: skip


def _answered(card: Card, situation: Situation) -> Card:
    """What was answered once is told quietly; a stop stays a stop."""
    is_asked_anew = card.rule == SAME_SUBSTANCE
    if card.level == "interrupt" and card.key in situation.acknowledged and not is_asked_anew:
        return structs.replace(card, level="quiet")
    return card
