"""Reads the content of decision support: what rules there are, and which facts they rest on."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from .decision_shapes import (
    Allergies,
    Contraindications,
    Doses,
    Duplicates,
    Facts,
    Interactions,
    Intervals,
    Levels,
)
from .loading import Shape, read


def _load(name: str, shape: type[Shape]) -> Shape:
    return read(files(__package__).joinpath(name).read_text(encoding="utf-8"), shape, name)


@cache
def interactions() -> Interactions:
    """The interactions that come with the program."""
    return _load("decision_support/interactions.toml", Interactions)


@cache
def allergies() -> Allergies:
    """Groups of allergies, and what crosses."""
    return _load("decision_support/allergies.toml", Allergies)


@cache
def duplicates() -> Duplicates:
    """Groups of which one at a time is used."""
    return _load("decision_support/duplicates.toml", Duplicates)


@cache
def doses() -> Doses:
    """Highest doses by age, weight and kidney function."""
    return _load("decision_support/doses.toml", Doses)


@cache
def contraindications() -> Contraindications:
    """What not to give in pregnancy, while breast-feeding, and with some problems."""
    return _load("decision_support/contraindications.toml", Contraindications)


@cache
def intervals() -> Intervals:
    """The fewest hours between doses."""
    return _load("decision_support/intervals.toml", Intervals)


@cache
def levels() -> Levels:
    """How loud each relevance is, reasons to go on, and the alert budget."""
    return _load("decision_support/levels.toml", Levels)


@cache
def facts() -> Facts:
    """Which measurements tell about the patient."""
    return _load("decision_support/facts.toml", Facts)


@cache
def cases() -> str:
    """The situations with the cards that are expected of them, as CSV."""
    found = files(__package__).joinpath("decision_support/cases.csv")
    return found.read_text(encoding="utf-8")
