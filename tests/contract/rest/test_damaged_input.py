"""Damaged resources are refused over HTTP, with the broken element named and nothing stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.fhir.invariant_damages import ALL
from tests.unit.fhir.resource_places import places

from helsevev.fhir import serialization

from .conftest import Api

EXAMPLES = Path(__file__).parents[1] / "valid_examples.json"
TEXT = b'{"resourceType":"Patient","name":[{"family":"Hel"}],"gender":"female"}'

TEXTS: dict[str, tuple[bytes, str]] = {
    "a key that stands twice": (TEXT.replace(b'"name"', b'"gender":"male","name"'), "gender"),
    "a key that stands twice further in": (
        TEXT.replace(b'"family"', b'"family":"Ved","family"'), "family"),
    "text that is not UTF-8": (TEXT.replace(b"Hel", b"H\xe6l"), "UTF-8"),
    "a lone surrogate": (TEXT.replace(b"Hel", b"\\ud800"), "line 1"),
    "a raw control character": (TEXT.replace(b"Hel", b"H\x01l"), "line 1"),
    "text that ends too early": (TEXT[:-1], "ends too early"),
    "text after the end": (TEXT + b"{}", "line 1"),
    "a byte order mark": (b"\xef\xbb\xbf" + TEXT, "byte order mark"),
    "a number that is none": (TEXT.replace(b'"female"', b"NaN"), "line 1"),
    "a list of resources": (b"[" + TEXT + b"]", "object"),
    "what is nested too deep": (
        TEXT[:-1] + b',"extension":' + b'[{"url":"x","extension":' * 200
        + b"[]" + b"}]" * 200 + b"}", "deep"),
}  # fmt: skip


def examples() -> list[dict[str, Any]]:
    """The project's own valid examples, afresh."""
    found = json.loads(EXAMPLES.read_text("utf-8"))
    return [serialization.decode(json.dumps(each)) for each in found]


def damaged(kind: str) -> tuple[dict[str, Any], str, str] | None:
    """An example with one damage, the type it was, and the path that should be told."""
    for resource in examples():
        name = resource["resourceType"]
        for place in list(places(resource, name, name)):
            before = dict(place.holder)
            path = ALL[kind](place)
            if path is not None and path.partition(".")[0] == name:
                return resource, name, path
            place.holder.clear()
            place.holder.update(before)
    return None


KINDS = [kind for kind in ALL if damaged(kind)]


def expressions(response: httpx.Response) -> set[str]:
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return {path for issue in outcome["issue"] for path in issue.get("expression", ())}


async def test_the_undamaged_are_stored(api: Api) -> None:
    for resource in examples():
        place = f"{resource['resourceType']}/{resource['id']}"
        response = await api.system.put(place, content=serialization.encode(resource))
        assert response.status_code in (200, 201), response.text


def test_most_kinds_of_damage_fit_the_small_examples() -> None:
    assert len(KINDS) > 70


@pytest.mark.parametrize("kind", KINDS)
async def test_damage_is_refused_over_http(kind: str, api: Api) -> None:
    found = damaged(kind)
    assert found is not None
    resource, name, path = found
    before = await api.counts()
    response = await api.system.post(name, content=serialization.encode(resource))
    assert response.status_code in (400, 422), response.text
    assert path in expressions(response), f"{path}: {response.text}"
    assert await api.counts() == before


@pytest.mark.parametrize("kind", TEXTS)
async def test_broken_text_is_refused_with_its_place(kind: str, api: Api) -> None:
    content, word = TEXTS[kind]
    before = await api.counts()
    response = await api.system.post("Patient", content=content)
    assert response.status_code == 400, response.text
    assert response.json()["resourceType"] == "OperationOutcome"
    assert word in response.json()["issue"][0]["diagnostics"], response.text
    assert await api.counts() == before
