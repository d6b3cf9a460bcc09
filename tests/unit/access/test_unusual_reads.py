"""Every published rule finds what its own cases say, and nothing in facts that are unknown."""

from __future__ import annotations

import pytest

from helsevev.access.audit.rules import finds, unusual
from helsevev.content.audit_shapes import ReadFacts, RuleCase, UnusualRule
from helsevev.content.loading import unusual_reads

CASES = [(rule, case) for rule in unusual_reads().rule for case in rule.case]


@pytest.mark.parametrize(("rule", "case"), CASES, ids=lambda each: getattr(each, "name", None))
def test_a_rule_keeps_to_its_cases(rule: UnusualRule, case: RuleCase) -> None:
    assert finds(rule, case.facts) is case.found


def test_nothing_is_unusual_where_nothing_is_known() -> None:
    assert unusual(ReadFacts()) == []


def test_each_finding_can_be_told_in_words_and_has_a_deadline() -> None:
    for rule in unusual_reads().rule:
        assert rule.words.endswith(".")
        assert 1 <= rule.due_days <= 30
