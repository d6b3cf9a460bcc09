"""The demo's plans: what the content proposes for a few inhabitants, begun some days ago.

They are made by the verbs that pages use, so what the demo shows is what the program does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import replaced
from helsevev.access.services import Services
from helsevev.care_plan.applying import apply, person_of, proposed
from helsevev.care_plan.coding import INDIVIDUAL, STEP
from helsevev.care_plan.decision import Decided, as_observation, as_request, usual_end
from helsevev.care_plan.goal import new_goal
from helsevev.care_plan.keeping import OpenedPlans, keep, open_plans, pressed
from helsevev.care_plan.plan import (
    Measure,
    ended,
    evaluated,
    evaluated_measure,
    new_plan,
    taken_step,
    today,
    with_goal,
    with_measure,
)
from helsevev.care_plan.scheduling import HORIZON, key_of, kind_of_task, wanted
from helsevev.care_plan.task import done, not_done
from helsevev.content.packs.decisions import Decision
from helsevev.content.packs.plans import Plan
from helsevev.fhir.reading import concept_text, mapping, objects, reference_key, text
from helsevev.fhir.recurrence import Span
from helsevev.follow_up import asking
from helsevev.follow_up.coding import UNIT, stamp
from helsevev.kit import clock
from helsevev.region.demo import planned

_PAST: Final = timedelta(days=3)
_BATCH: Final = 80


async def load_plans(services: Services, people: Mapping[str, Actor]) -> int:
    """Begin the demo's plans and decisions unless they are there; gives how many were begun."""
    if await services.searcher.match(SYSTEM, "CarePlan", "identifier=demo.aslaug.individual", 1):
        return 0
    now = clock.now()
    begun = 0
    for each in planned.PLANS:
        begun += await _begin(services, each, now)
    await _decisions(services, people["home-care-nurse"], now)
    await _individual(services, people["home-care-nurse"], now)
    return begun


async def _begin(services: Services, begun: planned.Begun, now: datetime) -> int:
    shelf = await services.packs.current()
    plan = shelf.one(Plan, begun.plan)
    if plan is None:
        return 0
    patient_id = f"demo-{begun.patient}"
    opened = await open_plans(services, SYSTEM, patient_id)
    start = now - timedelta(days=begun.ago)
    names = dict(_names(opened))
    performer = {"reference": begun.unit[0]}
    if name := names.get(begun.unit[0]):
        performer["display"] = name
    chosen = {a.key for a in proposed(plan, person_of(opened.found, now)) if a.chosen}
    chosen = (chosen | set(begun.besides)) - set(begun.without)
    urls = {g.key: f"urn:uuid:{uuid5(NAMESPACE_URL, begun.patient + plan.key + g.key)}"
            for g in plan.goal}  # fmt: skip
    author = {"reference": begun.by[0], "display": begun.by[1]}
    made = apply(
        plan, f"Patient/{patient_id}", chosen, start, author=author, performer=performer,
        problems=_problems(opened, begun.problem) if begun.problem else (), goal_ids=urls,
    )  # fmt: skip
    kept = made.plan
    kept["extension"] = [*kept["extension"], {"url": UNIT, "valueReference": performer}]
    for step, days in begun.taken.items():
        kept = taken_step(kept, step, start + timedelta(days=days))
    if begun.says[0]:
        kept = evaluated_measure(
            kept, begun.says[0], begun.says[1], author, now - timedelta(days=1)
        )  # fmt: skip
    goals = [(urls[key], goal) for key, goal in made.goals]
    await _keep(services, kept, goals, f"demo.{begun.patient}.{begun.plan}", now)
    if begun.instead:
        await _replace(services, opened, begun.instead, author, now)
    return 1


async def _keep(
    services: Services, plan: Mapping[str, Any], goals: Iterable[tuple[str, Mapping[str, Any]]],
    key: str, now: datetime,
) -> Mapping[str, Any]:  # fmt: skip
    """A plan with its goals and tasks: those of the last days documented, the newest not yet."""
    entries = [
        pressed(goal, f"{key}.{goal['description']['text'][:20]}", url) for url, goal in goals
    ]
    answer = await keep(services, SYSTEM, [*entries, pressed(plan, key)])
    place = answer["entry"][-1]["response"]["location"].split("/")[1]
    kept = (await services.gate.open_resource(SYSTEM, "CarePlan", place)).resource
    tasks = [_documented(each.task, now) for each in wanted(kept, Span(now - _PAST, now + HORIZON))]
    for first in range(0, len(tasks), _BATCH):
        await keep(services, SYSTEM, [asking.entry(each) for each in tasks[first : first + _BATCH]])
    return kept


