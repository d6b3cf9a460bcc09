"""The demo's region: told into files, imported, remembered, and kept for `helsevev region reset`.

What is loaded is remembered in the record itself. A load that was cut short goes on at the next
start by the same plan: what is stored already is found unchanged.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from helsevev.access import demo, training
from helsevev.fhir_api.bulk_import.carrying_out import Import
from helsevev.fhir_api.bulk_import.crew import Crew, Lost
from helsevev.fhir_api.bulk_import.portion import Fault
from helsevev.fhir_api.bulk_import.reading import sources
from helsevev.kit import clock
from helsevev.kit.chapter import CommandContext
from helsevev.kit.progress import Bar
from helsevev.region.generate import Plan, Told, bundles
from helsevev.region.shards import Tally, write

DOSE_DAYS: Final = 30
"""Single doses are told for the last month: they are most of a region, and soon out of sight."""

_PROCESSES: Final = 2
_LINE_EVERY: Final = 10
"""Per cent of progress after which a line is written where there is no terminal."""


class LivingRegion:
    """Sees that the record holds the demo's stories and a region of at least some scale."""

    def __init__(self, context: CommandContext, scale: float) -> None:
        self._context = context
        self._scale = scale
        # Before anything is opened, so that the workers share no connection.
        self._crew = Crew(context, "keep")
        self._screen = _Screen()
        self._folder = context.settings.data / "region"

    async def load(self) -> None:
        """Load what is missing; at once when nothing is.

        Raises `crew.Lost`, and what opening the record raises.
        """
        try:
            await self._load(self._scale)
        except Lost as problem:
            raise Lost(f"{problem} Start again: the load goes on where it was.") from problem
        finally:
            for link in self._crew.links:
                link.close()
            await asyncio.to_thread(self._crew.end)

    async def _load(self, scale: float) -> None:
        async with self._context.services() as services:
            await demo.load(services, clock.now())
            known = await demo.region(services)
            if known is not None and known.is_whole and known.plan.scale >= scale:
                return
            before = known.bundles if known is not None and known.is_whole else 0
            plan = _plan(known, scale)
            await demo.remember_region(services, demo.LoadedRegion(plan, before, is_whole=False))
        with self._screen.bar:
            told = await asyncio.to_thread(self._tell, plan, before)
            await self._store(told.resources)
        async with self._context.services() as services:
            whole = demo.LoadedRegion(plan, before + told.bundles, is_whole=True)
            await demo.remember_region(services, whole)
        self._remove_files()
        problem = await training.keep_if_possible(self._context.settings)
        if problem:
            self._screen.say(f"It is not kept for `helsevev region reset`: {problem}")

    def _tell(self, plan: Plan, before: int) -> Tally:
        """Write the region's bundles into files, those that are stored already apart."""
        self._remove_files()
        tally = Tally()
        self._screen.begin("Telling lives", plan.inhabitants)
        stream = islice(bundles(plan, _PROCESSES, stories=False), before, None)

        def shown() -> Iterator[Told]:
            for told in tally.counted(stream):
                self._screen.show(tally.inhabitants)
                yield told

        write(plan, shown(), self._folder)
        return tally

    async def _store(self, resources: int) -> None:
        self._screen.begin("Loading resources", resources)
        work = Import(
            sources([self._folder / "bundles"]),
            tell=self._screen.tell,
            show=lambda tally, _done, _total: self._screen.show(tally.resources),
        )
        await work.run(self._context, self._crew)

    def _remove_files(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _plan(known: demo.LoadedRegion | None, scale: float) -> Plan:
    """What to tell: a region that was begun is told on as it was, and may grow."""
    if known is None:
        return Plan(scale, until=clock.now().date(), dose_days=DOSE_DAYS)
    return replace(known.plan, scale=max(scale, known.plan.scale))


class _Screen:
    """What goes on, on stderr: a bar on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self.bar = Bar()
        self._what = ""
        self._total = self._next = 0

    def begin(self, what: str, total: int) -> None:
        """Something else begins, of which there is so much."""
        self._what, self._total, self._next = what, total, 0
        self.bar.begin()

    def show(self, done: int) -> None:
        """So much of it is done."""
        self.bar.show(self._what, done, self._total)
        share = 100 * done // max(self._total, 1)
        if not self.bar.console.is_terminal and share >= self._next:
            self._next = share - share % _LINE_EVERY + _LINE_EVERY
            self.say(f"{self._what}: {done:,} of {self._total:,}")

    def tell(self, fault: Fault) -> None:
        """Something could not be stored."""
        self.say(str(fault))

    def say(self, line: str) -> None:
        """One line."""
        self.bar.console.print(line, markup=False)
