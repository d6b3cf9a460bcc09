"""Answering what waits: taken on, done, not done, handed on or back, by what content declares.

Pure: the Task's next version is handed back, and written by who answers, with the version that was
seen. `open_task` and `answer_task` do that for pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound, Unprocessable
from helsevev.access.services import Services
from helsevev.access.writing import Written
from helsevev.content.follow_up_shapes import Act
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import text
from helsevev.follow_up.asking import Named
from helsevev.follow_up.coding import MATTER, SEEN, Who, stamp
from helsevev.follow_up.standing import Standing, standing_of
from helsevev.kit import clock
from helsevev.locale import gettext as _

SHORTEST: Final = 3
"""Fewest characters of a reason."""


class CannotAnswer(Unprocessable):
    """It cannot be answered so, as it stands; the issues say why, each with the field it is of."""


def answered(
    task: Mapping[str, Any],
    act: str,
    by: Named,
    at: datetime,
    *,
    words: str = "",
    to: Named = ("", ""),
    due: datetime | None = None,
    outcome: str = "",
) -> dict[str, Any]:
    """The Task after somebody did `act` (a code of the content) with it.

    `words` say why or what came of it, `to` is who it is handed on to, with a new deadline where
    `due` is given, `outcome` the reference of what was written (a note, a form's answers). Raises
    `CannotAnswer`.
    """
    standing = standing_of(task)
    found = next((each for each in standing.acts if each.code == act), None)
    if found is None:
        raise CannotAnswer([error("conflict", _("It has been answered already."), "act")])
    if issues := _missing(found, standing, words, to):
        raise CannotAnswer(issues)
    owner = Who(*by) if found.takes else Who(*to) if "owner" in found.needs else standing.owner
    if found.returns:
        owner = _back_to(standing)
    after = {**task, "status": found.to, "lastModified": stamp(at), "owner": owner.as_reference()}
    if due is not None:
        period = {**task.get("restriction", {}).get("period", {}), "end": stamp(due)}
        after["restriction"] = {**task.get("restriction", {}), "period": period}
    if words.strip():
        said = {
            "authorReference": Who(*by).as_reference(),
            "time": stamp(at),
            "text": words.strip(),
        }
        after["note"] = [*task.get("note", ()), said]
    if outcome:
        kind = {"coding": [{"system": MATTER, "code": "outcome"}]}
        made = {"type": kind, "valueReference": {"reference": outcome}}
        after["output"] = [*task.get("output", ()), made]
    return after


def accepted(task: Mapping[str, Any], by: Named, at: datetime) -> dict[str, Any]:
    """The Task when somebody has said that they see to it. Raises `CannotAnswer`."""
    return answered(task, "accept", by, at)


def done(
    task: Mapping[str, Any], by: Named, at: datetime, *, words: str = "", outcome: str = ""
) -> dict[str, Any]:
    """The Task when it is done; `outcome` is what was written. Raises `CannotAnswer`."""
    return answered(task, "complete", by, at, words=words, outcome=outcome)


def not_done(task: Mapping[str, Any], by: Named, at: datetime, words: str) -> dict[str, Any]:
    """The Task when it will not be done, and why. Raises `CannotAnswer`."""
    return answered(task, "not-done", by, at, words=words)


def handed_on(
    task: Mapping[str, Any], by: Named, to: Named, at: datetime, *, words: str = "",
    due: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The Task when it is somebody else's. Raises `CannotAnswer`."""
    return answered(task, "hand-on", by, at, words=words, to=to, due=due)


def received(task: Mapping[str, Any], by: Named, at: datetime) -> dict[str, Any]:
    """The Task when somebody has opened it, who is named. Raises `CannotAnswer`."""
    after = answered(task, "receive", by, at)
    who = {"url": "who", "valueReference": Who(*by).as_reference()}
    opened = {"url": SEEN, "extension": [who, {"url": "at", "valueDateTime": stamp(at)}]}
    others = [each for each in task.get("extension", ()) if each.get("url") != SEEN]
    return {**after, "extension": [*others, opened]}


async def open_task(services: Services, actor: Actor, task_id: str) -> dict[str, Any]:
    """A Task, decided and audited as any reading. Raises `NotFound`, `Gone` or `Refused`."""
    return (await services.gate.open_resource(actor, "Task", task_id)).resource


async def answer_task(
    services: Services, actor: Actor, task_id: str, act: str, *, patient_id: str = "",
    version: int | None = None, words: str = "", to: Named = ("", ""), outcome: str = "",
    due: datetime | None = None,
) -> Written:  # fmt: skip
    """Do `act` with a Task and keep it. Raises `CannotAnswer`, or what reading and writing raise.

    `patient_id` is who the form says it is about; `version` the version that its reader saw.
    """
    task = await open_task(services, actor, task_id)
    if patient_id and task.get("for", {}).get("reference") != f"Patient/{patient_id}":
        raise NotFound(f"Task/{task_id}")
    after = answered(
        task, act, (actor.id, actor.name), clock.now(), words=words, to=to, outcome=outcome, due=due
    )
    seen = version or int(text(task["meta"]["versionId"]))
    return await services.writer.write(actor, after, if_match=seen)


def _missing(act: Act, standing: Standing, words: str, to: Named) -> list[Issue]:
    found = []
    if "words" in act.needs and len(words.strip()) < SHORTEST:
        found.append(error("required", _("Say why."), "words"))
    if "owner" in act.needs and not to[0]:
        found.append(error("required", _("Choose who takes it over."), "to"))
    if act.returns and not _back_to(standing).reference:
        found.append(error("conflict", _("Nobody is named who asked for it."), "act"))
    return found


def _back_to(standing: Standing) -> Who:
    """Who asked, when that is somebody who works here; else the unit on whose list it stands."""
    if standing.asked_by.reference.startswith(("Practitioner", "Organization/")):
        return standing.asked_by
    return standing.unit
