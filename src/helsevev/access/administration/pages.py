"""The administrator's pages: units, people and their roles, who is signed in, alarms."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.administration.directory import Directory
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.access.identity.alarms import Alarms
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_WORDS: Final = 100


@get("/administration", opt=_RECORD)
async def units(request: _Request) -> Response[str]:
    """Organisations and units, as a tree."""
    found = await _directory(request).units(actor_of_request(request))
    return render(
        request, "access/administration/units.html", units=found, part="units",
        place="administration", page_title=_("Organisations and units"),
    )  # fmt: skip


@get("/administration/people", opt=_RECORD)
async def people(request: _Request, words: str = "", unit: str = "") -> Response[str]:
    """People and their roles, found by name, HPR number or unit."""
    directory, actor = _directory(request), actor_of_request(request)
    words, unit = words[:_WORDS].strip(), unit[:64]
    found = await directory.people(actor, words, unit)
    return render(
        request, "access/administration/people.html", people=found, words=words, unit=unit,
        part="people", place="administration", page_title=_("People and roles"),
    )  # fmt: skip


@get("/administration/people/{person_id:str}", opt=_RECORD)
async def person(request: _Request, person_id: str) -> Response[str]:
    """One member of staff."""
    return await _person(request, person_id)


@post("/administration/people/{person_id:str}", opt=_RECORD)
async def change(request: _Request, person_id: str) -> Response[Any]:
    """Give or end a role, sign somebody out, withdraw all, or take somebody back."""
    directory, actor = _directory(request), actor_of_request(request)
    await directory.may_change(actor, person_id)
    said = {name: str(value).strip() for name, value in (await request.form()).items()}
    match said.get("act", ""):
        case "add":
            try:
                await directory.add_role(
                    actor, person_id, said.get("unit", ""), said.get("title", ""),
                    said.get("start", ""), said.get("end", ""),
                )  # fmt: skip
            except Invalid as problem:
                return await _person(request, person_id, said, problem)
        case "end":
            await directory.end_role(actor, person_id, said.get("role", ""))
        case "withdraw":
            await directory.withdraw(actor, person_id)
        case "take-back":
            await directory.take_back(actor, person_id)
        case "sign-out":
            await directory.end_sessions(actor, person_id)
        case _:
            raise NotFoundException("There is no such act.")
    return Redirect(f"/administration/people/{person_id}", status_code=HTTP_303_SEE_OTHER)


@get("/administration/signed-in", opt=_RECORD)
async def signed_in(request: _Request) -> Response[str]:
    """Who is signed in now, and what has to be looked at."""
    services = _services(request)
    found = await _directory(request).signed_in(actor_of_request(request))
    alarms = await Alarms(services.gate.store.database).newest(30)
    unanswered = sum(each["seen_at"] is None for each in alarms)
    return render(
        request, "access/administration/signed_in.html", sessions=found,
        unanswered=unanswered,
        part="signed-in", place="administration", page_title=_("Who is signed in"),
    )  # fmt: skip


@post("/administration/signed-in", opt=_RECORD)
async def sign_out(request: _Request) -> Response[Any]:
    """Sign somebody out everywhere."""
    await _directory(request).may_change(actor_of_request(request))
    form = await request.form()
    if "person" in form:
        who = str(form["person"]).partition("/")[2]
        await _directory(request).end_sessions(actor_of_request(request), who)
    else:
        raise NotFoundException("There is no such act.")
    return Redirect("/administration/signed-in", status_code=HTTP_303_SEE_OTHER)


async def _person(
    request: _Request, person_id: str, said: dict[str, str] | None = None,
    problem: Invalid | None = None,
) -> Response[str]:  # fmt: skip
    directory, actor = _directory(request), actor_of_request(request)
    found = await directory.person(actor, person_id)
    errors: dict[str, str] = {}
    for issue in problem.issues if problem else ():
        errors.setdefault(issue.expression, _(issue.diagnostics))
    return render(
        request, "access/administration/person.html", person=found, said=said or {}, errors=errors,
        units=[unit for unit in await directory.units(actor) if unit.active],
        titles=await directory.titles(), is_me=actor.id == f"Practitioner/{person_id}",
        part="people", place="administration", page_title=found.name,
        status_code=422 if errors else 200,
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


def _directory(request: _Request) -> Directory:
    services = _services(request)
    return Directory(StaffKeeper(services.gate, services.bundles), services.credentials)


ROUTES: Final = (units, people, person, change, signed_in, sign_out)
