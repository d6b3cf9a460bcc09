"""Plans, pathways and kinds of decisions of the packs hold their own cases, and say when not."""

from __future__ import annotations

import pytest
from msgspec import structs

from helsevev.care_plan.cases import decision_faults, plan_faults
from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.forms import Form
from helsevev.content.packs.plans import Plan
from helsevev.content.packs.shelf import Shelf, built_in
from helsevev.content.shapes import ContentError
from helsevev.fhir.validation import validate
from helsevev.kit import clock

SHELF = Shelf(built_in(), clock.now().date())
PLANS = SHELF.all(Plan)
DECISIONS = SHELF.all(Decision)


@pytest.mark.parametrize("key", sorted(PLANS))
def test_a_plan_gives_what_its_cases_expect(key: str) -> None:
    assert plan_faults(PLANS[key]) == []


@pytest.mark.parametrize("key", sorted(PLANS))
def test_a_plan_is_a_plan_definition_that_anybody_can_read(key: str) -> None:
    (resource,) = PLANS[key].resources()
    assert [issue for issue in validate(resource) if issue.is_error] == []
    assert resource["url"].endswith(f"/PlanDefinition/{key}")
    assert resource["version"] == PLANS[key].version


def test_a_measure_is_documented_by_a_form_that_there_is() -> None:
    forms = SHELF.all(Form)
    asked = {a.form for plan in PLANS.values() for a in plan.action if a.form}
    assert asked - set(forms) == set()


def test_there_are_pathways_and_plans_for_eight_disciplines() -> None:
    assert len(PLANS) >= 12
    assert sum(plan.kind == "pathway" for plan in PLANS.values()) >= 6
    assert len({SHELF.pack_of(Plan, key) for key in PLANS}) == 8


@pytest.mark.parametrize("key", sorted(DECISIONS))
def test_a_kind_of_decision_refuses_what_its_cases_say(key: str) -> None:
    assert decision_faults(DECISIONS[key]) == []


def test_a_plan_that_no_longer_does_what_a_case_expects_says_which() -> None:
    plan = PLANS["heart_failure_at_home"]
    changed = structs.replace(plan, action=plan.action[1:])
    assert plan_faults(changed)[0] == (
        "84 år med hjertesvikt: proposes: weigh is expected and missing"
    )


def test_a_condition_that_cannot_be_read_is_told_with_its_action() -> None:
    plan = PLANS["heart_failure_at_home"]
    broken = structs.replace(plan.action[0], when="%age >=")
    assert "weigh" in plan_faults(structs.replace(plan, action=(broken, *plan.action[1:])))[0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('every = "often"', "no length of time"),
        ('at = ["8"]', "no time of day"),
        ('days = ["funday"]', "no days of the week"),
        ('at = ["08:00"]\nwithin = "3 d"', "either a deadline or times"),
        ('goals = ["rich"]', "there is no goal rich"),
        ('within = "3 d"\nafter = "later"', "is no step before it"),
        ('does = "magic"', "does one of"),
    ],
)
def test_a_measure_that_says_nothing_sensible_is_refused_with_its_place(
    wrong: str, told: str
) -> None:
    text = (
        'title = "A"\nversion = "1"\nsource = ["S"]\n'
        f'[[action]]\nkey = "one"\ntitle = "One"\n{wrong}\n'
        '[[case]]\nabout = "Anybody"\nproposes = ["one"]\n'
    )
    with pytest.raises(ContentError, match=told):
        Plan.read(text, "nursing/plans/a.toml", "a")
