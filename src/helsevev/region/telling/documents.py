"""What was written: notes with sections, letters, and messages between those who treat."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..calendar import stamp
from ..catalogue import Unit
from ..demo.codes import coding, concept, hl7, no_basis, volven
from ..demo.notes import NOTES
from ..life import Contact, Tale, at_unit, named
from ..notation import Raw, narrative_of, raw
from ..workforce import Worker

_NOTE = raw({"profile": [no_basis("Composition")]})


@cache
def _type(kind: str) -> Raw:
    code, display, text = NOTES[kind]
    return raw(concept(text, coding(volven(9602), code, display)))


def note(
    t: Tale, seen: Contact | None, kind: str, sections: dict[str, str], title: str | None = None
) -> None:
    """A signed note of a contact; each section is a heading and its text."""
    if seen is not None:
        written(t, seen.end, kind, seen.by, seen.unit, sections, seen.reference, title)


def written(
    t: Tale,
    at: int,
    kind: str,
    by: Worker,
    unit: Unit,
    sections: dict[str, str],
    encounter: str | None = None,
    title: str | None = None,
) -> None:
    """A signed note at an instant; nothing outside what is told."""
    if not t.life.holds(at):
        return
    when, author = stamp(at), named(by)
    content: dict[str, Any] = {
        "meta": _NOTE,
        "text": narrative_of(*(f"{heading}: {text}" for heading, text in sections.items())),
        "status": "final",
        "type": _type(kind),
        "subject": t.life.subject,
        "date": when,
        "author": [author],
        "title": title or NOTES[kind][2],
        "confidentiality": "N",
        "attester": [{"mode": "professional", "time": when, "party": author}],
        "custodian": at_unit(unit),
        "section": [
            {"title": heading, "text": narrative_of(text)} for heading, text in sections.items()
        ],
    }
    if encounter is not None:
        content["encounter"] = {"reference": encounter}
    t.life.put("Composition", content)


_CHAT = [raw(concept("Samtale om pasient", coding(hl7("communication-category"), "notification")))]


def message(t: Tale, at: int, by: Worker, to: Unit, text: str, answers: str | None) -> str | None:
    """One message about the inhabitant to those at a unit; returns it for the next to answer."""
    if not t.life.holds(at):
        return None
    when = stamp(at)
    content: dict[str, Any] = {
        "status": "completed",
        "category": _CHAT,
        "subject": t.life.subject,
        "sent": when,
        "received": stamp(min(at + t.chance.whole(0, 40), t.life.end)),
        "sender": named(by),
        "recipient": [at_unit(to)],
        "payload": [{"contentString": text}],
    }
    if answers is not None:
        content["inResponseTo"] = [{"reference": answers}]
    return t.life.put("Communication", content)
