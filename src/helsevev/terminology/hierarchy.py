"""Numbers concepts so that everything below one of them is a few runs of numbers.

A depth-first walk numbers each concept before what it first leads to, so in a tree all that is
below a concept is one run. A concept with several parents is numbered below one of them, and the
others get its runs besides (Agrawal, Borgida, Jagadish: Efficient Management of Transitive
Relationships in Large Data and Knowledge Bases, 1989). "A is a kind of B" is then one comparison,
and "all kinds of B" a range of an index.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .intervals import Intervals
from .shapes import BadDistribution


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Each code's number, and the runs of what is below each number (itself included).

    `parents` are numbers. Only a number whose concepts below are not itself alone is in `below`.
    """

    numbers: dict[str, int]
    parents: dict[int, tuple[int, ...]]
    below: dict[int, list[int]]

    def of(self, code: str) -> Intervals:
        """The numbers of a concept and of all that is below it. KeyError for an unknown code."""
        number = self.numbers[code]
        return Intervals.flat(self.below.get(number, (number, number)))


def number(concepts: Iterable[tuple[str, Iterable[str]]]) -> Hierarchy:
    """The hierarchy of (code, parents); siblings keep their order.

    Parents that are no codes themselves are left out. Raises `BadDistribution` for a code that
    occurs twice and for codes that are below themselves.
    """
    places: dict[str, int] = {}
    named: list[tuple[str, ...]] = []
    for code, parents in concepts:
        if places.setdefault(code, len(places)) != len(named):
            raise BadDistribution(f"The code {code!r} occurs twice.")
        named.append(tuple(parents))
    codes = list(places)
    known = [tuple(dict.fromkeys(places[p] for p in parents if p in places)) for parents in named]
    del named
    children: dict[int, array[int]] = {}
    for place, above in enumerate(known):
        for parent in above:
            children.setdefault(parent, array("l")).append(place)
    order, last = _walk(known, children)
    _refuse_circles(codes, known, children)
    numbers = array("l", bytes(array("l").itemsize * len(codes)))
    for given, place in enumerate(order):
        numbers[place] = given
    below = _below(order, numbers, last, known, children)
    return Hierarchy(
        {code: numbers[place] for code, place in places.items()},
        {numbers[place]: tuple(numbers[p] for p in ps) for place, ps in enumerate(known) if ps},
        below,
    )


def _walk(
    parents: Sequence[tuple[int, ...]], children: dict[int, array[int]]
) -> tuple[array[int], array[int]]:
    """Places in the order of their numbers, and the last number below each place in the tree."""
    order = array("l")
    last = array("l", bytes(array("l").itemsize * len(parents)))
    seen = bytearray(len(parents))
    roots = [place for place, ps in enumerate(parents) if not ps]
    # What lies on a circle has no root; it is numbered too, and told of afterwards.
    for root in (*roots, *range(len(parents))):
        if seen[root]:
            continue
        seen[root] = 1
        order.append(root)
        stack = [(root, iter(children.get(root, ())))]
        while stack:
            place, remaining = stack[-1]
            for child in remaining:
                if not seen[child]:
                    seen[child] = 1
                    order.append(child)
                    stack.append((child, iter(children.get(child, ()))))
                    break
            else:
                last[place] = len(order) - 1
                stack.pop()
    return order, last


def _refuse_circles(
    codes: Sequence[str], parents: Sequence[tuple[int, ...]], children: dict[int, array[int]]
) -> None:
    waiting = array("l", (len(ps) for ps in parents))
    ready = [place for place, count in enumerate(waiting) if not count]
    done = 0
    while ready:
        place = ready.pop()
        done += 1
        for child in children.get(place, ()):
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if done != len(codes):
        found = [codes[place] for place, count in enumerate(waiting) if count]
        told = ", ".join(sorted(found)[:5])
        raise BadDistribution(f"Some codes are below themselves: {told} ({len(found)} concerned).")


def _below(
    order: array[int],
    numbers: array[int],
    last: array[int],
    parents: Sequence[tuple[int, ...]],
    children: dict[int, array[int]],
) -> dict[int, list[int]]:
    """The runs below each number that has any: its own of the tree, and those of other branches.

    A concept is done when all its children are, so each one's runs are gathered once.
    """
    waiting = {place: len(below) for place, below in children.items()}
    ready = [place for place in order if place not in children]
    extra: dict[int, Intervals] = {}
    while ready:
        place = ready.pop()
        for parent in parents[place]:
            waiting[parent] -= 1
            if not waiting[parent]:
                extra[parent] = _gathered(parent, numbers, last, children[parent], extra)
                ready.append(parent)
    return {numbers[place]: runs.flattened for place, runs in extra.items()}


def _gathered(
    place: int,
    numbers: array[int],
    last: array[int],
    children: Iterable[int],
    done: dict[int, Intervals],
) -> Intervals:
    first, end = numbers[place], last[place]
    others: list[tuple[int, int]] = []
    for child in children:
        runs = done[child].runs if child in done else ((numbers[child], numbers[child]),)
        others += [run for run in runs if run[0] < first or run[1] > end]
    return Intervals.of([(first, end), *others])
