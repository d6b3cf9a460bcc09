"""Shapes of the content that planning shares: functions and their levels, reasons, assessments."""

from __future__ import annotations

from .shapes import Document, Shape, unique


class Function(Shape, frozen=True, kw_only=True):
    """One function that is assessed: its code in Volven 9111, its name, and its group."""

    code: str
    label: str
    group: str


class Level(Shape, frozen=True, kw_only=True):
    """One level of a function, and what it means."""

    level: int
    label: str


class Functions(Document, frozen=True, kw_only=True):
    """The functions that municipalities assess before they decide, and the levels."""

    system: str
    valid_days: int
    function: tuple[Function, ...]
    level: tuple[Level, ...]

    def __post_init__(self) -> None:
        """Refuse a code or a level that occurs twice."""
        super().__post_init__()
        unique("function", (each.code for each in self.function))
        unique("level", (str(each.level) for each in self.level))


class Choice(Shape, frozen=True, kw_only=True):
    """A code that is chosen, and its words."""

    code: str
    label: str


class Planning(Document, frozen=True, kw_only=True):
    """Why a task was not done, how far a goal is reached, and who may be asked to do what."""

    not_done: tuple[Choice, ...]
    achievement: tuple[Choice, ...]
    discipline: tuple[str, ...]
    complaint_weeks: int
    complaint_to: str
    complaint_law: str
    individual_law: str
    coordinator_law: str


FILES: dict[str, type[Document]] = {
    "care_plan/functions.toml": Functions,
    "care_plan/planning.toml": Planning,
}
"""The files, and the shape of each."""
