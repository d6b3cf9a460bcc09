"""Kills: of PostgreSQL, of its keeper, of the writer; what was acknowledged is there, and whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from helsevev.kit.settings import Settings
from helsevev.record.database import Database
from helsevev.record.keeper.places import Places, State
from helsevev.record.keys import directory_key
from helsevev.record.opening import opened

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

BUNDLE = 30
ROUNDS = ("postgres", "writer", "keeper", "everything")
_WRITER = """
import asyncio, json, os, sys
from pathlib import Path
from helsevev.access.actor import SYSTEM
from helsevev.access.errors import AccessError
from helsevev.access.services import services_over
from helsevev.kit.settings import Settings
from helsevev.record.database import DatabaseError
from helsevev.record.opening import opened

BUNDLE = int(sys.argv[2])

def pulse(who, n):
    return {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
            "subject": {"reference": who}, "valueQuantity": {"value": n}}

def said(kind, *what):
    print(json.dumps([kind, *what]), flush=True)

async def update_for_ever(services):
    made = (await services.writer.write(SYSTEM, pulse("Patient/updated", 0))).stored
    n = 0
    while True:
        n += 1
        try:
            written = await services.writer.write(
                SYSTEM, made.resource | {"valueQuantity": {"value": n}}, if_match=made.version)
            made = written.stored
            said("one", made.type, made.id, made.version)
        except (DatabaseError, AccessError):
            await asyncio.sleep(0.05)
            try:
                made = await services.gate.store.read(made.type, made.id)
            except DatabaseError:
                pass

async def bundle_for_ever(services, worker):
    n = 0
    while True:
        n += 1
        person = f"crash-{os.getpid()}-{worker}-{n}"
        entries = [{"resourceType": "Patient", "id": person}]
        entries += [pulse(f"Patient/{person}", n) | {"id": f"{person}-{i}"} for i in range(BUNDLE)]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
            for r in entries]}
        try:
            await services.bundles.transact(SYSTEM, bundle, idempotency_key=person)
            said("bundle", person)
        except (DatabaseError, AccessError):
            await asyncio.sleep(0.05)

async def read_for_ever(services):
    while True:
        try:
            await services.gate.open_chart(SYSTEM, "updated")
            said("read")
        except DatabaseError:
            pass
        await asyncio.sleep(0.005)

async def main():
    settings = Settings.from_environment({"HELSEVEV_DATA": sys.argv[1]})
    async with opened(settings) as database:
        services = services_over(database, {})
        said("ready")
        await asyncio.gather(update_for_ever(services), update_for_ever(services),
                             bundle_for_ever(services, 1), bundle_for_ever(services, 2),
                             read_for_ever(services))

asyncio.run(main())
"""


class Writer:
    """A process that writes for as long as it lives, and tells what was acknowledged to it."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-c", _WRITER, str(data), str(BUNDLE)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.told: list[list[Any]] = []
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            # The last line of a killed process may be torn: nobody was told.
            with suppress(json.JSONDecodeError):
                self.told.append(json.loads(line))

    def hear(self, kind: str, more: int, seconds: float = 30) -> None:
        """Wait until so many more have been told."""
        wanted = self.count(kind) + more
        deadline = time.monotonic() + seconds
        while self.count(kind) < wanted:
            assert time.monotonic() < deadline, f"no more {kind}"
            assert self.process.poll() is None, "the writer ended by itself"
            time.sleep(0.01)

    def count(self, kind: str) -> int:
        return sum(told[0] == kind for told in list(self.told))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join()
        if self.process.stdout:
            self.process.stdout.close()


def postmaster(data: Path) -> int:
    """The process of the running PostgreSQL."""
    return int((Places(data).cluster / "postmaster.pid").read_text().split("\n", 1)[0])


def keeper(data: Path) -> int:
    """The process of the keeper."""
    state = State.read(Places(data).keeper)
    assert state
    return state.keeper


