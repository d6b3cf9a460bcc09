"""Forms that some inhabitants have been asked: by whom, when, and the points of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Answered(NamedTuple):
    """One form: whose, which (the content's key), who filled it in, and how many days ago.

    `points` are linkId -> what the answer counts.
    """

    patient: str
    form: str
    by: str
    days: int
    points: Mapping[str, int]


def _barthel(points: str) -> dict[str, int]:
    keys = (
        "eating", "bathing", "grooming", "dressing", "bowels", "bladder", "toilet", "transfer",
        "mobility", "stairs",
    )  # fmt: skip
    return {key: int(each) for key, each in zip(keys, points, strict=True)}


def _four_at(points: str) -> dict[str, int]:
    keys = ("alertness", "amt4", "attention", "course")
    return {key: int(each) for key, each in zip(keys, points, strict=True)}


ANSWERED: Final = (
    # Aslaug was well before the fall, and is on her way back.
    Answered("aslaug", "barthel", "home-care-nurse", 190, _barthel("2112222332")),
    Answered("aslaug", "barthel", "home-care-nurse", 6, _barthel("2111221221")),
    Answered("aslaug", "barthel", "home-care-nurse", 1, _barthel("2112222231")),
    Answered("aslaug", "4at", "home-care-nurse", 6, _four_at("0100")),
    # Gunvor's delirium came and went.
    Answered("gunvor", "4at", "ward-nurse", 5, _four_at("4224")),
    Answered("gunvor", "4at", "ward-nurse", 3, _four_at("0114")),
    Answered("gunvor", "4at", "ward-nurse", 1, _four_at("0010")),
    Answered("dagny", "barthel", "nursing-home-nurse", 20, _barthel("1000100110")),
)
"""The oldest first for each inhabitant."""
