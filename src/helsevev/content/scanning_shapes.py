"""What the content of scanning must contain: what is signed at once, limits, and ways on."""

from __future__ import annotations

from .round_shapes import Reason
from .shapes import Document, Shape, unique


class Keeping(Shape, frozen=True, kw_only=True):
    """How many hours a prepared dose of some forms (7448; none: of all others) keeps."""

    hours: int
    forms: tuple[str, ...] = ()


class Scanning(Document, frozen=True, kw_only=True):
    """All that professionals decide of scanning.

    `at_once` are the units (references) where a right scan signs by itself. A wristband holds for
    `wristband_minutes` at the same patient's page. `most_pieces` is how many pieces may make a dose
    that was ordered in another strength. What follows a stop within `acted_within_minutes` counts
    as acted on. `no_wristband` is the reason (of the rounds) to scan without one.
    """

    wristband_minutes: int
    most_pieces: int
    acted_within_minutes: int
    no_wristband: str
    keeping: tuple[Keeping, ...]
    act: tuple[Reason, ...]
    at_once: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an act twice, and content that does not say how long any dose keeps."""
        super().__post_init__()
        unique("act", (each.code for each in self.act))
        if not any(not each.forms for each in self.keeping):
            raise ValueError("keeping must have hours for forms that are not named")
