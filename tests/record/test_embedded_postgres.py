"""The embedded PostgreSQL comes, stays while it is needed, and goes, whoever is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from helsevev.record.database import Database
from helsevev.record.embedded import AlreadyServing, EmbeddedPostgres, embedded, exclusive
from helsevev.record.keeper.places import Places, State

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

_STARTED = "SELECT pg_postmaster_start_time()"
_USER = """
import asyncio, sys
from pathlib import Path
from helsevev.record.embedded import embedded
async def use():
    async with embedded(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(use())
"""
_SERVER = """
import sys
from pathlib import Path
from helsevev.record.embedded import AlreadyServing, exclusive
try:
    with exclusive(Path(sys.argv[1])):
        print("ready", flush=True)
        sys.stdin.read()
except AlreadyServing as refusal:
    sys.exit(str(refusal))
"""


class Program:
    """Another process, until its standard input ends."""

    def __init__(self, script: str, data: Path) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", script, str(data)]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdout
        self.ready = self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.communicate()

    def finish(self) -> str:
        """Let it end by itself; returns what it had to say."""
        return self.process.communicate()[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose cluster has been made, so that only one test waits for that."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def data(made: Path) -> Iterator[Path]:
    """The data folder, and nothing running in it before or after a test."""
    yield made
    assert gone(made, 10), "PostgreSQL was left running"


def postmaster(data: Path) -> int | None:
    """The process of the running PostgreSQL."""
    cluster = Places(data).cluster
    with suppress(OSError, ValueError):
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        if Path(f"/proc/{pid}/cwd").samefile(cluster):
            return pid
    return None


def keeper(data: Path) -> int:
    """The process of the keeper."""
    state = State.read(Places(data).keeper)
    assert state
    return state.keeper


def gone(data: Path, seconds: float) -> bool:
    """Whether PostgreSQL ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if postmaster(data) is None:
            return True
        time.sleep(0.02)
    return False


@asynccontextmanager
async def record(url: str) -> AsyncIterator[Database]:
    """A database with one acknowledged row per test."""
    database = await Database.open(url, size=2)
    await database.execute("CREATE TABLE IF NOT EXISTS dose (id integer PRIMARY KEY)")
    try:
        yield database
    finally:
        await database.close()


async def test_a_restart_keeps_the_data_and_takes_less_than_two_seconds(data: Path) -> None:
    async with embedded(data) as url, record(url) as database:
        await database.execute("INSERT INTO dose VALUES (1)")
    assert postmaster(data) is None
    begun = time.monotonic()
    async with embedded(data) as url, record(url) as database:
        assert time.monotonic() - begun < 2
        assert await database.fetchval("SELECT count(*) FROM dose") == 1


async def test_it_is_durable_private_and_reads_norwegian(data: Path) -> None:
    async with embedded(data) as url, record(url) as database:
        settings = dict(
            await database.fetch(
                "SELECT name, setting FROM pg_settings WHERE name = ANY ($1)",
                [
                    *("fsync", "synchronous_commit", "full_page_writes", "data_checksums"),
                    *("listen_addresses", "password_encryption"),
                ],
            )
        )
        assert await database.fetchval("SELECT lower('ÆØÅ')") == "æøå"
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "password_encryption": "scram-sha-256",
    }
    places = Places(data)
    assert places.password.stat().st_mode & 0o077 == 0
    assert (places.folder / "socket").stat().st_mode & 0o077 == 0
    rules = (places.cluster / "pg_hba.conf").read_text().splitlines()
    assert {line.split()[-1] for line in rules if line and not line.startswith("#")} == {
        "scram-sha-256",
        "reject",
    }


async def test_an_import_keeps_its_database_when_the_server_beside_it_stops(data: Path) -> None:
    server = Program(_USER, data)
    async with embedded(data) as url, record(url) as database:
        started = await database.fetchval(_STARTED)
        assert server.finish() == ""
        await asyncio.sleep(0.3)
        assert await database.fetchval(_STARTED) == started
    assert postmaster(data) is None


async def test_many_users_at_once_share_one_server(data: Path) -> None:
    servers = [EmbeddedPostgres(data) for _ in range(5)]
    urls = await asyncio.gather(*(server.start() for server in servers))
    assert len(set(urls)) == 1
    assert postmaster(data) is not None
    await asyncio.gather(*(server.stop() for server in servers))
    assert gone(data, 2)


def test_a_killed_user_leaves_nothing_running(data: Path) -> None:
    user = Program(_USER, data)
    assert user.ready
    user.kill()
    assert gone(data, 2.5)


async def test_a_killed_postgresql_comes_back_with_all_that_was_acknowledged(data: Path) -> None:
    async with embedded(data) as url, record(url) as database:
        await database.execute("INSERT INTO dose VALUES (2)")
        started = await database.fetchval(_STARTED)
        os.kill(postmaster(data) or 0, signal.SIGKILL)
        await asyncio.sleep(0.05)
        assert await database.fetchval("SELECT count(*) FROM dose WHERE id = 2") == 1
        assert await database.fetchval(_STARTED) > started


async def test_a_killed_keeper_is_replaced_while_somebody_needs_it(data: Path) -> None:
    async with embedded(data) as url, record(url) as database:
        await database.execute("INSERT INTO dose VALUES (3)")
        killed = keeper(data)
        os.kill(killed, signal.SIGKILL)
        assert await asyncio.to_thread(gone, data, 5)
        assert await database.fetchval("SELECT count(*) FROM dose WHERE id = 3") == 1
        assert keeper(data) != killed


async def test_after_everything_was_killed_the_next_start_recovers(data: Path) -> None:
    user = Program(_USER, data)
    for pid in (user.process.pid, keeper(data), postmaster(data) or 0):
        os.kill(pid, signal.SIGKILL)
    user.kill()
    assert (Places(data).cluster / "postmaster.pid").exists()
    async with embedded(data) as url, record(url) as database:
        assert await database.fetchval("SELECT count(*) FROM dose") == 3


async def test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(data: Path) -> None:
    pid_file = Places(data).cluster / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n")
    async with embedded(data) as url, record(url) as database:
        assert await database.fetchval("SELECT 1") == 1


async def test_a_cluster_of_another_version_is_left_alone_and_named(data: Path) -> None:
    version = Places(data).cluster / "PG_VERSION"
    true = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(Exception, match="written by PostgreSQL 9"):
            await EmbeddedPostgres(data).start()
    finally:
        version.write_text(true)


def test_the_second_server_on_a_data_folder_says_so_and_stops(tmp_path: Path) -> None:
    first = Program(_SERVER, tmp_path)
    second = Program(_SERVER, tmp_path)
    assert (first.ready, second.ready) == (True, False)
    assert f"already running on {tmp_path} (process {first.process.pid})" in second.finish()
    assert second.process.returncode == 1
    first.kill()
    with exclusive(tmp_path), pytest.raises(AlreadyServing), exclusive(tmp_path):
        pass


@pytest.mark.parametrize(
    "name", ["with spaces, commas & 'quotes' \"too\"", "journal på Ås", "x" * 120], ids=str
)
async def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    for _ in range(2):
        async with embedded(folder) as url, record(url) as database:
            assert await database.fetchval("SELECT 1") == 1
            state = State.read(Places(folder).keeper)
    assert gone(folder, 2)
    assert state
    near = Path(state.socket).is_relative_to(folder)
    assert near or not Path(state.socket).exists(), "a temporary folder was left behind"
