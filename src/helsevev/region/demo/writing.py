"""Notes that are not one person's words alone: copied, awaiting a co-signature, with a photo."""

from __future__ import annotations

import base64

from .codes import Resource, coding, concept, no_basis, volven
from .notes import NOTES
from .pictures import photo_of_a_cast
from .story import Story, narrative, organisation, ref, staff
from .waiting import waits

_EXTENSION = "https://helsevev.no/fhir/StructureDefinition/brought-text"


def brought(line: str, kind: str, source: str, said: str = "") -> Resource:
    """That a line was fetched from an entry ("record"), or copied from a note ("copy")."""
    return {
        "url": _EXTENSION,
        "extension": [
            {"url": "text", "valueString": line},
            {"url": "kind", "valueCode": kind},
            {"url": "source", "valueReference": ref(source, said or None)},
        ],
    }


def awaiting_note(
    story: Story,
    slug: str,
    kind: str,
    when: str,
    by: str,
    at: str,
    sections: dict[str, tuple[str, tuple[Resource, ...]]],
    *,
    cosigner: str,
    due: str,
    encounter: str | None = None,
) -> str:
    """A note that somebody in training has signed, and the task of who is to sign it too.

    Each section is a heading, its text, and where its lines came from.
    """
    code, display, words = NOTES[kind]
    stamp = story.time.stamp(when)
    note = story.add(
        "Composition",
        f"notat-{slug}",
        meta={"profile": [no_basis("Composition")]},
        status="preliminary",
        type=concept(words, coding(volven(9602), code, display)),
        subject=story.subject(),
        encounter=ref(encounter),
        date=stamp,
        author=[staff(by)],
        title=words,
        attester=[{"mode": "personal", "time": stamp, "party": staff(by)}],
        custodian=organisation(at),
        section=[_section(heading, text, traces) for heading, (text, traces) in sections.items()],
    )
    waits(
        story, f"medsigner-{slug}", ("co-sign", "Notat å medsignere"),
        f"{words}, {(staff(by) or {}).get('display', '')}", at, when, due, by=by, owner=cosigner,
        about=note,
    )  # fmt: skip
    return note


def _section(heading: str, text: str, traces: tuple[Resource, ...]) -> Resource:
    made: Resource = {"title": heading, "text": narrative(*text.split("\n"))}
    if traces:
        made["extension"] = list(traces)
    return made


def photo(story: Story, slug: str, title: str, when: str, by: str) -> tuple[str, str]:
    """A photo taken at the bedside: (its reference, its title)."""
    content = photo_of_a_cast()
    reference = story.add(
        "Media",
        f"foto-{slug}",
        status="completed",
        type=concept("Foto", coding(
            "http://terminology.hl7.org/CodeSystem/media-type", "image", "Image"
        )),
        subject=story.subject(),
        createdDateTime=story.time.stamp(when),
        operator=staff(by),
        content={
            "contentType": "image/png",
            "title": title,
            "size": len(content),
            "data": base64.b64encode(content).decode(),
        },
    )  # fmt: skip
    return reference, title
