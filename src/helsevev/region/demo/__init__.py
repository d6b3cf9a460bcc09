"""A few inhabitants with a story: what `make demo` opens on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from importlib import import_module
from typing import Any

from . import medicines, rounds, staff, units
from .codes import Resource
from .staff import personas
from .story import Story, transaction

__all__ = ["INHABITANTS", "bundles", "history", "inhabitant", "personas"]

# Each is a module in `inhabitants/` with STORY (one sentence) and tell(story).
INHABITANTS: tuple[str, ...] = (
    "aslaug",
    "eira",
    "jonas",
    "hanne",
    "marit",
    "kare",
    "gunvor",
    "dagny",
    "silje",
    "sander",
    "even",
    "piotr",
)


def bundles(today: date) -> Iterator[dict[str, Any]]:
    """Transaction bundles to load in order: organisations and staff, then one per inhabitant.

    Every entry is a PUT at a fixed id, so loading again replaces and never doubles. `today` is the
    day the demo is loaded; a datetime lets the last measurements be hours rather than a night old.
    The same `today` gives the same bundles. Numbers with decimals are Decimal.
    """
    yield transaction(reference_resources())
    for key in INHABITANTS:
        yield inhabitant(key, today).bundle()


def history(today: date) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """(when, bundle): what was written in the weeks before, to be loaded as of those days.

    It comes after the first of `bundles`, and before the others.
    """
    yield from rounds.history(inhabitant(rounds.KEY, today))


def inhabitant(key: str, today: date) -> Story:
    """The story of one inhabitant, told as of `today`."""
    told = Story(key, today)
    import_module(f"{__name__}.inhabitants.{key}").tell(told)
    return told


def about(key: str) -> str:
    """One sentence about an inhabitant, for readers of the demo."""
    story: str = import_module(f"{__name__}.inhabitants.{key}").STORY
    return story


def reference_resources() -> list[Resource]:
    """Organisations, places, staff and products: what is about no inhabitant."""
    return [*units.resources(), *staff.resources(), *medicines.products()]
