"""Steps of a pathway that were taken: read from their tasks, wherever those were documented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from helsevev.care_plan.coding import STEP
from helsevev.care_plan.plan import taken_step
from helsevev.care_plan.plan_reading import measure_of
from helsevev.care_plan.scheduling import key_of, kind_of_task
from helsevev.fhir.reading import mapping, moment


def with_steps_taken(
    plan: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The plan with the steps whose tasks are done counted as taken when they were done."""
    for task in tasks:
        name = key_of(task).rpartition(".")[2]
        step = measure_of(plan, name) if kind_of_task(task) == STEP else None
        if step is None or task.get("status") != "completed":
            continue
        if mapping(step.get("detail")).get("status") == "completed":
            continue
        period = mapping(task.get("executionPeriod"))
        at = moment(period.get("end") or task.get("lastModified"))
        if at is not None:
            plan = taken_step(plan, name, at.at)
    return plan
