"""What stands ready beside a note, to be put in by a press: facts, and earlier notes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.content.packs.note_templates import Pull, What
from helsevev.documentation.note import note_title, sections_by_heading
from helsevev.documentation.notes.desk import Desk
from helsevev.documentation.notes.facts import pulled
from helsevev.fhir.reading import Moment, moment_of, objects, of_patient, reference_text
from helsevev.locale import gettext as _

_NOTES: Final = 8
_DAYS: Final = 72
_ORDER: Final[tuple[What, ...]] = (
    "observations", "problems", "medicines", "allergies", "encounter", "goals", "plans",
    "procedures", "vaccines", "appointments", "person",
)  # fmt: skip


class Earlier(Struct, frozen=True):
    """An earlier note: its sections as (heading, text)."""

    title: str
    by: str
    at: Moment | None
    sections: tuple[tuple[str, str], ...]

    @property
    def whole(self) -> str:
        """All of its text."""
        return "\n\n".join(f"{h}:\n{words}" if h else words for h, words in self.sections)


class DrawnOn(Struct, frozen=True):
    """Facts by what they are about, and the newest notes."""

    facts: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[Earlier, ...]


def drawn_on(desk: Desk, now: datetime) -> DrawnOn:
    """What of the opened record a note may draw on."""
    groups = []
    for what in _ORDER:
        hours = _DAYS if what == "observations" else 0
        found = pulled(Pull(what=what, hours=hours, most=20), desk.found, (), now)
        if what == "observations" and not found:
            # Nothing new: what was measured last, however long ago.
            found = pulled(Pull(what=what, most=10), desk.found, (), now)
        if found:
            groups.append((_called(what), tuple(fact.words for fact in found)))
    notes = tuple(_earlier(note) for note in of_patient(desk.notes)[:_NOTES])
    return DrawnOn(tuple(groups), tuple(note for note in notes if note.sections))


def _earlier(note: Mapping[str, Any]) -> Earlier:
    by = ", ".join(filter(None, (reference_text(each) for each in objects(note.get("author")))))
    return Earlier(note_title(note), by, moment_of(note, "date"), tuple(sections_by_heading(note)))


def _called(what: What) -> str:
    return {
        "observations": _("Measurements and results"), "problems": _("Problems"),
        "medicines": _("Medicines in use"), "allergies": _("Allergies"),
        "encounter": _("Present contact"), "goals": _("Goals"), "plans": _("Plans"),
        "procedures": _("Procedures"), "vaccines": _("Vaccines"),
        "appointments": _("Appointments"), "person": _("Age and sex"), "note": "",
    }[what]  # fmt: skip
