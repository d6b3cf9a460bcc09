"""Forms of one patient: those that can be filled in, and those that are signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from helsevev.access.actor import Actor
from helsevev.access.guard import actor_of_request
from helsevev.access.permit import Permit
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.packs.forms import Form
from helsevev.content.packs.shelf import Shelf
from helsevev.documentation.forms.answered import (
    answered_form,
    answered_forms,
    lines_of,
    named_by,
)
from helsevev.documentation.forms.choosing import offers
from helsevev.documentation.forms.opened import DRAFT, prepared_of
from helsevev.documentation.forms.signing import pressed_of, signatures_of
from helsevev.fhir.questionnaire import NotAForm, Prepared
from helsevev.fhir.reading import full_name, moment, reference_key
from helsevev.screens.addresses import form_link
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
RECORD: Final = {"decision": "record"}


@get("/patient/{patient_id:str}/forms", opt=RECORD)
async def forms_of_patient(request: _Request, patient_id: str, q: str = "") -> Response[Any]:
    """Which forms there are for this patient: begun, used lately, one's profession's, and all."""
    actor = actor_of_request(request)
    services: Services = request.app.state.services
    shelf = await services.packs.current(actor)
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, (Slice("Patient", 1), Slice("QuestionnaireResponse", 200)),
        interaction="open", reading="form",
    )  # fmt: skip
    titles = {key: form.title for key, form in shelf.all(Form).items()}
    signed = answered_forms(found["QuestionnaireResponse"], titles)
    begun = [each for each in await services.drafts.of(permit) if each.kind == DRAFT]
    return render(
        request, "documentation/forms/forms.html", **_about(permit, found["Patient"]),
        groups=offers(shelf, actor.profession, [each.key for each in signed], q),
        signed=signed, begun=begun, words=q, form_link=form_link, place="patients",
        may_write=_may_write(actor),
        page_title=full_name(next(iter(found["Patient"]), {}).get("name")),
    )  # fmt: skip


@get("/patient/{patient_id:str}/answers/{response_id:str}", opt=RECORD)
async def signed_form(request: _Request, patient_id: str, response_id: str) -> Response[Any]:
    """A signed form as it was answered, by the version that it names."""
    actor = actor_of_request(request)
    services: Services = request.app.state.services
    stored = await services.gate.open_resource(actor, "QuestionnaireResponse", response_id)
    response = stored.resource
    if reference_key(response.get("subject")) != f"Patient/{patient_id}":
        raise NotFoundException("There is no such form about this patient.")
    permit, found = await services.gate.open_chart_at(
        actor, patient_id, (Slice("Patient", 1), Slice("QuestionnaireResponse", 200)),
        interaction="open", reading="form",
    )  # fmt: skip
    shelf = await services.packs.current(actor)
    form, prepared = form_of(shelf, response)
    shown = answered_form(response, {form.key: form.title} if form else {})
    current = shelf.one(Form, shown.key)
    earlier = [
        each
        for each in answered_forms(found["QuestionnaireResponse"])
        if each.key == shown.key and each.id != shown.id
    ]
    return render(
        request, "documentation/forms/signed.html", **_about(permit, found["Patient"]),
        form=shown, lines=lines_of(response, prepared), earlier=earlier[:20],
        signatures=signatures_of(response), place="patients", page_title=shown.title,
        draft=pressed_of(response), again=form_link(patient_id, shown.key) if current else "",
        is_older=current is not None and current.version != shown.version,
        may_write=_may_write(actor),
    )  # fmt: skip


def form_of(shelf: Shelf, response: Mapping[str, Any]) -> tuple[Form | None, Prepared | None]:
    """The form that was answered, in the version it was answered in; None when it is not known."""
    key, version = named_by(response)
    form = shelf.version(Form, key, version)
    if form is None:
        return None, None
    try:
        return form, prepared_of(form)
    except NotAForm:
        return form, None


def _may_write(actor: Actor) -> bool:
    """Whether the reader fills in forms: an inhabitant reads their own."""
    return actor.kind == "practitioner" and may_write(actor.profession, "QuestionnaireResponse")


def _about(permit: Permit, patients: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    patient = next(iter(patients), {})
    born = moment(patient.get("birthDate"))
    return {
        "base": f"/patient/{permit.patient_id}", "patient_id": permit.patient_id,
        "name": full_name(patient.get("name")), "birth_date": born.text if born else "",
    }  # fmt: skip


ROUTES: Final = (forms_of_patient, signed_form)
