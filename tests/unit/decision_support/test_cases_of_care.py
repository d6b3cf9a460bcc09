"""Every situation of the content gives the cards that professionals expect, and no others."""

from __future__ import annotations

from collections import Counter

import pytest

from helsevev.content import decision_loading as content
from helsevev.decision_support.knowledge import included, knowledge
from helsevev.decision_support.situation_cases import (
    BadCase,
    Case,
    read_cases,
    shown,
    worked_out,
)

KNOWN = knowledge(included())
CASES = read_cases(content.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.about}: {case.ordered}")
def test_a_situation_gives_the_cards_that_are_expected(case: Case) -> None:
    assert shown(worked_out(case, KNOWN)) == case.expected


def test_there_are_enough_situations_with_and_without_cards_and_each_has_a_source() -> None:
    kinds = Counter(next(iter(case.expected))[0].split(".")[0] for case in CASES if case.expected)
    assert len(CASES) >= 300
    assert sum(not case.expected for case in CASES) >= 90
    assert set(kinds) >= {
        "interaction", "allergy", "duplicate", "dose", "age", "kidney", "pregnancy",
        "breast-feeding", "condition", "interval", "as-needed", "cannot-run",
    }  # fmt: skip
    assert all(case.source for case in CASES)


def test_each_situation_is_told_once() -> None:
    told = Counter((case.patient, case.uses, case.ordered) for case in CASES)
    assert [which for which, count in told.items() if count > 1] == []


@pytest.mark.parametrize("row", ["a;b;c;d;x=stop;", "a;b;c;d;x=loud;SPC", "a;b"])
def test_a_case_without_source_or_level_is_refused(row: str) -> None:
    with pytest.raises(BadCase):
        read_cases(f"header\n{row}\n")
