"""What a larger record costs: `python -m bench.growth SMALL LARGE`, two data folders, prints JSON.

Both are served by turns; the same things are asked of each, about inhabitants drawn at random.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import load, program
from helsevev.record.database import Database
from helsevev.record.embedded import embedded

TURNS = 3
CHARTS = 60
SAMPLE = 400
SECONDS = 3.0

Took = dict[str, list[float]]


def main() -> None:
    """Measure the folders named on the command line by turns."""
    folders = [Path(name).absolute() for name in sys.argv[1:]]
    took: dict[Path, Took] = {folder: defaultdict(list) for folder in folders}
    counts = {folder: asyncio.run(_measure(folder, took[folder], 0)) for folder in folders}
    for turn in range(1, TURNS):
        for folder in folders:
            asyncio.run(_measure(folder, took[folder], turn))
    told: list[dict[str, Any]] = [
        {"resources": counts[f], **{name: _percentiles(t) for name, t in took[f].items()}}
        for f in folders
    ]
    growth = {
        name: round(told[-1][name]["p95_ms"] / told[0][name]["p95_ms"], 2)
        for name in took[folders[0]]
    }
    json.dump({"growth_of_p95": growth, "folders": told}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _percentiles(took: list[float]) -> dict[str, Any]:
    return load.summary(took, sum(took))


async def _measure(folder: Path, took: Took, turn: int) -> int:
    with program.serving(folder) as served:
        async with embedded(folder) as url:
            database = await Database.open(url, size=1)
            patients = [row["id"] for row in await _drawn(database, "Patient", CHARTS, turn)]
            asked = {
                "read": [path async for path in _reads(database, turn)],
                "patient_search": [path async for path in _names(database, turn)],
                "token_search": [path async for path in _codes(database, turn)],
            }
            count = int(await database.fetchval("SELECT count(*) FROM resource"))
            await database.close()
        took["chart"] += list(_charts(served, patients))
        head = f"Host: x\r\nAuthorization: Bearer {served.token()}\r\n\r\n"
        for name, paths in asked.items():
            requests = [f"GET /fhir/{path} HTTP/1.1\r\n{head}".encode() for path in paths]
            took[name] += load.measured(served.host, served.port, requests, 1, SECONDS, 200)[0]
    return count


def _charts(served: program.Program, patients: list[str]) -> Iterator[float]:
    doctor = program.Doctor(served)
    for patient in patients:
        doctor.break_the_glass(patient)
        doctor.open_chart(patient)
        yield doctor.open_chart(patient)


async def _drawn(database: Database, kind: str, number: int, turn: int) -> list[Any]:
    """So many of a type, drawn at random but the same in every run."""
    return await database.fetch(
        "SELECT id FROM resource TABLESAMPLE SYSTEM (20) REPEATABLE (7) WHERE type = $1"
        " AND patient > 0 ORDER BY md5(id || $2) LIMIT $3",
        kind, str(turn), number,
    )  # fmt: skip


async def _reads(database: Database, turn: int) -> Any:
    for kind in ("Encounter", "Observation"):
        for row in await _drawn(database, kind, SAMPLE // 2, turn):
            yield f"{kind}/{row['id']}"


async def _names(database: Database, turn: int) -> Any:
    found = await database.fetch(
        "SELECT DISTINCT split_part(value, chr(1), 2) AS name FROM search_string"
        " WHERE type = 'Patient' AND name = 'family' LIMIT 400"
    )
    for row in found[turn::TURNS]:
        yield f"Patient?family={quote(row['name'])}&_count=10"


async def _codes(database: Database, turn: int) -> Any:
    codes = await database.fetch("SELECT code, system FROM coding WHERE is_leading ORDER BY 1, 2")
    for row in codes[turn::TURNS]:
        yield f"Observation?code={quote(row['system'])}%7C{quote(row['code'])}&_count=20"


if __name__ == "__main__":
    main()
