"""Notes: opened, written under the headings that the page offers, and signed."""

from __future__ import annotations

from ..staff import form
from ..turn import Failed, Turn

_WRITE_SECONDS = 90.0
_SAID = (
    "Oppe og påkledd. Spiser og drikker bra.",
    "Klager over tunge bein. Ødem rundt anklene.",
    "Ustø i dag. Gikk med rullator.",
    "Avtalt ny kontroll om en uke.",
    "Rolig natt, sov godt.",
    "Pårørende er informert.",
    "Smertefri i hvile, 3 av 10 ved bevegelse.",
)


async def write_note(turn: Turn) -> None:
    """Write and sign a note, and come back to the chart."""
    base = f"/patient/{turn.patient}"
    draft = turn.mark
    page = await turn.page("open note form", f"{base}/notes/new?draft={draft}")
    try:
        fields = form(page.body, f"{base}/notes")
    except ValueError as problem:
        turn.board.tally.error("open note form", str(problem))
        raise Failed from None
    await turn.page("banner", f"{base}/panel/banner")
    headings = [line.rstrip(":") for line in fields["text"].splitlines() if line.endswith(":")]
    said = [(heading, turn.chance.among(_SAID)) for heading in headings] or [("", _SAID[0])]
    said[-1] = (said[-1][0], f"{said[-1][1]} Merke {turn.mark}.")
    fields["text"] = "\n".join(
        f"{heading}:\n{text}\n" if heading else text for heading, text in said
    )
    await turn.think(_WRITE_SECONDS)
    content = [[heading, text] for heading, text in said]
    number = turn.board.ledger.intend(
        "sign note", "note", "Composition", turn.patient, turn.mark, content
    )
    await turn.sign("sign note", f"{base}/notes", fields, number)
    await turn.page("open chart", base)
