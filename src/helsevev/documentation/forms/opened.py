"""A form opened for somebody: the content's form, the patient, and what is answered so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.draft import Draft, StaleDraft
from helsevev.access.errors import NotFound
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.packs.forms import Form
from helsevev.documentation.forms.answered import named_by
from helsevev.documentation.forms.filling_in import Given, given_by
from helsevev.documentation.forms.offering import offered_for
from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.typed import Typed, read_typed, typed_of
from helsevev.fhir.encounters import the_ongoing
from helsevev.fhir.questionnaire import Option, Prepared, fill, prepare
from helsevev.fhir.questionnaire.places import Answer, Layout
from helsevev.fhir.reading import full_name, mapping, moment, reference_key, text
from helsevev.kit import clock

DRAFT: Final = "form"
_MOST_KEPT: Final = 500
_KEPT: Final[dict[tuple[str, str], tuple[Form, Prepared]]] = {}


def prepared_of(form: Form) -> Prepared:
    """The form, compiled; one that was compiled before is used again."""
    key = (form.key, form.version)
    known = _KEPT.get(key)
    # A municipality may have its own under the same version.
    if known is not None and known[0] is form:
        return known[1]
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    same = known is not None and known[0].questionnaire == form.questionnaire
    made = known[1] if known is not None and same else prepare(form.questionnaire)
    _KEPT[key] = (form, made)
    return made


@dataclass(slots=True)
class Opened:
    """One form about one patient, before it is signed.

    `given` is what the form opened with: answers from the record, and what they are called.
    `corrects` is the signed QuestionnaireResponse that is made right; empty for a new one.
    """

    services: Services
    permit: Permit
    form: Form
    prepared: Prepared
    patient: Mapping[str, Any]
    encounter: Mapping[str, Any]
    key: str
    local: str = ""
    draft: Draft | None = None
    given: Given | None = None
    corrects: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, Sequence[Option]] = field(default_factory=dict)
    files: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who fills it in."""
        return self.permit.actor

    @property
    def base(self) -> str:
        """The address of the patient's chart."""
        return f"/patient/{self.permit.patient_id}"

    @property
    def name(self) -> str:
        """The patient's name."""
        return full_name(self.patient.get("name"))

    @property
    def birth_date(self) -> str:
        """The patient's date of birth as FHIR writes it, "" when unknown."""
        born = moment(self.patient.get("birthDate"))
        return born.text if born else ""

    @property
    def context(self) -> dict[str, Any]:
        """What the form's expressions may name."""
        known = dict(self.given.found) if self.given else {}
        known["patient"] = self.patient
        if self.encounter:
            known["encounter"] = self.encounter
        known["user"] = {
            "resourceType": "Practitioner", "id": self.actor.id.partition("/")[2],
            "name": [{"text": self.actor.name}],
        }  # fmt: skip
        return known

    @property
    def opening(self) -> Mapping[str, Any]:
        """The answers that it opened with."""
        return self.given.response if self.given else {}

    def typed(self) -> dict[str, list[str]]:
        """What stands in the inputs: the draft's, else what it opens with."""
        if self.draft is not None:
            return {name: [str(each) for each in values] for name, values in self._kept().items()}
        return typed_of(Layout(self.prepared, self.opening))

    def _kept(self) -> Mapping[str, Sequence[Any]]:
        kept = self.draft.content.get("typed") if self.draft else None
        return kept if isinstance(kept, dict) else {}

    def sheet(self, typed: Typed, *, whole: bool = False) -> Sheet:
        """The form with what is typed, worked out."""
        before: dict[str, list[Answer]] = {}
        if self.opening:
            layout = Layout(self.prepared, self.opening)
            before = {each.key: each.answers for each in layout.all if each.answers}
        items, unread = read_typed(
            self.prepared, typed, offered=self.offered, files=self.files, before=before
        )
        response = {"resourceType": "QuestionnaireResponse", "item": items}
        filled = fill(self.prepared, response, context=self.context, now=clock.now())
        return Sheet(
            self.prepared, filled, typed, unread, self.offered,
            self.given.sources if self.given else {}, whole,
        )  # fmt: skip

    async def keep(self, typed: Typed, at: int, **more: str) -> Draft | None:
        """Keep what is typed so far, for its writer alone.

        `at` tells the order in which pages sent it: what comes late is not kept over what came
        after it (None then).
        """
        content: dict[str, Any] = {
            "form": self.form.key, "version": self.form.version, "title": self.form.title,
            "typed": typed, "at": at, **more,
        }  # fmt: skip
        if self.corrects:
            content["corrects"] = self.corrects["id"]
        if self.given is not None:
            content["given"] = self.given.as_text()
        draft = self.draft
        while draft is None or int(draft.content.get("at", 0)) <= at:
            try:
                return await self.services.drafts.save(
                    self.permit, DRAFT, self.key, content, draft.revision if draft else 0
                )
            except StaleDraft as stale:
                draft = stale.current
        return None

    async def discard(self) -> None:
        """Drop what is kept: it was signed, or is not wanted."""
        await self.services.drafts.discard(self.permit, DRAFT, self.key)
        if self.files:
            await self.services.draft_files.drop(self.permit, self.key)


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
