"""The pages of what waits: my tasks and my unit's, one task and what is done with it, a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.entries import transaction
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.content.follow_up_shapes import ANY
from helsevev.content.loading import follow_up
from helsevev.desk.opening import (
    all_tasks,
    colleagues,
    done_lately,
    people_of,
    unit_tasks,
    watch_of,
)
from helsevev.desk.tasks import Asked, acts_here, row_of, state_word, where
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO, full_name, objects, reference_key, text
from helsevev.follow_up.answering import CannotAnswer, answer_task, open_task, received
from helsevev.follow_up.asking import ask, entry
from helsevev.follow_up.coding import Who
from helsevev.follow_up.standing import standing_of
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_RECORD: Final = {"decision": "record"}
_TITLE: Final = 100
_LISTS: Final = ("mine", "unit", "late", "done")
ASKED_BY_HAND: Final = ("task", "message", "letter")
"""The matters that somebody may ask of somebody on a page."""


@get("/tasks", opt=_SIGNED_IN)
async def tasks_page(request: _Request, show: str = "mine") -> Response[Any]:
    """What the reader and their unit are asked to do, what is late first."""
    return await _list(request, show if show in _LISTS else "mine", ())


@get("/tasks/mine", opt=_SIGNED_IN)
async def tasks_mine(request: _Request) -> Response[Any]:
    """What waits for the reader, for the first page."""
    services, actor = _services(request), staff_of_request(request)
    rows, watch = await asyncio.gather(all_tasks(services, actor), watch_of(services, actor))
    return render(
        request, "desk/_tasks_mine.html", rows=rows, groups=grouped(rows), watch=watch,
    )  # fmt: skip


@get("/inbox", opt=_SIGNED_IN)
async def inbox_page(request: _Request) -> Response[Any]:
    """What came in to the reader: results, notes to co-sign, letters and messages."""
    services, actor = _services(request), staff_of_request(request)
    rows = [row for row in await all_tasks(services, actor) if row.group != "tasks"]
    return render(
        request, "desk/inbox.html", groups=grouped(rows), count=len(rows), place="my-day",
        page_title=_("Inbox"),
    )  # fmt: skip


@get("/tasks/{task_id:str}", opt=_RECORD)
async def task_page(request: _Request, task_id: str) -> Response[Any]:
    """One task: whose it is, by when, who is told next, what was said, and what can be done."""
    return await _one(request, task_id, (), {})


@post("/tasks/{task_id:str}/opened", opt=_RECORD, status_code=200)
async def task_opened(request: _Request, task_id: str) -> Response[Any]:
    """Say that somebody of those it waits for has opened it, so that the others see that."""
    services, actor = _services(request), staff_of_request(request)
    task = (await services.gate.open_resource(actor, "Task", task_id)).resource
    owner = reference_key(task.get("owner"))
    said = ""
    if task.get("status") == "requested" and owner in (*actor.person, *actor.unit):
        try:
            after = received(task, (actor.id, actor.name), clock.now())
            version = int(text(task["meta"]["versionId"]))
            await services.writer.write(actor, after, if_match=version)
            said = actor.name
        except AccessError:
            pass  # Somebody else has taken it meanwhile, which says more.
    return render(request, "desk/_opened.html", who=said)


@post("/tasks/{task_id:str}", opt=_RECORD, status_code=200)
async def answer(request: _Request, task_id: str) -> Response[Any]:
    """Do what was chosen with a task."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    act, back = str(form.get("act", ""))[:40], str(form.get("back", ""))
    chosen = str(form.get("to", ""))[:100]
    typed = {"act": act, "words": str(form.get("words", ""))[:2000], "to": chosen}
    to = next((w for w in await colleagues(services, actor) if w.reference == chosen), Who(""))
    version = str(form.get("version", ""))
    try:
        standing = standing_of(await open_task(services, actor, task_id))
        if act not in {each.code for each in acts_here(standing)}:
            raise CannotAnswer([error("conflict", _("It is not answered here, or no longer."))])
        await answer_task(
            services, actor, task_id, act, patient_id=str(form.get("patient", "")), to=to,
            version=int(version) if version.isascii() and version.isdigit() else None,
            words=typed["words"],
        )  # fmt: skip
    except CannotAnswer as problem:
        issues = list(problem.issues)
    except AccessError:
        issues = [error("conflict", _("Somebody did something with it just now. Look again."))]
    else:
        if back.startswith("list-") and back[5:] in _LISTS:
            return Redirect(f"/tasks?show={back[5:]}", status_code=303)
        return Redirect({"desk": "/", "inbox": "/inbox"}.get(back, "/tasks"), status_code=303)
    if back:
        return await _list(request, back[5:] if back[5:] in _LISTS else "mine", issues)
    return await _one(request, task_id, issues, typed)


@get("/patient/{patient_id:str}/tasks/new", opt=_RECORD)
async def new_task_page(request: _Request, patient_id: str) -> Response[Any]:
    """Ask somebody to see to something about a patient."""
    return await _new(request, patient_id, (), {})


