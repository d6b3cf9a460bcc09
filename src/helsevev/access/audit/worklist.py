"""The privacy officer's pages: unusual reads with their state, and what came of each rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.audit.findings import QUESTION, STATES, Finding, Findings
from helsevev.access.audit.reads import ZONE
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.content.loading import unusual_reads
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_AROUND: Final = timedelta(days=7)
_TONES: Final = {"new": "warning", "asked": "info", "explained": "success", "breach": "danger"}


@get("/privacy", opt=_RECORD)
async def worklist(request: _Request, rule: str = "", outcome: str = "") -> Response[Any]:
    """What is to be followed up, soonest due first, and how each rule has done."""
    return await _worklist(request, rule, outcome)


async def _worklist(
    request: _Request, rule: str = "", outcome: str = "", wrong: int = 0, chosen: str = ""
) -> Response[Any]:
    """The page; `wrong` is the finding that was to become `chosen` without words."""
    findings, actor = _findings(request), actor_of_request(request)
    listed = await findings.listed(actor, rule, outcome if outcome in STATES else "")
    titles = {each.code: each.title for each in unusual_reads().rule}
    return render(
        request, "access/unusual_reads.html", findings=listed, rates=await findings.rates(actor),
        said=_said, states=states(), tones=_TONES, question=QUESTION, rule=rule, outcome=outcome,
        open=sum(each.state in ("new", "asked") for each in listed), wrong=wrong, chosen=chosen,
        log_query=_log_query, status_code=422 if wrong else 200,
        rules=[{"value": "", "label": _("All rules")},
               {"value": QUESTION, "label": _("Question from the patient")},
               *({"value": code, "label": title} for code, title in titles.items())],
        outcomes=[{"value": "", "label": _("All states")},
                  *({"value": code, "label": name} for code, name in states().items())],
        place="privacy", page_title=_("Unusual reads"),
    )  # fmt: skip


@post("/privacy/{patient:int}/{number:int}", opt=_RECORD)
async def judge(request: _Request, patient: int, number: int) -> Response[Any]:
    """What came of one finding."""
    form = await request.form()
    if not -1 <= patient < 2**63 or not 0 <= number < 2**63:
        raise NotFoundException("There is no such finding.")
    state, words = str(form.get("state", "")), str(form.get("words", ""))
    try:
        await _findings(request).judge(actor_of_request(request), patient, number, state, words)
    except Invalid:
        if state not in STATES:
            raise
        return await _worklist(request, wrong=number, chosen=state)
    return Redirect(f"/privacy#finding-{number}", status_code=303)


def states() -> dict[str, str]:
    """What the states are called."""
    return {
        "new": _("New"), "asked": _("The reader is asked"), "explained": _("Explained"),
        "breach": _("Breach"),
    }  # fmt: skip


def _log_query(finding: Finding) -> str:
    """Leads to what the reader did in the days before and after."""
    day = finding.read_at.astimezone(ZONE).date()
    return urlencode({
        "agent": finding.actor, "start": (day - _AROUND).isoformat(),
        "end": (day + _AROUND).isoformat(),
    })  # fmt: skip


def _said(finding: Finding) -> str:
    """What the rule measured, in words; "" when its own words say it all."""
    why = finding.why
    match finding.rule:
        case "question":
            return str(why.get("words", ""))
        case "emergency":
            return str(why.get("reason", "")).partition(": ")[2]
        case "volume":
            told = {"records": why.get("records"), "usual": why.get("usual")}
            return _("%(records)s records that day, usually %(usual)s") % told
        case "outside-shift":
            return _("At %(hour)s o'clock") % {"hour": why.get("hour")}
        case "ended-relation" | "no-relation-afterwards" | "own-word":
            return _("%(days)s days") % {"days": why.get("days")}
    return ""


def _findings(request: _Request) -> Findings:
    return Findings(request.app.state.services.gate)
