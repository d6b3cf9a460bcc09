"""Workers are as many as were asked for, whatever kills them, and none outlives who forked them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = """
import os, pathlib, sys, time
from helsevev.kit.workers import Workers

folder, fails = pathlib.Path(sys.argv[1]), len(sys.argv) > 2

def work(number, ready):
    if fails and number == 1:
        return 3
    (folder / f"{number}-{os.getpid()}").touch()
    ready()
    while True:
        time.sleep(60)

sys.exit(Workers(2, work).run(lambda: (folder / "all").touch()))
"""


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program above, killed at the end if it still runs."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), *words])
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(5)


def pids(folder: Path, number: int) -> set[int]:
    """The processes that ever were the worker of this number."""
    return {int(path.name.partition("-")[2]) for path in folder.glob(f"{number}-*")}


def lives(pid: int) -> bool:
    """Whether there is such a process, and not only its remains."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(true: Callable[[], bool]) -> None:
    """Wait, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_that_dies_is_begun_again_and_the_other_goes_on(tmp_path: Path) -> None:
    with running(tmp_path):
        until((tmp_path / "all").exists)
        (first,), (second,) = pids(tmp_path, 0), pids(tmp_path, 1)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(pids(tmp_path, 0)) == 2)
        assert lives(second)
        assert pids(tmp_path, 1) == {second}


def test_a_signal_ends_all_in_good_order(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / number.name
        folder.mkdir()
        with running(folder) as process:
            until((folder / "all").exists)
            process.send_signal(number)
            assert process.wait(10) == 0
            assert not any(lives(pid) for n in (0, 1) for pid in pids(folder, n))


def test_no_worker_outlives_the_process_that_forked_it(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        until((tmp_path / "all").exists)
        process.kill()
        until(lambda: not any(lives(pid) for n in (0, 1) for pid in pids(tmp_path, n)))


def test_a_worker_that_fails_before_all_are_ready_ends_the_start(tmp_path: Path) -> None:
    with running(tmp_path, "fails") as process:
        assert process.wait(10) == 1
        assert not (tmp_path / "all").exists()
        assert not any(lives(pid) for pid in pids(tmp_path, 0))
