"""What the content says of answering a result: what may come next, and who may acknowledge it."""

from __future__ import annotations

from typing import Literal

from .shapes import Document, Shape, unique


class NextStep(Shape, frozen=True, kw_only=True):
    """What comes after a result is seen.

    `does` is "nothing"; "task": somebody (`to`: who acknowledges, or their unit) is asked for it
    within `days`; or "opens": the page `opens` is next, with {patient} and {orders} put in.
    `needs_words` when it cannot be done without saying what.
    """

    code: str
    label: str
    does: Literal["nothing", "task", "opens"]
    to: Literal["me", "unit"] = "me"
    days: int = 0
    opens: str = ""
    needs_words: bool = False

    def __post_init__(self) -> None:
        """Refuse a task without a deadline, and a page without an address."""
        if self.does == "task" and self.days < 1:
            raise ValueError(f"{self.code}: a task has a deadline")
        if (self.does == "opens") != bool(self.opens):
            raise ValueError(f"{self.code}: opens says which page, and only then")


class ResultAnswers(Document, frozen=True, kw_only=True):
    """How results are acknowledged.

    `history_days` is how old an answer may be when it comes without being old history that nobody
    waits for; `acknowledged_by` the professions that may acknowledge.
    """

    history_days: int
    acknowledged_by: tuple[str, ...]
    step: tuple[NextStep, ...]

    def __post_init__(self) -> None:
        """Refuse a step that occurs twice."""
        super().__post_init__()
        unique("step", (each.code for each in self.step))

    def one(self, code: str) -> NextStep | None:
        """A step by its code."""
        return next((each for each in self.step if each.code == code), None)