@post("/patient/{patient_id:str}/tasks", opt=_RECORD, status_code=200)
async def new_task(request: _Request, patient_id: str) -> Response[Any]:
    """Keep what is asked, or say what is missing."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    names = ("patient", "key", "matter", "to", "words", "due", "priority")
    typed = {name: str(form.get(name, ""))[:2000] for name in names}
    to = next((w for w in await colleagues(services, actor) if w.reference == typed["to"]), Who(""))
    issues, due = _faults(typed, patient_id, to)
    if issues:
        return await _new(request, patient_id, issues, typed)
    words = typed["words"].strip()
    # What is asked in a few words is what it is called in lists.
    title = words if typed["matter"] == ANY and len(words) <= _TITLE else ""
    task = ask(
        words, title=title, patient_id=patient_id, owner=to, at=clock.now(),
        matter=typed["matter"], due=due, asked_by=(actor.id, actor.name),
        unit=(actor.unit[0], actor.unit_name) if actor.unit else ("", ""), key=typed["key"],
        priority="urgent" if typed["priority"] else "",
    )  # fmt: skip
    await services.bundles.transact(actor, transaction([entry(task)]))
    return Redirect(f"/patient/{patient_id}/plans", status_code=303)


def grouped(rows: Sequence[Asked]) -> list[tuple[str, str, list[Asked]]]:
    """(key, what it is called, its rows) of each part of the inbox, in order."""
    labels = {
        "results": _("Results to acknowledge"), "co-signs": _("Notes to co-sign"),
        "letters": _("Letters"), "messages": _("Messages"), "tasks": _("Tasks"),
    }  # fmt: skip
    return [
        (key, label, [row for row in rows if row.group == key]) for key, label in labels.items()
    ]


def _faults(typed: dict[str, str], patient_id: str, to: Who) -> tuple[list[Issue], datetime | None]:
    issues, due = [], None
    if typed["patient"] != patient_id:
        issues.append(error("conflict", _("This form belongs to another patient.")))
    if typed["matter"] not in ASKED_BY_HAND:
        issues.append(error("required", _("Choose what it is."), "matter"))
    if not to.reference:
        issues.append(error("required", _("Choose who sees to it."), "to"))
    if len(typed["words"].strip()) < 3:
        issues.append(error("required", _("Say what is to be done."), "words"))
    if typed["due"]:
        try:
            due = datetime.fromisoformat(typed["due"]).replace(tzinfo=OSLO)
        except ValueError:
            issues.append(error("value", _("Say by when."), "due"))
        else:
            if due <= clock.now():
                issues.append(error("value", _("The deadline has passed already."), "due"))
    return issues, due


async def _list(request: _Request, show: str, issues: Sequence[Issue]) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    reading = {"mine": all_tasks, "done": done_lately}.get(show, unit_tasks)
    rows, watch = await asyncio.gather(reading(services, actor), watch_of(services, actor))
    if show == "late":
        rows = [row for row in rows if row.is_late or row.is_unowned]
    if show in ("unit", "late") and not issues:
        # A list that somebody has opened is one that nobody need be told of.
        await services.waiting.open_list(actor)
    return render(
        request, "desk/tasks.html", status_code=422 if issues else 200, rows=rows, show=show,
        watch=watch, problems=[issue.diagnostics for issue in issues], unit=actor.unit_name,
        place="tasks", live_url="/desk/live", page_title=_("Tasks"),
    )  # fmt: skip


async def _one(
    request: _Request, task_id: str, issues: Sequence[Issue], typed: dict[str, str]
) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    task = (await services.gate.open_resource(actor, "Task", task_id)).resource
    people = await people_of(services, actor, [task])
    me = frozenset((*actor.person, *actor.unit))
    row, standing = row_of(task, people, clock.now(), me), standing_of(task)
    if not row.patient_id:
        raise NotFoundException("There is no such task.")
    known = {"words", "to"}
    return render(
        request, "desk/task.html", status_code=422 if issues else 200, row=row, task=task,
        standing=standing, notes=list(reversed(objects(task.get("note")))),
        colleagues=await colleagues(services, actor) if row.acts else [], typed=typed,
        where=where(standing), may_answer=may_write(actor.profession, "Task"),
        opens_now=row.is_mine and standing.state == "requested",
        errors=dict.fromkeys(known, "") | {i.expression: i.diagnostics for i in issues},
        problems=[i.diagnostics for i in issues if i.expression not in known],
        place="tasks", state_word=state_word, page_title=row.title,
    )  # fmt: skip


async def _new(
    request: _Request, patient_id: str, issues: Sequence[Issue], typed: dict[str, str]
) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    await services.gate.open_chart(actor, patient_id, interaction="tasks")
    stored = await services.gate.open_resource(actor, "Patient", patient_id)
    known = {"matter", "to", "words", "due"}
    matters = follow_up().matters
    soon = clock.now().astimezone(OSLO) + timedelta(days=1)
    return render(
        request, "desk/new_task.html", status_code=422 if issues else 200,
        patient_id=patient_id, name=full_name(stored.resource.get("name")),
        birth_date=text(stored.resource.get("birthDate")),
        colleagues=await colleagues(services, actor),
        matters=[matters[code] for code in ASKED_BY_HAND], typed=typed,
        due=typed.get("due") or f"{soon:%Y-%m-%dT%H:00}", key=typed.get("key") or str(uuid4()),
        errors=dict.fromkeys(known, "") | {i.expression: i.diagnostics for i in issues},
        problems=[i.diagnostics for i in issues if i.expression not in known],
        place="tasks", page_title=_("New task"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (
    tasks_page, tasks_mine, inbox_page, task_page, task_opened, answer, new_task_page, new_task,
)  # fmt: skip
