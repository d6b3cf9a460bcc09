"""Runs `helsevev import` as a user does, and looks into the record behind its back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helsevev.fhir import serialization
from helsevev.record.database import Database
from helsevev.record.store import Stored

COMMAND = "import sys; from helsevev.main import cli; sys.exit(cli(sys.argv[1:]))"


@dataclass(frozen=True)
class Outcome:
    """How an import ended: exit status, the JSON summary, and what stood on stderr."""

    status: int
    summary: dict[str, Any]
    told: str


def command(*words: object) -> list[str]:
    """`helsevev` with these words."""
    return [sys.executable, "-c", COMMAND, *map(str, words)]


def environment(database_url: str | None = None, data: Path | None = None) -> dict[str, str]:
    """The surroundings of a command that works on that record."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("HELSEVEV_", "PORT"))}
    if database_url is not None:
        kept["HELSEVEV_DATABASE_URL"] = database_url
    if data is not None:
        kept["HELSEVEV_DATA"] = str(data)
    return kept


def run_import(
    *words: object, database_url: str | None = None, data: Path | None = None
) -> Outcome:
    """Import into a database by URL, or into a data folder."""
    done = subprocess.run(
        command("import", "--json", *words), env=environment(database_url, data),
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    summary = json.loads(done.stdout) if done.stdout else {}
    return Outcome(done.returncode, summary, done.stderr)


async def kept(database: Database, resource_type: str) -> list[Stored]:
    """Every current resource of a type."""
    rows = await database.fetch(
        "SELECT patient, type, id, version, last_updated, false, body FROM resource"
        " WHERE type = $1 ORDER BY id",
        resource_type,
    )
    return [Stored(*row) for row in rows]


async def counts(database: Database) -> dict[str, int]:
    """How many current resources there are of each type."""
    rows = await database.fetch("SELECT type, count(*) FROM resource GROUP BY type ORDER BY type")
    return {row[0]: row[1] for row in rows}


async def trace(database: Database) -> tuple[int, ...]:
    """How much of everything has been written so far: it stays when nothing changes."""
    tables = ("resource", "resource_history", "change", "directory", "search_string", "coding")
    return tuple([await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables])


def without_ids(resource: dict[str, Any]) -> bytes:
    """The content of a resource, to the last digit, without what a server may set."""
    left = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    if meta := {
        name: value
        for name, value in resource.get("meta", {}).items()
        if name not in ("versionId", "lastUpdated")
    }:
        left["meta"] = meta
    return serialization.encode(dict(sorted(left.items())))


def contents(resources: list[dict[str, Any]]) -> Counter[bytes]:
    """The contents of many resources, in no order."""
    return Counter(without_ids(resource) for resource in resources)


def observation(patient: str, n: int, **more: Any) -> dict[str, Any]:
    """A measurement about `patient`, a reference."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": f"n{n}"},
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-03-01T10:00:00+01:00",
    } | more


def transaction(*resources: dict[str, Any], name: str = "p") -> dict[str, Any]:
    """A transaction that creates them, each under `urn:uuid:<name><place>`."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": f"urn:uuid:{name}{n}", "resource": resource,
             "request": {"method": "POST", "url": resource["resourceType"]}}
            for n, resource in enumerate(resources)
        ],
    }  # fmt: skip


def person(name: str, measurements: int) -> dict[str, Any]:
    """A transaction that creates a patient and so many measurements of the same."""
    patient = {"resourceType": "Patient", "name": [{"family": name}]}
    about = [observation(f"urn:uuid:{name}0", n) for n in range(measurements)]
    return transaction(patient, *about, name=name)


def save(path: Path, value: Any) -> Path:
    """Write a value as JSON; a list as NDJSON."""
    lines = value if isinstance(value, list) else [value]
    path.write_bytes(b"\n".join(serialization.encode(line) for line in lines))
    return path
