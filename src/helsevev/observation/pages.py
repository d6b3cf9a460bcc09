"""The vital signs form: numbers in, NEWS2 as they are typed, signed in one action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import OSLO
from helsevev.follow_up.asking import entry
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.opened import Opened, call, open_to_measure
from helsevev.observation.vital_signs import (
    NotRecordable,
    Performer,
    Person,
    Taken,
    read_form,
    record_vital_signs,
    taken_at,
)
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}


@get("/patient/{patient_id:str}/vital-signs", opt=_RECORD)
async def vital_signs_form(request: _Request, patient_id: str) -> Response[Any]:
    """An empty form, with the time it was opened."""
    about = await _about(request, patient_id)
    form = {"key": str(uuid4()), "time": f"{clock.now().astimezone(OSLO):%Y-%m-%dT%H:%M}"}
    if about.was_on_scale_2:
        form["scale_2"] = "1"
    return await _page(request, about, form, ())


@post("/patient/{patient_id:str}/vital-signs/score", opt=_RECORD, status_code=200)
async def live_score(request: _Request, patient_id: str) -> Response[Any]:
    """NEWS2 of what is typed so far, and what is wrong with it."""
    about = await _about(request, patient_id)
    form = await _typed(request)
    taken = read_form(form, about.person, loading.vital_signs(), loading.news2())
    return render(request, "observation/_score.html", **_score_context(taken, about.person))


@post("/patient/{patient_id:str}/vital-signs", opt=_RECORD, status_code=200)
async def sign_vital_signs(request: _Request, patient_id: str) -> Response[Any]:
    """Record the round, whole or not at all, and go back to the chart."""
    about = await _about(request, patient_id)
    form = await _typed(request)
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was recorded.")
        return await _page(request, about, form, [Issue("error", "conflict", problem)])
    try:
        await _record(request, about, form)
    except (NotRecordable, AccessError) as refusal:
        return await _page(request, about, form, refusal.issues)
    return Redirect(f"/patient/{patient_id}#panel-measurements", status_code=303)


async def _record(request: _Request, about: Opened, form: Mapping[str, str]) -> None:
    actor = actor_of_request(request)
    try:
        key = UUID(form.get("key", ""))
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        raise NotRecordable([Issue("error", "value", problem)]) from None
    signs, table, at = (
        loading.vital_signs(),
        loading.news2(),
        taken_at(form.get("time", ""), clock.now()),
    )
    made = record_vital_signs(
        form,
        person=about.person,
        performer=Performer(actor.id, actor.name),
        at=at,
        signs=signs,
        table=table,
        key=key,
        encounter=about.encounter,
    )
    bundle = transaction(created(resource, url) for url, resource in made)
    found = read_form(form, about.person, signs, table).score
    called = call(about, Who(actor.id, actor.name), made, found, at)
    bundle["entry"] += [entry(task, url) for url, task in called]
    services: Services = request.app.state.services
    await services.bundles.transact(actor, bundle, idempotency_key=str(key))


async def _page(
    request: _Request, about: Opened, form: Mapping[str, str], issues: Sequence[Issue]
) -> Response[Any]:
    signs, table = loading.vital_signs(), loading.news2()
    taken = read_form(form, about.person, signs, table)
    fields = {part.key for sign in signs.sign for part in sign.parts} | {"consciousness", "time"}
    return render(
        request,
        "observation/vital_signs.html",
        status_code=422 if issues else 200,
        about=about,
        base=f"/patient/{about.person.patient_id}",
        signs=signs,
        table=table,
        form=form,
        consciousness_options=[
            {"value": answer.key, "label": answer.label} for answer in table.consciousness
        ],
        errors={i.expression: i.diagnostics for i in issues if i.expression in fields},
        problems=[i.diagnostics for i in issues if i.expression not in fields],
        place="patients",
        page_title=_("Vital signs"),
        **_score_context(taken, about.person),
    )


def _score_context(taken: Taken, person: Person) -> dict[str, Any]:
    labels = {
        part.key: part.short for sign in loading.vital_signs().sign for part in sign.parts
    } | {"consciousness": _("Consciousness")}
    found = taken.score
    return {
        "score": found,
        "score_missing": [labels.get(key, key) for key in found.missing] if found else [],
        "score_parts": [
            {"label": part.label, "value": "", "score": part.points} for part in found.parts
        ]
        if found
        else [],
        "score_name": loading.news2().title,
        "excluded_by": person.excluded_by(loading.news2()),
        "level": _level(found.response.risk) if found and found.response else "",
        "meaning": found.response.action if found and found.response else "",
        "live_issues": [i for i in taken.issues if i.code == "value"],
    }


def _level(risk: str) -> str:
    return {"low-medium": "medium"}.get(risk, risk)


async def _about(request: _Request, patient_id: str) -> Opened:
    services: Services = request.app.state.services
    return await open_to_measure(services, actor_of_request(request), patient_id)


async def _typed(request: _Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(value)[:100] for name, value in form.items()}
