"""Notes: opened, written below what the page has under its headings, and signed."""

from __future__ import annotations

import re
from typing import Final

from ..notation import MARKED
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
# A heading opens a paragraph: "Målinger:" below one is a line that a template puts above facts.
_HEADING: Final = re.compile(r"(?:\A|\n\n)([^\n]+):(?=\n|\Z)")
_BLANK: Final = "___"
_FILLED_IN: Final = "1"


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
    await turn.search("what a note draws on", f"{base}/notes/sources", fields)
    written = [
        (heading, f"{brought}\n{turn.chance.among(_SAID)}".strip())
        for heading, brought in opened(fields["text"])
    ]
    heading, text = written[-1]
    written[-1] = (heading, f"{text} {MARKED} {turn.mark}.")
    fields["text"] = "\n\n".join(
        f"{heading}:\n{text}" if heading else text for heading, text in written
    )
    await turn.think(_WRITE_SECONDS)
    content = [[heading, " ".join(text.split())] for heading, text in written]
    number = turn.board.ledger.intend(
        "sign note", "note", "Composition", turn.patient, turn.mark, content
    )
    await turn.sign("sign note", f"{base}/notes", fields, number)
    await turn.page("open chart", base)


def opened(text: str) -> list[tuple[str, str]]:
    """(heading, what the page has brought under it), blanks filled in; "" where there is none."""
    before, *rest = _HEADING.split(text.replace("\r\n", "\n").replace(_BLANK, _FILLED_IN))
    found = list(zip(rest[::2], (brought.strip() for brought in rest[1::2]), strict=True))
    return [("", before.strip()), *found] if before.strip() or not found else found
