"""`make bench`: measures the program against the limits of this machine, and prints JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import doses, driver, imports, interactions, load, program, rounds
from bench import input as source
from helsevev.access.actor import SYSTEM
from helsevev.access.gate import author_of
from helsevev.fhir import search_query, serialization
from helsevev.kit import clock
from helsevev.record import keys, rows, store
from helsevev.record.database import Database
from helsevev.record.embedded import embedded
from helsevev.record.search import Search
from helsevev.record.statements import load as statements
from helsevev.record.store import Store

CLIENTS = (1, 8, 32)
CONNECTIONS = (32, 16, 8)
SECONDS = 4.0
TURNS = 2
CHARTS = 200
MILLION = 1_000_000
SAMPLE = 2000


class Turns:
    """Answers of several measurements of one kind."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.seconds = 0.0

    def add(self, measured: tuple[list[float], float]) -> None:
        """Add the answers of one."""
        self.took += measured[0]
        self.seconds += measured[1]


class _Heard(Database):
    """Notes the statements that go by, so that the bare driver can send them too."""

    heard: list[tuple[str, tuple[Any, ...]]]

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        self.heard.append((statement, arguments))
        return await super().fetch(statement, *arguments)

    async def fetch_within(self, seconds: float, statement: str, *arguments: Any) -> list[Any]:
        self.heard.append((statement, arguments))
        return await super().fetch_within(seconds, statement, *arguments)


def main() -> None:
    """Measure everything, print it, leave nothing behind."""
    asked = _arguments().parse_args()
    sys.stderr.write("Measuring; this takes some minutes.\n")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="helsevev-bench-") as name:
        figures = asyncio.run(_measure(Path(name), asked))
    sizes = () if asked.ratios else (*imports.SIZES, *((MILLION,) if asked.million else ()))
    figures["imports"] = [imports.measured(size) for size in sizes]
    if not asked.ratios:
        whole = rounds.DAY // rounds.DOSES if asked.day else rounds.SHORT
        figures["a day of doses"] = rounds.measured(whole, str(asked.workers or 2))
        figures["doses due"] = doses.measured(doses.FEW if not asked.day else doses.MANY)
    figures["seconds"] = round(time.perf_counter() - begun, 1)
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--workers", type=int, default=0, help="processes that answer")
    parser.add_argument("--million", action="store_true", help="import a million resources too")
    parser.add_argument(
        "--day", action="store_true",
        help="all 230,000 doses of a day, and what is due for a twentieth of the region",
    )  # fmt: skip
    parser.add_argument(
        "--ratios", action="store_true",
        help="the ratios alone: neither every interaction nor imports by size",
    )  # fmt: skip
    return parser


async def _measure(temporary: Path, asked: argparse.Namespace) -> dict[str, Any]:
    data = temporary / "data"
    folder, kind = source.folder(temporary)
    with program.serving(data, "--workers", str(asked.workers)) as served:
        idle = served.resident_bytes()
        summary = served.import_folder(folder)
        async with embedded(data) as url:
            database = await _Heard.open(url, size=4)
            assert isinstance(database, _Heard)
            database.heard = []
            copied = await driver.copy_rate(url, await _resources(database))
            await database.execute("VACUUM ANALYZE")
            http, bare = await _requests(served, database, url)
            largest = await _largest(database)
            opened = program.chart_opens(served, largest["id"], CHARTS)
            size = await database.fetchval("SELECT pg_database_size(current_database())")
            count = await _resources(database)
            version = await database.fetchval("SHOW server_version")
            resident = served.resident_bytes()
            await database.close()
            # At the end: it stores people of its own.
            every = {} if asked.ratios else interactions.measured(served.base, served.token())
    rate = summary["resources_per_second"]
    return {
        "ratios": {
            **{name: _ratio(http[name]["32"], bare[name]) for name in http},
            "import": round(rate / copied, 3),
        },
        "p99_to_p50": {name: _spread(http[name]["32"]) for name in http},
        "http": http,
        "interactions": every,
        "limits": {**bare, "import": {"per_second": round(copied, 1)}},
        "import": {"input": kind, **{n: summary[n] for n in
                   ("resources", "resources_per_second", "seconds", "failed")}},
        "chart": {"resources": largest["resources"], **load.summary(opened, sum(opened))},
        "memory": {"server_idle_bytes": idle, "server_bytes": resident},
        "database": {"bytes_per_resource": round(size / count), "resources": count},
        "fhir_plain_data": _plain_data(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(),
                    "postgresql": version, "system": platform.platform(terse=True),
                    "load_before": os.getloadavg()[2]},
    }  # fmt: skip


def _ratio(measured: dict[str, Any], limit: dict[str, Any]) -> float:
    share: float = measured["per_second"] / limit["per_second"]
    return round(share, 3)