def _documented(task: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """A task as somebody left it: done in its time, some declined, those of the last hours open."""
    made = {**task, "authoredOn": stamp(now - _PAST), "lastModified": stamp(now - _PAST)}
    start = text(mapping(task.get("executionPeriod")).get("start"))
    if kind_of_task(task) == STEP or not start:
        return made
    at = datetime.fromisoformat(start)
    # Of the last hours some have not been documented yet.
    recent = at > now - timedelta(hours=12) and crc32(key_of(task).encode()) % 3 == 0
    if recent or at > now - timedelta(hours=1):
        return made
    who = {"reference": planned.FATIMA[0], "display": planned.FATIMA[1]}
    owner = mapping(task.get("owner"))
    if reference_key(owner) != planned.HOME[0]:
        who = dict(mapping(task.get("requester")))
    if at.day % 7 == 3 and at.hour < 12:
        return not_done(made, who, at + timedelta(minutes=20), "declined")
    return done(made, who, at + timedelta(minutes=12))


async def _replace(
    services: Services, opened: OpenedPlans, plan_id: str, by: Mapping[str, Any], now: datetime
) -> None:
    for each in opened.found["CarePlan"]:
        if each.get("id") == plan_id and each.get("status") == "active":
            over = ended(each, "completed", planned.CARRIED_ON, by, now)
            await keep(services, SYSTEM, [replaced(over)])


async def _decisions(services: Services, actor: Actor, now: datetime) -> None:
    """Aslaug's functions, and what she is given for them."""
    shelf = await services.packs.current()
    patient, since = "Patient/demo-aslaug", now - timedelta(days=30)
    by = {"reference": actor.id, "display": actor.name}
    entries = [
        pressed(as_observation(patient, code, level, by, since), f"demo.aslaug.function.{code}")
        for code, level in planned.LEVELS.items()
    ]
    start = today(since)
    for kind, amount, why in planned.DECISIONS:
        decision = shelf.one(Decision, kind)
        if decision is None:
            continue
        decided = Decided(
            start=start, end=None if decision.lasting else usual_end(start, decision.months),
            amount=Decimal(amount) if amount else None, what=decision.standard, why=why,
            performer=(planned.HOME[0], actor.unit_name),
        )  # fmt: skip
        made = as_request(kind, decision, patient, decided, by, since)
        entries.append(pressed(made, f"demo.aslaug.decision.{kind}"))
    await keep(services, SYSTEM, entries)


async def _individual(services: Services, actor: Actor, now: datetime) -> None:
    """Aslaug's individual plan, with a coordinator and what matters to her."""
    patient, since = "Patient/demo-aslaug", now - timedelta(days=20)
    by = {"reference": actor.id, "display": actor.name}
    opened = await open_plans(services, SYSTEM, "demo-aslaug")
    others = [
        {"reference": key, "display": name} for key, name in _names(opened) if key != actor.id
    ]
    plan = new_plan(
        patient, INDIVIDUAL, planned.TITLE, by, since,
        evaluate=today(now) + timedelta(days=70),
        important=planned.IMPORTANT,
        consent=planned.CONSENT,
        contributors=others,
    )  # fmt: skip
    url = f"urn:uuid:{uuid5(NAMESPACE_URL, 'demo.aslaug.individual.goal')}"
    goal = new_goal(
        patient, planned.GOAL, by, since, due=today(now) + timedelta(days=60)
    )  # fmt: skip
    plan = with_goal(plan, url)
    plan = with_measure(plan, Measure(
        title=planned.MEASURE[0], how=planned.MEASURE[1],
        repeat={"frequency": 1, "period": 1, "periodUnit": "wk", "dayOfWeek": ["thu"],
                "timeOfDay": ["12:00:00"]},
        goals=(url,), performer=(actor.id, actor.name), discipline=planned.MEASURE[2],
    ), since, name="cafe")  # fmt: skip
    plan = evaluated(plan, planned.EVALUATION, by,
                     now - timedelta(days=5), today(now) + timedelta(days=70))  # fmt: skip
    plan["identifier"] = [{"value": "demo.aslaug.individual"}]
    await _keep(services, plan, [(url, goal)], "demo.aslaug.individual", now)


def _problems(opened: OpenedPlans, words: str) -> list[dict[str, Any]]:
    return [
        {"reference": f"Condition/{each.get('id')}", "display": concept_text(each.get("code"))}
        for each in opened.found["Condition"]
        if concept_text(each.get("code")).startswith(words)
    ][:1]


def _names(opened: OpenedPlans) -> list[tuple[str, str]]:
    """(reference, name) of the people and units around somebody, as their teams name them."""
    found: dict[str, str] = {}
    for team in opened.found["CareTeam"]:
        members = [mapping(each.get("member")) for each in objects(team.get("participant"))]
        for who in (*members, *objects(team.get("managingOrganization"))):
            if text(who.get("display")):
                found.setdefault(reference_key(who), text(who.get("display")))
    return list(found.items())
