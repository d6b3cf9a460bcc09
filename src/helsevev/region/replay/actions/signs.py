"""Vital signs: a round typed into the page's form, and signed."""

from __future__ import annotations

from ...chance import Chance
from ..staff import form
from ..turn import Failed, Turn

_MEASURE_SECONDS = 120.0
# The form's field, its LOINC code, what is usual and how far it strays.
_MEASURED = (
    ("respiration", "9279-1", 16, 3),
    ("saturation", "2708-6", 96, 2),
    ("systolic", "8480-6", 132, 18),
    ("diastolic", "8462-4", 76, 9),
    ("pulse", "8867-4", 76, 10),
)


async def measure(turn: Turn) -> None:
    """Measure respiration, saturation, blood pressure and pulse, sign, and look at the chart."""
    base = f"/patient/{turn.patient}"
    page = await turn.page("open vital signs form", f"{base}/vital-signs")
    try:
        fields = form(page.body, f"{base}/vital-signs")
    except ValueError as problem:
        turn.board.tally.error("open vital signs form", str(problem))
        raise Failed from None
    await turn.page("banner", f"{base}/panel/banner")
    await turn.think(_MEASURE_SECONDS)
    # Drawn for this replay alone: numbers and second together are found again.
    chance = Chance(turn.mark)
    content = []
    for name, code, usual, strays in _MEASURED:
        value = str(usual + chance.whole(-strays, strays))
        fields[name] = value
        content.append([code, value])
    fields["time"] = turn.moment[:19]
    number = turn.board.ledger.intend(
        "sign vital signs", "round", "Observation", turn.patient, turn.moment, sorted(content),
    )  # fmt: skip
    await turn.sign("sign vital signs", f"{base}/vital-signs", fields, number)
    await turn.page("open chart", base)
