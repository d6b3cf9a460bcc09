"""Measurements that were taken without contact, recorded as they were taken."""

from __future__ import annotations

from uuid import UUID

from helsevev.access.actor import Actor
from helsevev.access.brought import Act, NotTaken, Outcome, keep_once
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.reading import text
from helsevev.follow_up.coding import Who
from helsevev.locale import gettext as _
from helsevev.observation.opened import call, open_to_measure
from helsevev.observation.vital_signs import (
    NotRecordable,
    Performer,
    read_form,
    record_vital_signs,
)


async def measured(services: Services, actor: Actor, act: Act) -> Outcome:
    """Record a round of vital signs by `said["values"]`: numbers as they were typed, by key.

    The score is worked out here, from the content as it is now. Raises `AccessError`.
    """
    opened = await open_to_measure(services, actor, act.patient, at=act.at)
    said = act.said.get("values")
    form = {str(name): text(value)[:100] for name, value in said.items()} if said else {}
    if opened.was_on_scale_2:
        form["scale_2"] = "1"
    signs, table = loading.vital_signs(), loading.news2()
    try:
        made = record_vital_signs(
            form,
            person=opened.person,
            performer=Performer(*act.by),
            at=act.at,
            signs=signs,
            table=table,
            key=UUID(act.key),
            encounter=opened.encounter,
        )
    except NotRecordable as refusal:
        labels = {p.key: p.label for sign in signs.sign for p in sign.parts}
        words = (f"{labels.get(i.expression, '')} {i.diagnostics}" for i in refusal.issues)
        raise NotTaken("; ".join(each.strip() for each in words)) from refusal
    found = read_form(form, opened.person, signs, table).score
    called = call(opened, Who(*act.by), made, found, act.at)
    await keep_once(services, actor, [*made, *called], act.key)
    return Outcome(status="stored", name=_("Measurements"))
