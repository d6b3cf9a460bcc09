"""The cases of plans and decisions, run: what their professionals expect beside what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from helsevev.care_plan.applying import NotApplicable, Person, apply, proposed
from helsevev.care_plan.decision import missing
from helsevev.care_plan.plan_reading import deadlines, measures
from helsevev.care_plan.scheduling import measure_moments
from helsevev.content.packs.decisions import Decision, DecisionCase
from helsevev.content.packs.plans import Plan, PlanCase
from helsevev.fhir.reading import OSLO
from helsevev.fhir.recurrence import Span

APPLIED = datetime(2026, 1, 5, 8, tzinfo=OSLO)
"""The moment at which a plan is applied in a case: a Monday morning."""


def plan_faults(plan: Plan) -> list[str]:
    """What the plan's cases expect and do not get, in words; none when all of them hold."""
    return [fault for case in plan.case for fault in _case(plan, case)]


def _case(plan: Plan, case: PlanCase) -> list[str]:
    person = Person(case.age, max(case.months, case.age * 12), case.sex, case.problems, case.level)
    try:
        chosen = [each.key for each in proposed(plan, person) if each.chosen]
    except NotApplicable as problem:
        return [f"{case.about}: {problem}"]
    found = _unlike(case.about, "proposes", case.proposes, chosen)
    goals = {each.key: f"Goal/{each.key}" for each in plan.goal}
    made = apply(
        plan, "Patient/case", chosen, APPLIED, author={}, performer={}, goal_ids=goals
    ).plan  # fmt: skip
    if case.due:
        days = Span(APPLIED, APPLIED.replace(hour=0) + timedelta(days=2))
        due = [
            f"{each['id']} {at.astimezone(OSLO):%d %H:%M}"
            for each in measures(made)
            for at in measure_moments(each, APPLIED, days)
        ]
        found += _unlike(case.about, "due", case.due, due)
    if case.deadlines:
        said = [f"{key} {d.end.astimezone(OSLO):%Y-%m-%d}" for key, d in deadlines(made).items()]
        found += _unlike(case.about, "deadlines", case.deadlines, said)
    return found


def _unlike(about: str, what: str, wanted: Sequence[str], got: Sequence[str]) -> list[str]:
    missing, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    said = []
    if missing:
        said.append(f"{about}: {what}: {', '.join(missing)} is expected and missing")
    if extra:
        said.append(f"{about}: {what}: {', '.join(extra)} is not expected")
    return said


def decision_faults(decision: Decision) -> list[str]:
    """What the cases of a kind of decision expect and do not get; none when all of them hold."""
    return [fault for case in decision.case for fault in _decided(decision, case)]


def _decided(decision: Decision, case: DecisionCase) -> list[str]:
    got = missing(decision, case.amount, case.months, case.functions)
    return _unlike(case.about, "refused", case.refused, got)
