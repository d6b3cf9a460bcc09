"""A clinical note's life: signed once, corrected by a new version that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helsevev.documentation.headings import joined, split
from helsevev.documentation.narrative import from_xhtml, to_narrative, to_plain
from helsevev.documentation.tracing import Tracer, bare, traces_of, with_traces
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import concept_text, mapping, objects, text
from helsevev.locale import gettext as _

MAXIMUM_LENGTH: Final = 200_000
CORRECTED_WHY: Final = "https://helsevev.no/fhir/StructureDefinition/correction-reason"
"""Extension of an attester of a Composition: why they changed it."""
AWAITS: Final = "preliminary"
"""Composition.status of a note that its author has signed and that awaits a co-signature."""
BLANK: Final = "___"
_REASON_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class NoteType:
    """A kind of note as the content defines it: a code in a system, and its title."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who signs and on whose behalf: references ("Practitioner/…") and the names to show."""

    reference: str
    name: str
    organisation: str
    organisation_name: str


class NotSignable(ValueError):
    """The note cannot be signed; `issues` says why, in the writer's words."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


def sign_note(
    plain: str,
    *,
    patient_id: str,
    kind: NoteType,
    author: Author,
    at: datetime,
    encounter: str | None = None,
    headings: Sequence[str] = (),
    tracer: Tracer | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    cosigner: bool = False,
) -> dict[str, Any]:
    """A Composition from plain text, signed by its author at `at` (aware).

    Lines that are one of `headings` and a colon begin a section. `encounter` is "Encounter/<id>"
    of the contact it belongs to; `tracer` knows what of the text is not the author's own; `files`
    are references to documents that belong to it. With a `cosigner` it is preliminary until that
    person has signed too. Raises NotSignable. http://hl7.org/fhir/R4/composition.html
    """
    signature = signature_of(author, at, "personal" if cosigner else "legal")
    note: dict[str, Any] = {
        "resourceType": "Composition",
        "status": AWAITS if cosigner else "final",
        "type": {
            "coding": [{"system": kind.system, "code": kind.code, "display": kind.display}],
            "text": kind.display,
        },
        "subject": {"reference": f"Patient/{patient_id}"},
        "date": signature["time"],
        "author": [_party(author.reference, author.name)],
        "title": kind.display,
        "attester": [signature],
    }
    if encounter:
        note["encounter"] = {"reference": encounter}
    if author.organisation:
        note["custodian"] = _party(author.organisation, author.organisation_name)
    if BLANK in plain:
        raise NotSignable([error("required", _("Fill in or take away the blanks (___)."), "text")])
    note["section"] = [
        _section(heading or kind.display, written, tracer)
        for heading, written in split(plain, headings)
    ]
    if files:
        note["section"].append({"title": _("Attachments"), "entry": [dict(each) for each in files]})
    if not note["section"]:
        del note["section"]
    # What awaits somebody else's signature has to hold by itself as well.
    _refuse(check({**note, "status": "final"}))
    return note


def _section(title: str, written: str, tracer: Tracer | None) -> dict[str, Any]:
    section = {"title": title, "text": to_narrative(written)}
    return with_traces(section, tracer.of(written)) if tracer else section


def correct_note(
    note: Mapping[str, Any],
    plain: str,
    *,
    author: Author,
    at: datetime,
    why: str,
    headings: Sequence[str] = (),
    tracer: Tracer | None = None,
) -> dict[str, Any]:
    """The next version of a signed note: new text, status amended, signed by who corrects, and why.

    Who wrote it first and what else it says (type, contact, entries, inner sections) stays; the
    version before stays in the record (pasientjournalforskriften § 15). A note that awaits a
    co-signature goes on doing so. Raises NotSignable, also when nothing was changed.
    """
    known = [*(_heading(s, note) for s in objects(note.get("section"))), *headings]
    stretches = split(plain, known)
    if stretches == split(note_text(note), known):
        told = _("Nothing was changed.")
        raise NotSignable([error("business-rule", told, "Composition.section")])
    if len(why.strip()) < 3:
        raise NotSignable([error("required", _("Say why the note is corrected."), "why")])
    awaits = text(note.get("status")) == AWAITS
    signature = signature_of(author, at, "personal" if awaits else "legal")
    reason = {"url": CORRECTED_WHY, "valueString": why.strip()[:_REASON_LENGTH]}
    signature["extension"] = [reason]
    written_by = objects(note.get("author"))
    corrected = {
        **note,
        "status": AWAITS if awaits else "amended",
        "date": signature["time"],
        "author": [*written_by],
        "attester": [*objects(note.get("attester")), signature],
        "section": _corrected_sections(note, stretches, tracer),
    }
    if author.reference not in {text(party.get("reference")) for party in written_by}:
        corrected["author"].append(_party(author.reference, author.name))
    # The narrative of the whole would still tell the old text.
    corrected.pop("text", None)
    if not stretches:
        raise NotSignable([error("required", _("The note has no text."), "Composition.section")])
    _refuse(check(corrected))
    return corrected


def _corrected_sections(
    note: Mapping[str, Any], stretches: Sequence[tuple[str, str]], tracer: Tracer | None
) -> list[dict[str, Any]]:
    """The new texts in their sections; a section that holds more than text is never dropped.

    Lines that stood there before come from where they came from then; others are looked for.
    """
    left = [dict(section) for section in objects(note.get("section"))]
    known = {trace.line: trace for section in left for trace in traces_of(section)}
    before = {bare(line) for line in note_text(note).split("\n")}
    made = []
    for heading, written in stretches:
        place = next((i for i, s in enumerate(left) if _heading(s, note) == heading), None)
        section = left.pop(place) if place is not None else {"title": heading or note_title(note)}
        lines = [bare(line) for line in written.split("\n")]
        new = "\n".join("" if line in before else line for line in lines)
        traces = [known[line] for line in lines if line in known]
        traces += tracer.of(new) if tracer else []
        made.append(with_traces({**section, "text": to_narrative(written)}, traces))
    for section in left:
        section.pop("text", None)
        if section.get("entry") or section.get("section"):
            made.append(section)
    return made


def _heading(section: Mapping[str, Any], note: Mapping[str, Any]) -> str:
    """The heading a section has in the text: "" when it is only named as the note is."""
    title = text(section.get("title"))
    return "" if title in (note_title(note), text(note.get("title"))) else title


def note_text(note: Mapping[str, Any]) -> str:
    """The plain text of a note's sections as it was written, with its headings."""
    return joined(sections_by_heading(note))


