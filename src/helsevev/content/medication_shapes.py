"""Shapes of the content about ordering medicines: usual ways to order, and reasons to stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from helsevev.content.shapes import Document, Shape, unique


class OrderSentence(Shape, frozen=True, kw_only=True):
    """A usual way to order a substance, in the terms of the order form.

    `atc` is a code or the beginning of one. `form`, when given, is a word of the product's form.
    `how`: so many times a day (`often`), each so many hours, as needed, or as a falling course,
    which begins at `amount` and falls by `down` every `days` days until `last`.
    """

    atc: str
    how: Literal["daily", "hours", "as-needed", "taper"]
    amount: Decimal
    unit: str
    form: str = ""
    often: int = 1
    at: tuple[str, ...] = ()
    hours: int = 0
    most: Decimal | None = None
    needed_for: str = ""
    reason: str = ""
    course_days: int = 0
    down: Decimal = Decimal(0)
    days: int = 0
    last: Decimal = Decimal(0)


class OrderSentences(Document, frozen=True, kw_only=True):
    """Usual ways to order, the most usual first, and what stops and pauses are usually for.

    `several` is what a unit is called when there is more than one of it.
    """

    units: tuple[str, ...]
    several: dict[str, str]
    stop_reasons: tuple[str, ...]
    pause_reasons: tuple[str, ...]
    sentence: tuple[OrderSentence, ...]

    def __post_init__(self) -> None:
        """Refuse the same way to order twice."""
        super().__post_init__()
        unique("sentence", (repr(each) for each in self.sentence))

    def of(self, atc: str, form: str) -> tuple[OrderSentence, ...]:
        """The ways to order a product by its ATC code and the words of its form."""
        return tuple(
            each for each in self.sentence
            if atc.startswith(each.atc) and each.form.casefold() in form.casefold()
        )  # fmt: skip
