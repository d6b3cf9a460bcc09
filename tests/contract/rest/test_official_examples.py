"""Every official R4 example that is valid can be stored, and comes back equal to the last digit."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from helsevev.fhir import serialization
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.fhir.validation import validate

from .conftest import Api

AT_A_TIME = 16

REFUSED: dict[str, dict[str, str]] = {
    "DiagnosticReport/example-pgx": {"DiagnosticReport.result[0]": "Observation/example-phenotype"},
    "Encounter/f203": {"Encounter.diagnosis[0].condition": "Condition/stroke"},
    "ExplanationOfBenefit/EB3500": {
        "ExplanationOfBenefit.claim": "Claim/100150",
        "ExplanationOfBenefit.claimResponse": "ClaimResponse/R3500",
    },
    "MedicationAdministration/medadmin0304": {
        "MedicationAdministration.reasonReference[0]": "Condition/f202"
    },
    "MedicationRequest/medrx0301": {
        "MedicationRequest.encounter": "Encounter/f201",
        "MedicationRequest.contained[1].target[0]": "ServiceRequest/physiotherapy",
    },
    "MedicationRequest/medrx0303": {"MedicationRequest.basedOn[0]": "CarePlan/gpvisit"},
    "MedicationRequest/medrx0332": {"MedicationRequest.basedOn[0]": "CarePlan/gpvisit"},
    "MedicationRequest/medrx0339": {"MedicationRequest.basedOn[0]": "CarePlan/gpvisit"},
    "MedicationStatement/example003": {
        "MedicationStatement.reasonReference[0]": "Observation/blood-pressure"
    },
    "MedicationStatement/example004": {
        "MedicationStatement.partOf[0]": "Observation/blood-pressure"
    },
    "MedicationStatement/example005": {"MedicationStatement.basedOn[0]": "CarePlan/gpvisit"},
    "Procedure/ambulation": {"Procedure.basedOn[0]": "CarePlan/preg"},
    "RiskAssessment/cardiac": {"RiskAssessment.basis[2]": "Observation/blood-pressure"},
    "ServiceRequest/physiotherapy": {"ServiceRequest.basedOn[0]": "CarePlan/gpvisit"},
}
"""Examples about one person that name an order, an encounter or a finding of another example's.

No record of real people may hold that: whoever follows the reference reads about somebody else.
By the element that names it. What is not here yet belongs to nobody, so that of each pair only
the one that comes second can be refused, and only when it is the one that refers.
"""


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
            if response.status_code == 422:
                check_refusal(place, response)
                refused.append(place)
                continue
            assert response.status_code == 201, f"{place}: {response.text[:500]}"
            read = await api.system.get(place)
            assert same(serialization.decode(read.content), resource), place
            kept += 1

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    assert kept > 2000
    assert len(refused) <= len(REFUSED)


def check_refusal(place: str, response: httpx.Response) -> None:
    """The refusal is one that is known, and names element and reference."""
    for issue in response.json()["issue"]:
        (element,) = issue["expression"]
        assert element in REFUSED.get(place, {}), f"{place}: {response.text}"
        assert issue["code"] == "business-rule"
        assert f"{REFUSED[place][element]} belongs to another inhabitant" in issue["diagnostics"]


def about(resource: dict[str, Any]) -> str:
    """Whom a resource is about."""
    value = resource.get("subject") or resource.get("patient")
    return str(value["reference"]) if value else ""


async def test_only_what_is_anothers_already_is_refused_whatever_comes_first(
    api: Api, shared: Path
) -> None:
    known = {f"{each['resourceType']}/{each['id']}": each for each in examples(shared)}
    targets = {target for named in REFUSED.values() for target in named.values()}
    for first, then, statuses in (
        (targets, REFUSED.keys(), {422}), (REFUSED.keys(), targets - REFUSED.keys(), {201})
    ):  # fmt: skip
        turn = "a" if first is targets else "b"
        answers: dict[str, int] = {}
        for place in [*sorted(first), *sorted(then)]:
            text = serialization.encode(known[place]).decode()
            for each in targets | REFUSED.keys():
                text = text.replace(f'"{each}"', f'"{each}-{turn}"')
            own = {**json.loads(text), "id": f"{known[place]['id']}-{turn}"}
            response = await api.system.put(f"{place}-{turn}", json=own)
            answers.setdefault(place, response.status_code)
        second = {answers[place] for place in then}
        assert second == statuses, answers
    for place, named in REFUSED.items():
        for target in named.values():
            assert about(known[place]) != about(known[target]), place


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
