"""Acknowledging a result: seen by somebody, by name, with what comes next, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from helsevev.access.actor import Actor
from helsevev.access.entries import replaced, transaction
from helsevev.access.errors import Unprocessable
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.content.result_shapes import NextStep
from helsevev.fhir.outcome import error
from helsevev.follow_up import asking
from helsevev.follow_up.coding import Who, stamp
from helsevev.follow_up.standing import standing_of
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.results_due import key_of, title_of

NEXT: Final = "http://helsevev.no/fhir/CodeSystem/after-result"
"""Code system of what came after a result, on the Task by which it was acknowledged."""
_SHORTEST: Final = 3


class CannotAcknowledge(Unprocessable):
    """It cannot be acknowledged so; the issues say why, each with the field that it is of."""


def may_acknowledge(actor: Actor) -> bool:
    """Whether the actor's profession may acknowledge results."""
    allowed = loading.result_answers().acknowledged_by
    return actor.kind == "practitioner" and actor.profession in allowed


async def acknowledge(
    services: Services, actor: Actor, report: Mapping[str, Any], task: Mapping[str, Any] | None,
    code: str, words: str,
) -> NextStep:  # fmt: skip
    """Acknowledge a result; without a Task, as when nobody was asked yet, one is kept all the same.

    Raises `CannotAcknowledge`, `Conflict` when somebody was first, `AccessError`.
    """
    step = loading.result_answers().one(code)
    if not may_acknowledge(actor):
        problem = _("Your profession does not acknowledge results.")
        raise CannotAcknowledge([error("forbidden", problem, "step")])
    if step is None:
        raise CannotAcknowledge([error("required", _("Choose what comes next."), "step")])
    if step.needs_words and len(words.strip()) < _SHORTEST:
        raise CannotAcknowledge([error("required", _("Say what is to be done."), "words")])
    if task is not None and not standing_of(task).is_open:
        problem = _("The result has been acknowledged already.")
        raise CannotAcknowledge([error("conflict", problem, "step")])
    after = acknowledged(task or _unasked(report, actor), actor, step, words)
    entries = [replaced(after) if "id" in after else asking.entry(after)]
    if step.does == "task":
        entries.append(asking.entry(_next(report, actor, step, words)))
    await services.bundles.transact(actor, transaction(entries))
    return step


def acknowledged(
    task: Mapping[str, Any], actor: Actor, step: NextStep, words: str
) -> dict[str, Any]:
    """The Task when its result is acknowledged: by whom, when, and what comes next."""
    now = clock.now()
    said = {"coding": [{"system": NEXT, "code": step.code, "display": step.label}]}
    text = f"{step.label}: {words.strip()}" if words.strip() else step.label
    output = {
        "type": {"coding": [{"system": NEXT, "code": "next"}]},
        "valueCodeableConcept": {**said, "text": text},
    }
    return {
        **task, "status": "completed", "lastModified": stamp(now),
        "owner": Who(actor.id, actor.name).as_reference(),
        "output": [*task.get("output", ()), output],
    }  # fmt: skip


def _unasked(report: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    who = Who(actor.id, actor.name)
    return asking.ask(
        title_of(report) or _("Result"), patient_id=report["subject"]["reference"], owner=who,
        at=clock.now(), matter="result", why=f"DiagnosticReport/{report['id']}",
        title=title_of(report), unit=_unit(actor),
        key=f"{key_of(report) or 'result/' + report['id'] + '/early'}/{uuid4()}",
    )  # fmt: skip


def _next(report: Mapping[str, Any], actor: Actor, step: NextStep, words: str) -> dict[str, Any]:
    """What somebody is asked to do now that the result is seen."""
    now, unit, me = clock.now(), _unit(actor), Who(actor.id, actor.name)
    owner = unit if step.to == "unit" and unit.reference else me
    about = f"{title_of(report)}: {words.strip()}" if words.strip() else title_of(report)
    return asking.ask(
        about or step.label, patient_id=report["subject"]["reference"], owner=owner, at=now,
        title=step.label, asked_by=me, due=now + timedelta(days=step.days), unit=unit,
        why=f"DiagnosticReport/{report['id']}",
        key=f"after-{key_of(report) or report['id']}/{step.code}",
    )  # fmt: skip


def _unit(actor: Actor) -> Who:
    return Who(actor.unit[0], actor.unit_name) if actor.unit else Who("")
