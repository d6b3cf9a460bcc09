"""What a plan of the content proposes for somebody, for those who ask through the API.

http://hl7.org/fhir/R4/plandefinition-operation-apply.html. Nothing is written: who gets the
proposal decides, and what they begin is theirs.
"""

from __future__ import annotations

from typing import Any

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.services import Services
from helsevev.care_plan.applying import NotApplicable, apply, person_of, proposed
from helsevev.care_plan.coding import FUNCTION
from helsevev.care_plan.keeping import by, open_plans
from helsevev.care_plan.plan_form import default_performer
from helsevev.content.packs.plans import Plan, id_of
from helsevev.fhir.outcome import error
from helsevev.kit import clock

_MOST_LEVELS = 1000


async def find_plan(services: Services, actor: Actor, name: str, canonical: str) -> Plan:
    """The plan whose PlanDefinition has this id, or this canonical URL (and version).

    Without its version an id names the version in force. Raises `NotFound`.
    """
    shelf = await services.packs.current(actor)
    url, _bar, version = canonical.partition("|")
    for each in shelf.all(Plan).values():
        if name in (id_of(each), f"{id_of(each)}-{each.version}") or (url and each.url == url):
            found = shelf.version(Plan, each.key, version) if version else each
            if found is not None:
                return found
    raise NotFound(f"PlanDefinition/{name or canonical}")


async def propose(services: Services, actor: Actor, plan: Plan, patient_id: str) -> dict[str, Any]:
    """The CarePlan (status draft, its goals contained) that a plan proposes for somebody.

    Decided and audited as a reading of the record. Raises `Refused`, or `Invalid` for a condition
    that cannot be worked out.
    """
    opened = await open_plans(services, actor, patient_id, interaction="apply")
    query = f"patient={patient_id}&code={FUNCTION}|"
    levels = await services.searcher.match(actor, "Observation", query, _MOST_LEVELS)
    now = clock.now()
    observations = [each.resource for each in levels]
    person = person_of({**opened.found, "Observation": observations}, now)
    try:
        chosen = [each.key for each in proposed(plan, person) if each.chosen]
    except NotApplicable as problem:
        raise Invalid([error("processing", str(problem))]) from problem
    made = apply(
        plan, f"Patient/{patient_id}", chosen, now, author=by(actor),
        performer={"reference": default_performer(actor)},
        goal_ids={each.key: f"#{each.key}" for each in plan.goal},
    )  # fmt: skip
    goals = [{**goal, "id": key} for key, goal in made.goals]
    contained = {"contained": goals} if goals else {}
    return {"resourceType": "CarePlan", **contained, **made.plan, "status": "draft"}
