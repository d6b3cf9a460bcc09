"""What was written: Composition notes with sections, DocumentReference for letters."""

from __future__ import annotations

import base64

from .codes import Resource, coding, concept, no_basis, volven
from .story import Story, narrative, organisation, ref, staff

# Type of note -> (Volven 9602 code and display, what the note is called).
NOTES = {
    "progress": ("B02-2", "Journalnotat", "Journalnotat"),
    "nursing": ("B02-2", "Journalnotat", "Sykepleienotat"),
    "admission": ("B02-2", "Journalnotat", "Innkomstjournal"),
    "outpatient": ("B03-2", "Poliklinisk notat", "Poliklinisk notat"),
    "discharge": ("A03-2", "Epikrise", "Epikrise"),
    "nursing-summary": ("A04-2", "Sykepleiesammenfatning", "Sykepleiesammenfatning"),
    "out-of-hours": ("B02-2", "Journalnotat", "Legevaktnotat"),
    "home-visit": ("B02-2", "Journalnotat", "Hjemmebesøk"),
    "health-station": ("B02-2", "Journalnotat", "Helsestasjonsnotat"),
    "maternity": ("F04-2", "Svangerskap og fødsel", "Svangerskapskontroll"),
    "referral": ("I01-2", "Henvisninger", "Henvisning"),
}


def note(
    story: Story,
    slug: str,
    kind: str,
    when: str,
    by: str,
    at: str,
    sections: dict[str, str],
    *,
    title: str | None = None,
    encounter: str | None = None,
    status: str = "final",
    photos: tuple[tuple[str, str], ...] = (),
) -> str:
    """A signed note; each section is a heading and its text, a text with lines is a list.

    `photos` are (reference, title) of those that belong to it.
    """
    code, display, words = NOTES[kind]
    stamp = story.time.stamp(when)
    attested = [{"mode": "professional", "time": stamp, "party": staff(by)}]
    return story.add(
        "Composition",
        f"notat-{slug}",
        meta={"profile": [no_basis("Composition")]},
        text=narrative(*(f"{heading}: {text}" for heading, text in sections.items())),
        status=status,
        type=concept(words, coding(volven(9602), code, display)),
        subject=story.subject(),
        encounter=ref(encounter),
        date=stamp,
        author=[staff(by)],
        title=title or words,
        confidentiality="N",
        attester=attested if status == "final" else None,
        custodian=organisation(at),
        section=[
            *({"title": heading, "text": narrative(text)} for heading, text in sections.items()),
            *(
                [
                    {
                        "title": "Vedlegg",
                        "entry": [
                            {"reference": reference, "type": "Media", "display": words}
                            for reference, words in photos
                        ],
                    }
                ]
                if photos
                else ()
            ),
        ],
    )


def document(
    story: Story, slug: str, kind: str, title: str, when: str, by: str, at: str, text: str
) -> None:
    """A document that came from outside or was sent, kept as plain text."""
    code, display, words = NOTES[kind]
    attachment: Resource = {
        "contentType": "text/plain; charset=utf-8",
        "language": "nb-NO",
        "data": base64.b64encode(text.encode()).decode(),
        "title": title,
        "creation": story.time.stamp(when),
    }
    story.add(
        "DocumentReference",
        f"dokument-{slug}",
        meta={"profile": [no_basis("DocumentReference")]},
        status="current",
        docStatus="final",
        type=concept(words, coding(volven(9602), code, display)),
        subject=story.subject(),
        date=story.time.stamp(when),
        author=[staff(by)],
        custodian=organisation(at),
        description=title,
        content=[{"attachment": attachment}],
    )
