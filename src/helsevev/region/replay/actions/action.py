"""What an action is: its name, how often it happens in the whole region, and how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..curve import CONTACTS, Curve
from ..turn import Turn


class Action(NamedTuple):
    """One row of the day."""

    name: str
    a_day: float
    """Times on a weekday at scale 1, 740,000 inhabitants."""
    do: Callable[[Turn], Awaitable[None]]
    """Carries it out by the turn's steps."""
    source: str
    """Where the number is from; `estimate` and what it rests on when nobody has stated it."""
    curve: Curve = CONTACTS
    gives_medicines: bool = False
    """Whether it is done only for patients who are given medicines."""
