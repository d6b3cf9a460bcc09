"""The register's interactions as the list that decision support checks orders against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final, Literal

from helsevev.content.decision_shapes import InteractionRule
from helsevev.decision_support.knowledge import InteractionList
from helsevev.medication.catalogue.product import Interaction, SubstanceGroup

NAME: Final = "FEST"
_RELEVANCE: Final[dict[str, Literal[1, 2, 3]]] = {"1": 1, "2": 2, "3": 3}


def interaction_list(interactions: Iterable[Interaction], version: str) -> InteractionList:
    """The list in use once the register is loaded; substances without an ATC code are left out."""
    return InteractionList(NAME, version, [rule for each in interactions for rule in _rules(each)])


def _rules(interaction: Interaction) -> Iterator[InteractionRule]:
    relevance = _RELEVANCE.get(interaction.relevance.code)
    if relevance is None:
        return
    pairs = list(combinations(interaction.groups, 2))
    for number, (one, other) in enumerate(pairs, 1):
        first, second = _codes(one), _codes(other)
        if first and second:
            yield InteractionRule(
                id=interaction.id if len(pairs) == 1 else f"{interaction.id}-{number}",
                first=first,
                second=second,
                relevance=relevance,
                consequence=interaction.consequence,
                handling=" ".join(
                    part for part in (interaction.situation, interaction.handling) if part
                ),
                source="; ".join((NAME, *interaction.references)),
            )


def _codes(group: SubstanceGroup) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.atc for each in group.substances if each.atc))
