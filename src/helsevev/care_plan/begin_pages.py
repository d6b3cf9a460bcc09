"""Beginning a plan: one of the content applied to somebody, an empty one, or an individual plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.care_plan.applying import (
    NotApplicable,
    Person,
    apply,
    fitting,
    holds,
    is_for,
    person_of,
)
from helsevev.care_plan.coding import CARE, FUNCTION, INDIVIDUAL
from helsevev.care_plan.keeping import OpenedPlans, begin, by, open_plans
from helsevev.care_plan.plan import new_plan
from helsevev.care_plan.plan_form import (
    as_references,
    chosen,
    day_of,
    default_performer,
    in_days,
    performers,
    problem_choices,
    team,
    typed,
)
from helsevev.care_plan.timing_words import length_words, when_words
from helsevev.content.care_plan_loading import planning
from helsevev.content.packs.plans import Action, Plan, length
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO, codes
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_FIELDS: Final = (
    "patient", "key", "plan", "version", "performer", "kind", "title", "important", "consent",
    "coordinator", "evaluate", "start",
)  # fmt: skip
_EVALUATE: Final = {CARE: 28, INDIVIDUAL: 182}
_SHORTEST: Final = 3


@get("/patient/{patient_id:str}/plans/new", opt=_RECORD)
async def choose_plan(
    request: _Request, patient_id: str, plan: str = "", kind: str = "", words: str = ""
) -> Response[Any]:
    """Choose a plan of the content (those for the person's problems first), or begin one."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    if kind in (CARE, INDIVIDUAL):
        return await _empty(request, opened, {"kind": kind}, {}, ())
    shelf = await services.packs.current(actor)
    person = await _person(services, opened)
    if plan:
        found = shelf.all(Plan).get(plan)
        if found is None:
            raise NotFoundException("There is no such plan.")
        return await _offer(request, opened, found, person, {}, {}, ())
    every = fitting(shelf.all(Plan).values(), words[:100])
    mine = [each for each in every if is_for(each, person)]
    return render(
        request, "care_plan/choose_plan.html", opened=opened, words=words[:100],
        proposed=[] if words else mine, others=[e for e in every if words or e not in mine],
        **opened.around, page_title=_("New plan"),
    )  # fmt: skip


@post("/patient/{patient_id:str}/plans/apply", opt=_RECORD, status_code=200)
async def apply_plan(request: _Request, patient_id: str) -> Response[Any]:
    """Begin a plan of the content with the measures that were chosen."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    form, several = await typed(request, _FIELDS), await chosen(request, "action", "problem")
    shelf = await services.packs.current(actor)
    found = shelf.version(Plan, form["plan"], form["version"]) or shelf.one(Plan, form["plan"])
    if found is None:
        raise NotFoundException("There is no such plan.")
    issues = _of_patient(form, patient_id)
    if not several["action"]:
        issues.append(error("required", _("Choose at least one measure."), "action"))
    who = dict(performers(opened))
    if form["performer"] not in who:
        issues.append(error("required", _("Choose who does it."), "performer"))
    start = _start(form["start"], issues)
    if not issues:
        urls = {g.key: f"urn:uuid:{uuid5(NAMESPACE_URL, form['key'] + g.key)}" for g in found.goal}
        applied = apply(
            found, f"Patient/{patient_id}", several["action"], clock.now(),
            author=by(actor), goal_ids=urls, start=start,
            performer={"reference": form["performer"], "display": who[form["performer"]]},
            problems=as_references(several["problem"], problem_choices(opened)),
        )  # fmt: skip
        goals = [(urls[key], goal) for key, goal in applied.goals]
        try:
            plan_id = await begin(services, actor, applied.plan, goals, form["key"])
            return Redirect(f"{opened.base}/plans/{plan_id}", status_code=303)
        except Refused:
            raise
        except AccessError as refusal:
            issues = list(refusal.issues)
    person = await _person(services, opened)
    return await _offer(request, opened, found, person, form, several, issues)


@post("/patient/{patient_id:str}/plans/new", opt=_RECORD, status_code=200)
async def begin_plan(request: _Request, patient_id: str) -> Response[Any]:
    """Begin a plan without content, or an individual plan with its coordinator."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    form, several = await typed(request, _FIELDS), await chosen(request, "problem", "contributor")
    issues, evaluate = _of_patient(form, patient_id), day_of(form["evaluate"])
    known = dict(performers(opened))
    if len(form["title"].strip()) < _SHORTEST:
        issues.append(error("required", _("Give the plan a name."), "title"))
    if evaluate is None or evaluate <= clock.now().date():
        issues.append(error("value", _("Choose a day to come."), "evaluate"))
    if form["kind"] == INDIVIDUAL:
        if form["coordinator"] not in known:
            issues.append(error("required", _("Choose the coordinator."), "coordinator"))
        if len(form["consent"].strip()) < _SHORTEST:
            said = _("An individual plan is made with the person's consent: write what they said.")
            issues.append(error("required", said, "consent"))
    if issues or evaluate is None:
        return await _empty(request, opened, form, several, issues)
    author = by(actor)
    if form["kind"] == INDIVIDUAL:
        author = {"reference": form["coordinator"], "display": known[form["coordinator"]]}
    plan = new_plan(
        f"Patient/{patient_id}", form["kind"] if form["kind"] in _EVALUATE else CARE,
        form["title"].strip(), author, clock.now(), evaluate=evaluate,
        problems=as_references(several["problem"], problem_choices(opened)),
        important=form["important"].strip(), consent=form["consent"].strip(),
        contributors=as_references(several["contributor"], team(opened)),
    )  # fmt: skip
    try:
        plan_id = await begin(services, actor, plan, (), form["key"])
    except Refused:
        raise
    except AccessError as refusal:
        return await _empty(request, opened, form, several, refusal.issues)
    return Redirect(f"{opened.base}/plans/{plan_id}", status_code=303)


async def _offer(
    request: _Request, opened: OpenedPlans, plan: Plan, person: Person,
    form: Mapping[str, str], several: Mapping[str, Sequence[str]], issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    problems = problem_choices(opened)
    fits = {
        f"Condition/{each.get('id')}" for each in opened.found["Condition"]
        if any(c.startswith(p) for p in plan.problems for c in codes(each.get("code")))
    }  # fmt: skip
    shelf = await _services(request).packs.current(opened.actor)
    return render(
        request, "care_plan/apply_plan.html", status_code=422 if issues else 200,
        opened=opened, plan=plan, key=form.get("key") or str(uuid4()),
        lines=[_line(each, person, several.get("action")) for each in plan.action],
        problems=problems, chosen_problems=several.get("problem", fits) if form else fits,
        performers=[{"value": key, "label": name} for key, name in performers(opened)],
        performer=form.get("performer") or default_performer(opened.actor),
        start=form.get("start") or in_days(clock.now(), 0),
        is_local=bool(shelf.local_of(Plan, plan.key)), evaluate=length_words(*_turned(plan)),
        **_told(issues), **opened.around, page_title=plan.title,
    )  # fmt: skip


def _turned(plan: Plan) -> tuple[str, int]:
    many, unit = length(plan.evaluate)
    return unit, many


def _line(action: Action, person: Person, asked: Sequence[str] | None) -> dict[str, Any]:
    try:
        fits = holds(action, person)
    except NotApplicable:
        fits = False
    within = ""
    if action.within:
        many, unit = length(action.within)
        within = length_words(unit, many)
    return {
        "action": action, "fits": fits, "within": within,
        "on": (action.chosen and fits) if asked is None else action.key in asked,
        "when": when_words(action.timing()),
    }  # fmt: skip


async def _empty(
    request: _Request, opened: OpenedPlans, form: Mapping[str, str],
    several: Mapping[str, Sequence[str]], issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    kind = INDIVIDUAL if form.get("kind") == INDIVIDUAL else CARE
    shown = {name: form.get(name, "") for name in _FIELDS}
    shown["kind"] = kind
    shown["evaluate"] = shown["evaluate"] or in_days(clock.now(), _EVALUATE[kind])
    shown["coordinator"] = shown["coordinator"] or opened.actor.id
    title = _("Individual plan") if kind == INDIVIDUAL else _("Care plan")
    shown["title"] = shown["title"] or title
    return render(
        request, "care_plan/begin_plan.html", status_code=422 if issues else 200, opened=opened,
        form=shown, key=shown["key"] or str(uuid4()), problems=problem_choices(opened),
        chosen_problems=several.get("problem", ()), team=team(opened),
        chosen_team=several.get("contributor", ()), content=planning(),
        people=[{"value": k, "label": n} for k, n in performers(opened)
                if not k.startswith("Organization/")],
        **_told(issues), **opened.around, page_title=title,
    )  # fmt: skip


async def _person(services: Services, opened: OpenedPlans) -> Person:
    query = f"patient={opened.patient_id}&code={FUNCTION}|"
    stored = await services.searcher.match(opened.actor, "Observation", query, 200)
    levels = [each.resource for each in stored]
    return person_of({**opened.found, "Observation": levels}, clock.now())


def _start(said: str, issues: list[Issue]) -> datetime | None:
    """From when deadlines count: None for now. A day to come is an issue."""
    day, now = day_of(said), clock.now()
    if day is None or day == now.astimezone(OSLO).date():
        return None
    if day > now.astimezone(OSLO).date():
        issues.append(error("value", _("It cannot have begun on a day to come."), "start"))
    return datetime.combine(day, time(8), OSLO)


def _of_patient(form: Mapping[str, str], patient_id: str) -> list[Issue]:
    if form["patient"] == patient_id and form["key"]:
        return []
    return [error("conflict", _("This form belongs to another patient. Nothing was written."))]


def _told(issues: Sequence[Issue]) -> dict[str, Any]:
    known = set(_FIELDS) | {"action", "problem", "contributor"}
    return {
        "errors": {i.expression: i.diagnostics for i in issues if i.expression in known},
        "told": [i.diagnostics for i in issues if i.expression not in known],
    }


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (choose_plan, apply_plan, begin_plan)
