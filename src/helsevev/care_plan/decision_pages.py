"""Municipal decisions: what somebody's function is assessed at, and what they are given for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.entries import replaced
from helsevev.access.errors import AccessError, NotFound, Refused
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.care_plan.coding import FUNCTION
from helsevev.care_plan.decision import (
    Assessed,
    Decided,
    as_episode,
    as_observation,
    as_request,
    assessed,
    finished,
    in_force,
    is_decision,
    key_of_kind,
    label_of,
    lately,
    missing,
    months_between,
    number_of,
    stopped,
    usual_end,
)
from helsevev.care_plan.keeping import OpenedPlans, by, keep, open_plans, pressed
from helsevev.care_plan.panel import amount_of, plans
from helsevev.care_plan.plan import today
from helsevev.care_plan.plan_form import day_of, performers, typed
from helsevev.care_plan.plan_reading import references
from helsevev.content.care_plan_loading import functions, planning
from helsevev.content.packs.decisions import Decision
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    concept_text,
    first,
    mapping,
    moment,
    objects,
    reference_text,
    text,
)
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_FIELDS: Final = (
    "patient", "key", "kind", "version", "amount", "start", "end", "what", "why", "performer",
    "words", "on",
)  # fmt: skip
_SHORTEST: Final = 3


@get("/patient/{patient_id:str}/decisions/new", opt=_RECORD)
async def new_decision(request: _Request, patient_id: str, kind: str = "") -> Response[Any]:
    """Choose what is to be decided on, then write the decision."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    if kind:
        return await _form(request, opened, kind, {}, ())
    shelf = await services.packs.current(actor)
    listed = sorted(shelf.all(Decision).values(), key=lambda each: each.title)
    return render(
        request, "care_plan/choose_decision.html", listed=listed, **opened.around,
        page_title=_("New decision"),
    )  # fmt: skip


@post("/patient/{patient_id:str}/decisions/new", opt=_RECORD, status_code=200)
async def decide(request: _Request, patient_id: str) -> Response[Any]:
    """Keep a decision and the service that begins by it, or say what is missing."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    form = await typed(request, _FIELDS)
    decision = await _kind(services, opened, form["kind"], form["version"])
    found = await _assessed(services, opened)
    decided, issues = _read(opened, decision, form, found)
    if decided is not None:
        now = clock.now()
        made = as_request(
            form["kind"], decision, f"Patient/{patient_id}", decided, by(actor), now
        )  # fmt: skip
        entry = pressed(made, form["key"])
        entries = [entry]
        if decided.performer[0].startswith("Organization/") and decision.service:
            episode = as_episode(made, entry["fullUrl"], now)
            entries.append(pressed(episode, f"{form['key']}-service"))
        try:
            answer = await keep(services, actor, entries)
            location = answer["entry"][0]["response"]["location"]
            place = f"{opened.base}/decisions/{location.split('/')[1]}"
            return Redirect(place, status_code=303)
        except Refused:
            raise
        except AccessError as refusal:
            issues = list(refusal.issues)
    return await _form(request, opened, form["kind"], form, issues)


@get("/patient/{patient_id:str}/decisions/{request_id:str}", opt=_RECORD)
async def decision_page(request: _Request, patient_id: str, request_id: str) -> Response[Any]:
    """A decision as its letter says it: what, why, by what law, and how one complains."""
    opened = await open_plans(_services(request), actor_of_request(request), patient_id)
    return await _shown(request, opened, request_id, {}, ())


@post("/patient/{patient_id:str}/decisions/{request_id:str}", opt=_RECORD, status_code=200)
async def end_decision(request: _Request, patient_id: str, request_id: str) -> Response[Any]:
    """End a decision and its service on a day, and say why."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    form = await typed(request, _FIELDS)
    made = opened.one("ServiceRequest", request_id)
    on, issues = day_of(form["on"]), []
    if form["patient"] != patient_id or not is_decision(made):
        raise NotFound(f"ServiceRequest/{request_id}")
    if made.get("status") != "active":
        issues.append(error("conflict", _("It has been ended already.")))
    if on is None:
        issues.append(error("required", _("Choose the last day."), "on"))
    if len(form["words"].strip()) < _SHORTEST:
        issues.append(error("required", _("Say why it ends."), "words"))
    if issues or on is None:
        return await _shown(request, opened, request_id, form, issues)
    now = clock.now()
    entries = [replaced(stopped(made, form["words"], by(actor), on, now))]
    entries += [
        replaced(finished(each, on))
        for each in opened.found["EpisodeOfCare"]
        if f"ServiceRequest/{request_id}" in references(each.get("referralRequest"))
        and each.get("status") in ("active", "planned", "onhold")
    ]
    try:
        await keep(services, actor, entries)
    except Refused:
        raise
    except AccessError as refusal:
        return await _shown(request, opened, request_id, form, refusal.issues)
    return Redirect(f"{opened.base}/plans", status_code=303)


