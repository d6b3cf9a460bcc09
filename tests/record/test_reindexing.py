"""What resources are found by is worked out anew beside everybody's work, where it differs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.services import Services
from helsevev.record import reindexing, reworking
from helsevev.record.database import Database
from helsevev.record.reindexing import Progress, Reindexer
from helsevev.record.reworking import Rework

_SPOIL = (
    "UPDATE resource SET keys = '{}', code = 0, token_set = 0 WHERE id LIKE 'rework%'",
    "UPDATE search_text SET words = '' WHERE id LIKE 'rework%'",
    "DELETE FROM search_quantity WHERE id LIKE 'rework%'",
    "DELETE FROM search_string WHERE id LIKE 'rework%'",
)
_QUESTIONS = (
    ("Observation", "code", "http://loinc.org|8867-4"),
    ("Observation", "code-value-quantity", "http://loinc.org|8867-4$gt60"),
    ("Observation", "performer", "Practitioner/rework-nurse"),
    ("Communication", "_content", "sårstell"),
    ("Patient", "family", "Omarbeidet"),
)


def resources() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for n in range(4):
        about = {"reference": f"Patient/rework{n}"}
        found += [
            {"resourceType": "Patient", "id": f"rework{n}", "name": [{"family": "Omarbeidet"}]},
            {
                "resourceType": "Observation", "id": f"rework-pulse{n}", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "subject": about, "effectiveDateTime": "2026-03-01T08:00:00+01:00",
                "performer": [{"reference": "Practitioner/rework-nurse"}],
                "valueQuantity": {
                    "value": 72.50, "unit": "/min", "system": "http://unitsofmeasure.org",
                    "code": "/min",
                },
            },
            {
                "resourceType": "Communication", "id": f"rework-word{n}", "status": "completed",
                "subject": about, "payload": [{"contentString": "Trenger ikke sårstell i dag."}],
            },
        ]  # fmt: skip
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def spoilt(services: Services, database: Database) -> AsyncIterator[Reindexer]:
    """A record whose rows were made by rules that found nothing."""
    for resource in resources():
        await services.writer.write(SYSTEM, resource)
    for statement in _SPOIL:
        await database.execute(statement)
    await database.execute("DELETE FROM extraction")
    assert await answers(services) == [set()] * len(_QUESTIONS)
    yield services.reindexer
    await database.execute("DELETE FROM extraction")


async def answers(services: Services) -> list[set[str]]:
    found = []
    for kind, name, value in _QUESTIONS:
        query = await services.searcher.read(kind, [(name, value)], strict=True, base="")
        matches = (await services.searcher.search(SYSTEM, query)).matches
        found.append({each.id for each in matches if each.id.startswith("rework")})
    return found


def expected() -> list[set[str]]:
    def each(name: str) -> set[str]:
        return {f"{name}{n}" for n in range(4)}

    return [*[each("rework-pulse")] * 3, each("rework-word"), each("rework")]


def silent(_: Progress) -> None:
    return None


async def test_rows_of_older_rules_are_found_again_and_their_content_stays(
    spoilt: Reindexer, services: Services, database: Database
) -> None:
    kept = "SELECT id, version, last_updated, body FROM resource ORDER BY patient, type, id"
    before = await database.fetch(kept)
    ended = await spoilt.run(silent)
    assert ended.finished
    assert ended.changed >= 12
    assert await answers(services) == expected()
    assert await database.fetch(kept) == before
    assert (await spoilt.run(silent, again=True)).changed == 0, "what is right is left alone"


async def test_what_is_cut_short_goes_on_where_it_was(
    spoilt: Reindexer, services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "STEP", 2)

    def cut_short(at: Progress) -> None:
        if at.done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await spoilt.run(cut_short)
    stopped = await spoilt.progress()
    assert stopped is not None
    assert not stopped.finished
    ended = await spoilt.run(silent)
    assert ended.done == await database.fetchval("SELECT count(*) FROM resource")
    assert await answers(services) == expected()


async def test_it_gives_way_to_whoever_writes(
    spoilt: Reindexer, services: Services, database: Database
) -> None:
    async with database.transaction() as writer:
        await writer.execute("SELECT FROM resource WHERE id = 'rework-pulse2' FOR UPDATE")
        running = asyncio.create_task(spoilt.run(silent))
        await asyncio.sleep(0.6)
        assert not running.done()
        assert await writer.fetchval("SELECT count(*) FROM resource WHERE id LIKE 'rework%'") == 12
    await asyncio.wait_for(running, 30)
    assert await answers(services) == expected()


@pytest.mark.parametrize(
    "asked", ["ikke", '"ikke sårstell"', "trenge såret OR sårstellet", "i dag -bandasje"]
)
async def test_words_that_say_little_are_found_too(services: Services, asked: str) -> None:
    for resource in resources():
        await services.writer.write(SYSTEM, resource)
    query = await services.searcher.read(
        "Communication", [("_content", asked)], strict=True, base=""
    )
    found = {each.id for each in (await services.searcher.search(SYSTEM, query)).matches}
    assert {f"rework-word{n}" for n in range(4)} <= found


async def test_a_server_works_rows_of_older_rules_out_by_itself_and_says_so(
    spoilt: Reindexer, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async def said() -> str:
        caplog.clear()
        rework = Rework(spoilt)
        await rework.start()
        async with asyncio.timeout(30):
            while not await spoilt.is_done():
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        await rework.stop()
        return caplog.text

    told = await said()
    assert "some searches miss some of them" in told
    assert "has been worked out anew" in told
    assert await answers(services) == expected()
    assert await said() == "", "once is enough"


async def test_rework_that_is_stopped_goes_on_at_the_next_start(
    spoilt: Reindexer, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "STEP", 1)
    monkeypatch.setattr(reworking, "_PAUSE", 0.2)
    rework, reached = Rework(spoilt), 0
    await rework.start()
    async with asyncio.timeout(10):
        while reached < 2:
            at = await spoilt.progress()
            reached = at.done if at else 0
            await asyncio.sleep(0.02)
    await rework.stop()
    assert not await spoilt.is_done()
    monkeypatch.setattr(reworking, "_PAUSE", 0)
    await rework.start()
    async with asyncio.timeout(30):
        while not await spoilt.is_done():
            await asyncio.sleep(0.02)
    await rework.stop()
    at = await spoilt.progress()
    assert at is not None
    assert at.done <= at.total + 1
    assert await answers(services) == expected()


async def test_read_models_are_made_anew_too(services: Services, patient: Any, stay: Any) -> None:
    database = services.gate.store.roles.owner
    for resource in (patient("anew"), stay("anew")):
        await services.writer.write(SYSTEM, resource)
    there = "SELECT grantee, start_at FROM treatment_relation WHERE source_id = 'stay-anew'"
    before = [tuple(row) for row in await database.fetch(there)]
    assert before
    await database.execute("DELETE FROM treatment_relation WHERE source_id = 'stay-anew'")
    for _ in range(2):
        await services.reindexer.run(lambda _: None, again=True)
        assert [tuple(row) for row in await database.fetch(there)] == before
