"""Reads the content that planning shares."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from .care_plan_shapes import Functions, Planning
from .loading import Shape, read


def _load(name: str, shape: type[Shape]) -> Shape:
    return read(files(__package__).joinpath(name).read_text(encoding="utf-8"), shape, name)


@cache
def functions() -> Functions:
    """The functions that municipalities assess, and the levels."""
    return _load("care_plan/functions.toml", Functions)


@cache
def planning() -> Planning:
    """Reasons, achievements, disciplines and deadlines of plans and decisions."""
    return _load("care_plan/planning.toml", Planning)
