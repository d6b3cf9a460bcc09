"""An import stores whole bundles or nothing of them, says what it did, and can be given again."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import random
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.record import keys
from helsevev.record.changes import Feed
from helsevev.record.database import Database

from .importing import (
    contents,
    counts,
    kept,
    observation,
    person,
    run_import,
    save,
    trace,
    transaction,
)

PRACTITIONER = {
    "resourceType": "Practitioner",
    "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.4", "value": "9144889"}],
    "name": [{"family": "Lind"}],
}
CONDITION = "Practitioner?identifier=urn:oid:2.16.578.1.12.4.1.4.4|9144889"


@pytest_asyncio.fixture(loop_scope="session")
async def url(made_database: Any, template: str) -> AsyncIterator[str]:
    """The URL of an empty record of this test's own."""
    async with made_database(template) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def record(url: str) -> AsyncIterator[Database]:
    """The record behind `url`."""
    database = await Database.open(url, size=2)
    yield database
    await database.close()


async def test_a_transaction_is_stored_with_its_links_and_every_digit(
    url: str, record: Database, tmp_path: Path
) -> None:
    text = (
        b'{"resourceType":"Bundle","type":"transaction","entry":['
        b'{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"},'
        b'"request":{"method":"POST","url":"Patient"}},'
        b'{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Observation","status":"final",'
        b'"code":{"text":"weight"},"subject":{"reference":"urn:uuid:1"},'
        b'"valueQuantity":{"value":72.50,"unit":"kg"}},'
        b'"request":{"method":"POST","url":"Observation"}}]}'
    )
    (tmp_path / "a.json").write_bytes(text)
    done = run_import(tmp_path / "a.json", database_url=url)
    assert done.status == 0, done.told
    assert done.summary["by_type"] == {"Observation": 1, "Patient": 1}
    assert done.summary["failed"] == 0
    (patient,) = await kept(record, "Patient")
    (weight,) = await kept(record, "Observation")
    assert weight.patient == patient.patient
    assert b'"subject":{"reference":"Patient/' + patient.id.encode() in weight.json
    assert b'"value":72.50,' in weight.json


async def test_the_same_import_again_changes_nothing_and_says_so(
    url: str, record: Database, tmp_path: Path
) -> None:
    save(tmp_path / "a.json", person("Berg", 3))
    save(tmp_path / "b.ndjson", [{"resourceType": "Patient", "id": "lone", "active": True}])
    first = run_import(tmp_path, database_url=url)
    before = await trace(record)
    (tmp_path / "renamed.json").write_bytes(
        (tmp_path / "a.json").read_bytes().replace(b'{"resourceType"', b'{ "resourceType"')
    )
    (tmp_path / "a.json").unlink()
    again = run_import(tmp_path, database_url=url)
    assert again.status == 0
    assert again.summary["by_type"] == first.summary["by_type"]
    assert (first.summary["unchanged"], again.summary["unchanged"]) == (0, 5)
    assert await trace(record) == before


async def test_every_write_is_audited_and_in_the_change_feed(
    url: str, record: Database, tmp_path: Path
) -> None:
    run_import(save(tmp_path / "a.json", person("Dahl", 2)), database_url=url)
    (patient,) = await kept(record, "Patient")
    audit = await record.fetch("SELECT * FROM audit_event WHERE patient = $1", patient.patient)
    assert [(row["action"], row["interaction"], row["actor"]) for row in audit] == [
        ("write", "import", "Device/helsevev")
    ]
    (change,) = await record.fetch("SELECT * FROM change")
    assert sorted(change["types"]) == ["Observation", "Observation", "Patient"]