def _spread(measured: dict[str, Any]) -> float:
    share: float = measured["p99_ms"] / measured["p50_ms"]
    return round(share, 1)


async def _requests(
    served: program.Program, database: _Heard, url: str
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Every interaction over HTTP at each number of clients, and its limit at the largest."""
    head = f"Host: x\r\nAuthorization: Bearer {served.token()}\r\nAccept: application/fhir+json\r\n"
    http: dict[str, dict[str, Any]] = {}
    bare: dict[str, dict[str, Any]] = {}
    for name, prepare in (("read", _read), ("create", _create), ("patient_search", _search)):
        lines, statement, arguments, expect = await prepare(database)
        requests = [
            f"{line}\r\n{head}Content-Type: application/fhir+json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
            for line, body in lines
        ]  # fmt: skip
        http[name] = {
            str(n): load.summary(
                *load.measured(served.host, served.port, requests, n, SECONDS / 2, expect)
            )
            for n in CLIENTS[:-1]
        }
        # Program and limit by turns, so that what else the machine does weighs on both.
        # The driver has as many connections as there are clients, or as the program has,
        # whichever is faster.
        theirs, ours = {n: Turns() for n in CONNECTIONS}, Turns()
        for part in range(TURNS):
            for n, (number, turns) in enumerate(theirs.items()):
                share = arguments[part * len(theirs) + n :: TURNS * len(theirs)]
                turns.add(driver.measured(url, statement, share, number, SECONDS / TURNS))
            ours.add(
                load.measured(
                    served.host, served.port, requests, CLIENTS[-1], SECONDS / TURNS, expect
                )
            )
        http[name][str(CLIENTS[-1])] = load.summary(ours.took, ours.seconds)
        limits = [
            {"connections": number, **load.summary(turns.took, turns.seconds)}
            for number, turns in theirs.items()
        ]
        bare[name] = max(limits, key=lambda limit: limit["per_second"])
    return http, bare


Prepared = tuple[list[tuple[str, bytes]], str, list[tuple[Any, ...]], int]
"""Request lines with bodies; the statement, its arguments, and the expected status."""


async def _read(database: _Heard) -> Prepared:
    found = await database.fetch(
        "SELECT patient, type, id FROM resource WHERE type = 'Observation'"
        f" ORDER BY md5(id) LIMIT {SAMPLE}"
    )
    lines = [(f"GET /fhir/{row['type']}/{row['id']} HTTP/1.1", b"") for row in found]
    return lines, statements("store")["read"], [tuple(row) for row in found], 200


async def _create(database: _Heard) -> Prepared:
    found = await database.fetch("SELECT patient, id FROM resource WHERE type = 'Patient'")
    chance = random.Random(5)
    bodies, arguments = [], []
    author = author_of(SYSTEM, "create")
    for n in range(SAMPLE * 15):
        row = found[n % len(found)]
        resource = source.observation(f"Patient/{row['id']}", chance)
        body = json.dumps(resource).encode()
        if n < SAMPLE:
            bodies.append(("POST /fhir/Observation HTTP/1.1", body))
        now = clock.now()
        resource = {**serialization.decode(body), "id": keys.new_id("Observation", row["patient"])}
        built = rows.build(rows.stamped(resource, 1, now), 1, row["patient"])
        write = store.Write(keys.next_key(), now, author, [built])
        arguments.append((*store.write_arguments([write]), ""))
    return bodies, statements("store")["write"], arguments, 201


async def _search(database: _Heard) -> Prepared:
    found = await database.fetch(
        "SELECT DISTINCT split_part(value, chr(1), 2) FROM search_string"
        " WHERE type = 'Patient' AND name = 'family' LIMIT 200"
    )
    names = [row[0] for row in found]
    search = Search(Store(database))
    database.heard.clear()
    for name in names:
        await search.run(search_query.parse("Patient", [("family", name), ("_count", "10")]))
    heard = [each for each in database.heard if not each[0].startswith("EXPLAIN")]
    (statement,) = {statement for statement, _ in heard}
    lines = [(f"GET /fhir/Patient?family={quote(name)}&_count=10 HTTP/1.1", b"") for name in names]
    return lines, statement, [arguments for _, arguments in heard], 200


async def _largest(database: Database) -> Any:
    return await database.fetchrow(
        "SELECT p.id, count(*) AS resources FROM resource p JOIN resource r USING (patient)"
        " WHERE p.type = 'Patient' GROUP BY p.id ORDER BY count(*) DESC LIMIT 1"
    )


async def _resources(database: Database) -> int:
    return int(await database.fetchval("SELECT count(*) FROM resource"))


def _plain_data() -> Any:
    path = Path(__file__).with_name("fhir_plain_data.py")
    done = subprocess.run([sys.executable, str(path)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
