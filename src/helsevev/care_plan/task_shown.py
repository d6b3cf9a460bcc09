"""Planned tasks as they are shown: what, when, whose, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.coding import MEASURE
from helsevev.care_plan.scheduling import (
    OPEN,
    kind_of_task,
)
from helsevev.care_plan.task import is_documented, may_take_back
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    first,
    mapping,
    moment,
    objects,
    reference_key,
    reference_text,
    text,
)
from helsevev.screens.addresses import form_link

_SOON: Final = timedelta(hours=2)
_WEEK: Final = timedelta(days=7)


class TaskRow(Struct, frozen=True, kw_only=True):
    """One planned task. `state` is late, now, later, done or undone; `at` when it is planned."""

    id: str
    version: str
    patient_id: str
    title: str
    how: str
    owner: str
    owner_key: str
    at: Moment | None
    due: Moment | None
    state: str
    kind: str
    plan_id: str
    form: str = ""
    reason: str = ""
    words: str = ""
    done_at: str = ""
    is_fresh: bool = False
    """Whether it was documented so lately that who did it may take it back."""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do it."""
        return self.state in ("late", "now", "later")

    @property
    def form_address(self) -> str:
        """Where its form is filled in, "" when it has none."""
        return form_link(self.patient_id, self.form, task=self.id) if self.form else ""


def plan_of(task: Mapping[str, Any]) -> str:
    """The id of the plan that a task comes of."""
    return reference_key(first(task.get("basedOn"))).removeprefix("CarePlan/")


def task_rows(
    tasks: Iterable[Mapping[str, Any]], now: datetime, names: Mapping[str, str] | None = None
) -> tuple[TaskRow, ...]:
    """Planned tasks as rows: late ones first, then by when they are due."""
    rows = [task_row(each, now, names) for each in tasks if each.get("status") in OPEN
            or is_documented(each)]  # fmt: skip
    order = {"late": 0, "now": 1, "later": 2, "undone": 3, "done": 4}
    rows.sort(key=lambda row: (order[row.state], _moment_key(row)))
    return tuple(rows)


def task_row(
    task: Mapping[str, Any], now: datetime, names: Mapping[str, str] | None = None
) -> TaskRow:
    """One planned task as a row."""
    period = mapping(mapping(task.get("restriction")).get("period"))
    at, due = moment(period.get("start")), moment(period.get("end"))
    done = mapping(task.get("executionPeriod"))
    notes = objects(task.get("note"))
    form = next(
        (text(each.get("valueString")) for each in objects(task.get("input"))
         if text(each.get("valueString"))), "",
    )  # fmt: skip
    title = concept_text(task.get("code"))
    how = text(task.get("description"))
    return TaskRow(
        id=text(task.get("id")), version=text(mapping(task.get("meta")).get("versionId")),
        patient_id=reference_key(task.get("for")).removeprefix("Patient/"),
        title=title, how="" if how == title else how,
        owner=reference_text(task.get("owner"), names), owner_key=reference_key(task.get("owner")),
        at=at, due=due, state=_state(task, at, due, now), kind=kind_of_task(task),
        plan_id=plan_of(task), form=form,
        reason=concept_text(task.get("statusReason")),
        words=text(notes[-1].get("text")) if notes else "",
        done_at=text(done.get("end")) or text(task.get("lastModified")),
        is_fresh=may_take_back(task, reference_key(task.get("owner")), now),
    )  # fmt: skip


def _state(
    task: Mapping[str, Any], at: Moment | None, due: Moment | None, now: datetime
) -> str:  # fmt: skip
    if task.get("status") == "completed":
        return "done"
    if task.get("status") not in OPEN:
        return "undone"
    if due is not None and due.end < now:
        return "late"
    if kind_of_task(task) != MEASURE:
        return "now" if due is not None and due.at - now < _WEEK else "later"
    return "now" if at is None or at.at <= now + _SOON else "later"


def _moment_key(row: TaskRow) -> float:
    known = row.at or row.due
    return known.at.timestamp() if known else 0.0


def is_to_come(resource: Mapping[str, Any]) -> bool:
    """Whether it is a planned task that nobody has done yet: no event, and no news to anybody."""
    return (
        resource.get("resourceType") == "Task"
        and resource.get("status") in OPEN
        and kind_of_task(resource) != ""
    )
