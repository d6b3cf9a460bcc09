"""The page of a unit's times of day: what applies, what applied when, and setting others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from helsevev.access.errors import Conflict
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.access.setting_times import TimesSetting
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO
from helsevev.fhir.recurrence import Times
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.round_times import OwnTimes, over, times_history, times_of
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_OFTEN: Final = (1, 2, 3, 4)
_EVENTS: Final = ("MORN", "NOON", "AFT", "EVE", "HS", "C", "CM", "CD", "CV")


@get("/rounds/times", opt={"decision": "signed-in"})
async def unit_times_page(request: _Request, done: int = 0) -> Response[Any]:
    """At what times of day my unit gives medicines, and since when."""
    return await _page(request, {}, (), done=bool(done))


@post("/rounds/times", opt={"decision": "signed-in"}, status_code=200)
async def set_unit_times(request: _Request) -> Response[Any]:
    """Set others, from a moment on that has not been."""
    services: Services = request.app.state.services
    form = {name: str(value)[:100] for name, value in (await request.form()).items()}
    actor = staff_of_request(request)
    issues: list[Issue] = []
    since = _moment(form.get("since", ""))
    if since is None:
        issues.append(error("value", _("Say from when."), "since"))
    elif since < clock.now():
        said = _("Choose a time to come: what has been stays as it was.")
        issues.append(error("value", said, "since"))
    daily = {often: _clocks(form.get(f"daily-{often}", ""), often, issues) for often in _OFTEN}
    events = {
        event: _clocks(form[f"event-{event}"], 1, issues, f"event-{event}")
        for event in _EVENTS if form.get(f"event-{event}", "").strip()
    }  # fmt: skip
    if issues or since is None:
        return await _page(request, form, issues)
    own = OwnTimes(
        events={event: found[0] for event, found in events.items()},
        daily={str(often): found for often, found in daily.items()},
    )
    try:
        body = msgspec.json.encode(own).decode()
        over(times_of(actor.organisations), body)
        await TimesSetting(services.gate, services.unit_times, actor).set(since, body)
    except Conflict:
        said = _("Times have been set from that moment already.")
        return await _page(request, form, [error("conflict", said, "since")])
    return Redirect("/rounds/times?done=1", status_code=303)


async def _page(
    request: _Request, form: Mapping[str, str], issues: Sequence[Issue], *, done: bool = False
) -> Response[Any]:
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    known = await services.unit_times.known()
    applied = times_history(actor.organisations, known)
    now = clock.now()
    names = {each.since: each.actor_name for each in known if each.unit in actor.organisations}
    current = [each for each in applied if each.since is None or each.since <= now][-1]
    midnight = datetime.combine(
        now.astimezone(OSLO).date() + timedelta(days=1), time(), OSLO
    )  # From the next day on is what is meant most often.
    shown = {**_fields(current.times), "since": f"{midnight:%Y-%m-%dT%H:%M}", **form}
    return render(
        request,
        "medication/unit_times.html",
        status_code=422 if issues else 200,
        unit=actor.unit_name,
        may_set=TimesSetting(services.gate, services.unit_times, actor).allowed,
        applied=[
            (each.since, names.get(each.since, "") if each.since else "", _fields(each.times),
             each is current)
            for each in reversed(applied)
        ],
        form=shown,
        often=_OFTEN,
        events=_labels(),
        errors={each.expression: each.diagnostics for each in issues},
        done=done,
        place="rounds",
        page_title=_("Times of day"),
    )  # fmt: skip


def _fields(times: Times) -> dict[str, str]:
    """The times as the form holds them."""
    daily = {f"daily-{n}": " ".join(f"{at:%H:%M}" for at in times.daily[n]) for n in _OFTEN
             if n in times.daily}  # fmt: skip
    events = {f"event-{e}": f"{times.events[e]:%H:%M}" for e in _EVENTS if e in times.events}
    return {**daily, **events}


def _labels() -> list[tuple[str, str]]:
    return [
        ("MORN", _("In the morning")), ("NOON", _("At noon")), ("AFT", _("In the afternoon")),
        ("EVE", _("In the evening")), ("HS", _("For the night")), ("C", _("With a meal")),
        ("CM", _("With breakfast")), ("CD", _("With lunch")), ("CV", _("With dinner")),
    ]  # fmt: skip


def _clocks(said: str, often: int, issues: list[Issue], name: str = "") -> tuple[time, ...]:
    """So many different times of day; adds what is wrong with them."""
    name = name or f"daily-{often}"
    found = set()
    for word in said.replace(",", " ").split():
        try:
            found.add(time.fromisoformat(word if ":" in word else f"{int(word):02}:00"))
        except ValueError:
            issues.append(error("value", _("%(word)s is no time of day.") % {"word": word}, name))
            return ()
    if len(found) != often:
        said = _("Give %(count)s different times of day.") % {"count": often}
        issues.append(error("value", said, name))
    return tuple(sorted(found))


def _moment(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said).replace(tzinfo=OSLO) if said else None
    except ValueError:
        return None


ROUTES: Final = (unit_times_page, set_unit_times)
