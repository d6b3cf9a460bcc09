"""The privacy officer's look at the whole trail: what somebody has opened, or what was refused."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post

from helsevev.access.actor import Actor
from helsevev.access.audit.trail_search import (
    LONGEST,
    Asked,
    Page,
    TrailSearch,
    cursor_of,
    place_of,
)
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.access.touch import Touch
from helsevev.chart import audit_lines
from helsevev.fhir.reading import full_name
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_ZONE: Final = ZoneInfo("Europe/Oslo")
_A_PAGE: Final = 200
_MOST_PEOPLE: Final = 20
_USUAL: Final = timedelta(days=7)


class Wish(msgspec.Struct, frozen=True):
    """What the form asks for: days (both included), whose doing, by reference or by name."""

    start: date
    end: date
    agent: str = ""
    who: str = ""
    show: str = ""
    cursor: str = ""


class Group(msgspec.Struct, frozen=True):
    """A line of the log and whose record it is about."""

    line: audit_lines.Line
    person: str
    why: str


@get("/privacy/log", opt=_RECORD)
async def trail_page(request: _Request) -> Response[Any]:
    """The log as the address asks for it: by a member of staff, days, and whether refused."""
    return await _answer(request, _wish(request.query_params))


@post("/privacy/log", opt=_RECORD, status_code=200)
async def search_trail(request: _Request) -> Response[Any]:
    """The same as the form asks for it: a name stands in the body, never in an address."""
    return await _answer(request, _wish(await request.form()))


async def _answer(request: _Request, wish: Wish) -> Response[Any]:
    services: Services = request.app.state.services
    actor = actor_of_request(request)
    trail = TrailSearch(services.gate)
    await trail.require(actor)
    people = await _staff(services, actor, wish.who) if wish.who and not wish.agent else []
    if len(people) == 1:
        wish = msgspec.structs.replace(wish, agent=people[0][0], who=people[0][1])
        people = []
    problem, page = "", Page([], {}, None)
    if wish.who and not wish.agent:
        problem = "" if people else _("Nobody who works here is called that.")
    elif wish.agent or wish.show == "refused" or wish.cursor:
        try:
            page = await trail.page(actor, _asked(wish), _A_PAGE)
        except Invalid:
            problem = _("Choose at most %(days)s days.") % {"days": LONGEST.days}
    else:
        problem = _("Name somebody who works here, or choose what was refused.")
    is_asked = bool(wish.agent) or wish.show == "refused"
    return render(
        request, "chart/trail.html", wish=wish, people=people, problem=problem, asked=is_asked,
        lines=_groups(page), following="" if page.following is None else cursor_of(page.following),
        kinds=[{"value": "", "label": _("All")}, {"value": "refused", "label": _("Refused")}],
        place="log", page_title=_("The log"),
    )  # fmt: skip


def _asked(wish: Wish) -> Asked:
    end = wish.end + timedelta(days=1)
    return Asked(
        agent=wish.agent,
        refused=True if wish.show == "refused" else None,
        start=datetime.combine(wish.start, time(), _ZONE),
        end=datetime.combine(end, time(), _ZONE),
        before=place_of(wish.cursor) if wish.cursor else None,
    )


def _groups(page: Page) -> list[Group]:
    """What one person did in one record without doing another thing between, as one line."""

    def who(touch: Touch) -> tuple[str, int]:
        return touch.actor, touch.patient

    return [
        Group(line, page.people.get(patient, ("", ""))[1], _why(found[0], line))
        for (_actor, patient), found in (
            (key, list(each)) for key, each in groupby(page.touches, who)
        )
        for line in audit_lines.lines(found)
    ]


def _why(touch: Touch, line: audit_lines.Line) -> str:
    """What let the person in, told to another than the patient."""
    if line.why and touch.basis.startswith("relation"):
        return _("By a treatment relation")
    return "" if touch.basis == "own" else line.why


async def _staff(services: Services, actor: Actor, words: str) -> list[tuple[str, str]]:
    """Who works here and is called so: reference and name."""
    pairs = [("name", word) for word in words.split()[:5]]
    query = await services.searcher.read(
        "Practitioner", [*pairs, ("_count", str(_MOST_PEOPLE))], strict=False, base=""
    )
    found = await services.searcher.search(actor, query)
    return [(each.reference, full_name(each.resource.get("name"))) for each in found.matches]


def _wish(given: Any) -> Wish:
    today = clock.now().astimezone(_ZONE).date()
    end = _day(given.get("end")) or today
    start = _day(given.get("start")) or end - _USUAL
    agent, cursor = str(given.get("agent", ""))[:100], str(given.get("cursor", ""))[:60]
    try:
        place_of(cursor) if cursor else None
    except ValueError:
        cursor = ""
    return Wish(
        min(start, end), max(start, end), agent.replace("\0", ""),
        str(given.get("who", ""))[:100].replace("\0", "").strip(),
        str(given.get("show", ""))[:20], cursor,
    )  # fmt: skip


def _day(text: Any) -> date | None:
    try:
        found = date.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return found if 1900 < found.year < 3000 else None
