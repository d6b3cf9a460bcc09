"""Who can do what, as pages and as files: by role, by person, and for one inhabitant's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException

from helsevev.access.administration.effective.asking import Asked, told
from helsevev.access.administration.effective.exporting import FORMATS, MEDIA, exported
from helsevev.access.administration.effective.rights import counted
from helsevev.access.administration.effective.working_out import (
    EffectiveAccess,
    Row,
    labels_named,
    lines_of,
    professions_known,
    table_of,
)
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.administration.places import home_of
from helsevev.access.apps.words import kinds_named
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.screens.formatting import clinical_time
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
MOST_SHOWN: Final = 300
"""Rows on a page; files have them all."""


@get("/administration/access", opt=_RECORD)
async def by_role(request: _Request, profession: str = "nurse", form: str = "") -> Response[str]:
    """What a profession may do, by relation and kind of entry."""
    await _effective(request).may_look(actor_of_request(request))
    known = professions_known()
    if profession not in known:
        raise NotFoundException("There is no such profession.")
    table = table_of(profession)
    if form:
        writes = [{"writes": kind} for kind in table.writes]
        return _file([*table.rows, *table.withheld, *writes], form, profession)
    writes_named, others = kinds_named(table.writes)
    return render(
        request, "access/administration/role_access.html", table=table, known=known,
        writes=writes_named, others=others,
        part="effective", words=_words(), place="administration", page_title=_("Who can do what"),
    )  # fmt: skip


@get("/administration/access/held", opt=_RECORD)
async def held(
    request: _Request, person: str = "", unit: str = "", role: str = "", on: str = "",
    since: str = "", form: str = "",
) -> Response[str]:  # fmt: skip
    """Who has which role and what it gives, on a day; or what came and went between two."""
    actor = actor_of_request(request)
    given = (each.strip()[:100] for each in (person, unit, role, on, since))
    asked, errors = Asked(*given), dict[str, str]()
    keeper = _keeper(request)
    try:
        found = await told(keeper, actor, asked)
    except Invalid as problem:
        errors = {each.expression: _(each.diagnostics) for each in problem.issues}
        asked = replace(asked, on="", since="")
        found = await told(keeper, actor, asked)
    if form and not errors:
        return _file(found.rows, form, "changes" if found.since else "roles")
    changes = counted(found.rows) if found.since else None
    return render(
        request, "access/administration/held_access.html", asked=asked, found=found,
        shown=found.rows[:MOST_SHOWN], changes=changes, errors=errors,
        said={"on": on, "since": since}, known=professions_known(), part="effective",
        words=_words(), acts=_acts(), columns=_columns(), named=partial(_named, found.units),
        place="administration", page_title=_("Who has which role"),
        keeps_staff=home_of(actor) == "/administration",
        query=urlencode({n: v for n, v in asdict(asked).items() if v}),
        status_code=422 if errors else 200,
    )  # fmt: skip


@get("/administration/access/person/{person_id:str}", opt=_RECORD)
async def of_person(request: _Request, person_id: str, form: str = "") -> Response[str]:
    """What one member of staff can do."""
    actor = actor_of_request(request)
    found = await _effective(request).of_person(actor, person_id)
    if form:
        return _file(lines_of(found), form, person_id)
    return render(
        request, "access/administration/person_access.html", access=found, part="effective",
        sources=_sources(), keeps_staff=home_of(actor) == "/administration",
        words=_words(), place="administration", page_title=found.name,
    )  # fmt: skip


@post("/administration/access/inhabitant", opt=_RECORD, status_code=200)
async def of_inhabitant(request: _Request) -> Response[str]:
    """Who can open an inhabitant's record now; the id stands in the body, never in an address."""
    await _effective(request).may_follow(actor_of_request(request))
    form = await request.form()
    patient = str(form.get("patient", "")).strip().rpartition("/")[2][:64]
    rows = await _effective(request).of_inhabitant(actor_of_request(request), patient)
    if form.get("form"):
        return _file(rows, str(form["form"]), "inhabitant")
    return render(
        request, "access/administration/inhabitant_access.html", rows=rows, patient=patient,
        part="effective", words=_words(), place="administration",
        page_title=_("Who can open the record now"),
    )  # fmt: skip


def _sources() -> dict[str, str]:
    """What relations are written in."""
    return {
        "CareTeam": _("care team"), "EpisodeOfCare": _("episode of care"),
        "Encounter": _("encounter"), "Appointment": _("appointment"),
        "ServiceRequest": _("referral"), "Task": _("task"),
    }  # fmt: skip


def _acts() -> list[tuple[str, str]]:
    """What somebody may besides reading and writing."""
    return [
        ("break-glass", _("may open in an emergency")),
        ("state-relation", _("may state a relation")),
        ("merge-persons", _("may merge persons")),
        ("administer", _("administers staff")),
        ("oversee", _("sees who can do what")),
        ("register-apps", _("approves apps")),
        ("follow-up", _("follows up who has read")),
        ("keep-blocks", _("registers blocks")),
        ("answer-alarms", _("answers alarms")),
    ]


def _columns() -> list[tuple[str, str]]:
    """What can be otherwise on another day."""
    return [
        ("read", _("Read")), ("write", _("Write")), ("read-address", _("Address")),
        ("profession", _("Profession")), ("inherits", _("Part of")), ("until", _("Until")),
        *_acts(),
    ]  # fmt: skip


def _named(units: Mapping[str, str], column: str, value: str) -> str:
    """A value of a column, in words."""
    if column == "profession":
        return _(value) if value else _("no profession that the rules know")
    if column == "until":
        return clinical_time(value) or _("no end")
    if column == "inherits":
        return ", ".join(units.get(each.partition("/")[2], each) for each in value.split())
    words = _words()
    return ", ".join(words[each] for each in value.split()) or _("no")


def _words() -> dict[str, str]:
    """What relations, answers and professions are called."""
    return {
        "none": _("no relation"), "stated": _("stated relation"),
        "organisation": _("the organisation treats"), "unit": _("the unit treats"),
        "personal": _("treats personally"), "emergency": _("emergency"), "yes": _("yes"),
        "no": _("no"), "withheld": _("withheld"), "token": _("token"), "app": _("app"),
        "came": _("came"), "went": _("went"), "changed": _("was changed"),
    } | labels_named()  # fmt: skip


def _file(rows: Sequence[Row], form: str, name: str) -> Response[str]:
    chosen = next((each for each in FORMATS if each == form), None)
    if chosen is None:
        raise NotFoundException("There is no such file.")
    kept = "".join(letter for letter in name if letter.isalnum() or letter in "-.")
    headers = {"content-disposition": f'attachment; filename="access-{kept}.{chosen}"'}
    return Response(exported(rows, chosen), media_type=MEDIA[chosen], headers=headers)


def _keeper(request: _Request) -> StaffKeeper:
    services: Services = request.app.state.services
    return StaffKeeper(services.gate, services.bundles)


def _effective(request: _Request) -> EffectiveAccess:
    return EffectiveAccess(_keeper(request))


ROUTES: Final = (by_role, held, of_person, of_inhabitant)