@get("/patient/{patient_id:str}/functions", opt=_RECORD)
async def functions_page(request: _Request, patient_id: str, kind: str = "") -> Response[Any]:
    """Every function as it was last assessed, to be assessed anew."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    return await _functions(request, opened, {}, kind, ())


@post("/patient/{patient_id:str}/functions", opt=_RECORD, status_code=200)
async def assess(request: _Request, patient_id: str) -> Response[Any]:
    """Keep the functions that were assessed, all of them or none."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_plans(services, actor, patient_id)
    form = {name: str(value)[:100] for name, value in (await request.form()).items()}
    kind, now, who = form.get("kind", ""), clock.now(), by(actor)
    if form.get("patient") != patient_id or not form.get("key"):
        said = _("This form belongs to another patient. Nothing was written.")
        return await _functions(request, opened, form, kind, [error("conflict", said)])
    entries = []
    for function in functions().function:
        level = form.get(f"level-{function.code}", "")
        if level.isdigit():
            made = as_observation(f"Patient/{patient_id}", function.code, int(level), who, now)
            entries.append(pressed(made, f"{form['key']}-{function.code}"))
    if not entries:
        said = _("Choose a level for at least one function.")
        return await _functions(request, opened, form, kind, [error("required", said)])
    await keep(services, actor, entries)
    place = f"{opened.base}/decisions/new?kind={kind}" if kind else f"{opened.base}/plans"
    return Redirect(place, status_code=303)


def _read(
    opened: OpenedPlans, decision: Decision, form: Mapping[str, str], found: Sequence[Assessed]
) -> tuple[Decided | None, list[Issue]]:
    """What the form says is decided, or what is wrong with it."""
    issues: list[Issue] = []
    if form["patient"] != opened.patient_id or not form["key"]:
        said = _("This form belongs to another patient. Nothing was written.")
        issues.append(error("conflict", said))
    start, end = day_of(form["start"]), day_of(form["end"])
    who = dict(performers(opened))
    if start is None:
        issues.append(error("required", _("Choose the first day."), "start"))
    if form["performer"] not in who:
        issues.append(error("required", _("Choose who gives it."), "performer"))
    if len(form["why"].strip()) < _SHORTEST:
        said = _("Give the reasons: a decision without reasons cannot be understood or tried.")
        issues.append(error("required", said, "why"))
    months = 0 if start is None else decision.months if end is None else months_between(start, end)
    if end is None and not decision.lasting:
        months = 0
    told = {
        "amount": _("Say how much, within what this service is given."),
        "end": _("Choose a last day after the first, at most five years later."),
        "functions": _("The functions have to be assessed before this is decided."),
    }
    lacking = missing(decision, form["amount"], months, lately(found, clock.now()))
    issues += [error("required", told[name], name) for name in lacking]
    if issues or start is None:
        return None, issues
    used = [each.reference for each in found if each.code in decision.functions and each.reference]
    return Decided(
        start=start, end=end, amount=number_of(form["amount"]) if decision.unit else None,
        what=form["what"].strip(), why=form["why"].strip(),
        performer=(form["performer"], who[form["performer"]]), functions=tuple(used),
    ), []  # fmt: skip


