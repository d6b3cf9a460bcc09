"""What can be ordered, as professionals write it: examinations, procedures, referrals, and sets."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from helsevev.content.packs.item import Item
from helsevev.content.shapes import Shape, unique

LABORATORY: Final = "laboratory"
IMAGING: Final = "imaging"
PROCEDURE: Final = "procedure"
REFERRAL: Final = "referral"
SETS: Final = "sets"
_MARKS: Final = re.compile(r"[(),/+-]")


class Orderable(Shape, frozen=True, kw_only=True):
    """One thing to order.

    `nlk` is its code in the Norwegian laboratory code system, `words` what else one may type to
    find it. `side` says that the anatomy is paired, so that a side has to be chosen. `shows` are
    LOINC codes whose newest values stand beside it: what decides whether it is safe or needed.
    """

    key: str
    label: str
    nlk: str = ""
    words: str = ""
    side: bool = False
    shows: tuple[str, ...] = ()
    note: str = ""


class OrderedTogether(Shape, frozen=True, kw_only=True):
    """Things that are often ordered together, from any catalogue; `reason` fills the form."""

    key: str
    label: str
    words: str = ""
    orders: tuple[str, ...]
    reason: str = ""


class OrderCase(Shape, frozen=True, kw_only=True):
    """What is typed, and the keys that it must find first, in their order."""

    typed: str
    finds: tuple[str, ...]


class Orders(Item, frozen=True, kw_only=True):
    """One catalogue, or (kind "sets") things that are ordered together.

    `place` are words in the name of the unit that does it; without them the ordering unit does.
    `ordered_by` are the professions that may order it. `asks_why` says that a reason must be
    given. `is_collected` says that a sample is taken first. `hours` and `urgent_hours` are how
    long it may take until there is an answer.
    """

    folder: ClassVar[str] = "orders"

    kind: str
    place: tuple[str, ...] = ()
    ordered_by: tuple[str, ...] = ()
    asks_why: bool = False
    is_collected: bool = False
    hours: int = 72
    urgent_hours: int = 4
    order: tuple[Orderable, ...] = ()
    set: tuple[OrderedTogether, ...] = ()
    case: tuple[OrderCase, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an unknown kind, a catalogue nobody may order from, and cases that fail."""
        super().__post_init__()
        if self.kind not in (LABORATORY, IMAGING, PROCEDURE, REFERRAL, SETS):
            raise ValueError(f"kind must be one of the five, not {self.kind!r}")
        if self.order and not self.ordered_by:
            raise ValueError("a catalogue says who may order from it")
        unique("order", (each.key for each in self.order))
        unique("set", (each.key for each in self.set))
        unique("nlk", (each.nlk for each in self.order if each.nlk))
        if problems := self.faults():
            raise ValueError("; ".join(problems))

    def faults(self) -> list[str]:
        """The cases that do not come out as they say, in words."""
        found = []
        for case in self.case:
            got = tuple(each.key for each in self.find(case.typed))[: len(case.finds)]
            if got != case.finds:
                found.append(f"{case.typed!r} finds {', '.join(got) or 'nothing'}")
        return found

    def find(self, typed: str) -> list[Orderable | OrderedTogether]:
        """What typed words may mean, the closest first: every word begins one of its own."""
        asked = asked_words(typed)
        if not asked:
            return []
        offered: tuple[Orderable | OrderedTogether, ...] = (*self.set, *self.order)
        ranked = [(place, each) for each in offered if (place := place_of(each, asked)) is not None]
        ranked.sort(key=lambda pair: pair[0])
        return [each for _, each in ranked]


def asked_words(typed: str) -> list[str]:
    """What is typed, in words to look up."""
    return _MARKS.sub(" ", typed.casefold()).split()


def place_of(of: Orderable | OrderedTogether, asked: list[str]) -> tuple[int, int] | None:
    """How close something is to what is asked, smaller is closer; None when it is not meant."""
    code = of.nlk if isinstance(of, Orderable) else ""
    words = _MARKS.sub(" ", f"{of.label} {of.words} {code}".casefold()).split()
    if not all(any(word.startswith(each) for word in words) for each in asked):
        return None
    named = _MARKS.sub(" ", of.label.casefold()).split()
    return sum(each not in words for each in asked), len(named)
