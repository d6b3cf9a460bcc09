"""Persons by HTTP: who somebody may be, and two registrations that become one."""

from __future__ import annotations

import json
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


def both(source: str, target: str, **more: Any) -> dict[str, Any]:
    """Parameters of $merge."""
    parameters: list[dict[str, Any]] = [
        {"name": "source-patient", "valueReference": {"reference": f"Patient/{source}"}},
        {"name": "target-patient", "valueReference": {"reference": f"Patient/{target}"}},
    ]
    parameters += [{"name": name, "valueBoolean": value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


NAMING_OLD: dict[str, list[str]] = {
    "Observation?subject:Patient._id={old}": ["Observation"],
    "Observation?encounter.patient=Patient/{old}": ["Observation"],
    "Observation?encounter.subject:Patient._id={old}": ["Observation"],
    "Encounter?_has:Observation:encounter:subject=Patient/{old}": ["Encounter"],
    "Encounter?_has:Observation:encounter:subject:Patient._id={old}": ["Encounter"],
    "Patient?_has:Observation:patient:patient=Patient/{old}": ["Patient"],
    "Observation?patient={old},{other}": ["Observation", "Observation"],
    "Observation?_filter=subject eq Patient/{old}": ["Observation"],
    "Observation?_filter=subject eq Patient/{other} or subject eq Patient/{old}": [
        "Observation", "Observation"
    ],
    "Observation?_filter=patient eq {old} and status eq amended": [],
    "Observation?_filter=subject eq Patient/{new} and not (subject eq Patient/{old})": [],
    "Observation?_filter=patient[_id eq {old}].family eq Lie": ["Observation"],
    "Encounter?patient={old}&_filter=status eq finished": ["Encounter"],
}  # fmt: skip


async def test_an_old_id_in_chains_and_filters_finds_the_one_who_stayed(api: Api) -> None:
    source, target, _ = await two_of_one(api)
    other, _, _ = await two_of_one(api)
    assert (await api.system.post("Patient/$merge", json=both(source, target))).status_code == 200
    for asked, expected in NAMING_OLD.items():
        for said in (asked, f"{asked}&_summary=count"):
            answer = await api.system.get(said.format(old=source, new=target, other=other))
            assert answer.status_code == 200, answer.text
            found = [e["resource"]["resourceType"] for e in answer.json().get("entry", ())]
            total = answer.json().get("total")
            assert total == len(expected), (said, answer.text)
            assert said != asked or sorted(found) == expected, (said, answer.text)


async def two_of_one(api: Api) -> tuple[str, str, dict[str, str]]:
    """Two registrations of a person; with the source a stay and what was measured in it."""
    target, source = [
        (await api.system.post("Patient", json=person("Lie", "Ida", identifier=[i]))).json()["id"]
        for i in ({"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"})
    ]
    about = {"reference": f"Patient/{source}"}
    stay = {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "IMP"},
        "subject": about, "period": {"start": "2026-01-01", "end": "2026-01-02"},
    }  # fmt: skip
    ids = {"Encounter": (await api.system.post("Encounter", json=stay)).json()["id"]}
    pulse = {
        "resourceType": "Observation", "status": "final", "code": {"text": "puls"},
        "subject": about, "encounter": {"reference": f"Encounter/{ids['Encounter']}"},
    }  # fmt: skip
    ids["Observation"] = (await api.system.post("Observation", json=pulse)).json()["id"]
    return source, target, ids


def content(resource: dict[str, Any]) -> dict[str, Any]:
    """All but version and time."""
    meta = {k: v for k, v in resource["meta"].items() if k not in ("versionId", "lastUpdated")}
    return resource | {"meta": meta}


async def all_of(api: Api, patient: str) -> dict[str, dict[str, Any]]:
    """What is kept with an inhabitant, by reference, but notes of what was done."""
    found = (await api.system.get(f"Patient/{patient}/*?_count=100")).json()
    resources = [entry["resource"] for entry in found.get("entry", ())]
    return {
        f"{r['resourceType']}/{r['id']}": content(r)
        for r in resources
        if r["resourceType"] != "Provenance"
    }


async def test_two_records_become_one_and_two_again(api: Api) -> None:
    source, target, ids = await two_of_one(api)
    before = [await all_of(api, each) for each in (source, target)]
    counts = await api.counts()
    preview = await api.system.post("Patient/$merge", json=both(source, target, preview=True))
    assert preview.status_code == 200, preview.text
    said = preview.json()["parameter"][0]["resource"]["issue"][0]["diagnostics"]
    assert said == "2 resources would move: 1 Encounter, 1 Observation."
    assert await api.counts() == counts
    merged = await api.system.post("Patient/$merge", json=both(source, target))
    assert merged.status_code == 200, merged.text
    assert (await all_of(api, source)).keys() == {f"Patient/{source}"}
    old = (await api.system.get(f"Patient/{source}")).json()
    assert (old["active"], old["link"][0]["type"]) == (False, "replaced-by")
    (found,) = (await api.system.get(f"Patient?link=Patient/{target}")).json()["entry"]
    assert found["resource"]["id"] == source
    kept = (await api.system.get(f"Patient/{target}")).json()
    assert kept["identifier"][1] == {"system": "urn:b", "value": "2", "use": "old"}
    now = await all_of(api, target)
    (stay,) = [ref for ref in now if ref.startswith("Encounter/")]
    (pulse,) = [ref for ref in now if ref.startswith("Observation/")]
    assert now[pulse]["encounter"]["reference"] == stay
    assert now[pulse]["subject"]["reference"] == f"Patient/{target}"
    assert (await api.system.get(f"Observation/{ids['Observation']}")).status_code == 410
    history = (await api.system.get(f"Observation/{ids['Observation']}/_history")).json()
    assert history["total"] == 2
    ward = {"reference": "Organization/ward"}
    about = {"reference": f"Patient/{target}"}
    treated = {
        "resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
        "subject": about, "serviceProvider": ward,
    }  # fmt: skip
    made = (await api.system.post("Encounter", json=treated)).json()["id"]
    nurse = api.clients["nurse"]
    assert (await nurse.get(f"Patient/{source}")).json()["link"][0]["other"] == about
    assert (await nurse.get(f"Observation/{ids['Observation']}/_history/1")).status_code == 200
    assert (await api.system.delete(f"Encounter/{made}")).status_code == 204
    parted = await api.system.post(f"Patient/{source}/$unmerge")
    assert parted.status_code == 200, parted.text
    assert [await all_of(api, each) for each in (source, target)] == before
    assert "link" not in (await api.system.get(f"Patient/{target}")).json()
    again = await api.system.post("Patient/$merge", json=both(source, target))
    assert again.status_code == 200, again.text
    assert (await api.system.post(f"Patient/{source}/$unmerge")).status_code == 200
    assert [await all_of(api, each) for each in (source, target)] == before


async def test_what_was_changed_since_goes_back_changed_and_what_leans_on_it_stops_it(
    api: Api,
) -> None:
    source, target, ids = await two_of_one(api)
    assert (await api.system.post("Patient/$merge", json=both(source, target))).status_code == 200
    now = await all_of(api, target)
    (stay,) = [ref for ref in now if ref.startswith("Encounter/")]
    (pulse,) = [ref for ref in now if ref.startswith("Observation/")]
    changed = (await api.system.get(pulse)).json() | {"status": "corrected"}
    assert (
        await api.system.put(pulse, json=changed, headers={"if-match": 'W/"1"'})
    ).status_code == 200
    leaning = {
        "resourceType": "Condition", "subject": {"reference": f"Patient/{target}"},
        "encounter": {"reference": stay},
    }  # fmt: skip
    made = (await api.system.post("Condition", json=leaning)).json()["id"]
    refused = await api.system.post(f"Patient/{source}/$unmerge")
    assert refused.status_code == 409
    assert made in refused.json()["issue"][0]["diagnostics"]
    await api.system.delete(f"Condition/{made}")
    assert (await api.system.post(f"Patient/{source}/$unmerge")).status_code == 200
    back = (await api.system.get(f"Observation/{ids['Observation']}")).json()
    assert back["status"] == "corrected"
    assert back["encounter"]["reference"] == f"Encounter/{ids['Encounter']}"
    assert back["subject"]["reference"] == f"Patient/{source}"


async def others_of(api: Api, source: str, target: str) -> dict[str, Any]:
    """What is kept elsewhere and names the source, by reference."""
    about = {"reference": f"Patient/{source}"}
    child = person("Lie", "Per", link=[{"other": about, "type": "seealso"}])
    made = [
        {"resourceType": "Group", "type": "person", "actual": True,
         "member": [{"entity": about}, {"entity": {"reference": f"Patient/{target}"}}]},
        child,
        {"resourceType": "List", "status": "current", "mode": "working",
         "entry": [{"item": about}]},
        {"resourceType": "List", "status": "current", "mode": "working",
         "subject": {"reference": f"Patient/{target}"}, "entry": [{"item": about}]},
    ]  # fmt: skip
    found: dict[str, Any] = {}
    for resource in made:
        answer = await api.system.post(resource["resourceType"], json=resource)
        assert answer.status_code == 201, answer.text
        stored = answer.json()
        found[f"{stored['resourceType']}/{stored['id']}"] = content(stored)
    return found


async def read_all(api: Api, places: Any) -> dict[str, Any]:
    """The current content of these, by reference."""
    return {place: content((await api.system.get(place)).json()) for place in places}


async def test_what_others_keep_follows_to_the_one_who_stays_and_goes_back(api: Api) -> None:
    source, target, _ = await two_of_one(api)
    before = await others_of(api, source, target)
    preview = await api.system.post("Patient/$merge", json=both(source, target, preview=True))
    assert "4 kept elsewhere refer to what would move" in preview.text, preview.text
    assert await read_all(api, before) == before
    merged = await api.system.post("Patient/$merge", json=both(source, target))
    assert merged.status_code == 200, merged.text
    after = await read_all(api, before)
    named = json.dumps(after)
    assert f"Patient/{source}" not in named, named
    assert named.count(f"Patient/{target}") == json.dumps(before).count(': "Patient/')
    (group,) = [place for place in before if place.startswith("Group/")]
    (child,) = [place for place in before if place.startswith("Patient/")]
    # A group that was changed meanwhile keeps its changes; what was never touched is as it was.
    changed = {**after[group], "name": "followed", "meta": {"versionId": "2"}}
    answer = await api.system.put(group, json=changed, headers={"if-match": 'W/"2"'})
    assert answer.status_code == 200, answer.text
    parted = await api.system.post(f"Patient/{source}/$unmerge")
    assert parted.status_code == 200, parted.text
    assert await read_all(api, before) == {**before, group: {**before[group], "name": "followed"}}
    trail = await api.system.get(f"{child}/_history")
    assert trail.json()["total"] == 3


async def test_what_leans_from_elsewhere_on_what_moved_stops_the_parting(api: Api) -> None:
    source, target, _ = await two_of_one(api)
    assert (await api.system.post("Patient/$merge", json=both(source, target))).status_code == 200
    (stay,) = [ref for ref in await all_of(api, target) if ref.startswith("Encounter/")]
    leaning = {"resourceType": "List", "status": "current", "mode": "working",
               "entry": [{"item": {"reference": stay}}]}  # fmt: skip
    made = await api.system.post("List", json=leaning)
    assert made.status_code == 201, made.text
    refused = await api.system.post(f"Patient/{source}/$unmerge")
    assert refused.status_code == 409
    assert made.json()["id"] in refused.text
    await api.system.delete(f"List/{made.json()['id']}")
    assert (await api.system.post(f"Patient/{source}/$unmerge")).status_code == 200


async def test_only_who_keeps_the_register_merges_and_never_what_makes_no_sense(api: Api) -> None:
    source, target, _ = await two_of_one(api)
    for who in ("nurse", "secretary", "inhabitant"):
        answer = await api.clients[who].post("Patient/$merge", json=both(source, target))
        assert answer.status_code == 403, who
        assert (await api.clients[who].post(f"Patient/{source}/$unmerge")).status_code == 403
    for one, other, status in ((source, source, 422), (source, "none", 404), ("none", source, 404)):
        answer = await api.system.post("Patient/$merge", json=both(one, other))
        assert answer.status_code == status
    assert (await api.system.post(f"Patient/{source}/$unmerge")).status_code == 422
    assert (await api.system.get("Patient/$merge")).status_code == 405


async def test_an_old_id_leads_a_search_to_the_one_who_stayed(api: Api) -> None:
    source, target, _ = await two_of_one(api)
    assert (await api.system.post("Patient/$merge", json=both(source, target))).status_code == 200

    async def found(search: str) -> list[str]:
        answer = await api.system.get(search)
        assert answer.status_code == 200, answer.text
        return sorted(e["resource"]["resourceType"] for e in answer.json().get("entry", ()))

    for asked_for in (f"patient={source}", f"subject=Patient/{source}&status=final"):
        assert await found(f"Observation?{asked_for}") == ["Observation"]
    assert await found(f"Encounter?patient={source}&_revinclude=Observation:encounter") == [
        "Encounter", "Observation"
    ]  # fmt: skip
    counted = await api.system.get(f"Observation?patient={source}&_summary=count")
    assert counted.json()["total"] == 1
    persons = (await api.system.get(f"Patient?_id={source}")).json()["entry"]
    assert {entry["resource"]["id"] for entry in persons} == {source, target}
    parted = await api.system.post(f"Patient/{source}/$unmerge")
    assert parted.status_code == 200, parted.text
    assert await found(f"Observation?patient={source}") == ["Observation"]
    assert await found(f"Observation?patient={target}") == []
    assert len(await found(f"Patient?_id={source}")) == 1
