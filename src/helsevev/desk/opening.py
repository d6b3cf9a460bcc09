"""What waits, opened for who may see it: the tasks that stand, and whom they are about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.policy import may_treat
from helsevev.access.services import Services
from helsevev.access.waiting import Unopened, Waits
from helsevev.content.loading import follow_up
from helsevev.desk.tasks import Asked, asked, in_order, row_of
from helsevev.fhir.reading import reference_key, reference_text
from helsevev.fhir.search_query import parse
from helsevev.follow_up.coding import Who
from helsevev.follow_up.standing import standing_of
from helsevev.kit import clock

_SHOWN: Final = 200
_DONE_HOURS: Final = 24
_ENDED: Final = "completed,failed,rejected,cancelled"
_SOON: Final = timedelta(hours=24)
_MOST_COLLEAGUES: Final = 200


class Watch(Struct, frozen=True):
    """Whether what is overdue is looked for, and which lists below nobody opens."""

    is_late: bool
    minutes: int
    unopened: Sequence[Unopened] = ()


async def my_tasks(services: Services, actor: Actor) -> list[Asked]:
    """What waits for the actor by name."""
    if not may_treat(actor):
        return []
    return await _rows(services, actor, await services.waiting.mine(actor, _SHOWN))


async def unit_tasks(services: Services, actor: Actor) -> list[Asked]:
    """What stands on the list of the actor's unit, whoever owns it."""
    if not may_treat(actor):
        return []
    members = [each.reference for each in await colleagues(services, actor)]
    return await _rows(services, actor, await services.waiting.of_unit(actor, members, _SHOWN))


async def all_tasks(services: Services, actor: Actor) -> list[Asked]:
    """What waits for the actor, and what their unit is asked, is soon due, and nobody has taken."""
    mine, unit = await asyncio.gather(my_tasks(services, actor), unit_tasks(services, actor))
    known = {each.task_id for each in mine}
    units = set(actor.unit)
    until = clock.now() + _SOON
    more = [
        each for each in unit
        if each.task_id not in known and (
            each.is_unowned or (each.standing and each.standing.owner.reference in units)
        ) and (each.due_at is None or each.due_at <= until)
    ]  # fmt: skip
    return in_order([*mine, *more])


async def done_lately(services: Services, actor: Actor) -> list[Asked]:
    """What was ended within a day, of the unit's and the actor's own, the newest first."""
    if not may_treat(actor):
        return []
    since = clock.now() - timedelta(hours=_DONE_HOURS)
    asking = [
        ("status", _ENDED), ("modified", f"ge{since:%Y-%m-%dT%H:%M:%SZ}"),
        ("_sort", "-modified"), ("_count", str(_SHOWN)),
    ]  # fmt: skip
    page = await services.searcher.search(actor, parse("Task", asking, base=""))
    tasks = [stored.resource for stored in page.matches]
    ours = {*actor.person, *actor.unit}
    standing = [standing_of(each) for each in tasks]
    kept = [s.task for s in standing if s.owner.reference in ours or s.unit.reference in ours]
    people = await people_of(services, actor, kept)
    return [row_of(each, people, clock.now()) for each in kept]


async def watch_of(services: Services, actor: Actor) -> Watch:
    """What the actor's unit is to know of the watch itself."""
    rules = follow_up()
    late = await services.waiting.is_late(timedelta(minutes=rules.late_minutes))
    return Watch(late, rules.late_minutes, await services.waiting.unopened_below(actor))


async def colleagues(services: Services, actor: Actor) -> list[Who]:
    """Who a task can be handed on to: the unit, those who work there, and what it is part of."""
    if not actor.unit:
        return []
    asking = [("organization", actor.unit[0]), ("_count", str(_MOST_COLLEAGUES))]
    page = await services.searcher.search(actor, parse("PractitionerRole", asking, base=""))
    found: dict[str, str] = {}
    for stored in page.matches:
        person = stored.resource.get("practitioner")
        if stored.resource.get("active") is not False and reference_text(person):
            found.setdefault(reference_key(person), reference_text(person))
    people = sorted(found.items(), key=lambda each: each[1].casefold())
    above = actor.organisations[1:2]
    names = await _organisations(services, actor, above)
    return [
        Who(actor.unit[0], actor.unit_name),
        *(Who(*each) for each in people),
        *(Who(each, names[each]) for each in above if each in names),
    ]


async def _organisations(
    services: Services, actor: Actor, references: Iterable[str]
) -> dict[str, str]:
    wanted = [("Organization", each.removeprefix("Organization/")) for each in references]
    found = await services.gate.open_many(actor, wanted, interaction="tasks") if wanted else {}
    return {f"{kind}/{key}": str(each.get("name", "")) for (kind, key), each in found.items()}


async def _rows(services: Services, actor: Actor, waits: Sequence[Waits]) -> list[Asked]:
    wanted = [("Task", each.task_id) for each in waits]
    found = await services.gate.open_many(actor, wanted, interaction="tasks") if wanted else {}
    tasks = list(found.values())
    people = await people_of(services, actor, tasks)
    closed = [each for each in waits if ("Task", each.task_id) not in found]
    me = (*actor.person, *actor.unit)
    return asked(tasks, people, clock.now(), me, closed)


async def people_of(
    services: Services, actor: Actor, tasks: Iterable[Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Whom some tasks are about, by reference, as far as the actor may open them."""
    about = {
        ("Patient", key.removeprefix("Patient/"))
        for each in tasks
        if (key := reference_key(each.get("for"))).startswith("Patient/")
    }
    if not about:
        return {}
    found = await services.gate.open_many(actor, sorted(about), interaction="tasks")
    return {f"{kind}/{key}": person for (kind, key), person in found.items()}
