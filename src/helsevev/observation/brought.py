"""Measurements that were taken without contact, recorded as they were taken."""

from __future__ import annotations

from uuid import UUID

from helsevev.access.actor import Actor
from helsevev.access.brought import Act, NotTaken, Outcome, keep_once
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import OSLO, moment, text
from helsevev.locale import gettext as _
from helsevev.observation.vital_signs import (
    NotRecordable,
    Performer,
    Person,
    age_in_months,
    problem_codes,
    record_vital_signs,
    was_on_scale_2,
)


async def measured(services: Services, actor: Actor, act: Act) -> Outcome:
    """Record a round of vital signs by `said["values"]`: numbers as they were typed, by key.

    The score is worked out here, from the content as it is now. Raises `AccessError`.
    """
    permit = await services.gate.open_chart(actor, act.patient, interaction="form")
    slices = (
        Slice("Patient", 1), Slice("Encounter", 50), Slice("Condition", 500),
        Slice("Observation", 200),
    )  # fmt: skip
    found = await services.gate.open_slices(permit, slices, interaction="form")
    born = moment(next(iter(found["Patient"]), {}).get("birthDate"))
    known = born.day if born is not None and born.precision == "day" else None
    months = age_in_months(known, act.at.astimezone(OSLO).date())
    said = act.said.get("values")
    form = {str(name): text(value)[:100] for name, value in said.items()} if said else {}
    if was_on_scale_2(found["Observation"]):
        form["scale_2"] = "1"
    try:
        made = record_vital_signs(
            form,
            person=Person(act.patient, months, problem_codes(found["Condition"])),
            performer=Performer(*act.by),
            at=act.at,
            signs=loading.vital_signs(),
            table=loading.news2(),
            key=UUID(act.key),
            encounter=the_ongoing(found["Encounter"]),
        )
    except NotRecordable as refusal:
        labels = {p.key: p.label for sign in loading.vital_signs().sign for p in sign.parts}
        words = (f"{labels.get(i.expression, '')} {i.diagnostics}" for i in refusal.issues)
        raise NotTaken("; ".join(each.strip() for each in words)) from refusal
    await keep_once(services, actor, made, act.key)
    return Outcome(status="stored", name=_("Measurements"))
