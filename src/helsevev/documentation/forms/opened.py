"""A form opened for somebody: the content's form, the patient, and what is answered so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from helsevev.access.actor import Actor
from helsevev.access.draft import Draft, StaleDraft
from helsevev.access.permit import Permit
from helsevev.access.services import Services
from helsevev.content.packs.forms import Form
from helsevev.documentation.forms.given import Given
from helsevev.documentation.forms.sheet import Sheet
from helsevev.documentation.forms.typed import Typed, read_typed, typed_of
from helsevev.fhir.questionnaire import Option, Prepared, fill, prepare
from helsevev.fhir.questionnaire.places import Answer, Layout
from helsevev.fhir.reading import birth_date, full_name
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
        return birth_date(self.patient)

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
