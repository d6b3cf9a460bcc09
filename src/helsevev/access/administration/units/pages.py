"""The administrator's pages of organisations and units: a new one, one that is changed, closing."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.administration.directory import Directory
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.administration.units.changing import Units
from helsevev.access.errors import Conflict, Invalid
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_PLACE: Final = "/administration/units"
Said = dict[str, str]


@get("/administration/units/new", opt=_RECORD)
async def new(request: _Request, part_of: str = "") -> Response[str]:
    """A form for a new organisation or unit."""
    await _units(request).may_change(actor_of_request(request))
    return await _new(request, {"part_of": part_of[:64]})


@post(_PLACE, opt=_RECORD)
async def create(request: _Request) -> Response[Any]:
    """Make what the form says."""
    units, actor = _units(request), actor_of_request(request)
    await units.may_change(actor)
    said = await _said(request)
    try:
        made = await units.create(
            actor, said.get("name", ""), said.get("part_of", ""), said.get("number", "")
        )
    except Invalid as problem:
        return await _new(request, said, problem)
    return Redirect(f"{_PLACE}/{made}", status_code=HTTP_303_SEE_OTHER)


@get("/administration/units/{unit_id:str}", opt=_RECORD)
async def one(request: _Request, unit_id: str) -> Response[str]:
    """One of them: what rests on it, and forms to change it."""
    return await _one(request, unit_id)


@post("/administration/units/{unit_id:str}", opt=_RECORD)
async def change(request: _Request, unit_id: str) -> Response[Any]:
    """Another name or number, another place, or open again."""
    units, actor = _units(request), actor_of_request(request)
    await units.may_change(actor)
    said = await _said(request)
    version = _version(said)
    try:
        match said.get("act", ""):
            case "describe":
                await units.describe(
                    actor, unit_id, said.get("name", ""), said.get("number", ""), version
                )
            case "move":
                await units.move(actor, unit_id, said.get("part_of", ""), version)
            case "reopen":
                await units.reopen(actor, unit_id, version)
            case _:
                raise NotFoundException("There is no such act.")
    except (Invalid, Conflict) as problem:
        return await _one(request, unit_id, said, problem)
    return Redirect(f"{_PLACE}/{unit_id}", status_code=HTTP_303_SEE_OTHER)


@get("/administration/units/{unit_id:str}/close", opt=_RECORD)
async def closing(request: _Request, unit_id: str, end: str = "") -> Response[str]:
    """What closing it at the end of a day would do; nothing is done."""
    return await _closing(request, unit_id, end[:40])


@post("/administration/units/{unit_id:str}/close", opt=_RECORD)
async def close(request: _Request, unit_id: str) -> Response[Any]:
    """Close it, as it was told."""
    units, actor = _units(request), actor_of_request(request)
    await units.may_change(actor)
    said = await _said(request)
    end = said.get("end", "")
    try:
        await units.close(actor, unit_id, end, _version(said), said.get("told", ""))
    except (Invalid, Conflict) as problem:
        return await _closing(request, unit_id, end, problem)
    return Redirect(f"{_PLACE}/{unit_id}", status_code=HTTP_303_SEE_OTHER)


async def _new(request: _Request, said: Said, problem: Invalid | None = None) -> Response[str]:
    return render(
        request, "access/administration/unit_new.html", said=said, errors=_errors(problem),
        units=await _open_units(request), status_code=422 if problem else 200,
        page_title=_("A new unit"), part="units", place="administration",
    )  # fmt: skip


async def _one(
    request: _Request, unit_id: str, said: Said | None = None,
    problem: Invalid | Conflict | None = None,
) -> Response[str]:  # fmt: skip
    found = await _units(request).one(actor_of_request(request), unit_id)
    errors = _errors(problem if isinstance(problem, Invalid) else None)
    is_late = isinstance(problem, Conflict)
    # What was typed is kept where it was wrong; where somebody was first, theirs is shown.
    kept = {"name": found.name, "number": found.number, "part_of": found.part_of}
    if said and errors:
        kept |= {name: said[name] for name in kept if name in said}
    others = [unit for unit in await _open_units(request) if unit.id != unit_id]
    return render(
        request, "access/administration/unit.html", unit=found, units=others, said=kept,
        errors=errors, is_late=is_late, sources=_sources(), page_title=found.name,
        status_code=422 if errors else 409 if is_late else 200, part="units",
        place="administration",
    )  # fmt: skip


async def _closing(
    request: _Request, unit_id: str, end: str, problem: Invalid | Conflict | None = None
) -> Response[str]:
    units, actor = _units(request), actor_of_request(request)
    found = await units.one(actor, unit_id)
    errors = _errors(problem if isinstance(problem, Invalid) else None)
    try:
        told = await units.closing(actor, unit_id, end)
    except Invalid as wrong:
        told, errors = found.now, _errors(wrong)
    is_late = isinstance(problem, Conflict)
    return render(
        request, "access/administration/unit_close.html", unit=found, told=told, end=end,
        errors=errors, is_late=is_late, sources=_sources(), page_title=found.name,
        status_code=422 if errors else 409 if is_late else 200, part="units",
        place="administration",
    )  # fmt: skip


async def _open_units(request: _Request) -> list[Any]:
    services = _services(request)
    directory = Directory(StaffKeeper(services.gate, services.bundles), services.credentials)
    return [unit for unit in await directory.units(actor_of_request(request)) if unit.active]


def _sources() -> dict[str, str]:
    """In what it is written that somebody is treated."""
    return {
        "CareTeam": _("care team"), "EpisodeOfCare": _("episode of care"),
        "Encounter": _("encounter"), "Appointment": _("appointment"),
        "ServiceRequest": _("referral"), "Task": _("task"),
    }  # fmt: skip


def _errors(problem: Invalid | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for issue in problem.issues if problem else ():
        found.setdefault(issue.expression, _(issue.diagnostics))
    return found


def _version(said: Said) -> int:
    text = said.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _said(request: _Request) -> Said:
    return {name: str(value).strip() for name, value in (await request.form()).items()}


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


def _units(request: _Request) -> Units:
    services = _services(request)
    return Units(StaffKeeper(services.gate, services.bundles))


ROUTES: Final = (new, create, one, change, closing, close)
