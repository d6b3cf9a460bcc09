"""Reading: my patients, finding somebody, opening a chart and a part of it."""

from __future__ import annotations

from ..turn import Turn

_SECTIONS = ("timeline", "medications", "measurements", "results", "notes", "contacts", "plans")
_LOOK_SECONDS = 60.0
_TURN_SECONDS = 5.0


async def my_patients(turn: Turn) -> None:
    """Look at the list of those whom the unit treats."""
    await turn.page("my patients", "/")


async def open_chart(turn: Turn) -> None:
    """Open the chart and look at it while it follows what others write.

    Every fourth time it is read to its end, every third a part of it is opened in full.
    """
    base = f"/patient/{turn.patient}"
    await turn.page("open chart", base)
    await turn.follow("follow chart", f"{base}/live", _LOOK_SECONDS)
    if turn.chance.happens(1 / 4):
        await turn.page("rest of the chart", f"{base}/panel/timeline")
    if turn.chance.happens(1 / 3):
        await turn.think(_TURN_SECONDS)
        section = turn.chance.among(_SECTIONS)
        await turn.page("open a part of it", f"{base}/{section}")


async def find_person(turn: Turn) -> None:
    """Search for somebody by the family name, on the page for that."""
    if not turn.board.words:
        return
    await turn.page("search page", "/patients")
    await turn.think(5.0)
    await turn.search("search", "/patients", {"words": turn.chance.among(turn.board.words)})
