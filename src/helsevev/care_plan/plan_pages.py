"""One plan: its goals and measures written, changed and evaluated, its steps, and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.errors import (
    AccessError,
    Conflict,
    NotFound,
    PreconditionFailed,
    Refused,
)
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.care_plan.coding import EVALUATION
from helsevev.care_plan.goal import evaluated as evaluated_goal
from helsevev.care_plan.goal import new_goal
from helsevev.care_plan.keeping import OpenedPlans, by, change, open_plans, pressed
from helsevev.care_plan.panel import plans
from helsevev.care_plan.plan import (
    ended,
    ended_measure,
    evaluated,
    evaluated_measure,
    with_goal,
    with_measure,
)
from helsevev.care_plan.plan_form import (
    DAYS,
    as_references,
    chosen,
    day_of,
    default_performer,
    form_of_measure,
    in_days,
    measure_of_form,
    often_choices,
    performers,
    problem_choices,
    typed,
)
from helsevev.care_plan.plan_reading import measure_of, measures, references
from helsevev.care_plan.scheduling import OPEN, kind_of_task
from helsevev.care_plan.task import done
from helsevev.care_plan.task_shown import plan_of
from helsevev.care_plan.timing_words import day_words
from helsevev.content.care_plan_loading import planning
from helsevev.content.packs.forms import Form
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, objects, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_FIELDS: Final = (
    "patient", "version", "key", "act", "measure", "title", "how", "often", "at", "minutes",
    "until", "performer", "discipline", "form", "words", "goal_words", "goal_due", "following",
    "ending",
)  # fmt: skip
_NEXT_EVALUATION: Final = 28
_SHORTEST: Final = 3
_ATTEMPTS: Final = 3


@get("/patient/{patient_id:str}/plans/{plan_id:str}", opt=_RECORD)
async def plan_page(
    request: _Request, patient_id: str, plan_id: str, measure: str = ""
) -> Response[Any]:
    """A plan as it stands; with `measure`, that one ready to be changed."""
    opened = await open_plans(_services(request), actor_of_request(request), patient_id)
    return await _page(request, opened, plan_id, {"measure": measure}, {}, ())


@post("/patient/{patient_id:str}/plans/{plan_id:str}", opt=_RECORD, status_code=200)
async def change_plan(request: _Request, patient_id: str, plan_id: str) -> Response[Any]:
    """Add a goal or a measure, change or end one, evaluate the plan, or end it."""
    services, actor = _services(request), staff_of_request(request)
    form = await typed(request, _FIELDS)
    several = await chosen(request, "day", "goal", "problem")
    fields = {name: str(value)[:2000] for name, value in (await request.form()).items()}
    issues: Sequence[Issue] = ()
    for attempt in range(_ATTEMPTS):
        opened = await open_plans(services, actor, patient_id)
        try:
            issues = await _changed(services, opened, plan_id, {**fields, **form}, several)
        except Refused:
            raise
        except (Conflict, PreconditionFailed) as refusal:
            issues = refusal.issues
            if attempt + 1 < _ATTEMPTS and form["act"] != "evaluate":
                continue  # Somebody changed another part of the plan at the same moment.
        except AccessError as refusal:
            issues = refusal.issues
        break
    if issues:
        return await _page(request, opened, plan_id, {**fields, **form}, several, issues)
    place = f"{opened.base}/plans/{plan_id}"
    return Redirect(f"{opened.base}/plans" if form["act"] == "end" else place, status_code=303)


async def _changed(
    services: Services, opened: OpenedPlans, plan_id: str, form: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    """Do what the form asks for, or say what is wrong with it."""
    plan = opened.one("CarePlan", plan_id)
    if form["patient"] != opened.patient_id:
        return [error("conflict", _("This form belongs to another patient. Nothing was written."))]
    if plan.get("status") not in ("active", "on-hold"):
        return [error("conflict", _("The plan is over. It is not changed any more."))]
    acts = {
        "goal": _goal, "measure": _measure, "end-measure": _end_measure,
        "say": _say, "evaluate": _evaluate, "end": _end,
    }  # fmt: skip
    act = acts.get(form["act"])
    if act is None:
        return [error("value", _("The form is not complete. Open it again."))]
    return await act(services, opened, plan, form, several)


async def _goal(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    words, due = form["goal_words"].strip(), day_of(form["goal_due"])
    if len(words) < _SHORTEST:
        return [error("required", _("Say what is to be reached."), "goal_words")]
    if form["goal_due"] and (due is None or due <= clock.now().date()):
        return [error("value", _("Choose a day to come."), "goal_due")]
    about = as_references(several["problem"], problem_choices(opened))
    goal = new_goal(
        f"Patient/{opened.patient_id}", words, by(opened.actor), clock.now(), problems=about,
        due=due,
    )  # fmt: skip
    entry = pressed(goal, form["key"])
    await change(services, opened.actor, with_goal(plan, entry["fullUrl"]), new=[entry])
    return ()


async def _measure(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    measure, issues = measure_of_form(form, several, opened, clock.now())
    if measure is None:
        return issues
    try:
        # Of a new one the key of the form is the name: what is sent twice stands there once.
        name = form["measure"] or f"m{UUID(form['key']).hex[:12]}"
    except ValueError:
        return [error("value", _("The form is not complete. Open it again."))]
    version = text(mapping(plan.get("meta")).get("versionId"))
    if form["measure"] and form["version"] != version:
        said = _("Somebody has changed the plan meanwhile. What you typed is kept below.")
        return [error("conflict", said)]
    await change(services, opened.actor, with_measure(plan, measure, clock.now(), name=name))
    return ()


async def _end_measure(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    _several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    if len(form["words"].strip()) < _SHORTEST:
        return [error("required", _("Say why it ends."), "words")]
    if measure_of(plan, form["measure"]) is None:
        raise NotFound(f"CarePlan/{plan.get('id')}")
    who, now = by(opened.actor), clock.now()
    made = ended_measure(plan, form["measure"], form["words"].strip(), who, now)
    await change(services, opened.actor, made)
    return ()


async def _say(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    _several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    if len(form["words"].strip()) < _SHORTEST:
        return [error("required", _("Write how it goes."), "words")]
    who, now = by(opened.actor), clock.now()
    made = evaluated_measure(plan, form["measure"], form["words"], who, now)
    await change(services, opened.actor, made)
    return ()


async def _evaluate(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    _several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    """The plan in words, each goal by how far it is reached, and the day of the next evaluation."""
    following, now, who = day_of(form["following"]), clock.now(), by(opened.actor)
    if len(form["words"].strip()) < _SHORTEST:
        return [error("required", _("Write how it goes."), "words")]
    if following is None or following <= now.date():
        return [error("value", _("Choose a day to come."), "following")]
    goals = []
    known = {each.code for each in planning().achievement}
    for key in references(plan.get("goal")):
        name = key.removeprefix("Goal/")
        judged = form.get(f"achievement-{name}", "")
        said = form.get(f"words-{name}", "")
        if judged in known and any(g.get("id") == name for g in opened.found["Goal"]):
            goals.append(evaluated_goal(opened.one("Goal", name), judged, said, who, now))
    done_with = [
        done(each, who, now)
        for each in opened.found["Task"]
        if kind_of_task(each) == EVALUATION and plan_of(each) == plan.get("id")
        and each.get("status") in OPEN
    ]  # fmt: skip
    made = evaluated(plan, form["words"], who, now, following)
    await change(services, opened.actor, made, also=[*goals, *done_with])
    return ()


async def _end(
    services: Services, opened: OpenedPlans, plan: Mapping[str, Any], form: Mapping[str, str],
    _several: Mapping[str, Sequence[str]],
) -> Sequence[Issue]:  # fmt: skip
    if len(form["words"].strip()) < _SHORTEST:
        return [error("required", _("Say why it ends."), "words")]
    if form["ending"] not in ("completed", "revoked"):
        return [error("required", _("Choose how it ended."), "ending")]
    made = ended(plan, form["ending"], form["words"], by(opened.actor), clock.now())
    await change(services, opened.actor, made)
    return ()


async def _page(
    request: _Request, opened: OpenedPlans, plan_id: str, form: Mapping[str, str],
    several: Mapping[str, Sequence[str]], issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    now = clock.now()
    plan = opened.one("CarePlan", plan_id)
    view = plans({**opened.found, "CarePlan": [plan]}, now)
    row = next((each for each in view.plans if each.id == plan_id), None)
    if row is None:
        raise NotFound(f"CarePlan/{plan_id}")
    asked = measure_of(plan, form.get("measure", ""))
    shown: dict[str, Any] = {name: form.get(name, "") for name in _FIELDS}
    lists: dict[str, Sequence[str]] = {n: several.get(n, ()) for n in ("day", "goal", "problem")}
    if asked is not None and not issues:
        before = form_of_measure(asked)
        lists |= {name: before.pop(name) for name in ("day", "goal", "problem")}
        shown |= before
    shown["performer"] = shown["performer"] or default_performer(opened.actor)
    shown["following"] = shown["following"] or in_days(now, _NEXT_EVALUATION)
    own = {text(each.get("id")) for each in measures(plan)}
    shelf = await _services(request).packs.current(opened.actor)
    known = {*_FIELDS, "day"}
    return render(
        request, "care_plan/plan.html", status_code=422 if issues else 200, opened=opened,
        plan=row, view=view, form=shown, lists=lists, asked=asked is not None and bool(own),
        forms=[{"value": k, "label": f.title} for k, f in sorted(shelf.all(Form).items())],
        may_write=opened.actor.kind == "practitioner"
        and may_write(opened.actor.profession, "CarePlan"),
        disciplines=[{"value": "", "label": _("Not said")}]
        + [{"value": each, "label": each} for each in planning().discipline],
        often=often_choices(), days=day_words(), on_days=DAYS, content=planning(),
        people=[{"value": k, "label": n} for k, n in performers(opened)],
        problems=problem_choices(opened), key=shown["key"] or str(uuid4()),
        errors={i.expression: i.diagnostics for i in issues if i.expression in known},
        told=[i.diagnostics for i in issues if i.expression not in known],
        addressed=[text(each.get("display")) for each in objects(plan.get("addresses"))
                   if text(each.get("display"))],
        reasons=planning().not_done, back="", **opened.around,
        page_title=row.title or _("Plan"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (plan_page, change_plan)