async def test_a_broken_file_is_named_and_the_rest_goes_on(
    url: str, record: Database, tmp_path: Path
) -> None:
    save(tmp_path / "good.json", person("Eide", 1))
    wrong = person("Foss", 2)
    wrong["entry"][2]["resource"]["status"] = "finished"
    save(tmp_path / "wrong.json", wrong)
    (tmp_path / "cut.json").write_bytes(b'{"resourceType": "Bundle",\n "type"')
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b"{}" * 900)[:-9])
    done = run_import(tmp_path, database_url=url)
    assert done.status == 1
    assert await counts(record) == done.summary["by_type"] == {"Observation": 1, "Patient": 1}
    assert done.summary["failed"] == 3
    faults = {Path(each["file"]).name: each for each in done.summary["errors"]}
    assert faults["wrong.json"]["entry"] == "Bundle.entry[2].resource.status"
    assert "finished" in faults["wrong.json"]["reason"]
    assert "line 2" in faults["cut.json"]["reason"]
    assert "cannot be read" in faults["cut.json.gz"]["reason"]
    assert all(name in done.told for name in faults)
    assert "Traceback" not in done.told


async def test_a_bad_line_is_named_and_the_other_lines_are_stored(
    url: str, record: Database, tmp_path: Path
) -> None:
    lines = [
        b'{"resourceType":"Patient","id":"a"}',
        b'{"resourceType":"Patient","id":"b","gender":"f"}',
        b"",
        b'{"resourceType":"Patient","id":"c"',
        b'{"resourceType":"Nonsense","id":"d"}',
        b'{"resourceType":"Patient","id":"e"}',
        b'{"id":"no-type"}',
        b"[]",
    ]
    (tmp_path / "a.ndjson").write_bytes(b"\r\n".join(lines))
    done = run_import(tmp_path / "a.ndjson", database_url=url)
    assert done.status == 1
    assert sorted(each["line"] for each in done.summary["errors"]) == [2, 4, 5, 7, 8]
    assert [each.id for each in await kept(record, "Patient")] == ["a", "e"]


async def test_an_id_made_to_look_like_another_inhabitants_stops_no_other_line(
    url: str, record: Database, tmp_path: Path
) -> None:
    stranger = keys.text_of(keys.patient_key("somebody-else"))
    lines = [observation("Patient/p1", n, id=f"o{n}") for n in range(3)]
    lines[1]["id"] = f"{stranger}-{keys.text_of(keys.next_key())}"
    done = run_import(save(tmp_path / "a.ndjson", lines), database_url=url)
    assert (done.status, done.summary["resources"], done.summary["failed"]) == (1, 2, 1)
    assert done.summary["errors"][0]["line"] == 2
    assert [stored.id for stored in await kept(record, "Observation")] == ["o0", "o2"]


async def test_lines_refer_to_each_other_in_any_order_and_keep_their_ids(
    url: str, record: Database, tmp_path: Path
) -> None:
    encounter = {
        "resourceType": "Encounter", "id": "e1", "status": "finished",
        "class": {"code": "AMB"}, "subject": {"reference": "Patient/p1"},
    }  # fmt: skip
    about = [
        observation("Patient/p1", n, id=f"o{n}", encounter={"reference": "Encounter/e1"})
        for n in range(40)
    ]
    patient = {"resourceType": "Patient", "id": "p1"}
    everything = [*about, encounter, patient]
    random.Random(7).shuffle(everything)
    save(tmp_path / "1.ndjson", everything[:20])
    save(tmp_path / "2.ndjson", everything[20:])
    done = run_import(tmp_path, database_url=url)
    assert done.status == 0, done.told
    stored = [
        s for kind in ("Observation", "Encounter", "Patient") for s in await kept(record, kind)
    ]
    assert {s.reference for s in stored} == {f"{r['resourceType']}/{r['id']}" for r in everything}
    assert contents([s.resource for s in stored]) == contents(everything)
    assert len({s.patient for s in stored}) == 1


async def test_other_content_is_refused_unless_it_is_to_replace(
    url: str, record: Database, tmp_path: Path
) -> None:
    path = save(tmp_path / "a.ndjson", [{"resourceType": "Patient", "id": "a", "active": True}])
    run_import(path, database_url=url)
    save(path, [{"resourceType": "Patient", "id": "a", "active": False}])
    refused = run_import(path, database_url=url)
    assert refused.status == 1
    assert "--replace" in refused.summary["errors"][0]["reason"]
    assert [(s.version, s.resource["active"]) for s in await kept(record, "Patient")] == [(1, True)]
    replaced = run_import("--replace", path, database_url=url)
    assert replaced.status == 0
    assert [(s.version, s.resource["active"]) for s in await kept(record, "Patient")] == [
        (2, False)
    ]
    assert run_import("--replace", path, database_url=url).summary["unchanged"] == 1


