"""A record opened to measure: whom it is about, the contact that goes on, and who is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import OSLO, birth_date, full_name, mapping, moment, text
from helsevev.follow_up.asking import entry
from helsevev.follow_up.coding import Who
from helsevev.kit import clock
from helsevev.observation.deterioration import called_for
from helsevev.observation.news2 import Score, told
from helsevev.observation.vital_signs import (
    Person,
    age_in_months,
    problem_codes,
    was_on_scale_2,
)

_CALLS: Final = UUID("6b0b1b0e-3e5f-5b5c-9c1e-2f4f3f0c9a11")
_ENDED: Final = ("completed", "failed", "rejected", "cancelled", "entered-in-error")


class Opened(Struct, frozen=True):
    """The patient of a form, and what stands in the record that a measurement needs."""

    permit: Permit
    person: Person
    name: str
    birth_date: str
    encounter: str | None
    was_on_scale_2: bool
    found: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def base(self) -> str:
        """The address of the chart."""
        return f"/patient/{self.person.patient_id}"


async def open_to_measure(
    services: Services,
    actor: Actor,
    patient_id: str,
    *,
    at: datetime | None = None,
    observations: int = 200,
) -> Opened:
    """Open the record; ages are as of `at` (now, when not said). Raises `AccessError`."""
    slices = (
        Slice("Patient", 1), Slice("Encounter", 50), Slice("Condition", 500),
        Slice("Observation", observations), Slice("Task", 100, _ENDED),
    )  # fmt: skip
    permit, found = await services.gate.open_chart_at(actor, patient_id, slices, interaction="form")
    patient = next(iter(found["Patient"]), {})
    born = moment(patient.get("birthDate"))
    known = born.day if born is not None and born.precision == "day" else None
    person = Person(
        patient_id, _months(known, at or clock.now()), problem_codes(found["Condition"]),
        text(patient.get("gender")),
    )  # fmt: skip
    return Opened(
        permit=permit,
        person=person,
        name=full_name(patient.get("name")),
        birth_date=birth_date(patient),
        encounter=the_ongoing(found["Encounter"]),
        was_on_scale_2=was_on_scale_2(found["Observation"]),
        found=found,
    )


def _months(born: date | None, at: datetime) -> int | None:
    return age_in_months(born, at.astimezone(OSLO).date())


async def calls_of(
    services: Services,
    actor: Actor,
    patient_id: str,
    made: Iterable[tuple[str, Mapping[str, Any]]],
    at: datetime,
) -> list[dict[str, Any]]:
    """The entries that call somebody for a NEWS2 among what is about to be stored, by whatever.

    `made` are (full URL, resource), as a form extracts them. Raises `AccessError`.
    """
    table = loading.news2()
    for url, resource in made:
        found = told(resource, table)
        if found is not None and found.response is not None and found.response.calls:
            opened = await open_to_measure(services, actor, patient_id, observations=1)
            called = call(opened, Who(actor.id, actor.name), [(url, resource)], found, at)
            return [entry(task, place) for place, task in called]
    return []


def call(
    opened: Opened, measurer: Who, made: Sequence[tuple[str, Mapping[str, Any]]],
    found: Score | None, at: datetime,
) -> list[tuple[str, dict[str, Any]]]:  # fmt: skip
    """(urn:uuid, Task) that calls somebody for a score that is about to be stored; none when none.

    `found` is the score of `made`, each of which is (urn:uuid, Observation).
    """
    table = loading.news2()
    url = next((each for each, resource in made if _is_score(resource, table.snomed)), "")
    if found is None or not url:
        return []
    actor = opened.permit.actor
    task = called_for(
        found, url, patient_id=opened.person.patient_id, at=at.astimezone(OSLO), measurer=measurer,
        unit=Who(actor.unit[0], actor.unit_name) if actor.unit else Who(""),
        encounters=opened.found["Encounter"], tasks=opened.found["Task"], table=table,
        now=clock.now(),
    )  # fmt: skip
    return [] if task is None else [(f"urn:uuid:{uuid5(_CALLS, url)}", task)]


def _is_score(resource: Mapping[str, Any], snomed: str) -> bool:
    coded = mapping(resource.get("code")).get("coding") or ()
    return any(each.get("code") == snomed for each in coded)