def sections_by_heading(note: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(heading, text) of a note's sections; the heading is "" for what stands under none."""
    return [
        (_heading(section, note), written)
        for section in objects(note.get("section"))
        if (written := to_plain(from_xhtml(mapping(section.get("text")).get("div"))))
    ]


def note_title(note: Mapping[str, Any]) -> str:
    """What the note is called: its type, else its title."""
    return concept_text(note.get("type")) or text(note.get("title"))


def check(note: Mapping[str, Any]) -> list[Issue]:
    """The rules of a Composition in this record, whichever door it comes through.

    A final one says something and names its author; each signature names a person and a time.
    """
    if text(note.get("status")) not in ("final", "amended"):
        return []
    found: list[Issue] = []
    if not _says_something(note):
        found.append(error("required", _("The note has no text."), "Composition.section"))
    if not any(
        p.get("reference") or p.get("display") or p.get("identifier")
        for p in objects(note.get("author"))
    ):
        found.append(error("required", _("The note has no author."), "Composition.author"))
    for place, attester in enumerate(objects(note.get("attester"))):
        if text(attester.get("mode")) in ("legal", "professional", "personal") and (
            bool(attester.get("time")) != bool(attester.get("party"))
        ):
            found.append(
                error(
                    "business-rule",
                    _("A signature needs both who and when."),
                    f"Composition.attester[{place}]",
                )
            )
    if len(_own_text(note)) > MAXIMUM_LENGTH:
        found.append(error("too-long", _("The note is too long."), "Composition.section"))
    return found


def _says_something(note: Mapping[str, Any]) -> bool:
    if text(mapping(note.get("text")).get("div")):
        return True
    waiting = objects(note.get("section"))
    while waiting:
        section = waiting.pop()
        if section.get("text") or section.get("entry") or section.get("emptyReason"):
            return True
        waiting += objects(section.get("section"))
    return False


def _own_text(note: Mapping[str, Any]) -> str:
    return "".join(text(mapping(s.get("text")).get("div")) for s in objects(note.get("section")))


def signature_of(author: Author, at: datetime, mode: str = "legal") -> dict[str, Any]:
    """An attester: who signs, when (aware), and as what (FHIR's composition-attestation-mode)."""
    return {
        "mode": mode,
        "time": at.isoformat(timespec="milliseconds"),
        "party": _party(author.reference, author.name),
    }


def _party(reference: str, name: str) -> dict[str, Any]:
    return {"reference": reference, **({"display": name} if name else {})}


def _refuse(issues: Sequence[Issue]) -> None:
    if issues:
        raise NotSignable(issues)
