"""Whoever is killed during an import: no half bundle, and the same command completes it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.record.keeper.places import Places

from .importing import command, counts, environment, person, run_import, save

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

BUNDLES = 60
MEASUREMENTS = 80
WHOLE = {"Observation": BUNDLES * MEASUREMENTS, "Patient": BUNDLES}
_PATIENTS = "SELECT count(*) FROM resource WHERE type = 'Patient'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of one person each."""
    path = tmp_path_factory.mktemp("input")
    for n in range(BUNDLES):
        save(path / f"{n:03}.json", person(f"Family{n}", MEASUREMENTS))
    return path


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Database]:
    """The record of a data folder."""
    async with embedded(data) as url:
        database = await Database.open(url, size=2)
        try:
            yield database
        finally:
            await database.close()


async def in_the_middle(data: Path, folder: Path, kill: Callable[[int], None]) -> tuple[int, str]:
    """Import, and `kill` (given the importer's process) once some bundles are stored.

    Returns the importer's exit status and what it said.
    """
    async with opened(data) as database:
        importer = started(folder, data)
        try:
            deadline = time.monotonic() + 60
            while await stored(database) < 5 and importer.poll() is None:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            assert importer.poll() is None, importer.communicate()
            kill(importer.pid)
            _, told = await asyncio.to_thread(importer.communicate, None, 120)
        finally:
            importer.kill()
            importer.wait()
    return importer.returncode, told


def started(folder: Path, data: Path) -> subprocess.Popen[str]:
    """An import under way."""
    return subprocess.Popen(
        command("import", folder), env=environment(data=data), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


async def stored(database: Database) -> int:
    """How many people are in the record; 0 before there is one."""
    there = await database.fetchval("SELECT to_regclass('resource') IS NOT NULL")
    return int(await database.fetchval(_PATIENTS)) if there else 0


async def assert_no_half_bundle(database: Database) -> None:
    """Each person is there with all measurements, audit and change feed, or not at all."""
    rows = await database.fetch(
        "SELECT patient, count(*), count(*) FILTER (WHERE type = 'Patient') FROM resource"
        " GROUP BY patient"
    )
    assert {(row[1], row[2]) for row in rows} <= {(MEASUREMENTS + 1, 1)}
    for table in ("change", "audit_event"):
        assert await database.fetchval(
            f"SELECT count(DISTINCT patient) FROM {table} WHERE patient > 0"
        ) == len(rows)
    assert await database.fetchval("SELECT count(*) FROM idempotency_key") == len(rows)


def postmaster(data: Path) -> int:
    """The process of the folder's PostgreSQL."""
    return int((Places(data).cluster / "postmaster.pid").read_text().split("\n", 1)[0])


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def kill_importer(_data: Path, importer: int) -> None:
    """As a crash of the program, or the kernel short of memory."""
    os.kill(importer, signal.SIGKILL)


def kill_worker(_data: Path, importer: int) -> None:
    """One of the processes that do the work."""
    os.kill(children(importer)[0], signal.SIGKILL)


def kill_postgresql(data: Path, _importer: int) -> None:
    """The database, in the middle of its transactions."""
    os.kill(postmaster(data), signal.SIGKILL)


def interrupt(_data: Path, importer: int) -> None:
    """Ctrl-C."""
    os.kill(importer, signal.SIGINT)


@pytest.mark.parametrize("victim", [kill_importer, kill_worker, kill_postgresql, interrupt])
async def test_after_a_kill_there_is_no_half_bundle_and_the_next_run_completes(
    victim: Callable[[Path, int], None], tmp_path: Path, folder: Path
) -> None:
    data = tmp_path / "data"
    status, told = await in_the_middle(data, folder, lambda importer: victim(data, importer))
    if victim is kill_worker:
        assert status == 1
        assert "goes on where it was" in told
    if victim is interrupt:
        assert status == 130
    if victim is kill_postgresql:
        # It comes back, and the import goes on by itself.
        assert status == 0, told
    assert "Traceback" not in told
    async with opened(data) as database:
        await assert_no_half_bundle(database)
        before = await stored(database)
        assert before >= 5
        done = await asyncio.to_thread(run_import, folder, data=data)
        assert done.status == 0, done.told
        assert done.summary["by_type"] == WHOLE
        assert done.summary["unchanged"] == before * (MEASUREMENTS + 1)
        assert await counts(database) == WHOLE
        await assert_no_half_bundle(database)


async def test_no_worker_outlives_a_killed_importer(tmp_path: Path, folder: Path) -> None:
    found: list[int] = []

    def kill(importer: int) -> None:
        found.extend(children(importer))
        os.kill(importer, signal.SIGKILL)

    await in_the_middle(tmp_path / "data", folder, kill)
    assert found
    deadline = time.monotonic() + 15
    while any(Path(f"/proc/{pid}").exists() for pid in found) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert not [pid for pid in found if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
