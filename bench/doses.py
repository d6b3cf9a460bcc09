"""What working out anew takes that is due in a region of 740,000: `python -m bench.doses`, JSON.

A twentieth of the region's inhabitants are imported into a record of their own, with the medicines
that so many have. Then the doses of a day and a half are worked out for everybody whose medicines
somebody gives, as rounds and figures do it: rows from PostgreSQL, unpacked, read, planned. CPU
is what counts; the machine does other things too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import program, residents
from bench.rounds import counted, of_tree
from helsevev.access.medicine_figures import Version
from helsevev.fhir.reading import OSLO
from helsevev.fhir.recurrence import Span
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import open_services
from helsevev.medication.figures.keeping import (
    BATCH,
    Counting,
    Tables,
    last_day,
    tables_of,
    told_of,
)
from helsevev.medication.round_times import times_of
from helsevev.medication.timing import due
from helsevev.record import keys

REGION: Final = 740_000
MANY: Final = REGION // 20
FEW: Final = 7_400
"""Inhabitants who stand for the region: a twentieth, and a hundredth in a short run."""
_HORIZON: Final = timedelta(hours=36)
_MINUTES: Final = 10


@dataclass
class Found:
    """What was worked out, and what it took."""

    inhabitants: int = 0
    orders: int = 0
    doses: int = 0
    seconds: float = 0.0
    python: float = 0.0
    postgres: float = 0.0

    def told(self, share: float) -> dict[str, Any]:
        """The figures, and what they come to for the region."""
        cpu = self.python + self.postgres
        return {
            "inhabitants given medicines": self.inhabitants, "orders": self.orders,
            "doses": self.doses, "seconds": round(self.seconds, 2),
            "cpu_seconds": {"python": round(self.python, 2), "PostgreSQL": round(self.postgres, 2)},
            "cpu_ms_per_inhabitant": round(cpu * 1000 / max(1, self.inhabitants), 3),
            "region": {
                "inhabitants given medicines": round(self.inhabitants / share),
                "cpu_minutes": round(cpu / share / 60, 2),
                "minutes_asked_for": _MINUTES,
            },
        }  # fmt: skip


async def _projected(data: Path, everybody: int = 0) -> Found:
    """The doses due from now on: of those who are given medicines, or of so many of everybody."""
    found, postgres = Found(), _postgres(data)
    async with open_services(_settings(data)) as services:
        figures = services.medicine_figures
        now = clock.now()
        tables = await tables_of(figures, services.unit_times)
        began, used, there = time.perf_counter(), time.process_time(), of_tree(postgres)
        span = Span(now, now + _HORIZON)
        if not everybody:
            async for patients in figures.treated(now, now + _HORIZON, BATCH):
                _add(found, await figures.told(patients, now, now), span, tables)
        else:
            others = [f"bench-{n}" for n in range(everybody)]
            for start in range(0, len(others), BATCH):
                some = [keys.patient_key(each) for each in others[start : start + BATCH]]
                _add(found, await figures.told(some, now, now), span, tables)
        found.seconds = time.perf_counter() - began
        found.python = time.process_time() - used
        found.postgres = of_tree(postgres) - there
    return found


def _add(
    found: Found, told: Mapping[int, Sequence[Version]], span: Span, tables: Tables
) -> None:  # fmt: skip
    for versions in told.values():
        record = told_of(versions)
        times = next(iter(tables.of(record.places.units()).values()), times_of(()))
        found.inhabitants += bool(record.orders)
        found.orders += len(record.orders)
        for history in record.orders:
            found.doses += len(due(history, span, OSLO, times))


async def _rebuilt(data: Path, share: float) -> dict[str, Any]:
    """Counting the figures of a week anew: `helsevev figures rebuild`."""
    postgres = _postgres(data)
    async with open_services(_settings(data)) as services:
        counting = Counting(services.medicine_figures, services.unit_times)
        used, there = time.process_time(), of_tree(postgres)
        first = last_day(clock.now()) - timedelta(days=6)
        done = await counting.rebuild(first)
        cpu = time.process_time() - used + of_tree(postgres) - there
    return {
        "inhabitants": done, "cpu_seconds": round(cpu, 2),
        "region_cpu_minutes": round(cpu / share / 60, 2),
    }  # fmt: skip


def _settings(data: Path) -> Settings:
    return replace(Settings.from_environment(), data=data)


def _postgres(data: Path) -> int:
    """The process that serves the record, which is held meanwhile."""
    pid = data / "postgres" / "cluster" / "postmaster.pid"
    return int(pid.read_text().split()[0])


def measured(count: int) -> dict[str, Any]:
    """What so many inhabitants take, and what a region would."""
    with tempfile.TemporaryDirectory(prefix="helsevev-bench-") as name:
        written = residents.written(residents.inhabitants(count), Path(name) / "input")
        data = Path(name) / "data"
        with program.serving(data, "--workers", "1", patience=600) as served:
            served.import_folder(Path(name) / "input")
            asyncio.run(counted(data))
            share = count / REGION
            given = uvloop.run(_projected(data)).told(share)
            everybody = uvloop.run(_projected(data, count)).told(share)
            rebuilt = uvloop.run(_rebuilt(data, share))
    return {
        "inhabitants": count, "of": REGION, "imported": written,
        "doses due in 36 hours, of those who are given medicines": given,
        "the same of everybody with orders": everybody, "figures of a week": rebuilt,
    }  # fmt: skip


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inhabitants", type=int, default=MANY)
    asked = parser.parse_args()
    json.dump(measured(asked.inhabitants), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