async def test_the_same_id_twice_in_one_file_is_one_resource(
    url: str, record: Database, tmp_path: Path
) -> None:
    patient = {"resourceType": "Patient", "id": "a"}
    other = patient | {"active": True}
    done = run_import(save(tmp_path / "a.ndjson", [patient, patient, other]), database_url=url)
    assert (done.status, done.summary["resources"], done.summary["failed"]) == (1, 2, 1)
    assert [s.version for s in await kept(record, "Patient")] == [1]


async def test_conditional_references_wait_for_what_sorts_later(
    url: str, record: Database, tmp_path: Path
) -> None:
    visit = observation("urn:uuid:p0", 1, performer=[{"reference": CONDITION}])
    save(tmp_path / "a.json", transaction({"resourceType": "Patient"}, visit))
    staff = transaction(PRACTITIONER)
    staff["entry"][0]["request"]["ifNoneExist"] = CONDITION.partition("?")[2]
    save(tmp_path / "z.json", staff)
    done = run_import(tmp_path, database_url=url)
    assert done.status == 0, done.told
    (lind,) = await kept(record, "Practitioner")
    (seen,) = await kept(record, "Observation")
    assert seen.resource["performer"] == [{"reference": f"Practitioner/{lind.id}"}]


async def test_a_reference_that_never_resolves_is_told_and_nothing_of_its_bundle_stored(
    url: str, record: Database, tmp_path: Path
) -> None:
    visit = observation("urn:uuid:p0", 1, performer=[{"reference": CONDITION}])
    path = save(tmp_path / "a.json", transaction({"resourceType": "Patient"}, visit))
    done = run_import(path, database_url=url)
    assert (done.status, done.summary["failed"]) == (1, 1)
    (told,) = done.summary["errors"]
    assert told["entry"] == "Bundle.entry[1].resource.performer[0].reference"
    assert CONDITION in told["reason"]
    assert await counts(record) == {}


async def test_many_bundles_that_create_on_one_condition_create_once(
    url: str, record: Database, tmp_path: Path
) -> None:
    for n in range(24):
        visit = observation("urn:uuid:p1", n, performer=[{"reference": "urn:uuid:p0"}])
        each = transaction(PRACTITIONER, {"resourceType": "Patient"}, visit)
        each["entry"][0]["request"]["ifNoneExist"] = CONDITION.partition("?")[2]
        save(tmp_path / f"{n}.json", each)
    done = run_import(tmp_path, database_url=url)
    assert done.status == 0, done.told
    (lind,) = await kept(record, "Practitioner")
    performers = [
        s.resource["performer"][0]["reference"] for s in await kept(record, "Observation")
    ]
    assert performers == [f"Practitioner/{lind.id}"] * 24


async def test_of_an_organisation_that_is_there_twice_the_oldest_is_meant_never_of_a_person(
    url: str, record: Database, tmp_path: Path
) -> None:
    for name in ("1.json", "2.json"):
        here = PRACTITIONER | {"language": "nb" if name == "1.json" else "nn"}
        save(tmp_path / name, transaction(here))
    assert run_import(tmp_path, database_url=url).status == 0
    oldest, _ = sorted(await kept(record, "Practitioner"), key=lambda stored: stored.id)
    visit = observation("urn:uuid:p0", 1, performer=[{"reference": CONDITION}])
    path = save(tmp_path / "3.json", transaction({"resourceType": "Patient"}, visit))
    assert run_import(path, database_url=url).status == 0
    (seen,) = await kept(record, "Observation")
    assert seen.resource["performer"] == [{"reference": f"Practitioner/{oldest.id}"}]
    twin = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    run_import(save(tmp_path / "4.json", transaction(twin, dict(twin))), database_url=url)
    about = observation("Patient?identifier=urn:x|1", 2)
    refused = run_import(save(tmp_path / "5.json", transaction(about)), database_url=url)
    assert refused.status == 1


