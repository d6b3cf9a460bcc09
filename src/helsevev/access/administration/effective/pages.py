"""Who can do what, as pages and as files: by role, by person, and for one inhabitant's record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException

from helsevev.access.administration.effective.exporting import FORMATS, MEDIA, exported
from helsevev.access.administration.effective.working_out import (
    EffectiveAccess,
    Row,
    lines_of,
    professions_known,
    table_of,
)
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}


@get("/administration/access", opt=_RECORD)
async def by_role(request: _Request, profession: str = "nurse", form: str = "") -> Response[str]:
    """What a profession may do, by relation and kind of entry."""
    await _effective(request).may_look(actor_of_request(request))
    known = professions_known()
    if profession not in known:
        raise NotFoundException("There is no such profession.")
    table = table_of(profession)
    if form:
        return _file([*table.rows, *table.withheld], form, profession)
    return render(
        request, "access/administration/role_access.html", table=table, known=known,
        part="effective", words=_words(), place="", page_title=_("Who can do what"),
    )  # fmt: skip


@get("/administration/access/person/{person_id:str}", opt=_RECORD)
async def of_person(request: _Request, person_id: str, form: str = "") -> Response[str]:
    """What one member of staff can do."""
    found = await _effective(request).of_person(actor_of_request(request), person_id)
    if form:
        return _file(lines_of(found), form, person_id)
    return render(
        request, "access/administration/person_access.html", access=found, part="effective",
        words=_words(), place="", page_title=found.name,
    )  # fmt: skip


@post("/administration/access/inhabitant", opt=_RECORD, status_code=200)
async def of_inhabitant(request: _Request) -> Response[str]:
    """Who can open an inhabitant's record now; the id stands in the body, never in an address."""
    form = await request.form()
    patient = str(form.get("patient", "")).strip().rpartition("/")[2][:64]
    rows = await _effective(request).of_inhabitant(actor_of_request(request), patient)
    if form.get("form"):
        return _file(rows, str(form["form"]), "inhabitant")
    return render(
        request, "access/administration/inhabitant_access.html", rows=rows, patient=patient,
        part="effective", words=_words(), place="", page_title=_("Who can open the record now"),
    )  # fmt: skip


def _words() -> dict[str, str]:
    """What relations, answers and professions are called."""
    return {
        "none": _("no relation"), "stated": _("stated relation"),
        "organisation": _("the organisation treats"), "unit": _("the unit treats"),
        "personal": _("treats personally"), "emergency": _("emergency"), "yes": _("yes"),
        "no": _("no"), "withheld": _("withheld"), "token": _("token"), "app": _("app"),
    }  # fmt: skip


def _file(rows: Sequence[Row], form: str, name: str) -> Response[str]:
    chosen = next((each for each in FORMATS if each == form), None)
    if chosen is None:
        raise NotFoundException("There is no such file.")
    kept = "".join(letter for letter in name if letter.isalnum() or letter in "-.")
    headers = {"content-disposition": f'attachment; filename="access-{kept}.{chosen}"'}
    return Response(exported(rows, chosen), media_type=MEDIA[chosen], headers=headers)


def _effective(request: _Request) -> EffectiveAccess:
    services: Services = request.app.state.services
    return EffectiveAccess(StaffKeeper(services.gate, services.bundles))


ROUTES: Final = (by_role, of_person, of_inhabitant)
