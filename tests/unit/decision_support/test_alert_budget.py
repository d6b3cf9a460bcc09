"""A rule that few of those who answer accept goes to review, once enough have answered."""

from __future__ import annotations

import pytest

from helsevev.access.card_log import RuleCount
from helsevev.advice.rule_statistics import CaseCounts, case_counts, rule_lines
from helsevev.content import decision_loading as content

NO_CASES = CaseCounts(0, 0, 0, {})


@pytest.mark.parametrize(
    ("accepted", "overridden", "goes"),
    [(0, 9, False), (2, 8, True), (3, 7, False), (0, 10, True), (29, 71, True), (30, 70, False)],
)
def test_a_rule_goes_to_review_below_thirty_percent(
    accepted: int, overridden: int, goes: bool
) -> None:
    count = RuleCount("interaction.x", "1", "interrupt", 200, accepted, overridden, 0)
    (line,) = rule_lines([count], NO_CASES, content.levels())
    assert line.goes_to_review is goes
    assert line.acceptance == round(100 * accepted / (accepted + overridden))


def test_every_rule_of_the_cases_has_a_line_and_all_cases_are_as_expected() -> None:
    cases = case_counts()
    lines = rule_lines([], cases, content.levels())
    assert cases.as_expected == cases.cases
    assert {line.rule for line in lines} == set(cases.of_rule)
