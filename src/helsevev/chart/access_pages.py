"""Who has read, in full: by period, for printing, as a file, and a way to ask about a reading."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.audit import asking
from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.chart import audit_lines
from helsevev.chart.view import ChartView, slices_of
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_ZONE: Final = ZoneInfo("Europe/Oslo")
_MOST: Final = 5000
_USUAL: Final = timedelta(days=90)
_TEXT: Final = "text/csv; charset=utf-8"


class Asked(msgspec.Struct, frozen=True):
    """Which part of the log: days (both included), of a kind, with these words."""

    start: date
    end: date
    show: str = ""
    words: str = ""

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first moment, and the first one after."""
        end = self.end + timedelta(days=1) if self.end < date.max else self.end
        return (
            datetime.combine(self.start, time(), _ZONE),
            datetime.combine(end, time(), _ZONE),
        )


@get("/patient/{patient_id:str}/access", opt=_RECORD)
async def access_log(request: _Request, patient_id: str) -> Response[Any]:
    """The log of the last ninety days, or of the days that the address names."""
    return await _page(request, patient_id, _asked(request.query_params))


@post("/patient/{patient_id:str}/access", opt=_RECORD, status_code=200)
async def search_log(request: _Request, patient_id: str) -> Response[Any]:
    """The log as asked by the form; names stand in the body, never in an address."""
    return await _page(request, patient_id, _asked(await request.form()))


@get("/patient/{patient_id:str}/access/print", opt=_RECORD)
async def print_log(request: _Request, patient_id: str) -> Response[Any]:
    """The log as one table, for paper."""
    asked = _asked(request.query_params)
    permit, found, _more = await _lines(request, patient_id, asked)
    chart = await _chart(request, permit)
    return render(
        request, "chart/access_print.html", trail=found, name=chart.banner.name,
        log=_context(chart.base, asked), page_title=_("Who has read"),
    )  # fmt: skip


@get("/patient/{patient_id:str}/access/log.json", opt=_RECORD)
async def log_as_json(request: _Request, patient_id: str) -> Response[bytes]:
    """The log as JSON: one entry for each moment."""
    _permit, found, _more = await _lines(request, patient_id, _asked(request.query_params))
    told = msgspec.json.encode(audit_lines.as_data(found))
    return Response(told, media_type="application/json", headers=_as_file("json"))


@get("/patient/{patient_id:str}/access/log.csv", opt=_RECORD)
async def log_as_csv(request: _Request, patient_id: str) -> Response[str]:
    """The log as a table that spreadsheets open."""
    _permit, found, _more = await _lines(request, patient_id, _asked(request.query_params))
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    table = csv.writer(text, delimiter=";")
    table.writerow([_("Time"), _("Who"), _("Role"), _("Unit"), _("What"), _("Why"), _("Reason")])
    for entry in audit_lines.as_data(found):
        columns = ("time", "name", "role", "unit", "what", "why", "reason")
        table.writerow([_harmless(entry[name]) for name in columns])
    return Response(text.getvalue(), media_type=_TEXT, headers=_as_file("csv"))


@post("/patient/{patient_id:str}/access/ask", opt=_RECORD)
async def ask_about(request: _Request, patient_id: str) -> Response[Any]:
    """Ask the privacy officer about a reading of one's own record."""
    form = await request.form()
    permit = await _services(request).gate.open_chart(
        actor_of_request(request), patient_id, interaction="ask"
    )
    await asking.ask(
        _services(request).writer, permit, str(form.get("number", "")), str(form.get("words", ""))
    )
    return Redirect(f"/patient/{patient_id}/access?asked=1", status_code=303)


async def _page(request: _Request, patient_id: str, asked: Asked) -> Response[Any]:
    permit, found, more = await _lines(request, patient_id, asked)
    chart = await _chart(request, permit)
    log = _context(chart.base, asked) | {
        "may_ask": permit.basis == "own",
        "more": more,
        "notice": _notice(permit, found, "asked" in request.query_params),
    }
    return render(
        request, "chart/chart.html", chart=chart, section="access", place="patients",
        page_title=chart.banner.name, live_url=f"{chart.base}/live", may_write=False, drafts=[],
        panel_of={}, new_sections=(), trail=found, log=log,
    )  # fmt: skip


def _notice(permit: Permit, found: list[audit_lines.Line], has_asked: bool) -> str:
    if has_asked:
        return _("Your question is sent to the privacy officer, who answers within 30 days.")
    emergencies = sum(line.is_emergency for line in found)
    if permit.basis == "own" and emergencies:
        return _("Your record was opened in an emergency. The privacy officer looks at it, too.")
    return ""


async def _lines(
    request: _Request, patient_id: str, asked: Asked
) -> tuple[Permit, list[audit_lines.Line], bool]:
    gate, actor = _services(request).gate, actor_of_request(request)
    permit = await gate.open_chart(actor, patient_id, interaction="open-log")
    start, end = asked.bounds
    touches = await gate.who_has_read(permit, _MOST, start=start, end=end)
    found = audit_lines.lines(touches, actor.id)
    return permit, audit_lines.chosen(found, asked.show, asked.words), len(touches) == _MOST


async def _chart(request: _Request, permit: Permit) -> ChartView:
    slices = slices_of(("banner",), full=True)
    found = await _services(request).gate.open_slices(permit, slices)
    return ChartView(
        found, patient_id=permit.patient_id, now=clock.now(), reader=permit.actor.id, full=True
    )


def _asked(given: Any) -> Asked:
    today = clock.now().astimezone(_ZONE).date()
    end = _day(given.get("end")) or today
    start = _day(given.get("start")) or end - _USUAL
    show, words = str(given.get("show", ""))[:20], str(given.get("words", ""))[:100]
    return Asked(min(start, end), max(start, end), show, words)


def _day(text: Any) -> date | None:
    try:
        found = date.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if 1900 < found.year < 3000 else None


def _context(base: str, asked: Asked) -> dict[str, Any]:
    kinds = [("", _("All")), ("others", _("All but me")), ("emergency", _("Emergency access")),
             ("refused", _("Refused"))]  # fmt: skip
    start, end = asked.start.isoformat(), asked.end.isoformat()
    return {
        "base": base, "start": start, "end": end, "words": asked.words, "show": asked.show,
        "kinds": [{"value": value, "label": name} for value, name in kinds],
        "query": urlencode({"start": start, "end": end, "show": asked.show}),
        "searched": bool(asked.words or asked.show), "unfolded": False, "may_ask": False,
        "more": False, "notice": "",
    }  # fmt: skip


def _as_file(kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="innsynslogg.{kind}"'}


def _harmless(value: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
