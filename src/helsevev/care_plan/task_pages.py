"""Planned tasks documented where they are listed: in the chart, and for all of a unit at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.entries import replaced
from helsevev.access.errors import AccessError, Conflict, NotFound, PreconditionFailed
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.care_plan.coding import MEASURE, STEP, TASK_KIND
from helsevev.care_plan.keeping import by, keep
from helsevev.care_plan.plan import reopened_step, taken_step
from helsevev.care_plan.scheduling import OPEN, key_of, kind_of_task
from helsevev.care_plan.task import (
    NotDocumentable,
    done,
    is_planned,
    not_done,
    taken_back,
)
from helsevev.care_plan.task_shown import TaskRow, plan_of, task_row, task_rows
from helsevev.content.care_plan_loading import planning
from helsevev.fhir.reading import OSLO, birth_date, full_name, reference_key, text
from helsevev.fhir.search_query import parse
from helsevev.follow_up.coding import stamp
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_SIGNED_IN: Final = {"decision": "signed-in"}
_MOST: Final = 500
_WORDS: Final = 1000


class Person(Struct, frozen=True):
    """One patient of the unit's list, with what is to be done for them."""

    patient_id: str
    name: str
    birth_date: str
    sex: str
    tasks: tuple[TaskRow, ...]

    @property
    def now(self) -> tuple[TaskRow, ...]:
        """What is late or due now and needs no form."""
        return tuple(each for each in self.tasks
                     if each.state in ("late", "now") and not each.form)  # fmt: skip


@post("/patient/{patient_id:str}/plans/tasks/{task_id:str}", opt=_RECORD, status_code=200)
async def document_task(request: _Request, patient_id: str, task_id: str) -> Response[Any]:
    """Say that a task is done, was not done and why, or take back what one just said."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    task = (await services.gate.open_resource(actor, "Task", task_id)).resource
    about = reference_key(task.get("for")).removeprefix("Patient/")
    if about != patient_id or str(form.get("patient", "")) != patient_id or not is_planned(task):
        raise NotFound(f"Task/{task_id}")
    problem = ""
    try:
        await _document(services, actor, task, form)
    except NotDocumentable as refusal:
        problem = str(refusal)
    except (Conflict, PreconditionFailed):
        problem = _("Somebody has changed it meanwhile. This is how it stands now.")
    if not request.headers.get("hx-request"):
        back = "/measures" if form.get("back") == "measures" else f"/patient/{patient_id}/plans"
        return Redirect(back, status_code=303)
    kept = (await services.gate.open_resource(actor, "Task", task_id)).resource
    now = clock.now()
    return render(
        request, "care_plan/_task_row.html", status_code=422 if problem else 200,
        task=task_row(kept, now), problem=problem, may_write=True,
        reasons=planning().not_done, back=str(form.get("back", "")), person=None,
    )  # fmt: skip


async def _document(
    services: Services, actor: Actor, task: Mapping[str, Any], form: Mapping[str, Any]
) -> None:
    """Write what the form says of a task, and of its pathway when it is a step of one."""
    now, who = clock.now(), by(actor)
    words, act = str(form.get("words", ""))[:_WORDS], str(form.get("act", ""))
    if act == "back":
        seen = str(form.get("before", ""))
        if not seen.isdigit():
            raise NotDocumentable(_("It cannot be taken back any longer."))
        earlier = await services.gate.open_version(actor, "Task", text(task.get("id")), int(seen))
        made = taken_back(task, earlier.resource, actor.id, now)
    elif act == "not-done":
        made = not_done(task, who, now, str(form.get("reason", "")), words)
    else:
        made = done(task, who, now, words)
    entries = [_seen(made, str(form.get("version", "")))]
    if kind_of_task(task) == STEP and act != "not-done":
        stored = await services.gate.open_resource(actor, "CarePlan", plan_of(task))
        name = key_of(task).rpartition(".")[2]
        plan = stored.resource
        changed = reopened_step(plan, name) if act == "back" else taken_step(plan, name, now)
        entries.append(replaced(changed))
    await keep(services, actor, entries)


@get("/measures", opt=_SIGNED_IN)
async def measures_page(request: _Request) -> Response[Any]:
    """What the plans ask of me and my unit until the end of the day, by patient."""
    services, actor = _services(request), staff_of_request(request)
    people = await _people(services, actor)
    await services.waiting.open_list(actor)  # Part of the list of the unit: somebody has looked.
    return render(
        request, "care_plan/measures.html", people=people, unit=actor.unit_name,
        may_write=may_write(actor.profession, "Task"), reasons=planning().not_done,
        late=sum(t.state == "late" for p in people for t in p.tasks), place="tasks",
        page_title=_("Measures today"),
    )  # fmt: skip


@get("/measures/mine", opt=_SIGNED_IN)
async def measures_mine(request: _Request) -> Response[Any]:
    """How much of the plans is to be done, for the first page."""
    people = await _people(_services(request), staff_of_request(request))
    tasks = [each for person in people for each in person.tasks]
    return render(
        request, "care_plan/_measures_mine.html", waiting=len(tasks),
        late=sum(each.state == "late" for each in tasks), people=len(people),
    )  # fmt: skip


@post("/measures/{patient_id:str}", opt=_RECORD, status_code=200)
async def document_several(request: _Request, patient_id: str) -> Response[Any]:
    """Say that all that was due now for one patient is done, in one press."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    if str(form.get("patient", "")) != patient_id:
        raise NotFound(f"Patient/{patient_id}")
    asked = [str(each).partition("~")[::2] for each in form.getall("task", [])][:_MOST]
    wanted = [("Task", key) for key, _version in asked]
    found = await services.gate.open_many(actor, wanted, interaction="plans")
    now, entries = clock.now(), []
    for key, version in asked:
        task = found.get(("Task", key), {})
        if reference_key(task.get("for")) != f"Patient/{patient_id}" or not is_planned(task):
            continue
        if task.get("status") in OPEN and kind_of_task(task) == MEASURE:
            entries.append(_seen(done(task, by(actor), now), version))
    problem = ""
    try:
        if entries:
            await keep(services, actor, entries)
    except (Conflict, PreconditionFailed):
        problem = _("Somebody has changed it meanwhile. This is how it stands now.")
    except AccessError as refusal:
        problem = str(refusal)
    if not request.headers.get("hx-request"):
        return Redirect("/measures", status_code=303)
    kept = await services.gate.open_many(actor, wanted, interaction="plans")
    rows = task_rows(kept.values(), now)
    return render(
        request, "care_plan/_person_tasks.html", status_code=422 if problem else 200,
        rows=rows, problem=problem, may_write=True, reasons=planning().not_done, back="measures",
    )  # fmt: skip


