"""Interactions: the order against each medicine in use, by whichever list is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import Situation
from helsevev.locale import gettext as _


def interaction_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """One card for each interaction that needs a measure; one that says so when none is known."""
    if known.interactions is None:
        yield cannot_run(
            "interactions", "knowledge-base",
            _("Interactions have not been checked: the knowledge base does not answer."),
            level="interrupt",
        )  # fmt: skip
        return
    order = situation.order
    mine = known.codes(order)
    for other in situation.others:
        for rule, met, against in known.interactions.between(mine, known.codes(other)):
            level = known.loudness(rule)
            if level is None or met == against:
                continue
            yield Card(
                rule=f"interaction.{rule.id}", version=known.interactions.version, level=level,
                title=f"{order.name} – {other.name}",
                text=" ".join(part for part in (rule.consequence, rule.handling) if part),
                source=f"{rule.source} ({known.interactions.name})",
                key=f"interaction.{rule.id}|{'|'.join(sorted((met, against)))}",
                rests_on=(order.name, other.name),
                suggestions=(
                    Suggestion("drop", _("Do not order %(medicine)s") % {"medicine": order.name},
                               "delete", order.reference),
                    Suggestion("stop", _("Stop %(medicine)s") % {"medicine": other.name},
                               "stop", other.reference),
                ),
            )  # fmt: skip
