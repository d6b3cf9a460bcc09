"""What was reconciled, who was told and who acknowledged it; and the mark where nobody has."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import Conflict
from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.services import Services
from helsevev.fhir.reading import reference_key
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.prescription import Prescriber
from helsevev.medication.reconciliation.handover import Handover, acknowledge
from helsevev.medication.reconciliation.letter_keeping import letters_of
from helsevev.medication.reconciliation.record import titles
from helsevev.medication.reconciliation.table import Table, open_table
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}


@get("/patient/{patient_id:str}/medications/reconciled", opt=_RECORD)
async def reconciled_page(request: _Request, patient_id: str) -> Response[Any]:
    """Every reconciliation, what it left open, who was told, and the letters written from it."""
    table = await _opened(request, patient_id)
    return render(
        request, "medication/reconciled.html", opened=table, table=table, titles=titles(),
        letters=await letters_of(table), may_acknowledge=_may_acknowledge(table),
        place="patients", page_title=_("Reconciliations"),
    )  # fmt: skip


@get("/patient/{patient_id:str}/medications/reconciled/mark", opt=_RECORD)
async def reconciled_mark(request: _Request, patient_id: str) -> Response[Any]:
    """The mark on the list: not reconciled in this stay, left open, not acknowledged."""
    table = await open_table(
        _services(request), actor_of_request(request), patient_id, interaction="refresh"
    )
    return render(
        request, "medication/_reconciled_mark.html", table=table, titles=titles(),
        waiting=[each for each in table.handovers if each.is_waiting],
        letters=await letters_of(table),
        may_reconcile=table.actor.kind == "practitioner",
    )  # fmt: skip


@get("/patient/{patient_id:str}/medications/handover/{task_id:str}", opt=_RECORD)
async def handover_page(request: _Request, patient_id: str, task_id: str) -> Response[Any]:
    """What changed, to be acknowledged by the unit that is told."""
    table = await _opened(request, patient_id)
    return _handover(request, table, _the(table, task_id))


@post("/patient/{patient_id:str}/medications/handover/{task_id:str}", opt=_RECORD,
      status_code=200)  # fmt: skip
async def acknowledge_handover(
    request: _Request, patient_id: str, task_id: str
) -> Response[Any]:  # fmt: skip
    """Acknowledge it; whoever was first stands."""
    table = await _opened(request, patient_id)
    found = _the(table, task_id)
    form = await request.form()
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return _handover(request, table, found, problem)
    if not found.is_waiting:
        return _handover(request, table, found)
    if not _may_acknowledge(table)(found):
        problem = _("Only the unit that is told can acknowledge.")
        return _handover(request, table, found, problem)
    by = Prescriber(table.actor.id, table.actor.name)
    made = acknowledge(table.tasks[task_id], by, clock.now())
    try:
        await table.services.writer.write(table.actor, made, if_match=int(found.version))
    except Conflict:
        table = await _opened(request, patient_id)
        return _handover(request, table, _the(table, task_id))
    return Redirect(f"{table.base}/medications/handover/{task_id}", status_code=303)


def _may_acknowledge(table: Table) -> Any:
    """Whether the reader is of the unit that is told, or is named themselves."""
    own = {table.actor.id, *table.actor.organisations}
    return lambda each: each.owner in own


def _handover(
    request: _Request, table: Table, found: Handover, problem: str = ""
) -> Response[Any]:  # fmt: skip
    return render(
        request, "medication/handover.html", status_code=422 if problem else 200, opened=table,
        table=table, task=found, problem=problem, mine=_may_acknowledge(table)(found),
        place="patients", page_title=found.title,
    )  # fmt: skip


def _the(table: Table, task_id: str) -> Handover:
    found = next((each for each in table.handovers if each.id == task_id), None)
    task = table.tasks.get(task_id, {})
    if found is None or reference_key(task.get("for")) != f"Patient/{table.patient_id}":
        raise NotFoundException("There is no such task about this patient.")
    return found


async def _opened(request: _Request, patient_id: str) -> Table:
    actor: Actor = staff_of_request(request)
    return await open_table(_services(request), actor, patient_id, interaction="reconciled")


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (reconciled_page, reconciled_mark, handover_page, acknowledge_handover)
