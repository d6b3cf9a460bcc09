"""Scanning during a round: each scan is answered with what it means, and what follows is signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import HTTPException

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.round import Row, name_of
from helsevev.medication.round_opening import open_round
from helsevev.medication.round_signing import RoundSigning, Signed
from helsevev.medication.scanning import codes, judging, words
from helsevev.medication.scanning.bedside import MEANS, RECENT, Answer, Bedside, Scan
from helsevev.medication.scanning.own_codes import Wristband
from helsevev.medication.scanning.stop_list import stops_lately
from helsevev.medication.scanning.stops import NOT_GIVEN
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_CALLED: Final = "called"
_OUTSIDE: Final = "outside-plan"


@post("/patient/{patient_id:str}/round/scan", opt=_RECORD, status_code=200)
async def scan(request: _Request, patient_id: str) -> Response[Any]:
    """What was scanned at this patient's bedside, judged."""
    answer = await _bedside(request).scan(patient_id, _scan(await request.form()))
    return _answered(request, answer)


@post("/patient/{patient_id:str}/round/scan/sign", opt=_RECORD, status_code=200)
async def sign_scanned(request: _Request, patient_id: str) -> Response[Any]:
    """Sign the dose whose package was scanned."""
    form = await request.form()
    answer = await _bedside(request).sign(patient_id, _scan(form), str(form.get("key", "")))
    return _answered(request, answer)


@post("/patient/{patient_id:str}/round/scan/as-needed", opt=_RECORD, status_code=200)
async def sign_scanned_as_needed(request: _Request, patient_id: str) -> Response[Any]:
    """Give the as-needed dose whose package was scanned, for a reason."""
    form = await request.form()
    reason, pressed = str(form.get("reason", ""))[:500], str(form.get("pressed", ""))[:64]
    answer = await _bedside(request).sign_needed(patient_id, _scan(form), reason, pressed)
    return _answered(request, answer)


@post("/patient/{patient_id:str}/round/scan/stop", opt=_RECORD, status_code=200)
async def after_stop(request: _Request, patient_id: str) -> Response[Any]:
    """What comes after a stop: the dose is not given, the prescriber is called, or it was given."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    act, key = str(form.get("act", "")), str(form.get("key", ""))
    if act not in (NOT_GIVEN, _CALLED, _OUTSIDE):
        raise HTTPException(_("Choose what is to be done."), status_code=400)
    bedside = Bedside(services, actor)
    if act == NOT_GIVEN:
        ended = await _withhold(services, actor, patient_id, key, str(form.get("reason", "")))
        if ended.problem:
            return _fragment(request, ended=ended, outcome="problem", status_code=422)
        await bedside.came_after(patient_id, str(form.get("stop", "")), act)
        return _fragment(request, ended=ended, outcome="signed")
    stop = await bedside.came_after(patient_id, str(form.get("stop", "")), act)
    orders = [reference_key(each) for each in objects(stop.get("implicated"))]
    if act == _OUTSIDE:
        order = orders[0].partition("/")[2] if len(orders) == 1 else ""
        there = f"/rounds/{patient_id}/outside-plan" + (f"?order={order}" if order else "")
        return _fragment(request, outcome="go", there=there)
    people = await _prescribers(services, actor, orders)
    return _fragment(request, outcome="call", people=people)


@post("/rounds/scan", opt={"decision": "signed-in"}, status_code=200)
async def scan_wristband(request: _Request) -> Response[Any]:
    """Whose round to open, by the wristband; opening it is decided there."""
    staff_of_request(request)
    scanned = _scan(await request.form())
    try:
        said = codes.read(scanned.code)
    except codes.Unreadable:
        said = None
    if isinstance(said, Wristband):
        return _fragment(request, outcome="go", there=f"/rounds/{said.patient_id}")
    problem = _("Scan the patient's wristband to open the round.")
    return _fragment(request, ended=Signed("", problem), outcome="unreadable")


@get("/patient/{patient_id:str}/round/stops", opt=_RECORD)
async def stops_panel(request: _Request, patient_id: str) -> Response[Any]:
    """What scanning has stopped at this patient's bedside in the last day."""
    services, actor = _services(request), staff_of_request(request)
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, (RECENT,), interaction="round"
    )
    stops = stops_lately(found["DetectedIssue"], clock.now())
    return render(request, "medication/_stops.html", stops=stops)


