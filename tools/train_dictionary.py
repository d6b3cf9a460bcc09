"""Train the zstd dictionary that resource bodies are kept with.

Usage: python tools/train_dictionary.py FILE… OUT.zdict

A file is NDJSON (gzip, bzip2 or plain) of FHIR resources and Bundles: official CC0 examples, a
told region (`helsevev region generate`), Synthea. The result is committed as
src/helsevev/record/dictionaries/NNNN.zdict and never changed once a release has stored bodies
with it, since they name it; a better one gets the next number.
"""

from __future__ import annotations

import bz2
import gzip
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

SIZE = 256 * 1024
SAMPLE_LIMIT = 8 * 1024
MOST_OF_A_TYPE = 2000
MOST_OF_AN_EXAMPLE = 30
"""Samples of one type in one file of records, or of examples, which have every type: so that
what is common does not crowd out what is rare."""

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    """The resources of a file, and of its transactions."""
    with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            if "text" in found and "file" in found:
                found = json.loads(found["text"])
            if found["resourceType"] == "Bundle" and found.get("type") == "transaction":
                yield from (entry["resource"] for entry in found["entry"])
            else:
                yield found


def _samples(path: Path, chance: random.Random) -> list[bytes | bytearray | memoryview]:
    """What is kept of each resource: all but its head (`helsevev.record.body`)."""
    by_type: defaultdict[str, list[bytes]] = defaultdict(list)
    for resource in _resources(path):
        meta = {**resource.pop("meta", {})}
        kind = resource.pop("resourceType")
        resource.pop("id", None)
        rest = json.dumps(meta, ensure_ascii=False, separators=(",", ":"))[1:]
        text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))[1:]
        sample = f"{',' if meta else ''}{rest},{text}".encode()
        if len(sample) <= SAMPLE_LIMIT:
            by_type[kind].append(sample)
    most = MOST_OF_AN_EXAMPLE if "example" in path.name else MOST_OF_A_TYPE
    found: list[bytes | bytearray | memoryview] = []
    for samples in by_type.values():
        found += chance.sample(samples, min(len(samples), most))
    return found


def main(arguments: list[str]) -> int:
    """Train on all but the last argument's files and write to the last."""
    *sources, target = (Path(argument) for argument in arguments)
    chance = random.Random(0)  # noqa: S311 - the same order each time
    samples: list[bytes | bytearray | memoryview[int]] = [
        sample for source in sources for sample in _samples(source, chance)
    ]
    chance.shuffle(samples)
    number = int(target.stem)
    dictionary = zstandard.train_dictionary(SIZE, samples, dict_id=number, level=3)
    target.write_bytes(dictionary.as_bytes())
    compressor = zstandard.ZstdCompressor(level=3, dict_data=dictionary)
    plain = sum(map(len, samples))
    stored = sum(len(compressor.compress(sample)) for sample in samples)
    print(f"{len(samples)} samples, {plain / stored:.1f} to 1, {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