def strike(data: Path, victim: str, writer: Writer) -> None:
    """Kill as a power cut would, while everyone writes."""
    if victim in ("postgres", "everything"):
        os.kill(postmaster(data), signal.SIGKILL)
    if victim in ("keeper", "everything"):
        os.kill(keeper(data), signal.SIGKILL)
    if victim in ("writer", "everything"):
        writer.kill()
    else:
        # The same writer goes on by itself when PostgreSQL is back.
        writer.hear("one", 5)
        writer.hear("bundle", 2)
        writer.hear("read", 5)
        writer.kill()


async def test_what_was_acknowledged_before_a_kill_is_there_and_whole(tmp_path: Path) -> None:
    chance = Random(5)
    told: list[list[Any]] = []
    for victim in ROUNDS:
        writer = Writer(tmp_path)
        try:
            writer.hear("ready", 1)
            writer.hear("bundle", 1)
            time.sleep(chance.uniform(0.1, 0.8))  # noqa: ASYNC251 - nothing else runs here
            strike(tmp_path, victim, writer)
        finally:
            writer.kill()
        told += writer.told
    settings = Settings.from_environment({"HELSEVEV_DATA": str(tmp_path)})
    async with opened(settings) as database:
        await check_acknowledged(database, told)
        await check_bundles(database, {line[1] for line in told if line[0] == "bundle"})
        await check_traces(database)


async def check_acknowledged(database: Database, told: list[list[Any]]) -> None:
    """Every version that somebody was told of is kept."""
    rows = await database.fetch(
        "SELECT type, id, version FROM resource UNION ALL"
        " SELECT type, id, version FROM resource_history"
    )
    kept = {tuple(row) for row in rows}
    assert len(kept) == len(rows), "a version is there twice"
    lost = {tuple(line[1:]) for line in told if line[0] == "one"} - kept
    assert lost == set()
    assert sum(line[0] == "one" for line in told) > 50


async def check_bundles(database: Database, acknowledged: set[str]) -> None:
    """Every Bundle is there whole or not at all; the acknowledged ones are there."""
    rows = await database.fetch(
        "SELECT patient, count(*) AS kept FROM resource WHERE id LIKE 'crash-%' GROUP BY patient"
    )
    assert {row["kept"] for row in rows} == {BUNDLE + 1}
    people = await database.fetch("SELECT id FROM resource WHERE type = 'Patient'")
    assert acknowledged <= {row["id"] for row in people}
    keys = await database.fetch("SELECT key FROM idempotency_key")
    assert {row["key"] for row in keys} == {row["id"] for row in people}
    clinical = await database.fetch(
        "SELECT type, id FROM resource WHERE id LIKE 'crash-%' AND type <> 'Patient'"
    )
    listed = [directory_key(row["type"], row["id"]) for row in clinical]
    words = "SELECT count(*) FROM directory WHERE key = ANY ($1::bigint[])"
    assert await database.fetchval(words, listed) == BUNDLE * len(people)


async def check_traces(database: Database) -> None:
    """Each version has its change and its audit row; no version is skipped."""
    torn = await database.fetch("""
        WITH kept AS (
            SELECT patient, type, id, version FROM resource
            UNION ALL
            SELECT patient, type, id, version FROM resource_history
        ), told AS (
            SELECT c.patient, e.type, e.id, e.version
            FROM change c, unnest(c.types::resource_type[], c.ids, c.versions)
                AS e (type, id, version)
        )
        (SELECT 'change', * FROM (TABLE kept EXCEPT TABLE told) AS without_change)
        UNION ALL
        (SELECT 'version', * FROM (TABLE told EXCEPT TABLE kept) AS without_version)
        UNION ALL
        SELECT 'audit', c.patient, c.types[1]::resource_type, c.ids[1], c.versions[1] FROM change c
        WHERE NOT EXISTS (
            SELECT FROM audit_event a
            WHERE a.patient = c.patient AND a.transaction = c.transaction)
        UNION ALL
        SELECT 'skipped', * FROM kept k WHERE k.version > 1 AND NOT EXISTS (
            SELECT FROM kept b WHERE (b.patient, b.type, b.id) = (k.patient, k.type, k.id)
            AND b.version = k.version - 1)
    """)
    assert torn == []
