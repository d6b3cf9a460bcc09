"""Every kind of damage to a valid resource is refused, and the element that it broke is named."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.validation import validate

from .invariant_damages import ALL
from .resource_places import Place, places

SMALL = Path(__file__).parents[2] / "contract" / "valid_examples.json"
LARGEST = 20_000
ALIKE = 6
TRIED = 120

Sample = tuple[dict[str, Any], Place]


def small_examples() -> list[dict[str, Any]]:
    """The project's own examples, afresh."""
    return [serialization.decode(json.dumps(each)) for each in json.loads(SMALL.read_text("utf-8"))]


@pytest.fixture(scope="module")
def samples(shared: Path) -> list[Sample]:
    """Elements of every kind that the valid examples have, a few of each, in no order."""
    resources = small_examples()
    official = shared / "data" / "fhir" / "r4-examples.ndjson.gz"
    if official.is_file():
        with gzip.open(official, "rt", encoding="utf-8") as lines:
            texts = (json.loads(line)["text"] for line in lines)
            resources += [serialization.decode(text) for text in texts if len(text) < LARGEST]
    alike: Counter[tuple[str, str]] = Counter()
    found: list[Sample] = []
    for resource in resources:
        if resource.get("resourceType") not in RESOURCE_TYPES:
            continue
        fresh: list[Sample] = []
        for place in places(resource, resource["resourceType"], resource["resourceType"]):
            alike[place.structure, place.name] += 1
            if alike[place.structure, place.name] <= ALIKE:
                fresh.append((resource, place))
        if fresh and not validate(resource):
            found += fresh
    random.Random(4).shuffle(found)
    return found


def broken(resource: dict[str, Any], place: Place, kind: str) -> tuple[str, set[str]] | None:
    """The path that should be told and those that are; the resource is whole again afterwards."""
    before = dict(place.holder)
    try:
        path = ALL[kind](place)
        if path is None:
            return None
        return path, {issue.expression for issue in validate(resource)}
    finally:
        place.holder.clear()
        place.holder.update(before)


@pytest.mark.parametrize("kind", ALL)
def test_damage_is_refused_and_its_place_is_named(kind: str, samples: list[Sample]) -> None:
    tried = 0
    missed = []
    for resource, place in samples:
        found = broken(resource, place, kind)
        if found is None:
            continue
        tried += 1
        path, told = found
        if path not in told:
            missed.append((resource["resourceType"], resource.get("id"), path, sorted(told)[:3]))
        if tried == TRIED:
            break
    assert tried
    assert not missed, f"{len(missed)} of {tried}: {missed[:5]}"


def test_what_was_mended_is_accepted_again(samples: list[Sample]) -> None:
    whole = small_examples()
    assert all(validate(resource) == [] for resource in whole)
    for resource, place in samples[:200]:
        for kind in list(ALL)[:30]:
            broken(resource, place, kind)
        assert validate(resource) == []