def _answered(request: _Request, answer: Answer) -> Response[Any]:
    """The answer as the page shows it: a dose to sign, a stop, or what was signed."""
    verdict, signed = answer.verdict, answer.signed
    if signed is not None:
        return _fragment(request, ended=signed, outcome="problem" if signed.problem else "signed")
    content = loading.rounds()
    return _fragment(
        request,
        answer=answer,
        outcome="stop" if verdict.is_stop else verdict.kind,
        how_many=words.how_many(verdict),
        unchecked=words.unchecked(verdict),
        withheld=_may_be_withheld(answer),
        prescriber=next((n for o in verdict.expected if (n := words.requester_of(o))), ""),
        not_given_options=[{"value": each.code, "label": each.label} for each in content.not_given],
    )


def _fragment(
    request: _Request, *, outcome: str, status_code: int = 200, **context: Any
) -> Response[Any]:
    held: dict[str, Any] = {
        "answer": None, "ended": None, "there": "", "people": (), "how_many": "", "unchecked": (),
        "withheld": (), "prescriber": "", "not_given_options": (), "pressed": str(uuid4()),
        "minutes": loading.scanning().wristband_minutes,
    }  # fmt: skip
    return render(
        request, "medication/_scan_answer.html", status_code=status_code, outcome=outcome,
        **{**held, **context},
    )  # fmt: skip


def _may_be_withheld(answer: Answer) -> Sequence[Row]:
    """The open doses that a stop is about."""
    verdict = answer.verdict
    if not verdict.is_stop or verdict.kind == judging.WRONG_PATIENT:
        return ()
    if verdict.rows:
        return [row for row in verdict.rows if row.is_open]
    about = {order["id"] for order in verdict.expected}
    return [row for row in answer.opened.round.open_rows if row.order["id"] in about]


async def _withhold(
    services: Services, actor: Actor, patient_id: str, key: str, reason: str
) -> Signed:
    opened = await open_round(services, actor, patient_id)
    row = next((each for each in opened.round.open_rows if each.key == key), None)
    if row is None:
        return Signed("", _("The plan has changed since the page was opened. Nothing was signed."))
    return await RoundSigning(services, actor, "").withhold(row, reason)


async def _prescribers(
    services: Services, actor: Actor, orders: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Who prescribed some orders: name, medicines, and telephone numbers that are known."""
    places = [(kind, key) for kind, _slash, key in (each.partition("/") for each in orders)]
    found = await services.gate.open_many(actor, places, interaction="round")
    people: dict[str, dict[str, Any]] = {}
    for order in found.values():
        requester = mapping(order.get("requester"))
        key = reference_key(requester)
        if not key:
            continue
        person = people.setdefault(key, {"name": text(requester.get("display")), "about": []})
        person["about"].append(name_of(order))
    for key, person in people.items():
        person["phones"] = await _phones(services, actor, key)
    return list(people.values())


async def _phones(services: Services, actor: Actor, reference: str) -> list[str]:
    kind, _slash, key = reference.partition("/")
    try:
        found = await services.gate.open_resource(actor, kind, key)
    except AccessError:
        return []
    telecom = objects(found.resource.get("telecom"))
    return [text(each.get("value")) for each in telecom if each.get("system") == "phone"]


def _scan(form: Any) -> Scan:
    means = str(form.get("means", ""))
    return Scan(
        code=str(form.get("code", ""))[: codes.LONGEST + 1],
        means=means if means in MEANS else "typed",
        wristband=str(form.get("wristband", ""))[: codes.LONGEST + 1],
        without=loading.scanning().no_wristband if form.get("without") else "",
    )


def _bedside(request: _Request) -> Bedside:
    return Bedside(_services(request), staff_of_request(request))


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (
    scan,
    sign_scanned,
    sign_scanned_as_needed,
    after_stop,
    scan_wristband,
    stops_panel,
)