async def _people(services: Services, actor: Actor) -> list[Person]:
    """The patients of the list, those with something late first, then by the first time."""
    now = clock.now()
    tonight = datetime.combine(
        now.astimezone(OSLO).date() + timedelta(days=1), time(), OSLO
    )  # fmt: skip
    asked = [
        ("code", f"{TASK_KIND}|{MEASURE}"), ("status", ",".join(sorted(OPEN))),
        ("owner", ",".join((*actor.person, *actor.organisations[:1]))),
        ("period", f"lt{stamp(tonight)}"), ("_count", str(_MOST)),
    ]  # fmt: skip
    page = await services.searcher.search(actor, parse("Task", asked, base=""))
    tasks = [each.resource for each in page.matches]
    by_patient: dict[str, list[Mapping[str, Any]]] = {}
    for each in tasks:
        key = reference_key(each.get("for")).removeprefix("Patient/")
        by_patient.setdefault(key, []).append(each)
    wanted = [("Patient", key) for key in by_patient]
    there = await services.gate.open_many(actor, wanted, interaction="plans")
    people = [
        _person(key, there[("Patient", key)], listed, now)
        for key, listed in by_patient.items() if ("Patient", key) in there
    ]  # fmt: skip
    people.sort(key=_order)
    return people


def _person(
    key: str, patient: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], now: datetime
) -> Person:
    return Person(
        key, full_name(patient.get("name")), birth_date(patient),
        text(patient.get("gender")), task_rows(tasks, now),
    )  # fmt: skip


def _order(person: Person) -> tuple[bool, str, str]:
    head = person.tasks[0]
    return head.state != "late", head.at.text if head.at else "", person.name


def _seen(task: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The task's next version, refused when it is not the one that its reader saw."""
    return replaced(task, version if version.isdigit() else None)


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (document_task, measures_page, measures_mine, document_several)
