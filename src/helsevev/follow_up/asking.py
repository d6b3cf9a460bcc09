"""Asking somebody for something: a Task with an owner, a deadline, and who is told when it is late.

Pure: the Task is handed back, and is written by who asks, best in the transaction of what it is
about (`entry`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from helsevev.access.actor import SYSTEM
from helsevev.access.entries import created
from helsevev.content.follow_up_shapes import ANY
from helsevev.content.loading import follow_up
from helsevev.follow_up.coding import ESCALATION, MATTER, NEED, UNIT, Who, stamp

Named = tuple[str, str] | Who
"""(reference, name) of a Practitioner, a PractitionerRole or an Organization."""


def ask(
    words: str,
    *,
    patient_id: str,
    owner: Named,
    at: datetime,
    matter: str = ANY,
    title: str = "",
    asked_by: Named = (SYSTEM.id, SYSTEM.name),
    due: datetime | None = None,
    why: str = "",
    key: str = "",
    unit: Named = ("", ""),
    escalates_to: Sequence[tuple[timedelta, Named]] | None = None,
    priority: str = "",
    form: str = "",
    coding: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The Task (status requested) that asks `owner` to see to something about a patient.

    `matter` is one of the content (`follow_up/matters.toml`), which gives the deadline, the
    priority and the escalation where `due`, `priority` and `escalates_to` do not. `title` is what
    it is called in lists (else the matter's label), `words` what it is about, `why` the reference
    of the resource that it is about. `key` makes the same need one Task, for good: it names what
    has happened (a result's id), not only where. `unit` is whose list it stands on (else the
    owner's, when that is a unit): give it whenever the owner is a person. `escalates_to` are (how
    long after the deadline, who owns it then). `form` is the key of a form by which it is done,
    `coding` further codes of what is asked. Raises `ValueError` for a matter nobody has declared,
    a key that a search would part, or an owner without a reference: nothing is asked of nobody.
    """
    kind = follow_up().matters.get(matter)
    if kind is None:
        raise ValueError(f"{matter!r} is no matter of the content.")
    if not owner[0]:
        raise ValueError("Nothing is asked of nobody.")
    if not set(key).isdisjoint("|,$\\"):
        raise ValueError(f"{key!r} has signs by which a search parts values.")
    due = due or at + kind.due
    belongs = Who(*unit)
    if not belongs.reference and owner[0].startswith("Organization/"):
        belongs = Who(*owner)
    said: dict[str, Any] = {"description": words, "priority": priority or kind.priority}
    said["code"] = {
        "coding": [{"system": MATTER, "code": kind.code, "display": kind.label}, *coding],
        "text": title or kind.label,
    }
    if key:
        said["identifier"] = [{"system": NEED, "value": key}]
    if why:
        said["focus"] = {"reference": why}
    if form:
        kinds = {"coding": [{"system": MATTER, "code": "form"}]}
        said["input"] = [{"type": kinds, "valueString": form}]
    on_list = [{"url": UNIT, "valueReference": belongs.as_reference()}] if belongs[0] else []
    steps = _steps(kind.code, due, belongs, Who(*asked_by), escalates_to)
    if on_list or steps:
        said["extension"] = [*on_list, *steps]
    patient = f"Patient/{patient_id.removeprefix('Patient/')}"
    return _written(said, patient, Who(*owner), Who(*asked_by), at, due)


def entry(task: Mapping[str, Any], full_url: str = "") -> dict[str, Any]:
    """The Task as an entry of a transaction: created once for each need, whoever is first."""
    needs = [each["value"] for each in task.get("identifier", ()) if each["system"] == NEED]
    only_once = {"identifier": f"{NEED}|{needs[-1]}"} if needs else None
    return created(task, full_url, only_once=only_once)


def _written(
    said: dict[str, Any], patient: str, owner: Who, asked_by: Who, at: datetime, due: datetime
) -> dict[str, Any]:
    """The Task of what was said, as every one of them is."""
    return {
        "resourceType": "Task", **said, "status": "requested", "intent": "order",
        "for": {"reference": patient}, "authoredOn": stamp(at), "lastModified": stamp(at),
        "requester": asked_by.as_reference(), "owner": owner.as_reference(),
        "restriction": {"period": {"end": stamp(due)}},
    }  # fmt: skip


def _steps(
    matter: str, due: datetime, unit: Who, asker: Who,
    said: Sequence[tuple[timedelta, Named]] | None,
) -> list[dict[str, Any]]:  # fmt: skip
    if said is not None:
        return [_step(due + after, Who(*to), "") for after, to in said]
    steps = []
    for step in follow_up().matters[matter].escalates:
        to = {"unit": unit, "asker": asker}.get(step.to, Who(""))
        if to.reference or step.to == "above":
            steps.append(_step(due + step.after, to, step.to))
    return steps


def _step(at: datetime, to: Who, role: str) -> dict[str, Any]:
    # Who is above a unit is looked up when it comes to that: organisations change.
    if to.reference:
        whom: dict[str, Any] = {"url": "to", "valueReference": to.as_reference()}
    else:
        whom = {"url": "role", "valueCode": role}
    return {
        "url": ESCALATION,
        "extension": [{"url": "at", "valueDateTime": stamp(at)}, whom],
    }
