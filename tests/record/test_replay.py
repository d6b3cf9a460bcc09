"""A region's hour is played through a served record, and every write of it is found again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from helsevev.region.replay.actions.table import ACTIONS
from helsevev.region.replay.ledger import Entry, Ledger
from helsevev.region.replay.record import Record
from helsevev.region.replay.verify import Verdicts, verify
from helsevev.region.replay.wire import Wire

HELSEVEV = (sys.executable, "-c", "import sys; from helsevev.main import cli; sys.exit(cli())")
REGION = ("--scale", "0.0003", "--years", "0.15", "--dose-days", "2", "--until", "today")
HOUR = ("--day", "--hours", "8-9", "--speed", "600", "--inhabitants", "2000", "--staff", "40")


@dataclass(frozen=True)
class Served:
    """A small region, served with the demo's logins."""

    environment: dict[str, str]
    url: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command beside the server."""
        return subprocess.run(
            [*HELSEVEV, *words], env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo's people and a few generated ones, until the module's tests end."""
    folder = tmp_path_factory.mktemp("region")
    environment = {**os.environ, "HELSEVEV_DATA": str(folder / "data")}
    log = folder / "serve.log"
    with log.open("wb") as out:
        serving = subprocess.Popen(
            [*HELSEVEV, "serve", "--demo", "--port", "0"],
            env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        last = time.monotonic() + 60
        while "Ctrl-C" not in log.read_text("utf-8"):
            assert serving.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < last, log.read_text("utf-8")
            time.sleep(0.05)
        made = Served(environment, log.read_text("utf-8").split("answers at ")[1].split()[0])
        told = made.run("region", "generate", *REGION, "--out", str(folder / "told"))
        assert told.returncode == 0, told.stderr
        # The demo's people are there already, told at the moment the server started.
        made.run("import", str(folder / "told" / "bundles"))
        yield made
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(30)


@pytest.fixture(scope="module")
def report(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a replay of the busiest hour says."""
    out = tmp_path_factory.mktemp("ledger")
    done = served.run("region", "replay", *HOUR, "--out", str(out), "--json", served.url)
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_an_hour_is_played_without_an_error_a_lost_or_a_doubled_write(
    report: dict[str, Any],
) -> None:
    writes = report["writes"]
    assert (report["errors"], writes["lost"], writes["doubled"]) == (0, 0, 0)
    assert (writes["refused"], report["unanswered_writes"]) == (0, 0)
    assert writes["read_back"] == writes["acknowledged"] > 100
    assert report["begun"] == report["planned"] > 200
    assert set(report["actions"]) == {action.name for action in ACTIONS}
    assert report["left_out"] == []
    assert report["units"] > 10


def test_every_step_tells_its_latency_from_the_schedule_and_from_sending(
    report: dict[str, Any],
) -> None:
    assert {"open chart", "follow chart", "sign dose", "sign note", "sign vital signs"} < set(
        report["steps"]
    )
    for step in report["steps"].values():
        for percentile in ("p50", "p95", "p99", "max"):
            sent, planned = (step[f"from_{name}_ms"] for name in ("sending", "schedule"))
            assert 0 < sent[percentile] <= planned[percentile] + 0.1
    assert set(report["behind_schedule_ms"]) == {"p50", "p95", "p99", "max"}


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")
def test_what_it_cost_the_machine_is_told(report: dict[str, Any]) -> None:
    for name in ("server", "database", "replay"):
        cost = report["machine"][name]
        assert cost["cpu_seconds"] > 0
        assert cost["peak_memory_bytes"] >= cost["memory_bytes"] > 10_000_000


async def test_a_lost_an_altered_and_a_doubled_write_are_found(
    served: Served, report: dict[str, Any]
) -> None:
    ledger = Ledger(Path(report["ledger"]))
    token = (await asyncio.to_thread(served.run, "token", "--system")).stdout.strip()
    wire = Wire(served.url)
    record = Record(wire, token)
    before = await verify(ledger, record)
    assert before.as_data() == report["writes"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=30) as client:
        await damage(client, list(ledger.entries()))
    after = await verify(ledger, record)
    await wire.close()
    assert faults(after) == {"missing": 3, "altered": 3, "doubled": 3}
    assert after.read_back == before.read_back - 6


async def damage(client: httpx.AsyncClient, entries: list[Entry]) -> None:
    """Delete, change and copy one contact, one note and one round of measurements each."""
    for action in ("write contact", "sign note", "sign vital signs"):
        lost, altered, doubled = [each for each in entries if each.action == action][:3]
        for resource in await stored(client, lost):
            version = resource["meta"]["versionId"]
            match = {"If-Match": f'W/"{version}"'}
            address = f"/fhir/{resource['resourceType']}/{resource['id']}"
            assert (await client.delete(address, headers=match)).status_code < 300
        (resource, *_) = await stored(client, altered)
        await change(client, resource)
        copies = [each | {"id": None} for each in await stored(client, doubled)]
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": {k: v for k, v in copy.items() if k not in ("id", "meta")},
                    "request": {"method": "POST", "url": copy["resourceType"]},
                }
                for copy in copies
            ],
        }
        answer = await client.post("/fhir", json=bundle)
        assert answer.status_code == 200, answer.text


async def change(client: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    """Another version, in which one value or word is other."""
    match resource["resourceType"]:
        case "Encounter":
            resource["type"] = [{"text": "Noe annet"}]
        case "Composition":
            narrative = resource["section"][0]["text"]
            narrative["div"] = narrative["div"].replace("<p>", "<p>Ikke: ", 1)
        case "Observation":
            resource["valueQuantity"]["value"] += 1
    address = f"/fhir/{resource['resourceType']}/{resource['id']}"
    match_header = {"If-Match": f'W/"{resource["meta"]["versionId"]}"'}
    answer = await client.put(address, json=resource, headers=match_header)
    assert answer.status_code == 200, answer.text


async def stored(client: httpx.AsyncClient, entry: Entry) -> list[dict[str, Any]]:
    """What the record has of a write, a single-valued measurement first."""
    if entry.kind == "identifier":
        return [(await client.get(f"/fhir/{entry.reference}")).json()]
    asked = {"patient": entry.patient, "_count": "500"}
    if entry.kind == "round":
        asked["date"] = entry.mark
    found = (await client.get(f"/fhir/{entry.resource_type}", params=asked)).json()
    resources = [each["resource"] for each in found["entry"]]
    if entry.kind == "note":
        return [each for each in resources if f"{entry.mark}." in json.dumps(each)]
    return sorted(
        resources, key=lambda each: ("valueQuantity" not in each, each["category"] != "survey")
    )


def faults(verdicts: Verdicts) -> dict[str, int]:
    """The faults by kind."""
    return {name: getattr(verdicts, name) for name in ("missing", "altered", "doubled")}
