"""What the content about reconciling medicines must contain: reasons, deadlines, who is told."""

from __future__ import annotations

from typing import Literal

from .shapes import Document, Shape, unique

At = Literal["admission", "transfer", "discharge", "home"]
Verb = Literal["continue", "change", "pause", "stop", "start"]


class DecisionReason(Shape, frozen=True, kw_only=True):
    """Why a medicine is changed, paused, stopped or started. `code` is kept in the record."""

    code: str
    label: str
    verbs: tuple[Verb, ...]


class Usual(Shape, frozen=True, kw_only=True):
    """The reason that stands chosen for a decision at a transition, until somebody chooses another.

    `found` is in which lists the medicine is: "home", "ward", "both" or "said".
    """

    at: At
    verb: Verb
    found: Literal["home", "ward", "both", "said"]
    reason: str


class Excuse(Shape, frozen=True, kw_only=True):
    """Why nobody is told of a change."""

    code: str
    label: str


class Reconciliation(Document, frozen=True, kw_only=True):
    """All that professionals decide of reconciling medicines.

    `hours` is within how long those who are told acknowledge, `unsure_hours` the same when
    something was left open. `told_at` are the transitions that others are told of.
    """

    hours: int
    unsure_hours: int
    told_at: tuple[At, ...]
    reason: tuple[DecisionReason, ...]
    usual: tuple[Usual, ...]
    nobody_told: tuple[Excuse, ...]

    def __post_init__(self) -> None:
        """Refuse repeated codes, and usual reasons that do not go with their decision."""
        super().__post_init__()
        unique("reason", (each.code for each in self.reason))
        unique("nobody_told", (each.code for each in self.nobody_told))
        fitting = {(each.code, verb) for each in self.reason for verb in each.verbs}
        for each in self.usual:
            if (each.reason, each.verb) not in fitting:
                raise ValueError(f"usual names {each.reason}, which is no reason to {each.verb}")

    def label_of(self, code: str, verb: str) -> str:
        """The words of a reason for a decision; "" when it is none."""
        return next(
            (each.label for each in self.reason if each.code == code and verb in each.verbs), ""
        )

    def usual_for(self, at: str, verb: str, found: str) -> str:
        """The code of the reason that stands chosen; "" when a person has to choose."""
        return next(
            (u.reason for u in self.usual if (u.at, u.verb, u.found) == (at, verb, found)), ""
        )
