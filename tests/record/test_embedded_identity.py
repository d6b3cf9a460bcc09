"""PostgreSQL never runs as root, and runs for root and for everybody else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.record.keeper import cluster, locks, unprivileged
from helsevev.record.keeper.places import Places
from helsevev.record.keeper.unprivileged import Identity, NoIdentity

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")

_USE = """
import asyncio, sys
from pathlib import Path
from helsevev.record.database import Database
from helsevev.record.embedded import embedded
async def use():
    async with embedded(Path(sys.argv[1])) as url:
        database = await Database.open(url, size=1)
        print(await database.fetchval("SELECT 6 * 7"))
        await database.close()
asyncio.run(use())
"""
_KEEPER_WITHOUT_NAMESPACES = """
import sys
from pathlib import Path
from helsevev.record.keeper import __main__ as program, unprivileged
def refused():
    raise PermissionError(1, "user namespaces are switched off")
unprivileged._enter_namespace = refused
sys.exit(program.run(Path(sys.argv[1])))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="helsevev-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def somebody() -> int:
    """An ordinary user's number."""
    return pwd.getpwnam("nobody").pw_uid


def _run_as(uid: int, script: str, data: Path) -> subprocess.CompletedProcess[str]:
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, system):
        with suppress(OSError):
            if _as(uid, python, "-B", "-c", "import helsevev, asyncpg").returncode == 0:
                return _as(uid, python, "-B", "-c", script, str(data))
    pytest.skip("an ordinary user cannot run this Python: it lies in a closed folder")


def _as(uid: int, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        user=uid,
        group=uid,
        extra_groups=[],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd="/",
    )


@needs_root
def test_an_ordinary_user_has_a_database_too(open_folder: Path, somebody: int) -> None:
    data = open_folder / "data"
    data.mkdir()
    os.chown(data, somebody, -1)
    done = _run_as(somebody, _USE, data)
    assert (done.stdout, done.stderr) == ("42\n", "")
    assert Places(data).cluster.stat().st_uid == somebody


@needs_root
def test_a_user_whom_the_machine_has_no_name_for_has_one_too(open_folder: Path) -> None:
    stranger = 54_321
    data = open_folder / "data"
    data.mkdir()
    os.chown(data, stranger, stranger)
    done = _run_as(stranger, _USE, data)
    assert (done.stdout, done.stderr) == ("42\n", "")


@needs_root
def test_an_ordinary_user_is_told_of_a_folder_that_is_closed(
    open_folder: Path, somebody: int
) -> None:
    done = _run_as(somebody, _USE, open_folder / "data")
    assert f"The data folder {open_folder / 'data'} cannot be used: Permission" in done.stderr


@needs_root
async def test_root_leaves_the_files_of_a_user_to_that_user(
    open_folder: Path, somebody: int
) -> None:
    data = open_folder / "data"
    data.mkdir()
    os.chown(data, somebody, -1)
    _run_as(somebody, _USE, data)
    async with embedded(data) as url:
        database = await Database.open(url, size=1)
        assert await database.fetchval("SELECT 1") == 1
        await database.close()
    assert Places(data).cluster.stat().st_uid == somebody
    assert _run_as(somebody, _USE, data).stdout == "42\n"


@needs_root
async def test_root_in_a_folder_that_only_its_owner_may_enter(
    open_folder: Path, somebody: int
) -> None:
    os.chown(open_folder, somebody, -1)
    open_folder.chmod(0o700)
    async with embedded(open_folder / "data") as url:
        database = await Database.open(url, size=1)
        assert await database.fetchval("SELECT 1") == 1
        await database.close()


@needs_root
async def test_root_without_user_namespaces_gives_the_database_to_an_account(
    open_folder: Path,
) -> None:
    data = open_folder / "data"
    data.mkdir(mode=0o700)
    using = locks.open_lock(Places(data).users)
    assert locks.try_lock(using, shared=True)
    command = [sys.executable, "-c", _KEEPER_WITHOUT_NAMESPACES, str(data)]
    subprocess.run(command, check=True)
    async with embedded(data) as url:
        os.close(using)
        database = await Database.open(url, size=1)
        assert await database.fetchval("SELECT 1") == 1
        await database.close()
    assert Places(data).cluster.stat().st_uid != 0
    assert data.stat().st_uid == 0


@needs_root
def test_where_nothing_works_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "_works", lambda *_: False)
    with pytest.raises(NoIdentity, match=r"chmod o\+x on each folder"):
        unprivileged.choose(tmp_path, tmp_path / "postgres", cluster.binaries())


def test_an_ordinary_user_with_a_name_stays_who_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    chosen = unprivileged.choose(tmp_path, tmp_path / "postgres", cluster.binaries())
    assert chosen == Identity()
