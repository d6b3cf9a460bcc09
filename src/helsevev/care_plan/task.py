"""What somebody is asked to do by a plan: done, left undone with a reason, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from helsevev.care_plan.coding import EVALUATION, MEASURE, REASON, STEP, concept
from helsevev.care_plan.scheduling import OPEN, key_of, kind_of_task
from helsevev.content.care_plan_loading import planning
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, moment, objects, reference_key, text
from helsevev.follow_up.coding import stamp
from helsevev.locale import gettext as _

OTHER: Final = "other"
_SHORTEST: Final = 3
TAKEN_BACK: Final = timedelta(hours=12)
"""How long who documented a task may take it back by one press; later it is corrected in words."""


class NotDocumentable(ValueError):
    """The task cannot be documented so; the message says why, in words for the screen."""


def done(
    task: Mapping[str, Any], by: Mapping[str, Any], at: datetime, words: str = ""
) -> dict[str, Any]:  # fmt: skip
    """The task as it is when `by` (a Reference) has done it. Raises `NotDocumentable`."""
    _must_be_open(task)
    made = {
        **task,
        "status": "completed",
        "lastModified": stamp(at),
        "owner": dict(by),
        "executionPeriod": {"start": _started(task, at), "end": stamp(at)},
    }
    return _noted(made, by, at, words)


def not_done(
    task: Mapping[str, Any], by: Mapping[str, Any], at: datetime, reason: str, words: str = ""
) -> dict[str, Any]:
    """The task as it is when it was left undone, and why. Raises `NotDocumentable`."""
    _must_be_open(task)
    labels = {each.code: each.label for each in planning().not_done}
    if reason not in labels:
        raise NotDocumentable(_("Choose why it was not done."))
    if reason == OTHER and len(words.strip()) < _SHORTEST:
        raise NotDocumentable(_("Say in words why it was not done."))
    made = {
        **task,
        "status": "failed",
        "statusReason": concept(REASON, reason, labels[reason]),
        "lastModified": stamp(at),
        "owner": dict(by),
    }
    made.pop("executionPeriod", None)
    return _noted(made, by, at, words)


def taken_back(
    task: Mapping[str, Any], before: Mapping[str, Any], by: str, at: datetime
) -> dict[str, Any]:
    """The task as it was `before` it was documented, for who documented it by mistake.

    Raises `NotDocumentable`: somebody else documented it, or it was too long ago.
    """
    if not may_take_back(task, by, at):
        raise NotDocumentable(_("Only who documented it can take it back, the same day."))
    kept = ("owner", "executionPeriod", "note")
    made = {key: value for key, value in task.items() if key not in (*kept, "statusReason")}
    return {
        **made,
        **{key: before[key] for key in kept if key in before},
        "status": text(before.get("status")) if before.get("status") in OPEN else "requested",
        "lastModified": stamp(at),
    }


def may_take_back(task: Mapping[str, Any], by: str, at: datetime) -> bool:
    """Whether `by` (a reference) documented it, and not long ago."""
    said = moment(task.get("lastModified"))
    return (
        is_documented(task)
        and reference_key(task.get("owner")) == by
        and said is not None
        and at - said.at <= TAKEN_BACK
    )


def is_documented(task: Mapping[str, Any]) -> bool:
    """Whether somebody has said what became of it."""
    return task.get("status") in ("completed", "failed")


def is_planned(task: Mapping[str, Any]) -> bool:
    """Whether it comes of a plan."""
    return bool(key_of(task)) and kind_of_task(task) in (MEASURE, STEP, EVALUATION)


def check(task: Mapping[str, Any]) -> list[Issue]:
    """What is wrong with a task of a plan: done by nobody, or left undone without a reason."""
    if not is_planned(task):
        return []
    if task.get("status") == "completed" and not reference_key(task.get("owner")):
        return [error("business-rule", "A task that is done says who did it.", "Task.owner")]
    if task.get("status") == "failed" and not (task.get("statusReason") or task.get("note")):
        said = "A task that was not done says why, in its reason or in a note."
        return [error("business-rule", said, "Task.statusReason")]
    return []


def _must_be_open(task: Mapping[str, Any]) -> None:
    if task.get("status") not in OPEN:
        raise NotDocumentable(_("It has been documented already."))


def _started(task: Mapping[str, Any], at: datetime) -> str:
    """When it was begun: when it was planned, unless that has not been yet."""
    said = moment(mapping(task.get("executionPeriod")).get("start"))
    return stamp(at if said is None or said.at > at else said.at)


def _noted(
    task: dict[str, Any], by: Mapping[str, Any], at: datetime, words: str
) -> dict[str, Any]:  # fmt: skip
    if not words.strip():
        return task
    note = {"authorReference": dict(by), "time": stamp(at), "text": words.strip()}
    return {**task, "note": [*objects(task.get("note")), note]}
