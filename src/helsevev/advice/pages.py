"""CDS Hooks for other systems, the page of rule statistics, and orders that wait for a check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError, Gone, Invalid, NotFound, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.rule_reviews import RuleReviews
from helsevev.access.services import Services
from helsevev.access.walled import see_whole
from helsevev.advice import hooks
from helsevev.advice.rule_book import rule_book, title_of
from helsevev.advice.rule_statistics import case_counts, cases_of, rule_lines
from helsevev.content import decision_loading as content
from helsevev.decision_support.reading import TYPES
from helsevev.fhir.reading import concept_text, reference_key, reference_text
from helsevev.kit import clock
from helsevev.kit.caller import CALLER, caller_of
from helsevev.locale import gettext as _
from helsevev.medication import checks
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_TOKEN: Final = {"decision": "token", "exclude_from_csrf": True}
_LARGEST: Final = 4 * 1024 * 1024
_STATUS: Final = {Refused: 403, NotFound: 404, Gone: 410, Invalid: 422}
_ANYWHERE: Final = {"access-control-allow-origin": "*"}
_MOST_LISTED: Final = 100


@get("/cds-services", opt={"decision": "public"})
async def discovery() -> Response[dict[str, Any]]:
    """Which services there are (CDS Hooks 2.0, Discovery)."""
    return Response(hooks.discovery(), headers=_ANYWHERE)


@post("/cds-services/{service:str}", status_code=200, opt=_TOKEN)
async def call_service(request: _Request, service: str) -> Response[dict[str, Any]]:
    """The cards of a call (CDS Hooks 2.0, Calling a CDS Service)."""
    actor = await _actor(request)
    if actor is None:
        return _problem(401, "Send the bearer token of whoever asks.")
    if service not in hooks.SERVICES:
        return _problem(404, f"There is no service {service[:80]}.")
    try:
        asked = hooks.asked_of(await _body(request), service)
        return await _cards(request, actor, asked)
    except hooks.BadRequest as problem:
        return _problem(400, str(problem))
    except AccessError as problem:
        return _refused(problem)


async def _cards(
    request: _Request, actor: Actor, asked: hooks.Asked
) -> Response[dict[str, Any]]:  # fmt: skip
    services: Services = request.app.state.services
    base = _base(request)
    missing = [kind for kind in TYPES if kind not in asked.handed and kind != "Medication"]
    if missing and asked.server not in ("", f"{base}/fhir"):
        # What another server holds is not fetched from here: whoever asks hands it along.
        return _problem(412, f"Hand along as prefetch: {', '.join(missing)}.")
    permit = await services.gate.open_chart(
        actor, asked.patient_id, interaction=f"cds-{asked.hook}"
    )
    chart = dict(asked.handed)
    if missing:
        wanted = [piece for piece in checks.SLICES if piece.type in (*missing, "Medication")]
        interaction = f"cds-{asked.hook}"
        opened = await services.gate.open_slices(permit, wanted, interaction=interaction)
        chart = {**opened, **chart}
    if asked.hook == "patient-view":
        advices = [await checks.check_list(services, permit, chart=chart)]
    else:
        advices = await checks.check_orders(
            services, permit, asked.orders, hook=asked.hook, chart=chart
        )
    made = hooks.answer(advices, content.levels().reason, base)
    return Response(made, headers=_ANYWHERE)


@post("/cds-services/{service:str}/feedback", status_code=200, opt=_TOKEN)
async def feedback(request: _Request, service: str) -> Response[dict[str, Any]]:
    """What was done about cards (CDS Hooks 2.0, Feedback)."""
    actor = await _actor(request)
    if actor is None:
        return _problem(401, "Send the bearer token of whoever asks.")
    if service not in hooks.SERVICES:
        return _problem(404, f"There is no service {service[:80]}.")
    services = _services(request)
    try:
        for each in hooks.feedback_of(await _body(request)):
            await services.card_log.answer(
                actor, each.card, each.event, reason=each.reason, words=each.words
            )
    except hooks.BadRequest as problem:
        return _problem(400, str(problem))
    except AccessError as problem:
        return _refused(problem)
    return Response({}, headers=_ANYWHERE)


async def _actor(request: _Request) -> Actor | None:
    services: Services = request.app.state.services
    CALLER.set(caller_of(request.scope, dict(request.scope["headers"])))
    kind, _space, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip() or len(token) > 512:
        return None
    actor = await services.credentials.token_actor(token.strip())
    if actor is not None and actor.kind == "system":
        see_whole()
    return actor


async def _body(request: _Request) -> object:
    """The JSON that was sent. Raises `hooks.BadRequest`."""
    body = await request.body()
    if len(body) > _LARGEST:
        raise hooks.BadRequest(f"A request has at most {_LARGEST} bytes.")
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        raise hooks.BadRequest("The body is not JSON.") from None
    return found


def _base(request: _Request) -> str:
    services: Services = request.app.state.services
    return services.apps.address or str(request.base_url).rstrip("/")


def _problem(status: int, text: str) -> Response[dict[str, Any]]:
    headers = dict(_ANYWHERE)
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="cds"'
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Response(body, status_code=status, headers=headers)


def _refused(problem: AccessError) -> Response[dict[str, Any]]:
    status = next((code for kind, code in _STATUS.items() if isinstance(problem, kind)), 422)
    return _problem(status, str(problem))


@get("/advice/rules", opt={"decision": "signed-in"})
async def rules_page(request: _Request) -> Response[str]:
    """How each rule does in the cases and in use, and which go to review."""
    staff_of_request(request)
    services = _services(request)
    levels = content.levels()
    since = clock.now() - timedelta(days=levels.review_days)
    counted = await services.card_log.statistics(since)
    known = await checks.knowledge_now(services)
    cases = case_counts()
    return render(
        request, "advice/rules.html", lines=rule_lines(counted, cases, levels), cases=cases,
        reviews=await RuleReviews(services.gate).waiting(), book=rule_book(),
        levels_said=level_words(),
        levels=levels, banner=known.stopped,
        list_name="" if known.interactions is None
        else f"{known.interactions.name} {known.interactions.version}",
        lowest=int(levels.lowest_acceptance * 100), page_title=_("Rules of decision support"),
    )  # fmt: skip


@get("/advice/rules/{rule:str}", opt={"decision": "signed-in"})
async def rule_page(request: _Request, rule: str) -> Response[str]:
    """One rule: what it says, its cases, how it did week by week, and what came after."""
    staff_of_request(request)
    return await _rule(request, rule, ())


@post("/advice/rules/{rule:str}", opt={"decision": "signed-in"}, status_code=200)
async def end_rule_review(request: _Request, rule: str) -> Response[Any]:
    """Keep what the review of a rule came to."""
    actor, services = staff_of_request(request), _services(request)
    verdict = str((await request.form()).get("verdict", ""))[:2000]
    if not verdict.strip():
        return await _rule(request, rule, [_("Write what the review came to.")])
    try:
        await RuleReviews(services.gate).end(actor, rule, verdict)
    except Refused:
        raise
    except AccessError as refusal:
        return await _rule(request, rule, [issue.diagnostics for issue in refusal.issues])
    return Redirect(f"/advice/rules/{quote(rule)}", status_code=303)


async def _rule(request: _Request, rule: str, problems: Sequence[str]) -> Response[str]:
    services, levels = _services(request), content.levels()
    since = clock.now() - timedelta(days=levels.review_days)
    counted = [each for each in await services.card_log.statistics(since) if each.rule == rule]
    about, cases = rule_book().get(rule), cases_of(rule)
    if about is None and not counted and not cases:
        raise NotFoundException("There is no such rule.")
    lines = [each for each in rule_lines(counted, case_counts(), levels) if each.rule == rule]
    weeks = [each for each in await services.card_log.weeks(since) if each.rule == rule]
    reviews = [each for each in await RuleReviews(services.gate).all() if each.rule == rule]
    outcomes = [(what, many) for name, what, many in await services.card_log.outcomes(since)
                if name == rule]  # fmt: skip
    return render(
        request, "advice/rule.html", rule=rule, about=about, cases=cases, weeks=weeks,
        line=lines[0] if lines else None, outcomes=outcomes, outcome_words=_outcomes(),
        reviews=reviews, problems=problems, levels=levels,
        status_code=422 if problems else 200, levels_said=level_words(), titles=title_of,
        page_title=title_of(rule),
    )  # fmt: skip


def level_words() -> dict[str, str]:
    """How loud, in words."""
    return {"stop": _("stops"), "interrupt": _("asks"), "quiet": _("tells quietly")}


def _outcomes() -> dict[str, str]:
    return {
        "stopped": _("The order was stopped"), "paused": _("The order was paused"),
        "changed": _("The order was changed"),
    }  # fmt: skip


@get("/advice/unchecked", opt={"decision": "record"})
async def unchecked_page(request: _Request) -> Response[str]:
    """Active orders that were made while the knowledge base was down, for who may see them."""
    services, actor = _services(request), staff_of_request(request)
    query = f"_tag={quote(checks.UNCHECKED, safe='')}|knowledge-base&status=active"
    rows = await services.searcher.match(actor, "MedicationRequest", query, _MOST_LISTED)
    seen = await services.gate.visible(actor, rows, "unchecked-orders")
    if not seen:
        await services.gate.trace_nothing(actor, "unchecked-orders", "MedicationRequest")
    known = await checks.knowledge_now(services)
    orders = [(each.id, _name_of(each.resource)) for each in seen]
    return render(
        request, "advice/unchecked.html", orders=orders, banner=known.stopped,
        page_title=_("Orders to check"),
    )  # fmt: skip


@post("/advice/unchecked/{order_id:str}", opt={"decision": "record"})
async def check_again(request: _Request, order_id: str) -> Response[Any]:
    """Check an order now: its cards are shown, and its mark is taken away when the base is back."""
    services, actor = _services(request), staff_of_request(request)
    stored = await services.gate.open_resource(actor, "MedicationRequest", order_id)
    order = stored.resource
    patient = reference_key(order.get("subject")).removeprefix("Patient/")
    permit = await services.gate.open_chart(actor, patient)
    advice = (await checks.check_orders(services, permit, [order]))[0]
    if advice.banner:
        return Redirect("/advice/unchecked", status_code=303)
    await services.writer.write(actor, checks.marked(order, advice), if_match=stored.version)
    return render(
        request, "advice/checked.html", name=_name_of(order), advice=advice, patient=patient,
        page_title=_("Checked order"),
    )  # fmt: skip


def _name_of(order: dict[str, Any]) -> str:
    named = concept_text(order.get("medicationCodeableConcept"))
    return named or reference_text(order.get("medicationReference"))


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (
    discovery, call_service, feedback, rules_page, rule_page, end_rule_review, unchecked_page,
    check_again,
)  # fmt: skip
