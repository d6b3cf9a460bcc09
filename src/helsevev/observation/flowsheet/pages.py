"""The pages of a flowsheet: the grid, what is worked out while one types, and the signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO
from helsevev.follow_up.asking import entry
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.flowsheet import drafting
from helsevev.observation.flowsheet.balance import Balance, balance, fluid_day, has_balance
from helsevev.observation.flowsheet.cells import judge
from helsevev.observation.flowsheet.curves import curves
from helsevev.observation.flowsheet.form import Sent, honest, sent_columns, standing_at
from helsevev.observation.flowsheet.grid import LATE_HOURS, Grid, with_columns
from helsevev.observation.flowsheet.opening import (
    NoSuchSheet,
    OpenSheet,
    offered,
    open_sheet,
)
from helsevev.observation.flowsheet.taking import (
    Read,
    Typed,
    read_column,
    record_columns,
    shown,
)
from helsevev.observation.opened import call, open_to_measure
from helsevev.observation.vital_signs import NotRecordable, Performer
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST_LIVE: Final = 1000
_SHEET: Final = "/patient/{patient_id:str}/flowsheets/{key:str}"


@get("/patient/{patient_id:str}/flowsheets", opt=_RECORD)
async def sheets_page(request: _Request, patient_id: str) -> Response[Any]:
    """The sheets for this person: those in use first, then those of one's own discipline."""
    services, actor = _services(request), staff_of_request(request)
    opened = await open_to_measure(services, actor, patient_id, observations=_MOST_LIVE)
    shelf = await services.packs.current()
    return render(
        request, "observation/flowsheets.html", opened=opened, base=opened.base,
        sheets=offered(opened, shelf, actor.profession, clock.now()), place="patients",
        page_title=_("Flowsheets"),
    )  # fmt: skip


@get(_SHEET, opt=_RECORD)
async def sheet_page(
    request: _Request, patient_id: str, key: str, day: str = "", late: int = 0, signed: int = 0
) -> Response[Any]:
    """The grid: what was measured in the last hours, or on a day, and room for what is new."""
    opened = await _open(request, patient_id, key, day, late=bool(late))
    kept = await drafting.kept(_services(request), opened)
    return _page(request, opened, kept, signed=signed)


@post(f"{_SHEET}/live", opt=_RECORD, status_code=200)
async def live(request: _Request, patient_id: str, key: str, day: str = "") -> Response[Any]:
    """Scores, sums, marks and balance of what is typed so far, each for its place in the page."""
    opened = await _open(request, patient_id, key, day, most=_MOST_LIVE)
    form = await _typed(request)
    now = clock.now()
    sent = sent_columns(form, now)
    read = {each.number: _read(opened, each, form) for each in sent if each.at is not None}
    shown_columns = [int(name[2:]) for name in form if name[:2] == "d." and name[2:].isdecimal()]
    marks = [
        (number, row, judge(opened.sheet, opened.sheet.by_key[row].parts, values))
        for number, column in read.items()
        for row, values in column.numbers.items()
    ]
    return render(
        request, "observation/_flowsheet_live.html", opened=opened, sheet=opened.sheet,
        columns=shown_columns, read=read, marks=marks, shown=shown,
        issues=_said(opened, sent, read), balances=_balances(opened, list(read.values())),
    )  # fmt: skip


@post(f"{_SHEET}/draft", opt=_RECORD, status_code=204)
async def save_draft(request: _Request, patient_id: str, key: str) -> None:
    """Keep what is typed and not signed."""
    services, actor = _services(request), staff_of_request(request)
    permit = await services.gate.open_chart(actor, patient_id, interaction="form")
    form = await _typed(request)
    if form.get("patient") == patient_id:
        await drafting.keep(services, permit, key, sent_columns(form, clock.now()))


@post(_SHEET, opt=_RECORD, status_code=200)
async def sign_sheet(
    request: _Request, patient_id: str, key: str, day: str = "", late: int = 0
) -> Response[Any]:
    """Record what was typed, whole or not at all."""
    opened = await _open(request, patient_id, key, day, late=bool(late))
    form = await _typed(request)
    sent = sent_columns(form, clock.now())
    if form.get("patient") != patient_id:
        said = _("This form belongs to another patient. Nothing was recorded.")
        return _page(request, opened, sent, [error("conflict", said)], form=form)
    try:
        count = await _record(_services(request), staff_of_request(request), opened, sent, form)
    except (NotRecordable, AccessError) as refusal:
        return _page(request, opened, sent, refusal.issues, form=form)
    await drafting.forget(_services(request), opened)
    more = "&" if opened.query else "?"
    return Redirect(f"{opened.here}{more}signed={count}", status_code=303)


@get(f"{_SHEET}/curves", opt=_RECORD)
async def sheet_curves(
    request: _Request, patient_id: str, key: str, day: str = ""
) -> Response[Any]:
    """The rows that the content draws, each as a curve over the hours in view."""
    opened = await _open(request, patient_id, key, day)
    return render(
        request, "observation/_flowsheet_curves.html", lines=curves(opened.sheet, opened.grid)
    )


