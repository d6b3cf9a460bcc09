"""Plans and their tasks, read and kept: decided, audited, and whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import created, replaced, transaction
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.care_plan.coding import STEP
from helsevev.care_plan.scheduling import OPEN, reconcile
from helsevev.care_plan.steps import with_steps_taken
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import birth_date, full_name, reference_key, text
from helsevev.follow_up import asking
from helsevev.follow_up.coding import UNIT, stamp
from helsevev.kit import clock

PRESSED: Final = "http://helsevev.no/fhir/pressed"
"""Identifier system: the form that made it, so that a form sent twice makes it once."""
ENDED: Final = ("completed", "cancelled", "rejected", "failed", "entered-in-error")
SLICES: Final = (
    Slice("Patient", 1), Slice("CarePlan", 200), Slice("Goal", 500), Slice("Condition", 1000),
    Slice("Task", 2000, ENDED, 300), Slice("ServiceRequest", 300), Slice("EpisodeOfCare", 200),
    Slice("CareTeam", 50), Slice("Encounter", 20),
)  # fmt: skip
_MOST_TASKS: Final = 1000
_BATCH: Final = 60


class OpenedPlans(Struct, frozen=True):
    """What somebody sees of a patient's plans, tasks and services."""

    permit: Permit
    found: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def actor(self) -> Actor:
        """Who opened it."""
        return self.permit.actor

    @property
    def patient_id(self) -> str:
        """Whose they are."""
        return self.permit.patient_id

    @property
    def base(self) -> str:
        """The address of the record."""
        return f"/patient/{self.permit.patient_id}"

    @property
    def around(self) -> dict[str, Any]:
        """What every page about them is drawn with: whose it is, and where it stands."""
        patient: Mapping[str, Any] = next(iter(self.found["Patient"]), {})
        return {
            "base": self.base, "place": "patients", "section": "plans",
            "name": full_name(patient.get("name")), "birth_date": birth_date(patient),
        }  # fmt: skip

    def one(self, kind: str, key: str) -> Mapping[str, Any]:
        """One of what was read. Raises `NotFound`."""
        for each in self.found.get(kind, ()):
            if each.get("id") == key:
                return each
        raise NotFound(f"{kind}/{key}")


async def open_plans(
    services: Services, actor: Actor, patient_id: str, *, interaction: str = "plans"
) -> OpenedPlans:
    """A patient's plans, goals, problems, tasks and services. Raises `Refused`."""
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, SLICES, interaction=interaction
    )
    return OpenedPlans(permit, found)


def by(actor: Actor) -> dict[str, Any]:
    """The actor as a Reference."""
    return {"reference": actor.id, **({"display": actor.name} if actor.name else {})}


async def begin(
    services: Services,
    actor: Actor,
    plan: Mapping[str, Any],
    goals: Iterable[tuple[str, Mapping[str, Any]]],
    key: str,
) -> str:
    """Keep a plan with its goals ((full URL, Goal)), then its tasks; the plan's id.

    What is sent twice under one `key` is kept once. Its tasks are made by `settle`, and should
    that be cut off, by the job that makes tasks ahead.
    """
    unit = [{"url": UNIT, "valueReference": _unit(actor)}] if actor.unit else []
    plan = {**plan, "extension": [*plan.get("extension", ()), *unit]}
    entries = [
        *(pressed(goal, f"{key}-{number}", url) for number, (url, goal) in enumerate(goals)),
        pressed(plan, key),
    ]
    answer = await keep(services, actor, entries)
    plan_id: str = answer["entry"][-1]["response"]["location"].split("/")[1]
    kept = (await services.gate.open_resource(actor, "CarePlan", plan_id)).resource
    await settle(services, actor, kept)
    return plan_id


async def change(
    services: Services,
    actor: Actor,
    plan: Mapping[str, Any],
    also: Iterable[Mapping[str, Any]] = (),
    new: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Keep a plan's next version with versions of others (`also`) and `new` entries of a Bundle.

    All of it or nothing; refused when somebody changed any of them since it was read. Then the
    tasks are made what the plan now asks for.
    """
    await keep(services, actor, [*new, replaced(plan), *(replaced(each) for each in also)])
    kept = (await services.gate.open_resource(actor, "CarePlan", text(plan.get("id")))).resource
    await settle(services, actor, kept)


async def keep(services: Services, actor: Actor, entries: Sequence[Mapping[str, Any]]) -> Any:
    """Entries of a transaction, all or none; the answer."""
    return await services.bundles.transact(actor, transaction(entries))


async def settle(services: Services, actor: Actor, plan: Mapping[str, Any]) -> int:
    """Make the tasks of a plan what it asks for now; how many were made or changed.

    Steps that were documented elsewhere than on the plan's page count in the plan first.
    """
    now = clock.now()
    tasks = await tasks_of(services, actor, plan)
    adopted = with_steps_taken(plan, tasks)
    if adopted != plan:
        written = await services.writer.write(actor, dict(adopted))
        plan = written.stored.resource
    changes = reconcile(plan, tasks, now)
    asked = {"authoredOn": stamp(now), "lastModified": stamp(now)}
    entries = [asking.entry({**each, **asked}) for each in changes.new]
    entries += [replaced(each) for each in changes.changed]
    for first in range(0, len(entries), _BATCH):
        await keep(services, actor, entries[first : first + _BATCH])
    return len(entries)


async def tasks_of(
    services: Services, actor: Actor, plan: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The tasks of a plan that can still change, and those that were lately documented."""
    patient = reference_key(plan.get("subject")).removeprefix("Patient/")
    about = {"patient": patient, "based-on": f"CarePlan/{plan.get('id')}"}
    since = clock.now() - timedelta(days=1)
    found = []
    for asked in (
        {"status": ",".join(sorted(OPEN))},
        {"status": "cancelled,completed,failed", "period": f"ge{stamp(since)}"},
        {"code": f"{_STEPS}", "status": "completed"},
    ):
        query = urlencode({**about, **asked})
        found += await services.searcher.match(actor, "Task", query, _MOST_TASKS)
    return list({each.id: each.resource for each in found}.values())


_STEPS: Final = f"http://helsevev.no/fhir/CodeSystem/planned-task|{STEP}"


async def settle_by_program(services: Services, plan: Mapping[str, Any]) -> int:
    """As `settle`, by the program itself."""
    return await settle(services, SYSTEM, plan)


def pressed(resource: Mapping[str, Any], key: str, full_url: str = "") -> dict[str, Any]:
    """An entry that creates a resource once for each key of a form."""
    made = {**resource, "identifier": [
        *resource.get("identifier", ()), {"system": PRESSED, "value": key},
    ]}  # fmt: skip
    return created(made, full_url, only_once={"identifier": f"{PRESSED}|{key}"})


def conflict(words: str, place: str = "") -> Invalid:
    """What the page tells about a form that cannot be kept."""
    return Invalid([Issue("error", "conflict", words, place)])


def _unit(actor: Actor) -> dict[str, Any]:
    return {"reference": actor.unit[0], "display": actor.unit_name}
