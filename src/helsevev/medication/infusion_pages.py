"""What is done with an infusion on a patient's round: one press each, told on the round's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, post

from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import infusion_changes as changes
from helsevev.medication.administration import Refusal, Signer
from helsevev.medication.infusion_flow import of_quantity
from helsevev.medication.infusion_shown import Infusion, version_of
from helsevev.medication.order_form import number_of, quantity
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.round_page import after
from helsevev.medication.round_signing import RoundSigning, Signed

_Request = Request[Any, Any, Any]
_Made = Callable[[], dict[str, Any]]


@post("/rounds/{patient_id:str}/infusion", opt={"decision": "record"}, status_code=200)
async def infusion(request: _Request, patient_id: str) -> Response[Any]:
    """Start an infusion, set its rate, pause it, let it run again, end it, or sign as the second.

    The act is on what the page showed: what somebody has done meanwhile is told, and not undone.
    """
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    opened = await open_round(services, actor, patient_id)
    form = {name: str(value)[:100] for name, value in (await request.form()).items()}
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return await after(request, patient_id, [Signed("", problem)])
    chosen = _chosen(opened, form)
    if chosen is None:
        said = _("Somebody changed this infusion meanwhile. See what stands now.")
        return await after(request, patient_id, [Signed("", said)])
    signing = RoundSigning(services, actor, form.get("key", ""))
    by = Signer(actor.id, actor.name)
    try:
        made = _made(chosen, form, by, clock.now())
    except Refusal as refusal:
        return await after(request, patient_id, [Signed(chosen.name, str(refusal))])
    if chosen.administration:
        end = await signing.replace(chosen.name, made)
    else:
        end = await signing.write(chosen.name, chosen.due, made)
    return await after(request, patient_id, [end])


def _chosen(opened: OpenedRound, form: Mapping[str, str]) -> Infusion | None:
    """The infusion of the form, as it was when the page was drawn."""
    found = next((i for i in opened.round.infusions if i.key == form.get("infusion")), None)
    if found is None or form.get("version", "") != version_of(found.administration):
        return None
    return found


def _made(chosen: Infusion, form: Mapping[str, str], by: Signer, at: datetime) -> dict[str, Any]:
    """The next version by what was pressed. Raises `Refusal`."""
    running = chosen.administration
    act = form.get("act", "")
    if act == "start" and not running:
        scan = form.get("scan", "")
        if scan not in {each.code for each in loading.rounds().not_scanned}:
            raise Refusal(_("Choose why nothing was scanned."))
        rate = _rate(chosen, form)
        return changes.started(
            chosen.order, chosen.dosage, rate, by, at, due=chosen.due, not_scanned=scan
        )
    acts: Mapping[str, _Made] = {
        "rate": lambda: changes.changed(running, _rate(chosen, form), by, at),
        "pause": lambda: changes.paused(running, by, at),
        "resume": lambda: changes.resumed(running, by, at),
        "finish": lambda: changes.ended(running, by, at),
        "stop": lambda: changes.ended(running, by, at, form.get("reason", "") or "-"),
        "second": lambda: changes.second_signed(running, by),
    }
    if not running or act not in acts:
        raise Refusal(_("Somebody changed this infusion meanwhile. See what stands now."))
    return acts[act]()


def _rate(chosen: Infusion, form: Mapping[str, str]) -> dict[str, Any]:
    """The rate that was typed, in the unit of the order. Raises `Refusal`."""
    typed = number_of(form.get("rate", ""))
    if typed is None or typed <= 0:
        raise Refusal(_("Say at which rate."))
    said = {**chosen.quantity, "value": typed}
    if of_quantity(said) is None:
        said = quantity(typed, chosen.unit)
    return said


ROUTES: Final = (infusion,)
