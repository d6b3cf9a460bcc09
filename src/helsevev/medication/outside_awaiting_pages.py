"""Doses given outside the plan that await who prescribes: the list, and its one press."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.guard import staff_of_request
from helsevev.access.services import Services
from helsevev.fhir.reading import birth_date, codes, full_name, mapping, moment, reference_key, text
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.administration import REASONS, said_outside
from helsevev.medication.dosage import dose_amount
from helsevev.medication.outside_plan import AGREED, acknowledge, is_awaiting, may_acknowledge
from helsevev.medication.outside_shown import OUTSIDE
from helsevev.medication.round import name_of
from helsevev.medication.round_signing import Signed
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_MOST: Final = 50


class Awaiting(Struct, frozen=True):
    """A dose that awaits somebody who prescribes."""

    task: Mapping[str, Any]
    given: Mapping[str, Any]
    name: str
    birth_date: str
    is_overdue: bool

    @property
    def patient_id(self) -> str:
        """Who got it."""
        return reference_key(self.task.get("for")).removeprefix("Patient/")

    @property
    def amount(self) -> str:
        """How much was given, in words."""
        dose = mapping(self.given.get("dosage")).get("dose")
        return dose_amount({"doseAndRate": [{"doseQuantity": dose}]}) if dose else ""

    @property
    def medicine(self) -> str:
        """What was given."""
        return name_of(self.given)

    @property
    def why(self) -> str:
        """Why, in the words of who gave it."""
        return text(mapping(said_outside(self.given)).get("text"))


@get("/outside-plan", opt={"decision": "signed-in"})
async def awaiting_page(request: _Request) -> Response[Any]:
    """What awaits me as one who prescribes, the oldest first."""
    return await _awaiting(request, ())


@get("/outside-plan/mine", opt={"decision": "signed-in"})
async def awaiting_mine(request: _Request) -> Response[Any]:
    """For the desk: how many await me; nothing when none does."""
    services, actor = _services(request), staff_of_request(request)
    found = await awaiting(services, actor) if may_acknowledge(actor) else []
    return render(request, "medication/_outside_mine.html", found=found)


@post("/outside-plan/{task_id:str}", opt=_RECORD, status_code=200)
async def acknowledge_one(request: _Request, task_id: str) -> Response[Any]:
    """Acknowledge one dose in one press, or say why one does not agree."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    there = await services.gate.open_many(actor, [("Task", task_id)], interaction="round")
    task = there.get(("Task", task_id), {})
    if OUTSIDE not in codes(task.get("code")):
        raise NotFoundException("There is no such dose to acknowledge.")
    words = str(form.get("words", ""))[:500]
    end = await acknowledge(services, actor, task, str(form.get("verdict", "")), words)
    if end.problem:
        return await _awaiting(request, (end,))
    patient = reference_key(task.get("for")).removeprefix("Patient/")
    back = f"/rounds/{patient}" if form.get("back") == "round" else "/outside-plan?done=1"
    return Redirect(back, status_code=303)


async def awaiting(services: Services, actor: Actor) -> list[Awaiting]:
    """What awaits the actor: asked of them, of their unit, or of nobody by name."""
    asked = [
        ("code", f"{REASONS}|{OUTSIDE}"), ("status", "requested"),
        ("owner", ",".join((*actor.person, *actor.unit))),
        ("_sort", "authored-on"), ("_count", str(_MOST)),
    ]  # fmt: skip
    page = await services.searcher.search(actor, parse("Task", asked, base=""))
    tasks = [stored.resource for stored in page.matches if is_awaiting(stored.resource)]
    named = {
        tuple(reference_key(task.get(name)).split("/", 1))
        for task in tasks
        for name in ("for", "focus")
    }
    wanted = [(pair[0], pair[1]) for pair in named if len(pair) == 2]
    there = await services.gate.open_many(actor, wanted, interaction="round") if wanted else {}
    found = []
    for task in tasks:
        kind, _sep, key = reference_key(task.get("focus")).partition("/")
        person = there.get(("Patient", reference_key(task.get("for")).removeprefix("Patient/")), {})
        ends = moment(mapping(mapping(task.get("restriction")).get("period")).get("end"))
        found.append(Awaiting(
            task, there.get((kind, key), {}), full_name(person.get("name")),
            birth_date(person), ends is not None and ends.at < clock.now(),
        ))  # fmt: skip
    return found


async def _awaiting(request: _Request, problems: Sequence[Signed]) -> Response[Any]:
    services, actor = _services(request), staff_of_request(request)
    return render(
        request, "medication/outside_plan_list.html", status_code=422 if problems else 200,
        found=await awaiting(services, actor), problems=problems, agreed=AGREED,
        may_acknowledge=may_acknowledge(actor), place="rounds",
        page_title=_("Given outside the plan"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (awaiting_page, awaiting_mine, acknowledge_one)
