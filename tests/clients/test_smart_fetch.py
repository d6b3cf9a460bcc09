"""smart-fetch, a bulk export client of the Cumulus project, works unchanged."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Server

SMART_FETCH = Path(sys.executable).with_name("smart-fetch")


async def _fetched(server: Server, folder: Path, *words: str) -> dict[str, list[dict[str, Any]]]:
    """What `smart-fetch bulk` leaves in a folder, by resource type."""
    if not SMART_FETCH.is_file():
        pytest.skip("smart-fetch is not installed: make setup-dev brings it.")
    folder.mkdir()
    token = folder.with_suffix(".token")
    token.write_text(server.token)
    process = await asyncio.create_subprocess_exec(
        SMART_FETCH, "bulk", "--fhir-url", server.base, "--bearer-token", token,
        "--no-default-filters", *words, folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, told.decode()
    found: dict[str, list[dict[str, Any]]] = {}
    for path in folder.glob("*.ndjson.gz"):
        with gzip.open(path) as lines:
            found[path.name.partition(".")[0]] = [json.loads(line) for line in lines]
    return found


async def _total(server: Server, search: str) -> int:
    headers = {"authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(headers=headers) as client:
        response = await client.get(f"{server.base}/{search}&_total=accurate&_count=1")
        total: int = response.json()["total"]
        return total


async def test_the_whole_record_is_fetched(server: Server, tmp_path: Path) -> None:
    found = await _fetched(server, tmp_path / "whole")
    for kind in ("Patient", "Observation", "Encounter", "MedicationRequest"):
        assert len(found[kind]) == await _total(server, f"{kind}?_lastUpdated=gt2000") > 0


async def test_a_part_is_fetched_by_type_filter_and_time(server: Server, tmp_path: Path) -> None:
    words = ("--type", "Patient,Observation", "--type-filter", "Observation?category=vital-signs")
    found = await _fetched(server, tmp_path / "part", *words, "--since", "2020-01-01T00:00:00Z")
    assert found.keys() == {"Patient", "Observation"}
    assert len(found["Observation"]) == await _total(server, "Observation?category=vital-signs")
    assert "Observation" not in await _fetched(
        server, tmp_path / "later", *words, "--since", "2100-01-01T00:00:00Z"
    )
