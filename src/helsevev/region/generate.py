"""The region as a stream of transaction bundles: organisations and staff, stories, inhabitants.

The same plan gives the same bytes, whatever the machine, the clock or the number of processes.
Inhabitants are told household by household, each from their own seeded streams, so memory does not
grow with the region.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from . import demo, reference
from .chance import Chance
from .course import live
from .courses import COURSES
from .doses import give
from .facts import facts
from .households import Household, household
from .identity import introduce
from .life import Life, Tale
from .notation import encode
from .numbers import Register
from .person import numbers_for, people
from .services import run, settle
from .telling.medication import written_list

_REFERENCE_PART = 2000
"""Resources in one bundle of organisations and staff."""
_BLOCK = 24
"""Households told at a time by one process."""
_AHEAD = 6
"""Blocks that may be waiting: what bounds memory when the reader is slow."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate. `until` is the first day that is not told; times are before it."""

    scale: float
    years: float = 2.0
    seed: int = 1
    until: date = date(2026, 11, 1)
    dose_days: int | None = None
    """For how many of the last days single doses are told; None for all."""

    @property
    def inhabitants(self) -> int:
        """How many inhabitants are told, at least; the last household is whole."""
        count: int = facts("population")["inhabitants"]
        return max(1, round(count * self.scale))

    @property
    def last(self) -> int:
        """`until` as a day of `calendar`."""
        return self.until.toordinal()

    @property
    def first(self) -> int:
        """The first day that is told."""
        return self.last - round(self.years * 365.25)


class Told(NamedTuple):
    """One bundle: its JSON, its resources by type, and how many inhabitants begin with it."""

    json: bytes
    counts: dict[str, int]
    inhabitants: int


def bundles(plan: Plan, processes: int = 1, *, stories: bool = True) -> Iterator[Told]:
    """Every bundle of the region in order. Two processes tell the same as one, sooner.

    Without `stories` the demo's inhabitants, units and staff are left out: they are there already.
    """
    yield from _reference(stories)
    if stories:
        yield from _stories(plan)
    blocks = _blocks(plan)
    if processes <= 1:
        for block in blocks:
            yield from _tell(plan, block)
        return
    yield from _in_parallel(plan, blocks, processes)


def inhabitant(plan: Plan, number: int, letter: str) -> Life:
    """The life of one inhabitant by household number and letter, for who wants to look at one."""
    home = household(plan.seed, number, plan.last)
    numbers: list[str | None] = [None] * len(home.members)
    for person in people(plan.seed, home, numbers, plan.first, plan.last):
        if person.id.endswith(letter):
            return tell(plan, Life(person, plan.first, plan.last))
    raise KeyError(f"household {number} has no member {letter!r}")


def tell(plan: Plan, life: Life) -> Life:
    """Tell everything of a life: who it is, its courses, its services, its medicines and doses."""
    introduction = Tale(life, Chance(life.person.seed, "introduction", life.person.id))
    introduce(life, introduction.gp())
    for course in COURSES:
        live(course, life)
    settle(life)
    run(life)
    written_list(life)
    first = plan.first if plan.dose_days is None else plan.last - plan.dose_days
    give(life, max(first, plan.first))
    return life


Block = list[tuple[int, list[str | None]]]


def _blocks(plan: Plan) -> Iterator[Block]:
    """Households in order with their members' national numbers, until the region is full."""
    register = Register(_story_numbers(plan))
    block: Block = []
    count = number = 0
    while count < plan.inhabitants:
        home = household(plan.seed, number, plan.last)
        block.append((number, numbers_for(plan.seed, home, register)))
        count += len(home.members)
        number += 1
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


def _story_numbers(plan: Plan) -> Iterator[str]:
    for bundle in demo.bundles(plan.until):
        for entry in bundle["entry"]:
            for identifier in entry["resource"].get("identifier", ()):
                yield identifier["value"]


def _tell(plan: Plan, block: Block) -> list[Told]:
    found = []
    for number, numbers in block:
        home: Household = household(plan.seed, number, plan.last)
        for person in people(plan.seed, home, numbers, plan.first, plan.last):
            life = tell(plan, Life(person, plan.first, plan.last))
            for part, (bundle, counts) in enumerate(life.bundles()):
                found.append(Told(bundle, counts, 1 if part == 0 else 0))
    return found


def _in_parallel(plan: Plan, blocks: Iterator[Block], processes: int) -> Iterator[Told]:
    """Blocks told by other processes and handed on in order, some blocks ahead at most."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting: deque[Future[list[Told]]] = deque()
        for block in blocks:
            waiting.append(pool.submit(_tell, plan, block))
            if len(waiting) >= _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


@cache
def _reference(stories: bool) -> tuple[Told, ...]:
    everything = list(reference.resources(stories))
    return tuple(
        _bundle(everything[first : first + _REFERENCE_PART], 0)
        for first in range(0, len(everything), _REFERENCE_PART)
    )


def _stories(plan: Plan) -> Iterator[Told]:
    for key in demo.INHABITANTS:
        yield _bundle(demo.inhabitant(key, plan.until).resources, 1)


def _bundle(resources: Iterable[dict[str, Any]], inhabitants: int) -> Told:
    counts: Counter[str] = Counter()
    entries = []
    for resource in resources:
        kind = resource["resourceType"]
        counts[kind] += 1
        entries.append(
            {"resource": resource, "request": {"method": "PUT", "url": f"{kind}/{resource['id']}"}}
        )
    json = encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return Told(json, dict(counts), inhabitants)
