"""A region straight into a record: shards of a moment, each imported while the next is told.

The record's own import command stores them, so every bundle passes its checks, whole or not at all.
At most two shards are on disk at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .generate import Told
from .shards import Shard, cut

_HELSEVEV = "import sys; from helsevev.main import cli; sys.exit(cli(sys.argv[1:]))"
IMPORT = (sys.executable, "-c", _HELSEVEV, "import", "--json")
"""The import command, to which the shard's path is added."""


class NotStored(Exception):
    """The import command failed; the message is its own."""


def environment(target: str) -> dict[str, str]:
    """The environment that makes a command use a data folder, or a server by its URL."""
    found = dict(os.environ)
    if "://" in target:
        found["HELSEVEV_DATABASE_URL"] = target
    else:
        found["HELSEVEV_DATA"] = str(Path(target).absolute())
        found.pop("HELSEVEV_DATABASE_URL", None)
    return found


def load(
    stream: Iterable[Told], target: str, command: Sequence[str] = IMPORT, size: int | None = None
) -> dict[str, Any]:
    """Import a stream of bundles; returns how many resources were stored and in what time.

    Raises `NotStored` when a shard is not stored whole; those before it stay.
    """
    told = environment(target)
    stored = {"resources": 0, "seconds": 0.0}
    running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def wait() -> None:
        while running:
            process, path = running.pop()
            answer, complaint = process.communicate()
            path.unlink()
            if process.returncode != 0:
                raise NotStored(complaint.decode(errors="replace").strip()[-2000:])
            summary = json.loads(answer)
            stored["resources"] += summary["resources"]
            stored["seconds"] += summary["seconds"]

    def done(shard: Shard) -> None:
        shard.close()
        wait()
        process = subprocess.Popen(
            [*command, str(shard.path)], env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.append((process, shard.path))

    with TemporaryDirectory(prefix="helsevev-region-") as folder:
        try:
            cut(stream, Path(folder), done, **({} if size is None else {"size": size}))
            wait()
        finally:
            for process, _ in running:
                process.terminate()
                process.communicate()
    return {"resources": stored["resources"], "seconds": round(stored["seconds"], 1)}
