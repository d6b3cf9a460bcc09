"""The same substance twice, or two of a group of which one at a time is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from helsevev.content.decision_shapes import DuplicateRule, Level
from helsevev.decision_support.cards import Card, Suggestion
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.situation import Medicine, Situation, below
from helsevev.locale import gettext as _

SAME_SUBSTANCE: Final = "duplicate.same-substance"
"""The rule that a substance is in use already: of each new order it is asked anew."""


def duplicate_cards(situation: Situation, known: Knowledge) -> Iterator[Card]:
    """A card for each medicine in use that the order repeats."""
    order = situation.order
    mine = set(known.codes(order))
    for other in situation.others:
        theirs = set(known.codes(other))
        same = sorted(code for code in mine & theirs if len(code) == 7)
        if same:
            yield _same(order, other, same[0], known)
            continue
        for rule in known.duplicates.duplicate:
            if _are_two_of(rule, mine, theirs):
                yield _card(
                    f"duplicate.{rule.id}", known, rule.level, order, other, rule.text, rule.source
                )


def _are_two_of(rule: DuplicateRule, mine: set[str], theirs: set[str]) -> bool:
    if not (rule.is_about(sorted(mine)) and rule.is_about(sorted(theirs))):
        return False
    return not any(
        (below(sorted(mine), (a,)) and below(sorted(theirs), (b,)))
        or (below(sorted(mine), (b,)) and below(sorted(theirs), (a,)))
        for a, b in rule.but_together
    )


def _same(order: Medicine, other: Medicine, code: str, known: Knowledge) -> Card:
    levels = known.levels
    # Long-acting with short-acting as needed is how some are meant to be used.
    is_usual = bool(below([code], levels.same_substance_together)) and (
        order.is_as_needed != other.is_as_needed
    )
    text = _("%(medicine)s is in use already.") % {"medicine": other.name}
    source = _("The patient's list of medicines")
    level: Level = "quiet" if is_usual or order.is_meant_beside else levels.same_substance
    return _card(SAME_SUBSTANCE, known, level, order, other, text, source)


def _card(
    rule: str, known: Knowledge, level: Level, order: Medicine, other: Medicine, text: str,
    source: str,
) -> Card:  # fmt: skip
    pair = "|".join(sorted((*order.atc, *other.atc)))
    return Card(
        rule=rule, version=known.duplicates.version, level=level,
        title=_("Twice: %(one)s and %(other)s") % {"one": order.name, "other": other.name},
        text=text, source=source, key=f"{rule}|{pair}", rests_on=(other.name,),
        suggestions=(
            Suggestion("drop", _("Do not order %(medicine)s") % {"medicine": order.name},
                       "delete", order.reference),
            Suggestion("stop", _("Stop %(medicine)s") % {"medicine": other.name},
                       "stop", other.reference),
        ),
    )  # fmt: skip
