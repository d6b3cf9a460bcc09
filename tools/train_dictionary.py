"""Train the zstd dictionary that resource bodies are kept with.

Usage: python tools/train_dictionary.py SAMPLES.ndjson[.gz]… OUT.zdict

Samples are FHIR resources, one a line (official CC0 examples, the demo records). The result is
committed as src/helsevev/record/dictionaries/NNNN.zdict and never changed afterwards, since
stored bodies name it; a better one gets the next number.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

import zstandard

SIZE = 64 * 1024
SAMPLE_LIMIT = 8 * 1024


def _samples(path: Path) -> list[bytes | bytearray | memoryview]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        parsed = [json.loads(line) for line in lines]
    resources = [
        json.loads(row["text"]) if "text" in row and "file" in row else row for row in parsed
    ]
    for resource in resources:
        resource.setdefault(
            "meta", {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000000Z"}
        )
        resource.pop("text", None)  # long narratives would fill the dictionary with one-off prose
    encoded = (
        json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
        for resource in resources
    )
    return [sample for sample in encoded if len(sample) <= SAMPLE_LIMIT]


def main(arguments: list[str]) -> int:
    """Train on all but the last argument's files and write to the last."""
    *sources, target = (Path(argument) for argument in arguments)
    samples = [sample for source in sources for sample in _samples(source)]
    random.Random(0).shuffle(samples)  # noqa: S311 - the same order each time
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
