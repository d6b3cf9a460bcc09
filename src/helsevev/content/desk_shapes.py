"""What content says of the desk: the shift's hand-over, isolation on the bed board, and maps."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from helsevev.content.shapes import Document, Shape, unique


class HandOver(Shape, frozen=True, kw_only=True):
    """The hand-over as a document: its type, its five headings, and what of the record it shows.

    What is newer than the last one, or than `hours`, is new; what is to come is shown for
    `ahead_hours`. `measured` are codes of which the newest value is told, in order.
    """

    hours: int
    ahead_hours: int
    system: str
    code: str
    display: str
    label: str
    loinc: str
    identification: str
    situation: str
    background: str
    assessment: str
    recommendation: str
    measured: tuple[str, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """The five headings in order."""
        return (
            self.identification, self.situation, self.background, self.assessment,
            self.recommendation,
        )  # fmt: skip

    @property
    def shift(self) -> timedelta:
        """How long a shift is taken to be where nobody has handed over."""
        return timedelta(hours=self.hours)


class Isolation(Shape, frozen=True, kw_only=True):
    """A way to isolate somebody."""

    code: str
    label: str


class Map(Shape, frozen=True, kw_only=True):
    """Where an address is shown, with {address} put in: on a map, and by a phone's own map."""

    place: str
    phone: str


class Column(Shape, frozen=True, kw_only=True):
    """One column: what it is called, and the FHIRPath of what stands in it.

    `codes` names the set of labels (`display/labels.toml`) by which codes in it are called.
    """

    label: str
    path: str
    kind: Literal["text", "time", "date"] = "text"
    codes: str = ""


class OwnList(Shape, frozen=True, kw_only=True):
    """What lists that somebody makes for themselves show, by the type they search in."""

    type: str
    label: str
    column: tuple[Column, ...]


class Ward(Document, frozen=True, kw_only=True):
    """All of it."""

    hand_over: HandOver
    isolation: tuple[Isolation, ...]
    own: tuple[OwnList, ...]
    map: Map

    def __post_init__(self) -> None:
        """Refuse two isolations of one code, and headings that cannot be told apart."""
        super().__post_init__()
        unique("own", (each.type for each in self.own))
        unique("isolation", (each.code for each in self.isolation))
        unique("heading", self.hand_over.headings)
