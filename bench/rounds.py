"""A day of 230,000 administrations, signed at the real server: `python -m bench.rounds`, JSON.

Nurses of many wards sign in, open the round of one patient after another and sign the doses that
are due, as the page does it. First as fast as a real day asks for in its busiest hour, then as fast
as the server takes. Without `--whole` some thousand doses stand for the day.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import os
import re
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import uvloop

from bench import load, program, residents
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.kit.settings import Settings
from helsevev.main import open_services
from helsevev.medication.figures.keeping import BATCH, Counting, tables_of
from helsevev.record import keys
from helsevev.record.database import Database
from helsevev.record.embedded import embedded

DAY: Final = 230_000
PEAK: Final = 0.12
"""Share of a day's doses in its busiest hour: five rounds a day, the morning's the largest of them,
spread over two hours."""
DOSES: Final = 4
"""Doses of one patient in one round."""
SHORT: Final = 1_200
"""Patients of a short run."""
NURSES: Final = 32
_UNITS: Final = 50
_KEY: Final = re.compile(r'name="give" value="([^"]+)"')
_HIDDEN: Final = re.compile(r'name="(_csrf_token|key)" value="([^"]*)"')
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Nurse:
    """One browser with a session, on a connection that is kept."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, form: list[tuple[str, str]] | None = None
    ) -> tuple[int, str]:
        """The status and body of an answer."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        reader, writer = self.streams
        body = urlencode(form).encode() if form is not None else b""
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        head.append("Cookie: " + "; ".join(f"{n}={v}" for n, v in self.cookies.items()))
        if form is not None:
            head.append("Content-Type: application/x-www-form-urlencoded")
            head.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        try:
            first = await reader.readline()
        except ConnectionResetError:
            first = b""
        if not first:
            # The server closes connections that nothing came on for a while, and may do so while
            # this is written. What is asked twice is done once: forms carry a key.
            self.streams = None
            return await self.ask(method, path, form)
        status = int(first.split()[1])
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "set-cookie":
                own, _, rest = value.strip().partition("=")
                self.cookies[own] = rest.partition(";")[0]
            elif name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "transfer-encoding":
                length = -1
        return status, (await self._body(reader, length)).decode()

    async def _body(self, reader: asyncio.StreamReader, length: int) -> bytes:
        if length >= 0:
            return await reader.readexactly(length)
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)


@dataclass
class Took:
    """How long it took to open rounds and to sign them, and how many doses were signed."""

    opened: list[float] = field(default_factory=list)
    signed: list[float] = field(default_factory=list)
    doses: int = 0
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0

    def summary(self) -> dict[str, Any]:
        """Rates and percentiles, in ms."""
        seconds = self.ended - self.began
        return {
            "seconds": round(seconds, 1), "doses": self.doses,
            "doses_per_second": round(self.doses / seconds, 1),
            "opening a round": load.summary(self.opened, seconds),
            "signing a round": load.summary(self.signed, seconds),
        }  # fmt: skip


async def _round(nurse: Nurse, patient: int, took: Took) -> None:
    path = f"/rounds/bench-{patient}"
    began = time.perf_counter()
    status, page = await nurse.ask("GET", path)
    took.opened.append(time.perf_counter() - began)
    keys = [html.unescape(key) for key in _KEY.findall(page)]
    hidden = dict(reversed(_HIDDEN.findall(page)))
    if status != 200 or len(keys) != DOSES:
        raise RuntimeError(f"{path}: {status}, {len(keys)} doses: {page[:500]}")
    form = [("give", key) for key in keys]
    form += [("scan", "no-code"), ("patient", f"bench-{patient}"), *hidden.items()]
    began = time.perf_counter()
    status, page = await nurse.ask("POST", path, form)
    took.signed.append(time.perf_counter() - began)
    if status != 303:
        raise RuntimeError(f"{path}: {status}: {page[:2000]}")
    took.doses += len(keys)


async def _at_rate(
    nurses: list[list[Nurse]], patients: deque[int], rate: float, seconds: float
) -> Took:
    """Rounds that begin as often as `rate` says, whether those before are done or not."""
    took, under_way, begun = Took(), set[asyncio.Task[None]](), 0
    idle = {unit: list(those) for unit, those in enumerate(nurses)}
    until = took.began + seconds
    while time.perf_counter() < until and patients:
        patient = patients.popleft()
        here = idle[patient % _UNITS]
        nurse = here.pop() if here else _beside(nurses, patient % _UNITS)
        under_way.add(task := asyncio.create_task(_round_and_back(nurse, patient, took, here)))
        task.add_done_callback(under_way.discard)
        begun += 1
        await asyncio.sleep(max(0, took.began + begun / rate - time.perf_counter()))
    await asyncio.gather(*under_way)
    took.ended = time.perf_counter()
    return took


async def _round_and_back(
    nurse: Nurse, patient: int, took: Took, here: list[Nurse]
) -> None:  # fmt: skip
    await _round(nurse, patient, took)
    here.append(nurse)


def _beside(nurses: list[list[Nurse]], unit: int) -> Nurse:
    """A connection more of a nurse who has signed in."""
    first = nurses[unit][0]
    return Nurse(first.host, first.port, dict(first.cookies))


async def _at_most(nurses: list[list[Nurse]], patients: deque[int]) -> Took:
    """As many rounds as nurses sign one after another, until nobody is left."""
    took = Took()

    async def work() -> None:
        own: dict[int, Nurse] = {}
        while patients:
            patient = patients.popleft()
            unit = patient % _UNITS
            if unit not in own:
                own[unit] = _beside(nurses, unit)
            await _round(own[unit], patient, took)

    await asyncio.gather(*(work() for _ in range(NURSES)))
    took.ended = time.perf_counter()
    return took


async def _measure(served: program.Program, patients: int, peak_seconds: float) -> dict[str, Any]:
    key = next(iter(served.links.values())).partition("key=")[2]
    nurses: list[list[Nurse]] = []
    for unit in range(_UNITS):
        here = [Nurse(served.host, served.port) for _ in range(2)]
        for number, nurse in enumerate(here):
            status, _ = await nurse.ask("GET", f"/sign-in/bench-nurse-{unit}-{number}?key={key}")
            assert status == 303, status
        nurses.append(here)
    left = deque(range(patients))
    warm = Took()
    for _ in range(60):
        patient = left.popleft()
        await _round(nurses[patient % _UNITS][0], patient, warm)
    rate = DAY * PEAK / 3600 / DOSES
    used = _used(served)
    busiest = await _at_rate(nurses, left, rate, peak_seconds)
    between = _used(served)
    most = await _at_most(nurses, left)
    after = _used(served)
    return {
        "busiest hour": {
            "rounds_per_second_asked": round(rate, 2), **busiest.summary(),
            "cpu_ms_per_dose": _each(used, between, busiest.doses),
        },
        "saturation": {
            "nurses at once": NURSES, **most.summary(),
            "cpu_ms_per_dose": _each(between, after, most.doses),
        },
    }  # fmt: skip


def _each(before: dict[str, float], after: dict[str, float], doses: int) -> dict[str, float]:
    return {who: round((after[who] - before[who]) * 1000 / max(1, doses), 2) for who in before}


def _used(served: program.Program) -> dict[str, float]:
    """Seconds of CPU of the server's processes and of PostgreSQL's, so far."""
    cluster = served.data / "postgres" / "cluster" / "postmaster.pid"
    return {
        "server": of_tree(served.pid), "PostgreSQL": of_tree(int(cluster.read_text().split()[0])),
    }  # fmt: skip


def of_tree(pid: int) -> float:
    """CPU of a process, of those it has waited for, and of its children."""
    try:
        found = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(part) for part in found[11:15]) / _TICKS
    return own + sum(of_tree(int(child)) for child in children)


async def _figures(data: Path, patients: int) -> dict[str, float]:
    """Counting what was signed: CPU of this process, and what a week of the region comes to."""
    settings = replace(Settings.from_environment(), data=data)
    async with open_services(settings) as services:
        counting = Counting(services.medicine_figures, services.unit_times)
        tables = await tables_of(services.medicine_figures, services.unit_times)
        today, used = clock.now().astimezone(OSLO).date(), time.process_time()
        everybody = [keys.patient_key(f"bench-{number}") for number in range(patients)]
        for start in range(0, patients, BATCH):
            await counting.days(everybody[start : start + BATCH], today, today, tables)
        took = time.process_time() - used
    each = took / (patients * DOSES)
    return {"cpu_us_per_dose": round(each * 1e6), "week_cpu_minutes": round(each * DAY * 7 / 60, 2)}


async def counted(data: Path) -> None:
    """Let PostgreSQL count its rows, as it does by itself within a minute."""
    async with embedded(data) as url:
        database = await Database.open(url, size=1)
        await database.execute("VACUUM ANALYZE")
        await database.close()


def measured(patients: int, workers: str = "2", peak_seconds: float = 60) -> dict[str, Any]:
    """Rounds of so many patients, signed: in the busiest hour's rate, then as fast as may be."""
    with tempfile.TemporaryDirectory(prefix="helsevev-bench-") as name:
        due = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=45)
        made = residents.round_of(patients, DOSES, _UNITS, due)
        count = residents.written(made, Path(name) / "input")
        data = Path(name) / "data"
        with program.serving(data, "--workers", workers, patience=600) as served:
            served.import_folder(Path(name) / "input")
            asyncio.run(counted(data))
            found = uvloop.run(_measure(served, patients, peak_seconds))
            found["counting the figures"] = uvloop.run(_figures(data, patients))
    return {
        "day": DAY, "assumed": {"share in the busiest hour": PEAK, "doses in a round": DOSES},
        "patients": patients, "imported": count, **found,
    }  # fmt: skip


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="all 230,000 doses of the day")
    parser.add_argument("--patients", type=int, default=SHORT, help="of a short run")
    parser.add_argument("--workers", default="2", help="processes that answer")
    parser.add_argument("--peak-seconds", type=float, default=60)
    asked = parser.parse_args()
    patients = DAY // DOSES if asked.whole else asked.patients
    json.dump(measured(patients, asked.workers, asked.peak_seconds), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
