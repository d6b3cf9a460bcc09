"""Sets of whole numbers as sorted runs: half of SNOMED CT is a few thousand pairs of numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True)
class Intervals:
    """An immutable set of whole numbers. `low[i]` to `high[i]`, both inside, rising, with gaps."""

    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()

    @classmethod
    def of(cls, runs: Iterable[tuple[int, int]]) -> Intervals:
        """The numbers of some runs (first, last), which may overlap and come in any order."""
        low: list[int] = []
        high: list[int] = []
        for first, last in sorted(runs):
            if first > last:
                continue
            if high and first <= high[-1] + 1:
                high[-1] = max(high[-1], last)
            else:
                low.append(first)
                high.append(last)
        return cls(tuple(low), tuple(high))

    @classmethod
    def of_numbers(cls, numbers: Iterable[int]) -> Intervals:
        """Exactly these numbers."""
        return cls.of((number, number) for number in numbers)

    @classmethod
    def flat(cls, bounds: Sequence[int]) -> Intervals:
        """From `first, last, first, last, …`, just as `flattened` gives them."""
        return cls(tuple(bounds[::2]), tuple(bounds[1::2]))

    @property
    def flattened(self) -> list[int]:
        """`first, last, first, last, …`."""
        return [bound for run in self.runs for bound in run]

    @property
    def runs(self) -> Iterator[tuple[int, int]]:
        """(first, last) of each run, rising."""
        return zip(self.low, self.high, strict=True)

    def __len__(self) -> int:
        """How many numbers there are."""
        return sum(self.high) - sum(self.low) + len(self.low)

    def __bool__(self) -> bool:
        """Whether there is any number."""
        return bool(self.low)

    def __contains__(self, number: object) -> bool:
        """Whether the number is one of them."""
        if not isinstance(number, int):
            return False
        place = bisect_right(self.low, number) - 1
        return place >= 0 and number <= self.high[place]

    def __iter__(self) -> Iterator[int]:
        """The numbers, rising."""
        for first, last in self.runs:
            yield from range(first, last + 1)

    def __or__(self, other: Intervals) -> Intervals:
        """What is in either."""
        if not self or not other:
            return self or other
        return Intervals.of([*self.runs, *other.runs])

    def __and__(self, other: Intervals) -> Intervals:
        """What is in both."""
        for one, two in ((self, other), (other, self)):
            if (
                len(one.low) == 1
                and two
                and one.low[0] <= two.low[0]
                and two.high[-1] <= one.high[0]
            ):
                return two
        low: list[int] = []
        high: list[int] = []
        mine = theirs = 0
        while mine < len(self.low) and theirs < len(other.low):
            first = max(self.low[mine], other.low[theirs])
            last = min(self.high[mine], other.high[theirs])
            if first <= last:
                low.append(first)
                high.append(last)
            if self.high[mine] < other.high[theirs]:
                mine += 1
            else:
                theirs += 1
        return Intervals(tuple(low), tuple(high))

    def __sub__(self, other: Intervals) -> Intervals:
        """What is in this one and not in the other."""
        if not self or not other:
            return self
        gaps: list[tuple[int, int]] = []
        start = self.low[0]
        for first, last in other.runs:
            gaps.append((start, first - 1))
            start = max(start, last + 1)
        gaps.append((start, self.high[-1]))
        return self & Intervals.of(gaps)

    def page(self, offset: int, count: int) -> list[int]:
        """At most `count` of the numbers, rising, after the first `offset`."""
        found: list[int] = []
        for first, last in self.runs:
            size = last - first + 1
            if offset >= size:
                offset -= size
                continue
            found += islice(range(first + offset, last + 1), count - len(found))
            offset = 0
            if len(found) >= count:
                break
        return found
