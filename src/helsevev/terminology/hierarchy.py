"""Numbers concepts so that everything below one of them is a few runs of numbers.

A depth-first walk numbers each concept before what it first leads to, so in a tree all that is
below a concept is one run. A concept with several parents is numbered below one of them, and the
others get its runs besides (Agrawal, Borgida, Jagadish: Efficient Management of Transitive
Relationships in Large Data and Knowledge Bases, 1989). "A is a kind of B" is then one comparison,
and "all kinds of B" a range of an index.

Half a million concepts are kept as arrays of numbers: as objects they would be ten times as large.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from .intervals import Intervals
from .shapes import BadDistribution


class Lists:
    """A list of numbers for each number from 0 on, one behind the other in two arrays."""

    __slots__ = ("_starts", "_values")

    def __init__(self, size: int, owners: Sequence[int], values: Sequence[int]) -> None:
        """`values[i]` is in the list of `owners[i]`, behind those that come before it."""
        counts = array("i", bytes(array("i").itemsize * (size + 1)))
        for owner in owners:
            counts[owner + 1] += 1
        self._starts = array("i", accumulate(counts))
        free = self._starts[:]
        self._values = array("i", bytes(array("i").itemsize * len(values)))
        for owner, value in zip(owners, values, strict=True):
            self._values[free[owner]] = value
            free[owner] += 1

    def __getitem__(self, owner: int) -> array[int]:
        """The list of one number, empty when it has none."""
        return self._values[self._starts[owner] : self._starts[owner + 1]]

    def size_of(self, owner: int) -> int:
        """How long the list of one number is."""
        return self._starts[owner + 1] - self._starts[owner]

    def __len__(self) -> int:
        """How many lists there are."""
        return len(self._starts) - 1


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Each code's number, and the runs of what is below each number (itself included).

    `parents` are numbers. Only a number whose concepts below are not itself alone is in `below`.
    """

    numbers: Mapping[str, int]
    parents: Lists
    below: Mapping[int, Sequence[int]]

    def of(self, code: str) -> Intervals:
        """The numbers of a concept and of all that is below it. KeyError for an unknown code."""
        number = self.numbers[code]
        return Intervals.flat(self.below.get(number, (number, number)))


def number(
    concepts: Iterable[tuple[str, Iterable[str]]], ties: Iterable[tuple[str, str]] = ()
) -> Hierarchy:
    """The hierarchy of (code, parents), and of ties (code, parent); siblings keep their order.

    Parents that are no codes themselves are left out. Raises `BadDistribution` for a code that
    occurs twice and for codes that are below themselves.
    """
    places, known = _read(concepts, ties)
    size = len(places)
    owners = array("i", (place for place in range(size) for _ in range(known.size_of(place))))
    above = array("i", (parent for place in range(size) for parent in known[place]))
    children = Lists(size, above, owners)
    order, last = _walk(known, children)
    _refuse_circles(places, known, children)
    numbers = array("i", bytes(array("i").itemsize * size))
    for given, place in enumerate(order):
        numbers[place] = given
    below = _below(order, numbers, last, known, children)
    parents = Lists(
        size, array("i", (numbers[p] for p in owners)), array("i", (numbers[p] for p in above))
    )
    for place, code in enumerate(places):
        places[code] = numbers[place]
    return Hierarchy(places, parents, below)


def _read(
    concepts: Iterable[tuple[str, Iterable[str]]], ties: Iterable[tuple[str, str]]
) -> tuple[dict[str, int], Lists]:
    """The place of each code, in the order they come, and the places of each one's parents."""
    places: dict[str, int] = {}
    count = 0
    owners, named = array("i"), array("i")
    later: list[tuple[int, str]] = []
    for count, (code, parents) in enumerate(concepts, 1):
        if places.setdefault(code, count - 1) != count - 1:
            raise BadDistribution(f"The code {code!r} occurs twice.")
        for parent in dict.fromkeys(parents):
            # Most come before what is below them; the others are looked up when all are known.
            place = places.get(parent, -1)
            if place < 0:
                later.append((len(named), parent))
            owners.append(count - 1)
            named.append(place)
    for at, parent in later:
        named[at] = places.get(parent, -1)
    for code, parent in ties:
        owners.append(places.get(code, -1))
        named.append(places.get(parent, -1))
    return places, _once(len(places), owners, named)


def _once(size: int, owners: array[int], parents: array[int]) -> Lists:
    """The parents of each that are known (from 0 on), each of them once."""
    known = array(
        "i", (n for pair in zip(owners, parents, strict=True) if min(pair) >= 0 for n in pair)
    )
    given = Lists(size, known[::2], known[1::2])
    known = array("i")
    for owner in range(size):
        for parent in dict.fromkeys(given[owner]):
            known.extend((owner, parent))
    return Lists(size, known[::2], known[1::2])


def _walk(parents: Lists, children: Lists) -> tuple[array[int], array[int]]:
    """Places in the order of their numbers, and the last number below each place in the tree."""
    order = array("i")
    last = array("i", bytes(array("i").itemsize * len(parents)))
    seen = bytearray(len(parents))
    roots = array("i", (place for place in range(len(parents)) if not parents.size_of(place)))
    # What lies on a circle has no root; it is numbered too, and told of afterwards.
    for root in chain(roots, range(len(parents))):
        if seen[root]:
            continue
        seen[root] = 1
        order.append(root)
        stack = [(root, iter(children[root]))]
        while stack:
            place, remaining = stack[-1]
            for child in remaining:
                if not seen[child]:
                    seen[child] = 1
                    order.append(child)
                    stack.append((child, iter(children[child])))
                    break
            else:
                last[place] = len(order) - 1
                stack.pop()
    return order, last


def _refuse_circles(places: Iterable[str], parents: Lists, children: Lists) -> None:
    waiting = array("i", map(parents.size_of, range(len(parents))))
    ready = array("i", (place for place, count in enumerate(waiting) if not count))
    done = 0
    while ready:
        place = ready.pop()
        done += 1
        for child in children[place]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if done != len(parents):
        found = [code for code, count in zip(places, waiting, strict=True) if count]
        told = ", ".join(sorted(found)[:5])
        raise BadDistribution(f"Some codes are below themselves: {told} ({len(found)} concerned).")


def _below(
    order: array[int], numbers: array[int], last: array[int], parents: Lists, children: Lists
) -> dict[int, array[int]]:
    """The runs below each number that has any: its own of the tree, and those of other branches.

    A concept is done when all its children are, so each one's runs are gathered once.
    """
    waiting = array("i", map(children.size_of, range(len(children))))
    ready = array("i", (place for place in order if not waiting[place]))
    runs: dict[int, array[int]] = {}
    while ready:
        place = ready.pop()
        for parent in parents[place]:
            waiting[parent] -= 1
            if not waiting[parent]:
                runs[numbers[parent]] = _gathered(parent, numbers, last, children, runs)
                ready.append(parent)
    return runs


def _gathered(
    place: int,
    numbers: array[int],
    last: array[int],
    children: Lists,
    done: Mapping[int, Sequence[int]],
) -> array[int]:
    first, end = numbers[place], last[place]
    others: list[tuple[int, int]] = []
    for child in children[place]:
        number = numbers[child]
        bounds = done.get(number, (number, number))
        runs = zip(bounds[::2], bounds[1::2], strict=True)
        others += [run for run in runs if run[0] < first or run[1] > end]
    return array("i", Intervals.of([(first, end), *others]).flattened)
