"""Results: one with what came before it, its acknowledgement, and the comparison over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import AccessError, NotFound, Refused
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import birth_date, full_name, moment
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.results_acknowledging import acknowledge, may_acknowledge
from helsevev.observation.results_compared import compared
from helsevev.observation.results_due import is_critical
from helsevev.observation.results_opened import OpenedResult, open_result
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 5000
_WORDS: Final = 500


@get("/patient/{patient_id:str}/results/compare", opt=_RECORD)
async def compare_page(
    request: _Request, patient_id: str, before: str = "", few: int = 0
) -> Response[Any]:
    """The results as a table, analysis by time; `before` (a dateTime) goes further back."""
    services, actor = _services(request), actor_of_request(request)
    slices = (Slice("Patient", 1), Slice("Observation", _MOST))
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, slices, interaction="results"
    )
    patient = next(iter(found["Patient"]), {})
    until = moment(before)
    return render(
        request, "observation/results_compared.html",
        table=compared(found["Observation"], until.at if until else None, abnormal_only=bool(few)),
        name=full_name(patient.get("name")), birth_date=birth_date(patient), few=bool(few),
        base=f"/patient/{patient_id}", now=clock.now(), place="patients", before=before,
        page_title=_("Results compared"),
    )  # fmt: skip


@get("/patient/{patient_id:str}/results/{key:str}", opt=_RECORD)
async def result_page(request: _Request, patient_id: str, key: str) -> Response[Any]:
    """One result: its values beside those before, and what may come next."""
    return await _page(request, await _opened(request, patient_id, key), ())


@post("/patient/{patient_id:str}/results/{key:str}", opt=_RECORD, status_code=200)
async def acknowledge_result(request: _Request, patient_id: str, key: str) -> Response[Any]:
    """Acknowledge it and go on to what comes next, in one press."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    opened = await _opened(request, patient_id, key)
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was acknowledged.")
        return await _page(request, opened, [Issue("error", "conflict", problem)])
    words = str(form.get("words", ""))[:_WORDS]
    try:
        step = await acknowledge(
            services, actor, opened.report, opened.task, str(form.get("step", "")), words
        )
    except Refused:
        raise
    except AccessError as refusal:
        again = await _opened(request, patient_id, key)
        return await _page(request, again, refusal.issues, words)
    if step.does == "opens":
        address = step.opens.format(patient=patient_id, orders=",".join(opened.again))
        return Redirect(address, status_code=303)
    return Redirect(f"{opened.base}/results/{key}", status_code=303)


async def _page(
    request: _Request, opened: OpenedResult, issues: Sequence[Issue], words: str = ""
) -> Response[Any]:
    actor = actor_of_request(request)
    steps = loading.result_answers().step
    if not opened.again:
        steps = tuple(step for step in steps if "{orders}" not in step.opens)
    return render(
        request, "observation/result.html", status_code=422 if issues else 200, opened=opened,
        problems=[issue.diagnostics for issue in issues], steps=steps, words=words,
        may_acknowledge=may_acknowledge(actor), now=clock.now(), place="patients",
        critical=opened.task is not None and is_critical(opened.task),
        page_title=opened.title or _("Result"),
    )  # fmt: skip


async def _opened(request: _Request, patient_id: str, key: str) -> OpenedResult:
    try:
        return await open_result(_services(request), actor_of_request(request), patient_id, key)
    except NotFound as missing:
        raise NotFoundException("There is no such result.") from missing


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (compare_page, result_page, acknowledge_result)
