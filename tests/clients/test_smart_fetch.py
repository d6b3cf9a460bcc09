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
from joserfc.jwk import ECKey

from .conftest import Server

SMART_FETCH = Path(sys.executable).with_name("smart-fetch")


async def _fetched(server: Server, folder: Path, *words: str) -> dict[str, list[dict[str, Any]]]:
    """What `smart-fetch bulk` leaves in a folder, by resource type."""
    if not SMART_FETCH.is_file():
        pytest.skip("smart-fetch is not installed: make setup-dev brings it.")
    folder.mkdir()
    who: tuple[Any, ...] = ()
    if "--smart-client-id" not in words:
        token = folder.with_suffix(".token")
        token.write_text(server.token)
        who = ("--bearer-token", token)
    process = await asyncio.create_subprocess_exec(
        SMART_FETCH, "bulk", "--fhir-url", server.base, *who,
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


async def _backend(server: Server, folder: Path, *scopes: str) -> tuple[str, ...]:
    """A backend system that is registered by its key: how smart-fetch is told who it is."""
    key = ECKey.generate_key("P-384", {"kid": "one", "alg": "ES384", "key_ops": ["sign", "verify"]})
    public, private = folder / "public.jwks", folder / "private.jwks"
    public.write_text(json.dumps({"keys": [{**key.as_dict(private=False), "key_ops": ["verify"]}]}))
    private.write_text(json.dumps({"keys": [{**key.as_dict(private=True), "key_ops": ["sign"]}]}))
    asked = [word for scope in scopes for word in ("--scope", scope)]
    told = await server.demo.command(
        "apps", "register", "Analyse", "--vendor", "Cumulus", "--kind", "backend",
        "--keys", str(public), *asked,
    )  # fmt: skip
    return ("--smart-client-id", told.split()[1], "--smart-key", str(private))


async def test_a_backend_system_fetches_by_its_key_what_its_scopes_name(
    server: Server, tmp_path: Path
) -> None:
    who = await _backend(server, tmp_path, "system/Patient.rs", "system/Condition.rs")
    words = (*who, "--type", "Patient,Condition")
    found = await _fetched(server, tmp_path / "keyed", *words)
    assert found.keys() == {"Patient", "Condition"}
    assert len(found["Patient"]) == await _total(server, "Patient?_lastUpdated=gt2000")


async def test_a_backend_system_fetches_nothing_else(server: Server, tmp_path: Path) -> None:
    who = await _backend(server, tmp_path, "system/Patient.rs")
    with pytest.raises(AssertionError, match="has not been granted this"):
        await _fetched(server, tmp_path / "more", *who, "--type", "Observation")
