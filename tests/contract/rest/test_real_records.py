"""Records that a public generator wrote go through as the transactions they are."""

from __future__ import annotations

import bz2
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization

from .conftest import Api


def bundle(path: Path) -> bytes:
    opened = gzip.open if path.suffix == ".gz" else bz2.open
    with opened(path) as file:
        content: bytes = file.read()
    return content


async def counts_by_type(api: Api) -> Counter[str]:
    rows = await api.services.gate.store.roles.owner.fetch(
        "SELECT type, count(*) FROM resource GROUP BY type"
    )
    return Counter({row[0]: row[1] for row in rows})


@pytest.mark.parametrize("folder", ["smart-r4-2019", "us-core-2021"])
async def test_generated_records_are_stored_without_loss(
    folder: str, api: Api, shared: Path
) -> None:
    paths = sorted((shared / "data" / "synthea" / folder).iterdir())
    if folder == "us-core-2021":
        # Practitioners and hospitals come first, on a condition; patients refer to them by search.
        await check_batches(api, [path for path in paths if path.name.startswith("0-")])
    patients = [path for path in paths if not path.name.startswith("0-")]
    for path in sorted(patients, key=lambda path: path.stat().st_size)[:6]:
        await check_transaction(api, path)


async def check_batches(api: Api, paths: list[Path]) -> None:
    for _ in range(2):
        for path in paths:
            answer = await api.system.post("", content=bundle(path))
            statuses = {entry["response"]["status"] for entry in answer.json()["entry"]}
            assert statuses <= {"201 Created", "200 OK"}, path.name
    counted = await counts_by_type(api)
    sent: Counter[str] = Counter()
    for path in paths:
        entries = json.loads(bundle(path))["entry"]
        sent.update(entry["resource"]["resourceType"] for entry in entries)
    # What smaller records brought along before is not counted here.
    assert all(counted[kind] >= number for kind, number in sent.items())


async def check_transaction(api: Api, path: Path) -> None:
    content = bundle(path)
    before = await counts_by_type(api)
    sent = [entry["resource"] for entry in serialization.decode(content)["entry"]]
    answer = await api.system.post("", content=content)
    assert answer.status_code == 200, (path.name, answer.text[:500])
    added = await counts_by_type(api)
    added.subtract(before)
    assert +added == Counter(resource["resourceType"] for resource in sent), path.name
    for resource, entry in list(zip(sent, answer.json()["entry"], strict=True))[::9]:
        read = await api.system.get(entry["response"]["location"])
        kept = serialization.decode(read.content)
        assert plain(kept) == plain(resource)


def plain(resource: dict[str, Any]) -> bytes:
    """The content without id, meta and references, which a transaction rewrites."""
    return serialization.encode(
        strip({k: v for k, v in sorted(resource.items()) if k not in ("id", "meta")})
    )


def strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: strip(value[k]) for k in sorted(value) if k not in ("reference", "div")}
    if isinstance(value, list):
        return [strip(item) for item in value]
    return "" if isinstance(value, str) and value.startswith("urn:uuid:") else value
