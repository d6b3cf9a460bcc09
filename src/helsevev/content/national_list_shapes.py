"""What the content about the national list of medicines must contain."""

from __future__ import annotations

from decimal import Decimal

from .shapes import Document, Shape, unique


class TimeOfDay(Shape, frozen=True, kw_only=True):
    """One of the service's times of day (Volven 8325), and which hours are sent as it.

    `hours` is the first hour and the first one after it; the night goes past midnight.
    """

    code: str
    name: str
    hours: tuple[int, int]


class NationalListRules(Document, frozen=True, kw_only=True):
    """How doses are said to the national service, and for how long what it said is fresh.

    `day` is the service's unit of an interval, `other_reason` its word for code X of Volven 7494;
    `fresh_minutes` are minutes after fetching.
    """

    day: str
    other_reason: str
    fresh_minutes: int
    time: tuple[TimeOfDay, ...]

    def __post_init__(self) -> None:
        """Refuse an hour that is two times of day, or none."""
        super().__post_init__()
        unique("time", (each.code for each in self.time))
        covered = [hour % 24 for each in self.time for hour in _hours(each)]
        if sorted(covered) != list(range(24)):
            raise ValueError("each hour is in exactly one time of day")


def _hours(each: TimeOfDay) -> range:
    low, high = each.hours
    return range(low, high if high > low else high + 24)


class SimulatedLine(Shape, frozen=True, kw_only=True):
    """A medicine of an invented national list; without `times` only the words say the dose.

    `times` are codes of Volven 8325, `use` of 9101; `days_ago` is when it was prescribed.
    """

    name: str
    atc: str
    substance: str
    words: str
    what_for: str
    days_ago: int
    amount: Decimal | None = None
    unit: str = ""
    times: tuple[str, ...] = ()
    use: str = "1"
    is_prescription: bool = False
    is_multidose: bool = False
    stopped_days_ago: int = 0
    stopped_why: str = ""


class SimulatedAllergy(Shape, frozen=True, kw_only=True):
    """An allergy that the invented summary care record tells."""

    name: str
    atc: str
    reaction: str


class SimulatedList(Shape, frozen=True, kw_only=True):
    """What the invented service holds of the demo's person with this given name."""

    given: str
    line: tuple[SimulatedLine, ...]
    allergy: tuple[SimulatedAllergy, ...] = ()


class SimulatedLists(Document, frozen=True, kw_only=True):
    """The invented lists of the demo."""

    list: tuple[SimulatedList, ...]
