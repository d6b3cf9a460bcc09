"""How each rule does: in the cases of the content, and with those who meet its cards (G22)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from msgspec import Struct

from helsevev.access.card_log import RuleCount
from helsevev.advice.rule_book import title_of
from helsevev.content import decision_loading as content
from helsevev.content.decision_shapes import Levels
from helsevev.decision_support.knowledge import included, knowledge
from helsevev.decision_support.situation_cases import Case, read_cases, shown, worked_out


class WorkedOut(Struct, frozen=True):
    """A case, the cards that it gave, and whether they are those that are expected."""

    case: Case
    cards: frozenset[tuple[str, str]]

    @property
    def is_as_expected(self) -> bool:
        """Whether it gave what professionals expect, and nothing else."""
        return self.cards == self.case.expected


class CaseCounts(Struct, frozen=True):
    """How the cases went: how many, how many as expected, without cards, and for each rule."""

    cases: int
    as_expected: int
    without_cards: int
    of_rule: dict[str, int]


class RuleLine(Struct, frozen=True):
    """One rule on the page; `acceptance` in percent, None before anybody answered.

    `outcomes` counts orders that were changed, paused or stopped after its card was overridden.
    """

    rule: str
    title: str
    version: str
    cases: int
    shown: int
    accepted: int
    overridden: int
    outcomes: int
    acceptance: int | None
    goes_to_review: bool
    reasons: tuple[tuple[str, int], ...]


@cache
def worked_out_cases() -> tuple[WorkedOut, ...]:
    """The cases of the content worked out with the rules of the content."""
    known = knowledge(included())
    return tuple(
        WorkedOut(case, shown(worked_out(case, known))) for case in read_cases(content.cases())
    )


def cases_of(rule: str) -> tuple[WorkedOut, ...]:
    """The cases that a rule is expected in, or speaks in."""
    return tuple(
        each for each in worked_out_cases()
        if any(name == rule for name, _level in each.cards | each.case.expected)
    )  # fmt: skip


@cache
def case_counts() -> CaseCounts:
    """How the cases of the content went."""
    made = worked_out_cases()
    counted = Counter(rule for each in made for rule, _level in each.cards)
    return CaseCounts(
        len(made), sum(each.is_as_expected for each in made),
        sum(not each.cards for each in made), dict(counted),
    )  # fmt: skip


def rule_lines(
    counted: Sequence[RuleCount], cases: CaseCounts, levels: Levels
) -> tuple[RuleLine, ...]:  # fmt: skip
    """Every rule that was shown or has a case; those that go to review first."""
    labels = {each.code: each.label for each in levels.reason}
    lines = []
    by_rule = {each.rule: each for each in counted}
    for rule in sorted({*by_rule, *cases.of_rule}):
        count = by_rule.get(rule) or RuleCount(rule, "", "", 0, 0, 0, 0)
        share = Decimal(count.accepted) / count.answered if count.answered else None
        lines.append(RuleLine(
            rule, title_of(rule), count.version, cases.of_rule.get(rule, 0), count.shown,
            count.accepted, count.overridden, count.outcomes,
            round(share * 100) if share is not None else None,
            share is not None and count.answered >= levels.fewest_shown
            and share < levels.lowest_acceptance,
            tuple((labels.get(code, code), many) for code, many in count.reasons),
        ))  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (not line.goes_to_review, -line.shown, line.rule)))
