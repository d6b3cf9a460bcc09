"""One value of a flowsheet: where it is from, and how it is confirmed, corrected or taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import objects, reference_key
from helsevev.follow_up.asking import entry
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.entries import score_entry
from helsevev.observation.flowsheet import drafting
from helsevev.observation.flowsheet.cells import Cell, cell_of
from helsevev.observation.flowsheet.correcting import (
    Change,
    built_on,
    confirmed,
    corrected,
    mistaken,
    version_of,
    worked_out_anew,
)
from helsevev.observation.flowsheet.form import sent_columns
from helsevev.observation.flowsheet.opening import NoSuchSheet, OpenSheet, open_sheet
from helsevev.observation.flowsheet.sheet import NEWS2
from helsevev.observation.flowsheet.taking import Typed, read_column, record_columns
from helsevev.observation.news2 import Score
from helsevev.observation.opened import call
from helsevev.observation.vital_signs import NotRecordable, Performer
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_SHORTEST: Final = 3
_SHEET: Final = "/patient/{patient_id:str}/flowsheets/{key:str}"


@get(f"{_SHEET}/cell/{{cell_id:str}}", opt=_RECORD)
async def cell_page(
    request: _Request, patient_id: str, key: str, cell_id: str, day: str = ""
) -> Response[Any]:
    """One value: who measured it, when, where it came from, and what can be done with it."""
    opened = await _open(request, patient_id, key, day)
    return _cell_page(request, opened, _cell(opened, cell_id))


@post(f"{_SHEET}/cell/{{cell_id:str}}", opt=_RECORD, status_code=200)
async def change_cell(
    request: _Request, patient_id: str, key: str, cell_id: str, day: str = ""
) -> Response[Any]:
    """Correct a value (`value`), or take it back (`act` is `mistake`); either with a reason."""
    opened = await _open(request, patient_id, key, day)
    cell = _cell(opened, cell_id)
    form = {name: str(value)[:500] for name, value in (await request.form()).items()}
    if form.get("patient") != patient_id:
        said = _("This form belongs to another patient. Nothing was recorded.")
        return _cell_page(request, opened, cell, form, [error("conflict", said)])
    actor = staff_of_request(request)
    try:
        await _change(_services(request), actor, opened, cell, form)
    except (NotRecordable, AccessError) as refusal:
        return _cell_page(request, opened, cell, form, refusal.issues)
    if request.headers.get("hx-request"):
        return Response("", headers={"HX-Redirect": opened.here})
    return Redirect(opened.here, status_code=303)


@post(f"{_SHEET}/confirm", opt=_RECORD, status_code=200)
async def confirm_cells(
    request: _Request, patient_id: str, key: str, day: str = ""
) -> Response[Any]:
    """Stand for what devices measured, several at once; what is typed beside it stays typed."""
    services, actor = _services(request), staff_of_request(request)
    opened = await _open(request, patient_id, key, day)
    form = {name: str(value)[:20_000] for name, value in (await request.form()).items()}
    if form.get("patient") == patient_id:
        sent = sent_columns(form, clock.now())
        await drafting.keep(services, opened.opened.permit, key, sent)
        await _confirm(services, actor, opened, set(form.get("confirm", "").split()))
    return Redirect(opened.here, status_code=303)


async def _change(
    services: Services, actor: Actor, opened: OpenSheet, cell: Cell, form: Mapping[str, str]
) -> None:
    why = form.get("why", "").strip()
    if len(why) < _SHORTEST:
        raise NotRecordable([error("required", _("Say in words why it is corrected."), "why")])
    old = _resource(opened, cell.id)
    if form.get("version") != str(version_of(old)):
        words = _("Somebody changed this value meanwhile. Look at it again.")
        raise NotRecordable([error("conflict", words)])
    change = Change(Performer(actor.id, actor.name), clock.now(), why)
    if form.get("act") == "mistake":
        new = mistaken(old, change)
    else:
        new = corrected(old, _fresh(opened, cell, form.get("value", "")), change)
    entries = [replaced(new)]
    for found in built_on(cell.id, opened.opened.found["Observation"]):
        sources = _sources(opened, found, new)
        again, scored = worked_out_anew(found, sources, opened.sheet, change)
        entries.append(replaced(again))
        entries += _called(opened, actor, again, scored, cell)
    key = form.get("key") or None
    await services.bundles.transact(actor, transaction(entries), idempotency_key=key)


def _fresh(opened: OpenSheet, cell: Cell, value: str) -> dict[str, Any]:
    """An Observation with the new value, which is read as it is in the grid."""
    person = opened.opened.person
    typed = Typed(cell.at, {cell.parameter: value})
    read = read_column(opened.sheet, typed, person, {})
    if read.issues:
        raise NotRecordable([Issue("error", "value", read.issues[0].diagnostics, "value")])
    made = record_columns(
        opened.sheet, [(read, {})], person=person, performer=Performer("", ""), key=uuid4()
    )
    return made[0][1][0][1]


def _sources(
    opened: OpenSheet, found: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """What a score was worked out from, as it is now; what was a mistake is no longer there."""
    wanted = [reference_key(each).partition("/")[2] for each in objects(found.get("derivedFrom"))]
    by_id = {each.get("id"): each for each in opened.opened.found["Observation"]}
    by_id[new["id"]] = new
    sources = [by_id[each] for each in wanted if each in by_id]
    return [each for each in sources if each.get("status") != "entered-in-error"]


def _called(
    opened: OpenSheet, actor: Actor, score: Mapping[str, Any], scored: Score | None, cell: Cell
) -> list[dict[str, Any]]:
    """Whoever a corrected score calls."""
    about = f"Observation/{score['id']}"
    called = call(opened.opened, Who(actor.id, actor.name), [(about, score)], scored, cell.at)
    return [entry(task, url) for url, task in called]


async def _confirm(services: Services, actor: Actor, opened: OpenSheet, wanted: set[str]) -> None:
    """Confirm the values, and score the columns that they make whole."""
    by = Performer(actor.id, actor.name)
    change = Change(by, clock.now())
    entries: list[dict[str, Any]] = []
    for column in opened.grid.columns:
        chosen = [each for each in column.unconfirmed if each.id in wanted]
        if not chosen:
            continue
        after = {key: cell for key, cell in column.cells.items() if not cell.is_unconfirmed}
        for cell in chosen:
            new = confirmed(_resource(opened, cell.id), change)
            entries.append(replaced(new))
            if (stands := cell_of(opened.sheet, new)) is not None:
                after[cell.parameter] = stands
        if NEWS2 in {opened.sheet.by_key[key].kind for key in after}:
            continue
        read = read_column(
            opened.sheet, Typed(column.at, {}), opened.opened.person, after,
            scale_2=opened.opened.was_on_scale_2,
        )  # fmt: skip
        if read.score is None or read.score.total is None:
            continue
        sources = [f"Observation/{after[row].id}" for row in opened.sheet.scored if row in after]
        shared: dict[str, Any] = {
            "subject": {"reference": f"Patient/{opened.opened.person.patient_id}"},
            "effectiveDateTime": column.local.isoformat(timespec="seconds"),
            "performer": [{"reference": by.reference, "display": by.name}],
        }
        if opened.opened.encounter:
            shared["encounter"] = {"reference": opened.opened.encounter}
        scored = score_entry(read.score, opened.sheet.table, sources, shared)
        url = f"urn:uuid:{uuid4()}"
        entries.append(created(scored, url))
        called = call(
            opened.opened, Who(by.reference, by.name), [(url, scored)], read.score, column.at
        )
        entries += [entry(task, each) for each, task in called]
    if entries:
        await services.bundles.transact(actor, transaction(entries))


def _cell_page(
    request: _Request,
    opened: OpenSheet,
    cell: Cell,
    form: Mapping[str, str] | None = None,
    issues: Sequence[Issue] = (),
) -> Response[Any]:
    resource = _resource(opened, cell.id)
    source = next((each for each in opened.grid.cells if each.id == cell.before), None)
    return render(
        request, "observation/_flowsheet_cell.html", status_code=422 if issues else 200,
        headers={"HX-Retarget": "#flow-detail"} if issues else None,
        cell=cell, parameter=opened.sheet.by_key[cell.parameter], source=source,
        notes=[
            {"text": each.get("text", ""), "time": each.get("time", ""),
             "by": (each.get("authorReference") or {}).get("display", "")}
            for each in objects(resource.get("note"))
        ],
        here=opened.base, query=opened.query, patient_id=opened.opened.person.patient_id,
        version=version_of(resource), form=form or {}, key=(form or {}).get("key") or str(uuid4()),
        problems=[each.diagnostics for each in issues],
        may_write=may_write(opened.opened.permit.actor.profession, "Observation"),
    )  # fmt: skip


def _cell(opened: OpenSheet, cell_id: str) -> Cell:
    for cell in opened.grid.cells:
        if cell.id == cell_id:
            return cell
    raise NotFoundException("There is no such value in this flowsheet.")


def _resource(opened: OpenSheet, cell_id: str) -> Mapping[str, Any]:
    for each in opened.opened.found["Observation"]:
        if each.get("id") == cell_id:
            return each
    raise NotFoundException("There is no such value in this flowsheet.")


async def _open(request: _Request, patient_id: str, key: str, day: str) -> OpenSheet:
    try:
        return await open_sheet(_services(request), staff_of_request(request), patient_id, key, day)
    except NoSuchSheet:
        raise NotFoundException("There is no such flowsheet.") from None


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (cell_page, change_cell, confirm_cells)
