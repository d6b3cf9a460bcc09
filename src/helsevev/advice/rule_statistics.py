"""How each rule does: in the cases of the content, and with those who meet its cards (G22)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from msgspec import Struct

from helsevev.access.card_log import RuleCount
from helsevev.content import decision_loading as content
from helsevev.content.decision_shapes import Levels
from helsevev.decision_support.knowledge import included, knowledge
from helsevev.decision_support.situation_cases import read_cases, shown, worked_out


class CaseCounts(Struct, frozen=True):
    """How the cases went: how many, how many as expected, without cards, and for each rule."""

    cases: int
    as_expected: int
    without_cards: int
    of_rule: dict[str, int]


class RuleLine(Struct, frozen=True):
    """One rule on the page; `acceptance` in percent, None before anybody answered."""

    rule: str
    version: str
    cases: int
    shown: int
    accepted: int
    overridden: int
    acceptance: int | None
    goes_to_review: bool
    reasons: tuple[tuple[str, int], ...]


@cache
def case_counts() -> CaseCounts:
    """The cases of the content worked out with the rules of the content."""
    known = knowledge(included())
    cases = read_cases(content.cases())
    made = [(case, shown(worked_out(case, known))) for case in cases]
    counted = Counter(rule for _case, cards in made for rule, _level in cards)
    return CaseCounts(
        len(cases), sum(case.expected == cards for case, cards in made),
        sum(not cards for _case, cards in made), dict(counted),
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
            rule, count.version, cases.of_rule.get(rule, 0), count.shown, count.accepted,
            count.overridden, round(share * 100) if share is not None else None,
            share is not None and count.answered >= levels.fewest_shown
            and share < levels.lowest_acceptance,
            tuple((labels.get(code, code), many) for code, many in count.reasons),
        ))  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (not line.goes_to_review, -line.shown, line.rule)))
