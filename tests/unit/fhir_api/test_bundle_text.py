"""Bundles joined from stored bytes are FHIR, whatever they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from helsevev.access.stored import Stored
from helsevev.fhir import serialization
from helsevev.fhir.outcome import Issue
from helsevev.fhir.validation import validate
from helsevev.fhir_api import bundle_text, shaping
from helsevev.fhir_api.problem import Problem
from helsevev.record import body, rows

AT = datetime(2026, 1, 2, 3, 4, 5, 6789, UTC)
BASE = "http://record.example/fhir"


def stored(resource: dict[str, Any], version: int = 1, *, deleted: bool = False) -> Stored:
    stamped = rows.stamped(resource, version, AT)
    packed = b"" if deleted else body.pack(serialization.encode(stamped))
    return Stored(1, resource["resourceType"], resource["id"], version, AT, deleted, packed)


PATIENT = {
    "resourceType": "Patient", "id": "p-1", "text": {"status": "generated", "div": "<div>Å</div>"},
    "name": [{"family": 'Sæ"ther\\'}], "birthDate": "1990-01-01", "_birthDate": {"id": "b"},
    "deceasedBoolean": False,
}  # fmt: skip
OBSERVATION = serialization.decode(
    '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},'
    '"valueQuantity":{"value":72.50}}'
)


def test_a_searchset_is_valid_and_keeps_every_digit() -> None:
    text = bundle_text.searchset(
        BASE,
        [("self", bundle_text.url(f"{BASE}/Observation", [("code", "a|b"), ("q", 'x"&y')]))],
        2,
        [("match", [stored(OBSERVATION)]), ("include", [stored(PATIENT)])],
        shaping.whole,
        [Issue("warning", "not-supported", "colour")],
    )
    bundle = serialization.decode(text)
    assert validate(bundle) == []
    assert b"72.50" in text
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match", "include", "outcome"]
    assert bundle["entry"][1]["resource"]["name"] == PATIENT["name"]


def test_a_history_tells_creates_updates_and_deletions() -> None:
    versions = [stored(PATIENT, 3, deleted=True), stored(PATIENT, 2), stored(PATIENT, 1)]
    bundle = json.loads(bundle_text.history(BASE, [], 3, versions, shaping.whole))
    assert (
        validate(
            serialization.decode(json.dumps(bundle | {"link": [{"relation": "self", "url": BASE}]}))
        )
        == []
    )
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT", "POST"]
    assert [entry["response"]["status"] for entry in bundle["entry"]] == ["204", "200", "201"]
    assert bundle["entry"][0]["response"]["lastModified"] == "2026-01-02T03:04:05.006789Z"
    assert "resource" not in bundle["entry"][0]


def test_an_empty_bundle_has_no_entry() -> None:
    bundle = json.loads(bundle_text.searchset(BASE, [], None, [("match", [])], shaping.whole))
    assert bundle == {"resourceType": "Bundle", "type": "searchset", "link": []}


@pytest.mark.parametrize(
    ("summary", "names", "kept", "left_out"),
    [
        ("true", (), {"name", "birthDate", "_birthDate"}, {"text"}),
        ("text", (), {"text"}, {"name", "birthDate", "_birthDate", "deceasedBoolean"}),
        ("data", (), {"name", "birthDate", "deceasedBoolean"}, {"text"}),
        ("false", (), {"name", "text"}, set()),
        (None, ("birthDate",), {"birthDate", "_birthDate"}, {"name", "text"}),
        (None, ("deceased",), {"deceasedBoolean"}, {"name", "birthDate"}),
        (None, ("deceasedBoolean",), {"deceasedBoolean"}, {"name", "birthDate"}),
    ],
)
def test_parts_are_left_out_and_that_is_told(
    summary: str | None, names: tuple[str, ...], kept: set[str], left_out: set[str]
) -> None:
    cut = json.loads(shaping.shape_of(summary, names)(stored(PATIENT)))
    assert kept | {"resourceType", "id", "meta"} <= cut.keys()
    assert not left_out & cut.keys()
    assert ("tag" in cut["meta"]) == bool(left_out)


def test_an_unknown_summary_is_refused() -> None:
    with pytest.raises(Problem):
        shaping.shape_of("perhaps", ())
