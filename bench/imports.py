"""How importing goes as input grows: `python -m bench.imports 1000 10000 …`, prints JSON.

The input is the beginning of a synthetic region, two years of it; each size is imported into a
record of its own, and its rows are then copied raw into tables with the same indexes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from bench import driver, program
from helsevev.record.embedded import embedded
from helsevev.region.generate import Plan, bundles
from helsevev.region.shards import Shard

SIZES = (1_000, 10_000, 100_000)
_RESOURCES_OF_SCALE_1 = 240_000_000


def main() -> None:
    """Measure the sizes named on the command line, or the usual ones."""
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    json.dump([measured(size) for size in sizes], sys.stdout, indent=2)
    sys.stdout.write("\n")


def measured(size: int) -> dict[str, Any]:
    """The rate of importing so many resources at least, against raw COPY of the same rows."""
    with tempfile.TemporaryDirectory(prefix="helsevev-bench-") as name:
        shard = _input(Path(name), size)
        data = Path(name) / "data"
        program.run(data, "import", "--json", str(_nothing(Path(name))))
        summary = json.loads(program.run(data, "import", "--json", str(shard.path)))
        copied, stored = asyncio.run(_limits(data, summary["resources"]))
    return {
        "resources": summary["resources"],
        "resources_per_second": summary["resources_per_second"],
        "copy_per_second": round(copied),
        "ratio": round(summary["resources_per_second"] / copied, 3),
        "text_bytes_per_resource": round(shard.text_bytes / shard.resources),
        "stored_bytes_per_resource": round(stored / summary["resources"]),
    }


def _input(folder: Path, size: int) -> Shard:
    shard = Shard(folder / "region.ndjson.gz")
    scale = max(1.5 * size / _RESOURCES_OF_SCALE_1, 0.0005)
    for told in bundles(Plan(scale), processes=1):
        shard.write(told)
        if shard.resources >= size:
            break
    shard.close()
    return shard


def _nothing(folder: Path) -> Path:
    """A file whose import makes the empty record, so that making it is not measured."""
    path = folder / "nothing.ndjson"
    path.write_text('{"resourceType":"Basic","id":"nothing","code":{"text":"nothing"}}\n')
    return path


async def _limits(data: Path, resources: int) -> tuple[float, int]:
    """Raw COPY's resources per second, and the bytes of all that the record keeps."""
    async with embedded(data) as url:
        connection = await asyncpg.connect(url)
        stored = await connection.fetchval("SELECT pg_database_size(current_database())")
        await connection.close()
        return await driver.copy_rate(url, resources), int(stored)


if __name__ == "__main__":
    main()
