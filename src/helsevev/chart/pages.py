"""The chart's pages: the record on one page, each panel by itself, curves and the timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.errors import Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.chart import audit_lines
from helsevev.chart.result_rows import curve_key
from helsevev.chart.timeline import FILTERS, Event, matching, types
from helsevev.chart.unsigned import unsigned
from helsevev.chart.view import (
    ALL,
    OVERVIEW,
    PANELS,
    ChartView,
    crowded,
    names_of,
    slices_of,
    unnamed,
)
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.results import results
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_Found = dict[str, list[dict[str, Any]]]
RECORD: Final = {"decision": "record"}
_PAGE: Final = 100
_NOTICE: Final = timedelta(days=30)
"""How long inhabitants are told on their page that their record was opened in an emergency."""

_SECTIONS: Final = (
    "medications", "measurements", "plans", "documents", "contacts",
)  # fmt: skip
_SECTION_OF: Final = {
    "Observation": ("measurements", "results"), "MedicationRequest": ("medications",),
    "MedicationStatement": ("medications",), "Composition": ("notes",),
    "DocumentReference": ("notes",), "DiagnosticReport": ("notes",), "Encounter": ("contacts",),
    "EpisodeOfCare": ("contacts",), "CarePlan": ("plans",), "Task": ("plans",),
    "Appointment": ("plans",), "ServiceRequest": ("plans",),
    "QuestionnaireResponse": ("forms",),
}  # fmt: skip
_PANEL_OF: Final = {
    "contact": "contacts", "problem": "problems", "warning": "overview", "medicine": "medications",
    "dose": "timeline", "measure": "measurements", "result": "results", "note": "notes",
    "document": "notes", "plan": "overview", "procedure": "timeline",
    "message": "timeline", "other": "timeline",
}  # fmt: skip
_ICONS: Final = {"problem": "overview", "procedure": "check", "other": "clock"}


@get("/patient/{patient_id:str}", opt=RECORD)
async def overview(request: _Request, patient_id: str) -> Response[Any]:
    """The whole chart on one page: banner, overview, and a panel for each part."""
    return await _page(request, patient_id, "overview")


@get("/patient/{patient_id:str}/{section:str}", opt=RECORD)
async def section(request: _Request, patient_id: str, section: str) -> Response[Any]:
    """One section of the chart in full."""
    if section not in _SECTIONS:
        raise NotFoundException("There is no such section.")
    return await _page(request, patient_id, section)


@get("/patient/{patient_id:str}/notes", opt=RECORD)
async def notes_section(request: _Request, patient_id: str) -> Response[Any]:
    """All notes; its address is also where a new one is posted, so it has a handler of its own."""
    return await _page(request, patient_id, "notes")


@get("/patient/{patient_id:str}/results", opt=RECORD)
async def results_section(request: _Request, patient_id: str) -> Response[Any]:
    """All results; its address also leads on to each of them, so it has a handler of its own."""
    return await _page(request, patient_id, "results")


@get("/patient/{patient_id:str}/plans", opt=RECORD)
async def plans_section(request: _Request, patient_id: str) -> Response[Any]:
    """Plans and what they ask for; pages lie below its address, so it has its own handler."""
    return await _page(request, patient_id, "plans")


@get("/patient/{patient_id:str}/timeline", opt=RECORD)
async def timeline_section(request: _Request, patient_id: str) -> Response[Any]:
    """The timeline, unfiltered."""
    return await _page(request, patient_id, "timeline")


@get("/patient/{patient_id:str}/panel/{key:str}", opt=RECORD)
async def panel(
    request: _Request, patient_id: str, key: str, since: int = 0, full: int = 0
) -> Response[Any]:
    """One panel by itself, as the page fetches it again when the record changes.

    `since` (microseconds since 1970) keeps what was new when the page was opened.
    """
    if key == "timeline":
        return await _timeline(request, patient_id, [], "", _PAGE)
    if key == "access":
        return render(request, "chart/_access.html", trail=await _trail(request, patient_id))
    if key not in PANELS and key != "news":
        raise NotFoundException("There is no such panel.")
    looked = datetime.fromtimestamp(since / 1e6, UTC) if since else None
    wanted = slices_of(OVERVIEW if key == "news" else [key], full=bool(full))
    now = clock.now()
    permit, found = await _opened(request, patient_id, wanted, "refresh")
    names = await _names(request, permit, found)
    chart = _view(permit, found, names, now, looked, full=bool(full))
    context: dict[str, Any] = {"chart": chart, "may_write": _may_write(permit)}
    if key == "news":
        drafts = await _services(request).drafts.of(permit)
        context |= {"drafts": unsigned(drafts, chart.base), "panel_of": _PANEL_OF}
    answer = render(request, f"chart/_{key}.html", **context)
    if key == "news":
        answer.background = BackgroundTask(_services(request).live.look, permit, chart.now)
    return answer


@get("/patient/{patient_id:str}/curve/{key:str}", opt=RECORD)
async def curve(request: _Request, patient_id: str, key: str) -> Response[Any]:
    """The curve of one measurement, every value of it, with its table."""
    now = clock.now()
    permit, found = await _opened(request, patient_id, [Slice("Observation", ALL)], "curve")
    chart = _view(permit, found, await _names(request, permit, found), now)
    for series in results(chart.of("Observation"), chart.names):
        if curve_key(series.key) == key:
            return render(
                request, "chart/_curve.html", key=key, title=series.title, lines=series.lines()
            )
    raise NotFoundException("There is no such measurement.")


@post("/patient/{patient_id:str}/timeline", opt=RECORD, status_code=200)
async def timeline_search(request: _Request, patient_id: str) -> Response[Any]:
    """The timeline filtered by kinds and words, which stand in the body, never in an address."""
    form = await request.form()
    words = str(form.get("words", ""))[:200]
    most = str(form.get("most", ""))
    shown = int(most) if most.isdigit() and len(most) < 6 else _PAGE
    kinds = [str(kind) for kind in form.getall("kind", [])]
    return await _timeline(request, patient_id, kinds, words, shown)


async def _page(request: _Request, patient_id: str, key: str) -> Response[Any]:
    services = _services(request)
    full = key != "overview"
    keys = ("banner", key) if key in PANELS and key != "timeline" else ("banner",)
    wanted = slices_of(OVERVIEW) if not full else slices_of(keys, full=True)
    if key == "timeline":
        wanted = _widened(wanted, _newest([], "", _PAGE))
    now = clock.now()
    try:
        permit, found = await _opened(request, patient_id, wanted)
    except Refused as refusal:
        if refusal.decision.may_break_glass:
            return Redirect(f"/emergency/{patient_id}", status_code=303)
        raise
    names, looked, drafts, withheld, opened_at = await asyncio.gather(
        _names(request, permit, found), services.live.last_look(permit),
        services.drafts.of(permit), services.gate.withholds(permit),
        services.gate.emergency_notice(permit, now - _NOTICE),
    )  # fmt: skip
    chart = _view(permit, found, names, now, looked, full=full)
    context: dict[str, Any] = {
        "chart": chart,
        "section": key,
        "place": "patients",
        "page_title": chart.banner.name,
        "live_url": f"{chart.base}/live",
        "may_write": _may_write(permit),
        "may_prescribe": may_write(permit.actor.profession, "MedicationRequest"),
        "may_order": may_write(permit.actor.profession, "ServiceRequest"),
        "drafts": unsigned(drafts, chart.base),
        "panel_of": _PANEL_OF,
        "new_sections": _new_sections(chart.new),
        "apps": await services.apps.clients.opened_by(permit.actor) if key == "overview" else (),
        "withheld": withheld,
        "emergency_at": opened_at,
    }
    if key == "timeline":
        context |= _timeline_context(chart, [], "", _PAGE)
    answer = render(request, "chart/chart.html", **context)
    # Only the overview lists all that is new. After the answer: nobody waits for the mark.
    if key == "overview":
        answer.background = BackgroundTask(services.live.look, permit, chart.now)
    return answer


async def _timeline(
    request: _Request, patient_id: str, kinds: Sequence[str], words: str, most: int
) -> Response[Any]:
    around = [] if request.headers.get("hx-request") else slices_of(["banner"], full=True)
    wanted = _widened(around, _newest(kinds, words, most))
    now = clock.now()
    permit, found = await _opened(request, patient_id, wanted, "timeline")
    names, looked = await asyncio.gather(
        _names(request, permit, found), _services(request).live.last_look(permit)
    )
    chart = _view(permit, found, names, now, looked, full=True)
    context = _timeline_context(chart, kinds, words, most)
    if request.headers.get("hx-request"):
        return render(request, "chart/_timeline.html", chart=chart, **context)
    return render(
        request, "chart/chart.html", chart=chart, section="timeline", place="patients",
        page_title=chart.banner.name, live_url=f"{chart.base}/live",
        may_write=_may_write(permit), drafts=[], panel_of=_PANEL_OF,
        new_sections=_new_sections(chart.new), **context,
    )  # fmt: skip


def _newest(kinds: Sequence[str], words: str, most: int) -> dict[str, int]:
    """How many of each type: among so many of each are the newest so many of all.

    A search for words has to look further.
    """
    return dict.fromkeys(sorted(types(kinds)), ALL if words.strip() else most + 1)


def _widened(slices: Iterable[Slice], newest: Mapping[str, int]) -> list[Slice]:
    """The slices, with so many of the newest of some types, whatever became of them."""
    wanted = {piece.type: piece for piece in slices}
    for kind, most in newest.items():
        known = wanted.get(kind, Slice(kind, most))
        wanted[kind] = replace(
            known, limit=max(most, known.limit), anyway=most if known.ended else 0
        )
    return list(wanted.values())


def _timeline_context(
    chart: ChartView, kinds: Sequence[str], words: str, most: int
) -> dict[str, Any]:
    found = matching(chart.events, kinds, words)
    return {
        "shown": [_item(event, chart) for event in found[:most]],
        # What was not read is not counted.
        "total": None if _is_cut(chart, kinds, words, most) else len(found),
        "more": most + 2 * _PAGE if len(found) > most else 0,
        "words": words,
        "chosen": [kind for kind in kinds if kind in FILTERS],
        "kinds": _kinds(),
    }


def _is_cut(chart: ChartView, kinds: Sequence[str], words: str, most: int) -> bool:
    asked = _newest(kinds, words, most)
    return any(len(chart.of(kind)) >= limit for kind, limit in asked.items())


def _item(event: Event, chart: ChartView) -> dict[str, Any]:
    return {
        "time": event.at.text if event.at else None,
        "kind": event.kind,
        "icon": _ICONS.get(event.kind, event.kind),
        "title": event.title or _("Untitled entry"),
        "detail": event.detail,
        "who": event.who,
        "organisation": event.organisation,
        "href": "",
        "new": event.key in chart.new,
    }


def _kinds() -> list[tuple[str, str]]:
    words = {
        "contact": _("Contacts"), "problem": _("Problems"), "warning": _("Allergies and warnings"),
        "medicine": _("Medicines"), "dose": _("Doses given"),
        "measure": _("Measurements"), "result": _("Test results"),
        "procedure": _("Procedures"), "note": _("Notes"), "document": _("Documents"),
        "plan": _("Plans"), "message": _("Messages"), "other": _("Other"),
    }  # fmt: skip
    return [(kind, words[kind]) for kind in FILTERS]


async def _opened(
    request: _Request, patient_id: str, wanted: Sequence[Slice], interaction: str = "open"
) -> tuple[Permit, _Found]:
    """The record opened for whoever asks, and those slices of it, decoded."""
    gate, actor = _services(request).gate, actor_of_request(request)
    permit, found = await gate.open_chart_at(
        actor, patient_id, wanted, interaction=interaction, reading="read"
    )
    for piece in crowded(found, wanted):
        # What a flowsheet holds of one night must not hide the results of yesterday.
        more = await gate.open_slices(permit, [piece], interaction="read")
        known = {each["id"] for each in found[piece.type]}
        found[piece.type] += [each for each in more[piece.type] if each["id"] not in known]
    return permit, found


async def _names(request: _Request, permit: Permit, found: _Found) -> dict[str, str]:
    """The names of those whom the slices name by reference only."""
    missing = unnamed(found)
    if not missing:
        return {}
    gate = _services(request).gate
    named = await gate.open_many(permit.actor, missing, interaction="names")
    return names_of(named.values())


def _view(
    permit: Permit,
    found: _Found,
    names: Mapping[str, str],
    now: datetime,
    since: datetime | None = None,
    *,
    full: bool = False,
) -> ChartView:
    """`now` is a moment before the slices were read: what came since then is new next time."""
    return ChartView(
        found, patient_id=permit.patient_id, now=now, reader=permit.actor.id, since=since,
        names=names, full=full,
    )  # fmt: skip


async def _trail(request: _Request, patient_id: str) -> list[audit_lines.Line]:
    gate, actor = _services(request).gate, actor_of_request(request)
    permit = await gate.open_chart(actor, patient_id, interaction="refresh")
    touches = await gate.who_has_read(permit)
    return audit_lines.lines(touches, permit.actor.id)


def _new_sections(new: Iterable[str]) -> tuple[str, ...]:
    found = (_SECTION_OF.get(key.split("/", 1)[0], ()) for key in new)
    return tuple(dict.fromkeys(name for names in found for name in names))


def _may_write(permit: Permit) -> bool:
    return may_write(permit.actor.profession, "Composition")


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services
