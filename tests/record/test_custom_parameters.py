"""Search parameters added while the record runs find what was there, and all that follows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import AccessError, Refused
from helsevev.access.services import Services, services_over
from helsevev.fhir.search_query import SearchError
from helsevev.fhir.serialization import decode_kept
from helsevev.fhir_api.capabilities import described
from helsevev.fhir_api.routing import ROUTES
from helsevev.record import indexing
from helsevev.record.database import Database
from helsevev.record.indexing import Indexer

COUNTY = "https://extensions.example/county"


def parameter(code: str, expression: str, kind: str = "token", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter", "id": code, "url": f"https://parameters.example/{code}",
        "name": code, "status": "active", "description": code, "code": code,
        "base": ["Patient"], "type": kind, "expression": expression,
    } | more  # fmt: skip


def living_in(county: str, patient_id: str, **more: Any) -> dict[str, Any]:
    extension = [{"url": COUNTY, "valueCode": county}]
    return {"resourceType": "Patient", "id": patient_id, "extension": extension} | more


async def found(services: Services, name: str, value: str, actor: Actor = SYSTEM) -> set[str]:
    query = await services.searcher.read("Patient", [(name, value)], strict=True, base="")
    return {stored.id for stored in (await services.searcher.search(actor, query)).matches}


async def indexed(database: Database) -> None:
    await asyncio.wait_for(Indexer(database).catch_up(), 30)


EXPRESSION = f"Patient.extension.where(url='{COUNTY}').value"


async def test_it_is_refused_until_it_is_done_and_then_finds_old_and_new(
    services: Services, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for n in range(5):
        await services.writer.write(SYSTEM, living_in("50" if n % 2 else "15", f"before{n}"))
    await services.writer.write(SYSTEM, parameter("county", EXPRESSION))
    with pytest.raises(SearchError, match="being worked out.* 0 of"):
        await found(services, "county", "50")
    await services.writer.write(SYSTEM, living_in("50", "meanwhile"))
    await indexed(database)
    await services.writer.write(SYSTEM, living_in("50", "after"))
    assert await found(services, "county", "50") == {"before1", "before3", "meanwhile", "after"}
    assert await found(services, "county:not", "50") >= {"before0", "before2"}
    assert await found(services, "county:missing", "true") == set()
    assert "Search parameter county can be searched" in caplog.text


async def test_what_can_be_searched_is_told_and_no_longer_when_it_is_gone(
    services: Services, database: Database
) -> None:
    async def told() -> tuple[list[str], bytes]:
        added = await services.searcher.added()
        body, etag = described("http://record.example/fhir", ROUTES, False, added)
        rest = decode_kept(body)["rest"][0]["resource"]
        patient = next(each for each in rest if each["type"] == "Patient")
        return [each["name"] for each in patient["searchParam"]], etag

    before = await told()
    await services.writer.write(SYSTEM, parameter("told", EXPRESSION))
    assert await told() == before
    await indexed(database)
    names, etag = await told()
    assert (set(names) - set(before[0]), len(names)) == ({"told"}, len(before[0]) + 1)
    assert etag != before[1]
    await services.writer.delete(SYSTEM, "SearchParameter", "told")
    assert await told() == before


async def test_a_writer_that_never_heard_of_it_indexes_it_too(
    services: Services, database: Database
) -> None:
    other = services_over(database, {})
    await other.writer.write(SYSTEM, living_in("03", "elsewhere0"))
    expression = f"Patient.extension.where(url='{COUNTY}').value"
    await services.writer.write(SYSTEM, parameter("fylke", expression))
    await indexed(database)
    await other.writer.write(SYSTEM, living_in("03", "elsewhere1"))
    some = [living_in("03", f"many{n}") for n in range(2)]
    for resource in some:
        await other.writer.write(SYSTEM, resource)
    assert await found(services, "fylke", "03") == {"elsewhere0", "elsewhere1", "many0", "many1"}


async def test_it_goes_on_where_it_was_cut_short(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "STEP", 3)
    for n in range(8):
        await services.writer.write(SYSTEM, living_in("56", f"cut{n}"))
    await services.writer.write(SYSTEM, parameter("cut-short", EXPRESSION))
    done = "SELECT done FROM search_indexing WHERE name = 'cut-short'"
    task = asyncio.create_task(Indexer(database).catch_up())
    while not await database.fetchval(done):
        await asyncio.sleep(0)
    task.cancel()
    before = await database.fetchval(done)
    await indexed(database)
    everyone = await database.fetchval("SELECT count(*) FROM resource WHERE type = 'Patient'")
    assert 0 < before <= await database.fetchval(done) == everyone
    assert await found(services, "cut-short", "56") == {f"cut{n}" for n in range(8)}


@pytest.mark.parametrize(
    ("kind", "expression", "value", "wrong"),
    [
        ("string", "Patient.name.given", "ann", "bob"),
        ("date", "Patient.birthDate", "ge1990", "lt1990"),
        ("number", "Patient.multipleBirth.ofType(integer)", "2", "3"),
        ("reference", "Patient.managingOrganization", "Organization/kinds", "Organization/x"),
        ("uri", "Patient.photo.url", "https://pictures.example/1", "https://pictures.example/2"),
        ("token", "Patient.maritalStatus", "urn:m|M", "urn:m|S"),
        ("token", "Patient.active", "true", "false"),
    ],
)
async def test_it_may_be_of_any_kind(
    services: Services, database: Database, kind: str, expression: str, value: str, wrong: str
) -> None:
    everything = {
        "resourceType": "Patient", "id": "kinds", "name": [{"given": ["Anne"]}], "active": True,
        "birthDate": "1990-05-06", "multipleBirthInteger": 2,
        "managingOrganization": {"reference": "Organization/kinds"},
        "photo": [{"url": "https://pictures.example/1"}],
        "maritalStatus": {"coding": [{"system": "urn:m", "code": "M"}]},
    }  # fmt: skip
    await services.writer.write(
        SYSTEM, {"resourceType": "Organization", "id": "kinds", "name": "K"}
    )
    await services.writer.write(SYSTEM, everything)
    code = f"kind-{kind}-{len(expression)}"
    await services.writer.write(SYSTEM, parameter(code, expression, kind))
    await indexed(database)
    assert await found(services, code, value) == {"kinds"}
    assert await found(services, code, wrong) == set()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"expression": "Patient.name.where("}, "not understood"),
        ({"expression": "x" * 3000}, "at most"),
        ({"type": "composite"}, "of type"),
        ({"type": "special"}, "of type"),
        ({"base": ["Patient", "Observation"], "code": "birthdate"}, "already"),
        ({"code": "with space"}, "letter"),
    ],
)
async def test_what_cannot_be_carried_out_is_refused_in_words(
    services: Services, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(AccessError) as told:
        await services.writer.write(SYSTEM, parameter("unusable", "Patient.name") | more)
    assert says in " ".join(issue.diagnostics for issue in told.value.issues)


async def test_drafts_and_what_r4_has_are_kept_and_change_nothing(
    services: Services, database: Database
) -> None:
    listed = await database.fetchval("SELECT count(*) FROM search_indexing")
    await services.writer.write(SYSTEM, parameter("draft", "nonsense(", status="draft"))
    await services.writer.write(SYSTEM, parameter("name", "Patient.name"))
    assert await database.fetchval("SELECT count(*) FROM search_indexing") == listed


async def test_it_can_be_searched_from_active_on_until_it_is_retired(
    services: Services, database: Database
) -> None:
    await services.writer.write(SYSTEM, living_in("18", "staged"))
    version: int | None = None
    for status, searched in (
        ("draft", False), ("active", True), ("retired", False), ("active", True), ("draft", False),
    ):  # fmt: skip
        staged = parameter("staged", EXPRESSION, status=status)
        written = await services.writer.write(SYSTEM, staged, if_match=version)
        version = written.stored.version
        await indexed(database)
        if searched:
            assert "staged" in await found(services, "staged", "18")
            continue
        with pytest.raises(SearchError, match="no search parameter staged"):
            await found(services, "staged", "18")


async def test_it_is_gone_with_its_resource(services: Services, database: Database) -> None:
    await services.writer.write(SYSTEM, living_in("11", "gone"))
    await services.writer.write(SYSTEM, parameter("for-a-while", EXPRESSION))
    await indexed(database)
    assert await found(services, "for-a-while", "11") == {"gone"}
    await services.writer.delete(SYSTEM, "SearchParameter", "for-a-while")
    with pytest.raises(SearchError, match="no search parameter for-a-while"):
        await found(services, "for-a-while", "11")
    await services.writer.write(SYSTEM, living_in("11", "later"))


async def test_only_systems_add_them_and_hidden_records_stay_hidden(
    services: Services, database: Database, nurse: Actor, stay: Any
) -> None:
    with pytest.raises(Refused):
        await services.writer.write(nurse, parameter("by-a-nurse", EXPRESSION))
    for patient_id in ("seen", "unseen"):
        await services.writer.write(SYSTEM, living_in("46", patient_id))
    await services.writer.write(SYSTEM, stay("seen"))
    await services.writer.write(SYSTEM, parameter("fylkenr", EXPRESSION))
    await indexed(database)
    assert await found(services, "fylkenr", "46") == {"seen", "unseen"}
    assert await found(services, "fylkenr", "46", nurse) == {"seen"}
