"""Doses too near each other, and what is taken as needed without a most in 24 hours."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from helsevev.content.decision_shapes import Level
from helsevev.decision_support.amounts import card, plain
from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.missing import cannot_run
from helsevev.decision_support.situation import Situation
from helsevev.locale import gettext as _


def interval_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """Medicines given weekly or more seldom that are ordered more often."""
    order = situation.order
    codes = known.codes(order)
    for rule in known.intervals.interval:
        if not rule.is_about(codes) or not rule.is_for(order.single("mg")):
            continue
        if order.hours is None:
            text = _("It is not given how often: the interval is not checked.")
            # Only where a dose too many has killed is a schedule asked for before signing.
            loud: Level = "stop" if rule.level == "stop" else "quiet"
            yield cannot_run("interval", "dose-text", text, level=loud)
        elif order.hours < rule.hours:
            said = _("Ordered every %(given)s hours; at least %(least)s hours apart.") % {
                "given": plain(order.hours), "least": plain(rule.hours),
            }  # fmt: skip
            found = card(
                f"interval.{rule.id}", rule, rule.level, known, order, f"{said} {rule.text}", ()
            )
            yield structs.replace(found, version=known.intervals.version)


def as_needed_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """What is taken as needed, and nobody has said how much at most in 24 hours."""
    order = situation.order
    if not any(each.as_needed and not each.has_maximum for each in order.dosings):
        return
    change = _("State the most in 24 hours")
    yield Card(
        rule="as-needed.no-maximum", version=known.levels.version,
        level=known.levels.as_needed_without_maximum, title=_("No maximum in 24 hours"),
        text=_("%(medicine)s is ordered as needed without a most in 24 hours.")
        % {"medicine": order.name},
        source=known.levels.source[0], key=f"as-needed.no-maximum|{'|'.join(order.atc)}",
        suggestions=(Suggestion("change", change, "review", order.reference),),
    )  # fmt: skip
