"""Runs the keeper: starts PostgreSQL, restarts it when it dies, stops it after the last user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from helsevev.record.keeper import cluster, locks, unprivileged
from helsevev.record.keeper.places import Places, State

_TICK = 0.05
_START_SECONDS = 600  # crash recovery after a long write may take its time
_TRIES = 6


class Keeper:
    """Holds the keeper's lock of one data folder until its work is done."""

    def __init__(self, places: Places, lock: int) -> None:
        self.places = places
        self.lock = lock
        self.users = locks.open_lock(places.users)
        self.told_to_stop = False
        self.pid = os.getpid()
        self.socket_folder = Path()

    def keep(self) -> None:
        """Do it all, from the first file to the last process. Raises what `cluster` raises."""
        self.tell("preparing")
        programs = cluster.binaries()
        # Before the identity changes: afterwards the leftover could not be seen.
        cluster.end_leftover(self.places)
        identity = unprivileged.choose(self.places.data, self.places.folder, programs)
        unprivileged.prepare(identity, self.places.data, self.places.folder)
        identity.enter()
        self.socket_folder = self.places.socket_folder()
        cluster.initialise(self.places, programs)
        failures = 0
        while not self.done():
            self.tell("starting")
            child = cluster.start(self.places, programs, self.socket_folder)
            if self.watch(child):
                failures = 0
            failures += 1
            if child.poll() is None:
                self.tell("stopping")
                cluster.stop(child)
                break
            if failures == _TRIES:
                raise cluster.ClusterError(
                    f"PostgreSQL does not start:\n{cluster.last_words(self.places)}"
                )
            # Backends of one that was killed need a moment to let its memory go.
            time.sleep(min(0.1 * 2 ** (failures - 1), 5.0) if failures > 1 else 0.05)
        if not self.told_to_stop:
            self.places.remove_far_socket_folder()

    def watch(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until it dies or nobody needs it; says whether it ever was ready."""
        ready = False
        deadline = time.monotonic() + _START_SECONDS
        while child.poll() is None and not self.done():
            if not ready and cluster.is_ready(self.places):
                ready = True
                self.tell("ready")
            if not ready and time.monotonic() > deadline:
                raise cluster.ClusterError("PostgreSQL did not get ready in time.")
            time.sleep(_TICK if ready else _TICK / 5)
        return ready

    def done(self) -> bool:
        """Tell whether to stop. With no user left, newcomers wait from now until it has."""
        return self.told_to_stop or locks.try_lock(self.users, shared=False)

    def stop_soon(self, _signal: int, _frame: FrameType | None) -> None:
        """Be told by a signal to stop."""
        self.told_to_stop = True

    def tell(self, phase: str, message: str = "") -> None:
        """Let the users know."""
        State(self.pid, phase, str(self.socket_folder), message).write(self.lock)


def run(data: Path) -> int:
    """Become the keeper of `data` in the background, unless it has one; returns at once with 0.

    In the background process it returns when the work is done. The lock is taken before the
    parent leaves, so that whoever started the keeper finds the lock held.
    """
    places = Places(data)
    lock = locks.open_lock(places.keeper)
    for _ in range(20):
        # A user may be looking at the lock just now, which holds it for microseconds.
        if locks.try_lock(lock, shared=False):
            break
        time.sleep(0.005)
    else:
        return 0
    if os.fork() != 0:
        return 0
    _leave_the_terminal()
    keeper = Keeper(places, lock)
    signal.signal(signal.SIGTERM, keeper.stop_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        keeper.keep()
    except Exception as error:  # noqa: BLE001 - whatever it is, the users are told
        keeper.tell("failed", str(error) or repr(error))
        return 1
    keeper.tell("stopped")
    return 0


def _leave_the_terminal() -> None:
    os.setsid()
    os.umask(0o077)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