async def _form(
    request: _Request, opened: OpenedPlans, kind: str, form: Mapping[str, str],
    issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    services = _services(request)
    decision = await _kind(services, opened, kind, form.get("version", ""))
    found = await _assessed(services, opened)
    now = clock.now()
    shown = {name: form.get(name, "") for name in _FIELDS}
    shown["start"] = shown["start"] or today(now).isoformat()
    if not form and not decision.lasting:
        shown["end"] = usual_end(today(now), decision.months).isoformat()
    fresh = lately(found, now)
    view = plans(opened.found, now)
    return render(
        request, "care_plan/decision_form.html", status_code=422 if issues else 200,
        decision=decision, form={**shown, "kind": kind}, key=shown["key"] or str(uuid4()),
        opened=opened, view=view,
        functions=[each for each in found if each.code in decision.functions],
        stale=[each for each in decision.functions if each not in fresh],
        performers=[{"value": k, "label": n} for k, n in performers(opened)],
        unit={"h": _("hours"), "d": _("days"), "times": _("times")}.get(decision.unit, ""),
        per={"d": _("a day"), "wk": _("a week"), "mo": _("a month")}.get(decision.per, ""),
        **_told(issues), **opened.around, page_title=decision.title,
    )  # fmt: skip


async def _shown(
    request: _Request, opened: OpenedPlans, request_id: str, form: Mapping[str, str],
    issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    services, now = _services(request), clock.now()
    made = opened.one("ServiceRequest", request_id)
    if not is_decision(made):
        raise NotFound(f"ServiceRequest/{request_id}")
    kind = key_of_kind(made)
    shelf = await services.packs.current(opened.actor)
    wanted = [("Observation", key.removeprefix("Observation/"))
              for key in references(made.get("supportingInfo"))]  # fmt: skip
    used = await services.gate.open_many(opened.actor, wanted, interaction="plans")
    period = mapping(made.get("occurrencePeriod"))
    start, end = moment(period.get("start")), moment(period.get("end"))
    shown = {name: form.get(name, "") for name in _FIELDS}
    shown["on"] = shown["on"] or today(now).isoformat()
    return render(
        request, "care_plan/decision.html", status_code=422 if issues else 200, opened=opened,
        request_id=request_id, title=label_of(made), amount=amount_of(made),
        content=planning(), decision=shelf.version(Decision, *kind),
        what=concept_text(first(made.get("orderDetail"))),
        why=concept_text(first(made.get("reasonCode"))),
        start=start.text if start else "", end=end.text if end else "",
        decided=text(made.get("authoredOn")), by=reference_text(made.get("requester")),
        performer=reference_text(first(made.get("performer"))), holds=in_force(made, now),
        functions=[each for each in assessed(used.values()) if each.level is not None],
        notes=[text(each.get("text")) for each in objects(made.get("note"))], form=shown,
        may_end=opened.actor.kind == "practitioner" and made.get("status") == "active"
        and may_write(opened.actor.profession, "ServiceRequest"),
        **_told(issues), **opened.around, page_title=label_of(made),
    )  # fmt: skip


async def _functions(
    request: _Request, opened: OpenedPlans, form: Mapping[str, str], kind: str,
    issues: Sequence[Issue],
) -> Response[Any]:  # fmt: skip
    found = await _assessed(_services(request), opened)
    groups: dict[str, list[Assessed]] = {}
    for each in found:
        groups.setdefault(each.group, []).append(each)
    return render(
        request, "care_plan/functions.html", status_code=422 if issues else 200, opened=opened,
        groups=groups, levels=functions().level, form=form, kind=kind,
        key=form.get("key") or str(uuid4()), **_told(issues), **opened.around,
        page_title=_("Function"),
    )  # fmt: skip


async def _kind(
    services: Services, opened: OpenedPlans, key: str, version: str = ""
) -> Decision:  # fmt: skip
    shelf = await services.packs.current(opened.actor)
    found = (shelf.version(Decision, key, version) if version else None) or shelf.one(Decision, key)
    if found is None:
        raise NotFoundException("There is no such kind of decision.")
    return found


async def _assessed(services: Services, opened: OpenedPlans) -> list[Assessed]:
    query = f"patient={opened.patient_id}&code={FUNCTION}|"
    stored = await services.searcher.match(opened.actor, "Observation", query, 1000)
    return assessed(each.resource for each in stored)


def _told(issues: Sequence[Issue]) -> dict[str, Any]:
    known = {*_FIELDS, "functions"}
    return {
        "errors": {i.expression: i.diagnostics for i in issues if i.expression in known},
        "told": [i.diagnostics for i in issues if i.expression not in known],
    }


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (new_decision, decide, decision_page, end_decision, functions_page, assess)
