"""What a track-and-trigger score is as content: points by steps, and what each total asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from helsevev.content.shapes import Document, Shape


class Step(Shape, frozen=True, kw_only=True):
    """Points for values up to and including `up_to`; the last step has no upper end."""

    points: int
    up_to: Decimal | None = None


class ScorePart(Shape, frozen=True, kw_only=True):
    """One part of a score: what is read, and the points for each step of it."""

    key: str
    snomed: str
    label: str
    reads: str
    step: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse steps that do not rise to one open end."""
        ends = [each.up_to for each in self.step]
        closed = [end for end in ends if end is not None]
        if ends[-1:] != [None] or len(closed) != len(ends) - 1 or closed != sorted(set(closed)):
            raise ValueError(f"{self.key}: steps must rise and the last must be open")

    def points(self, value: Decimal | int) -> int:
        """The points for a value."""
        for each in self.step:
            if each.up_to is None or value <= each.up_to:
                return each.points
        raise AssertionError("the last step is open")


class Answer(Shape, frozen=True, kw_only=True):
    """One choice of a coded part and its points."""

    key: str
    label: str
    points: int
    snomed: str | None = None


class Response(Shape, frozen=True, kw_only=True):
    """What a total from `at_least` asks for; `single` is for one part that reaches it alone.

    Where somebody has to be called, `within_minutes` says how soon, and `calls` whom, the first
    that the record names: `responsible` (for the stay) or `measurer`.
    """

    at_least: int
    risk: str
    label: str
    action: str
    single: bool = False
    within_minutes: int = 0
    calls: tuple[Literal["responsible", "measurer"], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a deadline without anybody to keep it."""
        if bool(self.within_minutes) != bool(self.calls):
            raise ValueError(f"{self.label}: within_minutes and calls belong together")


class ScoreCase(Shape, frozen=True, kw_only=True):
    """One worked example of NEWS2: what was measured and the total it must give."""

    name: str
    respiration: int
    saturation: int
    oxygen: bool
    systolic: int
    pulse: int
    consciousness: str
    temperature: Decimal
    total: int
    scale_2: bool = False


class Exclusion(Shape, frozen=True, kw_only=True):
    """For whom a score is not meant: those with an active problem whose code begins so."""

    label: str
    codes: tuple[str, ...]


class News2(Document, frozen=True, kw_only=True):
    """NEWS2 as a table: parts with steps, coded parts, what a total asks for, and cases."""

    snomed: str
    from_years: int
    not_when: tuple[Exclusion, ...]
    part: tuple[ScorePart, ...]
    oxygen: tuple[Answer, ...]
    consciousness: tuple[Answer, ...]
    response: tuple[Response, ...]
    case: tuple[ScoreCase, ...]

    def named(self, key: str) -> ScorePart:
        """The part with this key. KeyError when there is none."""
        for each in self.part:
            if each.key == key:
                return each
        raise KeyError(key)
