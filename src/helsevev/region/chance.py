"""Seeded chance: every inhabitant and every course of theirs has a stream of its own."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from random import Random
from typing import TypeVar

Kind = TypeVar("Kind")


class Chance:
    """One stream of draws, the same on every machine for the same names.

    Only `Random.random` is used, whose sequence Python promises to keep.
    """

    __slots__ = ("draw",)

    def __init__(self, *names: object) -> None:
        text = "\x1f".join(map(str, names)).encode()
        seed = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
        self.draw = Random(seed).random  # noqa: S311 - the same every time, and no secret

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return self.draw() < probability

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number from the lowest to the highest, both included."""
        return lowest + int(self.draw() * (highest - lowest + 1))

    def between(self, lowest: float, highest: float) -> float:
        """A number between two others, all alike likely."""
        return lowest + self.draw() * (highest - lowest)

    def among(self, choices: Sequence[Kind]) -> Kind:
        """One of the choices, all alike likely."""
        return choices[int(self.draw() * len(choices))]

    def weighted(self, choices: Sequence[tuple[Kind, float]]) -> Kind:
        """One of the choices, each as likely as its weight says."""
        left = self.draw() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def around(self, mean: float, deviation: float) -> float:
        """Near enough a normal distribution, without its outermost tails (3.4 deviations)."""
        draw = self.draw
        return mean + (draw() + draw() + draw() + draw() - 2.0) * 1.7320508 * deviation

    def wait(self, per_year: float) -> int:
        """Days until the next of events that come `per_year` times a year; at least one day."""
        if per_year <= 0:
            return 10**6
        return max(1, int(-log(1.0 - self.draw()) * 365.25 / per_year))


def step(table: Sequence[Sequence[float]], place: float) -> float:
    """The value of a table of (from, value) rows that holds at a place; 0 before the first row."""
    found = 0.0
    for first, value in table:
        if place < first:
            break
        found = value
    return found