async def _record(
    services: Services, actor: Actor, opened: OpenSheet, sent: Sequence[Sent],
    form: Mapping[str, str],
) -> int:  # fmt: skip
    """How many values were recorded."""
    try:
        key = UUID(form.get("key", ""))
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        raise NotRecordable([Issue("error", "value", problem)]) from None
    if wrong := [each.problem for each in sent if each.problem is not None]:
        raise NotRecordable(wrong)
    columns = [
        (_read(opened, each, form), column.cells if column is not None else {})
        for each in sent
        for column in (standing_at(opened.grid, each.typed().at),)
    ]
    made = record_columns(
        opened.sheet, columns, person=opened.opened.person,
        performer=Performer(actor.id, actor.name), key=key, encounter=opened.opened.encounter,
    )  # fmt: skip
    measurer = Who(actor.id, actor.name)
    bundle = transaction(
        created(resource, url) for _column, entries in made for url, resource in entries
    )
    # One call for all that is signed together: the newest score says how it stands.
    for column, entries in reversed(made):
        if called := call(opened.opened, measurer, entries, column.score, column.at):
            bundle["entry"] += [entry(task, url) for url, task in called]
            break
    await services.bundles.transact(actor, bundle, idempotency_key=str(key))
    return sum(len(entries) for _column, entries in made)


def _read(opened: OpenSheet, sent: Sent, form: Mapping[str, str]) -> Read:
    typed = sent.typed()
    column = standing_at(opened.grid, typed.at)
    checked = Typed(typed.at, typed.cells, honest(opened.sheet, opened.grid, sent))
    return read_column(
        opened.sheet, checked, opened.opened.person, column.cells if column is not None else {},
        scale_2=bool(form.get("scale_2")),
    )  # fmt: skip


def _said(opened: OpenSheet, sent: Sequence[Sent], read: Mapping[int, Read]) -> list[str]:
    """What is wrong with what is typed, by time and row."""
    said = [each.problem.diagnostics for each in sent if each.problem is not None]
    for column in read.values():
        for issue in column.issues:
            label = opened.sheet.by_key[issue.expression].label
            said.append(f"{column.at:%H:%M} {label}: {issue.diagnostics}")
    return said


def _balances(opened: OpenSheet, typed: Sequence[Read]) -> list[Balance]:
    """The day in view and the whole one before it, what is typed included; none without fluids."""
    sheet, laid = opened.sheet, opened.grid
    if not has_balance(sheet):
        return []
    if opened.day is None:
        start, end = fluid_day(sheet.content, opened.now)
        days = [(start, end), fluid_day(sheet.content, start - timedelta(hours=1))]
    else:
        days = [(laid.window.start, laid.window.end)]
    found = []
    for start, end in days:
        added: dict[str, list[Decimal]] = {}
        for column in typed:
            for key, numbers in column.numbers.items() if start <= column.at < end else ():
                added.setdefault(key, []).extend(numbers.values())
        found.append(balance(sheet, laid.cells, start, end, opened.now, added))
    return found


def _page(
    request: _Request,
    opened: OpenSheet,
    sent: Sequence[Sent],
    issues: Sequence[Issue] = (),
    *,
    form: Mapping[str, str] | None = None,
    signed: int = 0,
) -> Response[Any]:
    minute = opened.now.replace(second=0, microsecond=0).astimezone(OSLO)
    filled = {(each.at or minute): each for each in sent}
    laid: Grid = with_columns(opened.grid, filled)
    numbered = list(enumerate(laid.columns))
    read = {
        number: _read(opened, filled[column.at], form or {})
        for number, column in numbered
        if column.at in filled and filled[column.at].at is not None
    }
    scale_2 = form.get("scale_2") if form is not None else opened.opened.was_on_scale_2
    return render(
        request, "observation/flowsheet.html", status_code=422 if issues else 200,
        opened=opened.opened, base=opened.opened.base, here=opened.base, query=opened.query,
        sheet=opened.sheet, grid=laid, columns=numbered, before=_repeatable(opened, laid),
        filled={n: filled[column.at] for n, column in numbered if column.at in filled},
        read=read, shown=shown, patient_id=opened.opened.person.patient_id,
        key=(form or {}).get("key") or str(uuid4()), scale_2=bool(scale_2),
        open_from=opened.now - timedelta(hours=LATE_HOURS) if not opened.late
        else laid.window.start,
        day=opened.day, one_day=timedelta(days=1),
        problems=[each.diagnostics for each in issues], signed=signed,
        may_write=may_write(opened.opened.permit.actor.profession, "Observation"),
        balances=_balances(opened, list(read.values())), now_local=opened.now.astimezone(OSLO),
        others=offered(opened.opened, opened.shelf, opened.opened.permit.actor.profession,
                       opened.now),
        unconfirmed=[c.id for column in laid.columns for c in column.unconfirmed],
        place="patients", page_title=opened.sheet.content.title,
    )  # fmt: skip


def _repeatable(opened: OpenSheet, laid: Grid) -> dict[str, Any]:
    """The last value of each row that may be repeated, where it stands before the window."""
    return {
        each.key: laid.before[each.key]
        for each in opened.sheet.parameters
        if each.row.carry and each.key in laid.before and laid.before[each.key].typed
    }


async def _open(
    request: _Request, patient_id: str, key: str, day: str, *, late: bool = False, most: int = 0
) -> OpenSheet:
    services, actor = _services(request), staff_of_request(request)
    wanted = {"most": most} if most else {}
    try:
        return await open_sheet(services, actor, patient_id, key, day, late=late, **wanted)
    except NoSuchSheet:
        raise NotFoundException("There is no such flowsheet.") from None


async def _typed(request: _Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(value)[:500] for name, value in form.items()}


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (sheets_page, sheet_page, live, save_draft, sign_sheet, sheet_curves)
