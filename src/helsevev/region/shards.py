"""A region as files: NDJSON shards packed with gzip, and a manifest that says what they hold.

One line is one transaction bundle. The packing bears neither time nor name, and digests are of the
text inside, so two runs of one plan can be compared wherever they were made.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from io import BufferedWriter
from pathlib import Path
from typing import Any

from .generate import Plan, Told

SHARD_BYTES = 96 * 1024 * 1024
"""Bytes of text after which a shard is closed."""
_LEVEL = 1


class Shard:
    """One file being written: bundles line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bundles = self.resources = self.text_bytes = 0
        self._digest = hashlib.sha256()
        self._file: BufferedWriter = path.open("wb")
        self._packed = gzip.GzipFile("", "wb", _LEVEL, self._file, mtime=0)

    def write(self, told: Told) -> None:
        """Add a bundle as one line."""
        line = told.json + b"\n"
        self._packed.write(line)
        self._digest.update(line)
        self.bundles += 1
        self.resources += sum(told.counts.values())
        self.text_bytes += len(line)

    def close(self) -> dict[str, Any]:
        """Finish the file; returns its row of the manifest."""
        self._packed.close()
        self._file.close()
        return {
            "file": self.path.name,
            "bundles": self.bundles,
            "resources": self.resources,
            "text_bytes": self.text_bytes,
            "sha256_of_text": self._digest.hexdigest(),
        }


def cut(
    stream: Iterable[Told], folder: Path, done: Callable[[Shard], None], size: int = SHARD_BYTES
) -> None:
    """Write a stream as shards into a folder and hand over each when it is full, still open.

    What is handed over must be closed by who takes it.
    """
    shard: Shard | None = None
    number = 0
    for told in stream:
        if shard is None:
            shard = Shard(folder / f"region-{number:04d}.ndjson.gz")
            number += 1
        shard.write(told)
        if shard.text_bytes >= size:
            done(shard)
            shard = None
    if shard is not None:
        done(shard)


def write(plan: Plan, stream: Iterable[Told], folder: Path) -> dict[str, Any]:
    """Write a whole region into a folder; returns the manifest, which is written last.

    The shards are in its folder `bundles`, which `helsevev import` takes as it is.

    FileExistsError when the folder holds a region already.
    """
    manifest = folder / "manifest.json"
    if manifest.exists():
        raise FileExistsError(f"{folder} holds a region already")
    bundles = folder / "bundles"
    bundles.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    tally = Tally()
    cut(tally.counted(stream), bundles, lambda shard: rows.append(shard.close()))
    content = {
        "plan": {**asdict(plan), "until": plan.until.isoformat()},
        **tally.as_data(),
        "shards": rows,
    }
    manifest.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return content


class Tally:
    """Counts what goes by."""

    def __init__(self) -> None:
        self.by_type: Counter[str] = Counter()
        self.inhabitants = self.bundles = self.text_bytes = 0

    def counted(self, stream: Iterable[Told]) -> Iterable[Told]:
        """The same stream, counted as it goes by."""
        for told in stream:
            self.by_type.update(told.counts)
            self.inhabitants += told.inhabitants
            self.bundles += 1
            self.text_bytes += len(told.json) + 1
            yield told

    @property
    def resources(self) -> int:
        """How many resources there were."""
        return self.by_type.total()

    def as_data(self) -> dict[str, Any]:
        """The counts, as the manifest and the summary have them."""
        return {
            "inhabitants": self.inhabitants,
            "bundles": self.bundles,
            "resources": self.resources,
            "text_bytes": self.text_bytes,
            "by_type": dict(sorted(self.by_type.items())),
        }