@pytest.mark.parametrize("ending", [".json.gz", ".json.bz2", ".zip"])
async def test_packed_files_are_imported(
    url: str, record: Database, tmp_path: Path, ending: str
) -> None:
    text = save(tmp_path / "plain", person("Grimstad", 2)).read_bytes()
    path = tmp_path / f"a{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("deep/down/a.json", text)
    else:
        path.write_bytes(gzip.compress(text) if ending == ".json.gz" else bz2.compress(text))
    assert run_import(path, database_url=url).summary["by_type"] == {"Observation": 2, "Patient": 1}
    assert await counts(record) == {"Observation": 2, "Patient": 1}


async def test_a_collection_keeps_its_ids_and_its_links(
    url: str, record: Database, tmp_path: Path
) -> None:
    about = observation("urn:uuid:0f0e", 1)
    entries = [
        {"fullUrl": "urn:uuid:0f0e", "resource": {"resourceType": "Patient"}},
        {"fullUrl": "urn:uuid:1f1e", "resource": about},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    path = save(tmp_path / "a.json", bundle)
    assert run_import(path, database_url=url).status == 0
    (seen,) = await kept(record, "Observation")
    assert (seen.id, seen.resource["subject"]["reference"]) == ("1f1e", "Patient/0f0e")
    assert run_import(path, database_url=url).summary["unchanged"] == 2


async def test_a_resource_about_somebody_who_is_not_here_is_stored(
    url: str, record: Database, tmp_path: Path
) -> None:
    path = save(tmp_path / "a.json", observation("Patient/elsewhere", 1))
    first = run_import(path, database_url=url)
    assert (first.status, first.summary["resources"]) == (0, 1)
    assert run_import(path, database_url=url).summary["unchanged"] == 1


async def test_what_names_another_inhabitants_contact_is_refused(
    url: str, record: Database, tmp_path: Path
) -> None:
    contact: dict[str, Any] = {
        "resourceType": "Encounter", "id": "e1", "status": "finished",
        "class": {"code": "AMB"}, "subject": {"reference": "Patient/p1"},
    }  # fmt: skip
    run_import(save(tmp_path / "1.ndjson", [contact]), database_url=url)
    mine = observation("Patient/p2", 1, id="o1")
    wrong = observation("Patient/p2", 2, id="o2", encounter={"reference": "Encounter/e1"})
    done = run_import(save(tmp_path / "2.ndjson", [mine, wrong]), database_url=url)
    assert (done.status, done.summary["resources"]) == (1, 1)
    assert "another inhabitant" in done.summary["errors"][0]["reason"]
    assert done.summary["errors"][0]["line"] == 2
    bundle = transaction(mine | {"id": "o3"}, wrong)
    done = run_import(save(tmp_path / "3.json", bundle), database_url=url)
    assert done.status == 1
    assert done.summary["errors"][0]["entry"].startswith("Bundle.entry[1]")


async def test_a_chart_that_is_open_hears_of_an_import_beside_it(
    url: str, record: Database, tmp_path: Path
) -> None:
    feed = Feed(record)
    await feed.start()
    followed = feed.follow(keys.patient_key("p1"))
    hearing = asyncio.ensure_future(anext(followed))
    try:
        path = save(tmp_path / "a.json", observation("Patient/p1", 1, id="o1"))
        await asyncio.to_thread(run_import, path, database_url=url)
        change = await asyncio.wait_for(hearing, 2)
    finally:
        await followed.aclose()
        await feed.stop()
    assert (change.types, change.ids, change.verbs) == (("Observation",), ("o1",), "C")


def test_paths_that_do_not_exist_are_a_mistake_in_use(url: str, tmp_path: Path) -> None:
    done = run_import(tmp_path / "nowhere", database_url=url)
    assert done.status == 2
    assert "does not exist" in done.told
