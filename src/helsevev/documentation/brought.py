"""A note that was written without contact, signed in the record when the phone brings it."""

from __future__ import annotations

from uuid import uuid4

from helsevev.access.actor import Actor
from helsevev.access.brought import Act, NotTaken, Outcome, keep_once
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.documentation.note import Author, NoteType, NotSignable, sign_note
from helsevev.documentation.notes import cosigning
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.reading import text
from helsevev.locale import gettext as _


async def noted(services: Services, actor: Actor, act: Act) -> Outcome:
    """Sign `said["text"]` as a note of type `said["type"]`, dated when it was written.

    Nobody signs for another: what a colleague enters says whose words it is. What somebody in
    training wrote awaits their unit's signature. Raises `AccessError`.
    """
    types = loading.note_types()
    chosen = next(
        (t for t in types.for_profession(actor.profession) if t.key == act.said.get("type")), None
    )
    if chosen is None:
        raise NotTaken(_("You do not write notes of this kind."))
    _permit, found = await services.gate.open_chart_at(
        actor, act.patient, (Slice("Encounter", 50),), interaction="write", reading="form"
    )
    words = text(act.said.get("text"))
    if act.by[0] != actor.id:
        words = (
            _("Written by %(name)s without contact, entered by a colleague.") % {"name": act.by[1]}
            + f"\n\n{words}"
        )
    asks = cosigning.must_be_cosigned(actor) and bool(actor.unit)
    try:
        note = sign_note(
            words,
            patient_id=act.patient,
            kind=NoteType(types.system, chosen.code, chosen.label),
            author=Author(actor.id, actor.name, actor.organisation, actor.organisation_name),
            at=act.at,
            encounter=the_ongoing(found["Encounter"]),
            headings=chosen.sections,
            cosigner=asks,
        )
    except NotSignable as refusal:
        raise NotTaken(str(refusal)) from refusal
    url = f"urn:uuid:{uuid4()}"
    made = [(url, note)]
    if asks:
        unit = cosigning.Colleague(actor.unit[0], actor.unit_name, "")
        made.append((f"urn:uuid:{uuid4()}", cosigning.asked(note, url, actor, unit, act.at)))
    await keep_once(services, actor, made, act.key)
    return Outcome(status="stored", name=chosen.label)
