"""What all professions plan for one person, side by side; and the pathways that a unit follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, get
from msgspec import Struct

from helsevev.access.guard import actor_of_request, staff_of_request
from helsevev.access.services import Services
from helsevev.care_plan.coding import PATHWAY, PLAN_KIND, STEP, TASK_KIND
from helsevev.care_plan.keeping import open_plans
from helsevev.care_plan.panel import plans
from helsevev.care_plan.plan_shown import PlanRow, StepRow, plan_row
from helsevev.care_plan.steps import with_steps_taken
from helsevev.care_plan.task_shown import plan_of
from helsevev.fhir.reading import birth_date, full_name, reference_key
from helsevev.fhir.search_query import parse
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_MOST: Final = 200


class Followed(Struct, frozen=True):
    """One person's pathway, with the step that comes next."""

    patient_id: str
    name: str
    birth_date: str
    plan: PlanRow
    next: StepRow | None

    @property
    def is_late(self) -> bool:
        """Whether a step has not been taken in time."""
        return any(each.state == "late" for each in self.plan.steps)

    @property
    def taken(self) -> int:
        """How many steps have been taken."""
        return sum(each.done is not None for each in self.plan.steps)


@get("/patient/{patient_id:str}/plans/together", opt={"decision": "record"})
async def together_page(request: _Request, patient_id: str, discipline: str = "") -> Response[Any]:
    """Problems, goals and measures of all plans in one table, or those of one profession."""
    services: Services = request.app.state.services
    opened = await open_plans(services, actor_of_request(request), patient_id)
    view = plans(opened.found, clock.now())
    return render(
        request, "care_plan/together.html", view=view,
        discipline=discipline if discipline in view.disciplines else "", **opened.around,
        page_title=_("Across professions"),
    )  # fmt: skip


@get("/pathways", opt={"decision": "signed-in"})
async def pathways_page(request: _Request) -> Response[Any]:
    """The pathways of my patients, those past a deadline first, then by the next deadline."""
    services: Services = request.app.state.services
    actor = staff_of_request(request)
    asked = [("status", "active"), ("category", f"{PLAN_KIND}|{PATHWAY}"), ("_count", str(_MOST))]
    page = await services.searcher.search(actor, parse("CarePlan", asked, base=""))
    found = [each.resource for each in page.matches]
    steps = await _steps(services, request, found)
    wanted = {("Patient", reference_key(p.get("subject")).removeprefix("Patient/")) for p in found}
    people = await services.gate.open_many(actor, wanted, interaction="plans")
    now = clock.now()
    rows = [_followed(each, people, steps, now) for each in found]
    rows.sort(key=lambda row: (not row.is_late, row.next is None, _end(row)))
    return render(
        request, "care_plan/pathways.html", rows=rows, more=page.next_cursor is not None,
        unit=actor.unit_name, place="tasks", page_title=_("Pathways"),
    )  # fmt: skip


async def _steps(
    services: Services, request: _Request, found: list[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The tasks of the steps, by plan."""
    if not found:
        return {}
    about = ",".join(f"CarePlan/{each.get('id')}" for each in found)
    asked = [("code", f"{TASK_KIND}|{STEP}"), ("based-on", about), ("_count", "1000")]
    page = await services.searcher.search(
        staff_of_request(request), parse("Task", asked, base="")
    )  # fmt: skip
    steps: dict[str, list[dict[str, Any]]] = {}
    for each in page.matches:
        steps.setdefault(plan_of(each.resource), []).append(each.resource)
    return steps


def _followed(
    plan: Mapping[str, Any], people: Mapping[tuple[str, str], Mapping[str, Any]],
    steps: Mapping[str, list[dict[str, Any]]], now: datetime,
) -> Followed:  # fmt: skip
    key = reference_key(plan.get("subject")).removeprefix("Patient/")
    patient = people.get(("Patient", key), {})
    tasks = steps.get(str(plan.get("id")), [])
    row = plan_row(with_steps_taken(plan, tasks), tasks, now)
    coming = next((each for each in row.steps if each.done is None), None)
    return Followed(key, full_name(patient.get("name")), birth_date(patient), row, coming)


def _end(row: Followed) -> float:
    return row.next.end.timestamp() if row.next else 0.0


ROUTES: Final = (together_page, pathways_page)
