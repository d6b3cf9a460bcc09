"""Says that a check could not run, and what was missing: never silence (G23)."""

from __future__ import annotations

from typing import Final

from helsevev.content.decision_shapes import Level
from helsevev.decision_support.cards import Card, Why
from helsevev.locale import gettext as _

VERSION: Final = "1"


def cannot_run(check: str, why: Why, text: str, level: Level = "quiet") -> Card:
    """A card that stands for a check that could not run."""
    return Card(
        rule=f"cannot-run.{check.partition(':')[0]}", version=VERSION, level=level,
        title=_("Not checked"), text=text, source="", key=f"cannot-run.{check}",
        kind="cannot-run", why=why,
    )  # fmt: skip
