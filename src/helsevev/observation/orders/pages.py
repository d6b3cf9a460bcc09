"""Ordering for a patient: found by what one types, signed together; and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError, Refused
from helsevev.access.guard import staff_of_request
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import OSLO
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.observation.orders import steps
from helsevev.observation.orders.beside import Beside, beside
from helsevev.observation.orders.coding import kind_name, side_name
from helsevev.observation.orders.opened import OpenedOrders, open_orders, units_for
from helsevev.observation.orders.request import Line, Requisition
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 14
_MEASURED: Final = 400
_FIELDS: Final = ("key", "patient", "words", "choice", "why", "note", "urgent", "wanted", "sent")


@get("/patient/{patient_id:str}/orders", opt=_RECORD)
async def orders_page(request: _Request, patient_id: str) -> Response[Any]:
    """What is ordered for a patient, and how far each has come."""
    return await _listed(request, await _opened(request, patient_id), ())


@get("/patient/{patient_id:str}/orders/new", opt=_RECORD)
async def new_order_page(request: _Request, patient_id: str, again: str = "") -> Response[Any]:
    """A field to type in; `again` are keys that are chosen already, as from a result."""
    opened = await _opened(request, patient_id, measured=_MEASURED)
    items = tuple((key, "") for key in again.split(",")[:40] if key in opened.catalogue.orders)
    return await _page(request, opened, {"key": str(uuid4())}, items)


@post("/patient/{patient_id:str}/orders/find", opt=_RECORD, status_code=200)
async def find_order(request: _Request, patient_id: str) -> Response[Any]:
    """What the words may mean: sets first, then single things, each side as its own button."""
    opened = await _opened(request, patient_id)
    form, items = await _typed(request)
    words = form["words"].strip()
    return render(
        request, "observation/orders/_hits.html", opened=opened,
        found=_hits(opened, words), words=words,
        sides=_SIDES, chosen={key for key, _side in items}, side_name=side_name,
        profession=staff_of_request(request).profession,
    )  # fmt: skip


@post("/patient/{patient_id:str}/orders/new", opt=_RECORD, status_code=200)
async def choose_order(request: _Request, patient_id: str) -> Response[Any]:
    """The form with what was chosen; Enter takes the closest hit of what is typed."""
    opened = await _opened(request, patient_id, measured=_MEASURED)
    form, items = await _typed(request)
    chosen, side = form["choice"].partition("~")[::2]
    if not chosen and form["words"].strip():
        nearest = next(iter(_hits(opened, form["words"])), None)
        chosen = nearest.key if nearest else ""
    several = opened.catalogue.sets.get(chosen)
    if several is not None:
        items = (*items, *((key, "") for key in several.orders))
        form["why"] = form["why"] or several.reason
    elif chosen in opened.catalogue.orders:
        items = (*((k, s) for k, s in items if k != chosen), (chosen, side))
    if chosen:
        form["words"] = ""
    return await _page(request, opened, form, tuple(dict(items).items()))


@post("/patient/{patient_id:str}/orders", opt=_RECORD, status_code=200)
async def sign_orders(request: _Request, patient_id: str) -> Response[Any]:
    """Sign everything that is chosen: it is ordered, or the page says what is missing."""
    actor = staff_of_request(request)
    opened = await _opened(request, patient_id, measured=_MEASURED)
    form, items = await _typed(request)
    if form["patient"] != patient_id:
        problem = _("This form belongs to another patient. No test was ordered.")
        issue = Issue("error", "conflict", problem)
        return await _page(request, opened, {**form, "key": str(uuid4())}, (), [issue])
    units = await _units(request, opened, items)
    try:
        asked = _requisition(opened, actor, form, items, await _performers(request, units))
        await steps.place(_services(request), actor, asked)
    except Refused:
        raise
    except AccessError as refusal:
        return await _page(request, opened, form, items, refusal.issues)
    except ValueError:
        problem = _("The form is not complete. Open it again.")
        return await _page(request, opened, form, items, [error("value", problem)])
    return Redirect(f"{opened.base}/orders?sent={form['key']}", status_code=303)


@post("/patient/{patient_id:str}/orders/{key:str}/{act:str}", opt=_RECORD, status_code=200)
async def act_on_order(request: _Request, patient_id: str, key: str, act: str) -> Response[Any]:
    """Note that samples are taken or that something is done, or withdraw what was ordered."""
    actor, services = staff_of_request(request), _services(request)
    opened = await _opened(request, patient_id)
    placing = next((each for each in opened.placings if each.key == key), None)
    form = await request.form()
    if placing is None or form.get("patient") != patient_id:
        raise NotFoundException("There is no such order.")
    words = str(form.get("words", ""))[:500]
    try:
        if act == "taken":
            await steps.take_samples(services, actor, opened.catalogue, placing)
        elif act == "done":
            task = str(form.get("task", ""))
            await steps.carry_out(services, actor, opened.catalogue, placing, task, words)
        elif act == "withdrawn":
            await steps.withdraw(services, actor, placing, words)
        else:
            raise NotFoundException("There is no such act.")
    except Refused:
        raise
    except AccessError as refusal:
        return await _listed(request, opened, refusal.issues)
    return Redirect(f"{opened.base}/orders", status_code=303)


_SIDES: Final = ("right", "left", "both")


def _hits(opened: OpenedOrders, words: str) -> list[Any]:
    return list(opened.catalogue.find(words, _MOST))


def _requisition(
    opened: OpenedOrders, actor: Actor, form: Mapping[str, str],
    items: Sequence[tuple[str, str]], performers: Mapping[str, Who],
) -> Requisition:  # fmt: skip
    """Raises `ValueError` when the form was made by hand."""
    return Requisition(
        patient_id=opened.patient_id,
        key=str(UUID(form["key"])),
        lines=_lines(opened, items),
        by=steps.by(actor),
        profession=actor.profession,
        unit=steps.unit_of(actor),
        performers=performers,
        why=form["why"],
        note=form["note"],
        is_urgent=form["urgent"] == "urgent",
        wanted=datetime.fromisoformat(form["wanted"]).replace(tzinfo=OSLO),
        encounter=opened.encounter,
    )


def _lines(opened: OpenedOrders, items: Sequence[tuple[str, str]]) -> list[Line]:
    known = opened.catalogue.orders
    return [Line(known[key], side if side in _SIDES else "") for key, side in items if key in known]


async def _units(
    request: _Request, opened: OpenedOrders, items: Sequence[tuple[str, str]]
) -> dict[str, list[Who]]:
    """The units that may do what is chosen, by kind."""
    services, actor = _services(request), staff_of_request(request)
    catalogues = {line.ordering.of.kind: line.ordering.of for line in _lines(opened, items)}
    return {
        kind: await units_for(services, actor, of) for kind, of in catalogues.items() if of.place
    }


async def _performers(request: _Request, units: Mapping[str, Sequence[Who]]) -> dict[str, Who]:
    """Who is to do it, by kind: who was chosen, or the only one there is."""
    form = await request.form()
    found = {}
    for kind, known in units.items():
        wanted = str(form.get(f"performer.{kind}", ""))
        named = [unit for unit in known if unit.reference == wanted]
        if named or len(known) == 1 or (known and kind == "laboratory"):
            found[kind] = (named or known)[0]
        elif not known:
            # Where nobody is known to do it, who orders has to see to it.
            found[kind] = steps.unit_of(staff_of_request(request))
    return found


def _options(units: Mapping[str, Sequence[Who]]) -> dict[str, list[dict[str, str]]]:
    """The units to choose among, by kind; where there are several, nobody is chosen beforehand."""
    nobody = [{"value": "", "label": _("Choose")}]
    return {
        kind: [
            *(nobody if len(known) > 1 else ()),
            *({"value": unit.reference, "label": unit.name} for unit in known),
        ]
        for kind, known in units.items()
    }


async def _chosen_units(request: _Request, units: Mapping[str, Sequence[Who]]) -> dict[str, str]:
    form = await request.form()
    return {kind: str(form.get(f"performer.{kind}", "")) for kind in units}


async def _page(
    request: _Request, opened: OpenedOrders, form: Mapping[str, str],
    items: Sequence[tuple[str, str]], issues: Sequence[Issue] = (),
) -> Response[Any]:  # fmt: skip
    actor = staff_of_request(request)
    shown = {**dict.fromkeys(_FIELDS, ""), **form}
    shown["wanted"] = shown["wanted"] or f"{clock.now().astimezone(OSLO):%Y-%m-%dT%H:%M}"
    lines = _lines(opened, items)
    units = await _units(request, opened, items)
    fields = {f"side.{line.ordering.key}" for line in lines} | {"why", "wanted", "words"}
    fields |= {f"performer.{kind}" for kind, known in units.items() if known}
    return render(
        request, "observation/orders/new.html", status_code=422 if issues else 200,
        opened=opened, form=shown, lines=lines, sides=_SIDES, side_name=side_name,
        kinds=[(k, kind_name(k)) for k in dict.fromkeys(x.ordering.of.kind for x in lines)],
        beside=_beside(opened, lines), units=units, options=_options(units), may_order=may_write(
            actor.profession, "ServiceRequest"),
        chosen_units=await _chosen_units(request, units),
        asks_why=any(line.ordering.of.asks_why for line in lines),
        found=() if lines else _common(opened, actor), words="", chosen=(),
        profession=actor.profession,
        errors={i.expression: i.diagnostics for i in issues if i.expression in fields},
        problems=[i.diagnostics for i in issues if i.expression not in fields],
        place="patients", page_title=_("Order tests and examinations"),
    )  # fmt: skip


def _common(opened: OpenedOrders, actor: Actor) -> list[Any]:
    """What one may order without typing: the sets of the house."""
    known = opened.catalogue
    return [
        each for each in known.sets.values()
        if any(key in known.orders and actor.profession in known.orders[key].of.ordered_by
               for key in each.orders)
    ]  # fmt: skip


def _beside(opened: OpenedOrders, lines: Sequence[Line]) -> dict[str, Beside]:
    measured, standing = opened.found["Observation"], opened.standing
    return {line.ordering.key: beside(line.ordering, measured, standing) for line in lines}


async def _listed(
    request: _Request, opened: OpenedOrders, issues: Sequence[Issue]
) -> Response[Any]:
    actor = staff_of_request(request)
    return render(
        request, "observation/orders/list.html", status_code=422 if issues else 200, opened=opened,
        placings=opened.placings, problems=[issue.diagnostics for issue in issues],
        may_order=may_write(actor.profession, "ServiceRequest"), place="patients",
        sent=request.query_params.get("sent", ""), now=clock.now(), page_title=_("Requisitions"),
    )  # fmt: skip


async def _opened(request: _Request, patient_id: str, *, measured: int = 0) -> OpenedOrders:
    return await open_orders(
        _services(request), staff_of_request(request), patient_id, measured=measured
    )


async def _typed(request: _Request) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The fields, and what is chosen: keys with their sides, each once."""
    form = await request.form()
    chosen = {}
    for item in form.getall("item", [])[:80]:
        key = str(item)[:60]
        chosen[key] = str(form.get(f"side.{key}", ""))[:10]
    return {name: str(form.get(name, ""))[:1000] for name in _FIELDS}, tuple(chosen.items())


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (
    orders_page, new_order_page, find_order, choose_order, sign_orders, act_on_order,
)  # fmt: skip
