"""Reading: my patients, finding somebody, opening a chart and a part of it."""

from __future__ import annotations

from ..turn import Turn

_SECTIONS = ("timeline", "medications", "measurements", "results", "notes", "contacts", "plans")
_LOOK_SECONDS = 20.0


async def my_patients(turn: Turn) -> None:
    """Look at the list of those whom the unit treats."""
    await turn.page("my patients", "/")


async def open_chart(turn: Turn) -> None:
    """Open the chart; every third time a part of it in full as well."""
    await turn.page("open chart", f"/patient/{turn.patient}")
    if turn.chance.happens(1 / 3):
        await turn.think(_LOOK_SECONDS)
        section = turn.chance.among(_SECTIONS)
        await turn.page("open a part of it", f"/patient/{turn.patient}/{section}")


async def find_person(turn: Turn) -> None:
    """Search for somebody by the family name, on the page for that."""
    if not turn.board.words:
        return
    await turn.page("search page", "/patients")
    await turn.think(5.0)
    await turn.search("search", "/patients", {"words": turn.chance.among(turn.board.words)})
