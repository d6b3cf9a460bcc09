"""Opening a form for somebody: by the content's key, with what the record has, or a draft.

The addresses of forms are here too, for rooms that see this chapter; others take them from the
screens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helsevev.access.actor import Actor
from helsevev.access.errors import NotFound
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.packs.forms import Form
from helsevev.documentation.forms.answered import named_by
from helsevev.documentation.forms.filling_in import given_by
from helsevev.documentation.forms.given import Given
from helsevev.documentation.forms.offering import offered_for
from helsevev.documentation.forms.opened import DRAFT, Opened, prepared_of
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.questionnaire.places import Layout
from helsevev.fhir.reading import mapping, reference_key, text
from helsevev.screens.addresses import answers_link, form_link

__all__ = ["answers_link", "form_link", "open_form"]


async def open_form(
    services: Services,
    actor: Actor,
    patient_id: str,
    form_key: str,
    draft_key: str,
    corrects: str = "",
) -> Opened:
    """The form about a patient, with the draft of that key if there is one.

    The draft goes on in the version that it was begun in. `corrects` is the id of the signed form
    that is made right, in the version that it names. Raises `NotFound` for a form that is not in
    force, and `Refused`.
    """
    before = await _signed(services, actor, patient_id, corrects) if corrects else {}
    shelf = await services.packs.current(actor)
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, (Slice("Patient", 1), Slice("Encounter", 50)),
        interaction="write", reading="form",
    )  # fmt: skip
    draft = await services.drafts.one(permit, DRAFT, draft_key)
    form = shelf.one(Form, form_key)
    if draft is not None and draft.content.get("form") == form_key:
        form = shelf.version(Form, form_key, text(draft.content.get("version"))) or form
    else:
        draft = None
    if before:
        form = shelf.version(Form, *named_by(before))
    if form is None:
        raise NotFound(f"Questionnaire/{form_key}")
    ongoing = the_ongoing(found["Encounter"])
    encounter = next((e for e in found["Encounter"] if f"Encounter/{e['id']}" == ongoing), {})
    opened = Opened(
        services, permit, form, prepared_of(form), next(iter(found["Patient"]), {}), encounter,
        draft_key, shelf.local_of(Form, form_key), draft, corrects=before,
    )  # fmt: skip
    kept = text(draft.content.get("given")) if draft else ""
    opened.given = Given.of_text(kept) if kept else await given_by(opened)
    opened.offered = await offered_for(opened)
    if any(item.type == "attachment" for item in opened.prepared.by_link.values()):
        for file in await services.draft_files.of(permit, draft_key):
            opened.files[file.id] = {
                "id": file.id, "contentType": file.media_type, "title": file.title,
                "size": file.size,
            }  # fmt: skip
        opened.files |= _signed_files(opened)
    return opened


async def _signed(
    services: Services, actor: Actor, patient_id: str, response_id: str
) -> Mapping[str, Any]:
    stored = await services.gate.open_resource(actor, "QuestionnaireResponse", response_id)
    if reference_key(stored.resource.get("subject")) != f"Patient/{patient_id}":
        raise NotFound(stored.reference)
    return stored.resource


def _signed_files(opened: Opened) -> dict[str, Mapping[str, Any]]:
    """The files that a form under correction has already, by what stands in their inputs."""
    found = {}
    if opened.corrects:
        for place in Layout(opened.prepared, opened.corrects).all:
            for answer in place.answers:
                if (file := mapping(answer.get("valueAttachment"))) and file.get("url"):
                    found[text(file["url"])] = file
    return found
