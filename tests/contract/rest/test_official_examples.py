"""Every official R4 example that is valid can be stored, and comes back equal to the last digit."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.validation import validate

from .conftest import Api

AT_A_TIME = 16


def examples(shared: Path) -> Iterator[dict[str, Any]]:
    """The valid examples, one for each type and id."""
    seen: set[tuple[str, str]] = set()
    with gzip.open(shared / "data" / "fhir" / "r4-examples.ndjson.gz") as lines:
        for line in lines:
            resource = serialization.decode(json.loads(line)["text"])
            place = (resource.get("resourceType", ""), resource.get("id", ""))
            if place[0] not in RESOURCE_TYPES or not place[1] or place in seen:
                continue
            if not any(issue.is_error for issue in validate(resource)):
                seen.add(place)
                yield resource


async def test_official_examples_are_kept_to_the_last_digit(api: Api, shared: Path) -> None:
    waiting = examples(shared)
    refused: list[str] = []
    kept = 0

    async def work() -> None:
        nonlocal kept
        for resource in waiting:
            place = f"{resource['resourceType']}/{resource['id']}"
            content = serialization.encode(resource)
            response = await api.system.put(place, content=content)
            if response.status_code == 422 and "another inhabitant" in response.text:
                refused.append(place)
                continue
            assert response.status_code == 201, f"{place}: {response.text[:500]}"
            read = await api.system.get(place)
            assert same(serialization.decode(read.content), resource), place
            kept += 1

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    assert kept > 2000
    # A few examples name an encounter or an order of another example's patient, which no record
    # of real people may hold.
    assert len(refused) < kept / 50, refused


def same(read: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Whether both have the same content, apart from what the server says of version and time."""
    ours = ("versionId", "lastUpdated")
    bare = {
        **read, "meta": {k: v for k, v in read["meta"].items() if k not in ours},
    }  # fmt: skip
    theirs = {k: v for k, v in sent.get("meta", {}).items() if k not in ours}
    expected = {**sent, "meta": theirs}
    return ordered(bare) == ordered(expected)


def ordered(value: Any) -> bytes:
    """The JSON text with keys in one order: digits and spelling count, the order does not."""
    return serialization.encode(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
