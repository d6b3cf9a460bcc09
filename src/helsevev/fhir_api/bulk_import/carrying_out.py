"""One import from the first byte to the last commit: passes over the input until nothing is left.

The first pass reads everything. What waits for something that came later is read again, as long
as each round finds room for more; what still waits then is told as failed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from helsevev.fhir_api.bulk_import.crew import Crew, Hub
from helsevev.fhir_api.bulk_import.portion import Fault, Portion, Report
from helsevev.fhir_api.bulk_import.reading import Reader, Source
from helsevev.kit.chapter import CommandContext

MOST_ERRORS: Final = 1000
"""Faults that are kept for the summary; all of them are told as they are found."""


@dataclass(slots=True)
class Tally:
    """What an import has come to so far."""

    by_type: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    failed: int = 0
    errors: list[Fault] = field(default_factory=list)
    seconds: float = 0.0
    packing_seconds: float = 0.0
    """How long indexes were packed after everything was there to be read."""

    @property
    def resources(self) -> int:
        """How many of the input's resources are in the record."""
        return self.by_type.total()

    @property
    def rate(self) -> float:
        """Resources per second."""
        return self.resources / self.seconds if self.seconds else 0.0

    def as_data(self) -> dict[str, Any]:
        """The summary that `--json` prints."""
        return {
            "resources": self.resources,
            "resources_per_second": round(self.rate, 1),
            "seconds": round(self.seconds, 3),
            "packing_seconds": round(self.packing_seconds, 3),
            "unchanged": self.unchanged,
            "failed": self.failed,
            "by_type": dict(sorted(self.by_type.items())),
            "errors": msgspec.to_builtins(self.errors),
        }


class Import:
    """Carries out one import. `tell` hears of every fault, `show` of progress.

    `packing` is told how many bytes of indexes have been packed at its end, and of how many.
    """

    def __init__(
        self,
        everything: list[Source],
        *,
        tell: Callable[[Fault], None],
        show: Callable[[Tally, int, int], None],
        packing: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self.tally = Tally()
        self._reader = Reader(everything)
        self._sources = everything
        self._tell = tell
        self._show = show
        self._packing = packing
        self._source_of: dict[int, Source] = {}
        self._waiting: dict[tuple[str, int], tuple[Source, Report]] = {}
        self._ring: Callable[[], None] = lambda: None

    async def run(self, context: CommandContext, crew: Crew) -> Tally:
        """Import everything. Raises `crew.Lost`, and what opening the record raises."""
        async with context.services() as services:
            indexes = await services.packer.sizes()
            await services.feed.start()
            self._ring = services.feed.ring
            hub = Hub(crew, self._told)
            await hub.open()
            begun = time.perf_counter()
            try:
                await self._first_pass(hub)
                await self._further_passes(hub)
            finally:
                self.tally.seconds = time.perf_counter() - begun
                await hub.close()
                await services.feed.stop()
            begun = time.perf_counter()
            await services.packer.pack(indexes, self._packing)
            self.tally.packing_seconds = time.perf_counter() - begun
        return self.tally

    async def _first_pass(self, hub: Hub) -> None:
        for source in self._sources:
            for portion in self._reader.of(source):
                if isinstance(portion, Fault):
                    self._fail([portion], 1)
                else:
                    await self._give(hub, source, portion)
                self._show(self.tally, self._reader.done, self._reader.total)
            self._reader.passed(source)
        await hub.finish()
        self._show(self.tally, self._reader.total, self._reader.total)

    async def _further_passes(self, hub: Hub) -> None:
        while self._waiting:
            before, self._waiting = self._waiting, {}
            for source in dict.fromkeys(source for source, _ in before.values()):
                for portion in self._reader.of(source):
                    if isinstance(portion, Portion) and portion.label in before:
                        await self._give(hub, source, portion)
            await hub.finish()
            if len(self._waiting) == len(before):
                break
        for _, report in self._waiting.values():
            self._count(report)
            self._fail(report.waiting, 1)

    async def _give(self, hub: Hub, source: Source, portion: Portion) -> None:
        self._source_of[portion.serial] = source
        await hub.give(portion)

    def _told(self, portion: Portion, report: Report) -> None:
        source = self._source_of.pop(report.serial)
        if report.waiting:
            self._waiting[portion.label] = (source, report)
        else:
            self._count(report)
        self._ring()
        self._show(self.tally, self._reader.done, self._reader.total)

    def _count(self, report: Report) -> None:
        self.tally.by_type.update(report.by_type)
        self.tally.unchanged += report.unchanged
        self._fail(report.faults, report.failed)

    def _fail(self, faults: list[Fault], failed: int) -> None:
        self.tally.failed += failed
        for fault in faults:
            self._tell(fault)
            if len(self.tally.errors) < MOST_ERRORS:
                self.tally.errors.append(fault)
