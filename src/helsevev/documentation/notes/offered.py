"""What a profession writes by: its templates, its phrases, and kinds of notes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.content.packs.note_templates import NoteTemplate, Pull
from helsevev.content.packs.phrases import Phrase, Phrases
from helsevev.content.packs.shelf import Shelf
from helsevev.documentation.headings import Stretch
from helsevev.documentation.note import NoteType, note_text, note_title
from helsevev.documentation.notes.facts import Record, every_fact
from helsevev.documentation.notes.template import opening
from helsevev.documentation.tracing import Known, Tracer
from helsevev.fhir.reading import moment_of, objects, of_patient, reference_text, sort_key
from helsevev.locale import gettext as _
from helsevev.screens.formatting import clinical_time

FACTS: Final = (
    Slice("Patient", 1), Slice("Encounter", 50), Slice("Composition", 60), Slice("Condition", 300),
    Slice("AllergyIntolerance", 100), Slice("Observation", 300), Slice("Procedure", 50),
    Slice("Immunization", 100), Slice("Goal", 50), Slice("CarePlan", 20), Slice("Appointment", 20),
    Slice("MedicationRequest", 300, ("completed", "stopped", "cancelled", "entered-in-error"), 0),
    Slice("MedicationStatement", 300),
)  # fmt: skip
"""What of a record a note may draw on."""


class Offered(Struct, frozen=True):
    """One way to begin a note: by a template, or a kind of note that has none."""

    key: str
    label: str
    kind: NoteType
    headings: tuple[str, ...]
    titles: tuple[str, ...]
    template: NoteTemplate | None = None

    def opened(self, record: Record, now: datetime) -> list[Stretch]:
        """What the note opens with."""
        if self.template is None:
            return [(heading, "") for heading in self.headings]
        return opening(self.template, record, self.titles, now)


def offered(shelf: Shelf, profession: str) -> list[Offered]:
    """What a profession writes by, the templates first."""
    types = loading.note_types()
    by_key = {each.key: each for each in types.type}
    templates = [t for t in shelf.all(NoteTemplate).values() if profession in t.professions]
    found = [
        Offered(
            each.key, _called(shelf, each), NoteType(types.system, kind.code, each.title),
            each.headings, (each.title, kind.label), each,
        )
        for each in sorted(templates, key=lambda each: (each.order, each.title))
        if (kind := by_key.get(each.kind)) is not None
    ]  # fmt: skip
    known = {name for each in found for name in (each.key, *each.titles[:1])}
    plain = (
        Offered(
            kind.key, kind.label, NoteType(types.system, kind.code, kind.label), kind.sections,
            (kind.label,),
        )
        for kind in types.for_profession(profession)
        if kind.label not in known and kind.key not in known
    )  # fmt: skip
    return [*found, *plain]


def _called(shelf: Shelf, template: NoteTemplate) -> str:
    """Its title; who uses one that their own place has changed sees that it is."""
    if shelf.local_of(NoteTemplate, template.key):
        return f"{template.title} ({_('adapted locally')})"
    return template.title


def phrases(shelf: Shelf, profession: str) -> list[tuple[str, Sequence[Phrase]]]:
    """(title, phrases) of a profession, by title."""
    fitting = [p for p in shelf.all(Phrases).values() if profession in p.professions]
    return [(each.title, each.phrase) for each in sorted(fitting, key=lambda p: p.title)]


def every_heading(kinds: Collection[Offered]) -> list[str]:
    """All headings that a profession's notes may have."""
    return list(dict.fromkeys(heading for each in kinds for heading in each.headings))


def tracer(record: Record, shelf: Shelf, now: datetime, *, without: str = "") -> Tracer:
    """What a note's lines may come from; `without` is the id of a note that is no source."""
    own = [
        line
        for each in shelf.all(Phrases).values()
        for phrase in each.phrase
        for line in phrase.text.split("\n")
    ]
    own += [
        line
        for template in shelf.all(NoteTemplate).values()
        for section in template.section
        for line in (*section.text.split("\n"), *_said_by(section.pull))
    ]
    notes = [n for n in of_patient(record.get("Composition", ())) if n.get("id") != without]
    notes.sort(key=lambda note: sort_key(moment_of(note, "date")))
    earlier = []
    for note in notes:
        at = moment_of(note, "date")
        by = ", ".join(filter(None, (reference_text(a) for a in objects(note.get("author")))))
        when = clinical_time(at.text) if at else ""
        said = ", ".join(filter(None, (f"{note_title(note)} {when}".strip(), by)))
        earlier.append(Known(f"Composition/{note.get('id')}", said, note_text(note)))
    return Tracer(every_fact(record, now), earlier, own)


def _said_by(pulls: Sequence[Pull]) -> list[str]:
    return [line for pull in pulls for line in (pull.intro, pull.none) if line]
