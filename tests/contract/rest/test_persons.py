"""Persons by HTTP: who somebody may be, and two registrations that become one."""

from __future__ import annotations

from typing import Any

from .conftest import Api

NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1"


def person(family: str, given: str, **more: Any) -> dict[str, Any]:
    """A Patient as somebody registered it."""
    name = [{"family": family, "given": [given]}]
    return {"resourceType": "Patient", "name": name, "birthDate": "1950-11-21"} | more


def asked(patient: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Parameters of $match."""
    parameters = [{"name": "resource", "resource": patient}]
    parameters += [{"name": name, f"value{kind}": v} for name, (kind, v) in more.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


async def test_a_person_is_found_however_the_name_was_spelled(api: Api) -> None:
    made = [
        (await api.system.post("Patient", json=patient)).json()["id"]
        for patient in (
            person("Åsheim", "Bjørn", gender="male"),
            person("Åsheim", "Kari", gender="female"),
            person("Dal", "Per", birthDate="1980-01-01", gender="male"),
        )
    ]
    answer = await api.clients["nurse"].post(
        "Patient/$match", json=asked(person("Aasheim", "Bjorn", gender="male"))
    )
    assert answer.status_code == 200, answer.text
    (entry,) = answer.json()["entry"]
    assert entry["resource"]["id"] == made[0]
    assert "address" not in entry["resource"]
    assert entry["search"]["extension"][0]["valueCode"] == "probable"
    assert 0.5 < entry["search"]["score"] < 1
    certain = asked(person("Aasheim", "Bjorn"), onlyCertainMatches=("Boolean", True))
    assert (await api.system.post("Patient/$match", json=certain)).json()["total"] == 0
    for bad in (asked({"resourceType": "Group"}), asked(person("Åsheim", "Bjørn", birthDate="x"))):
        assert (await api.system.post("Patient/$match", json=bad)).status_code == 400
    refused = await api.clients["inhabitant"].post("Patient/$match", json=asked(person("Å", "B")))
    assert refused.status_code == 403
