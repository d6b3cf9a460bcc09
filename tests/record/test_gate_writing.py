"""Writing through the gate: in the right record, on the newest version, once, and never unseen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM
from helsevev.access.errors import Conflict, Gone, Invalid, PreconditionFailed, Unprocessable
from helsevev.record import keys
from helsevev.record.database import Database


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(anne_and_berit: None) -> None:
    """Anne is on the ward; Berit is treated elsewhere."""


async def counts(database: Database) -> list[int]:
    tables = ("resource", "resource_history", "change", "idempotency_key")
    return [await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_a_write_that_names_another_inhabitants_encounter_is_refused(
    services: Any, database: Any, pulse: Any
) -> None:
    before = await counts(database)
    for encounter in ("Encounter/stay-berit", "Encounter/stay-berit/_history/1"):
        with pytest.raises(Unprocessable) as refused:
            await services.writer.write(SYSTEM, pulse("anne", encounter={"reference": encounter}))
        assert refused.value.issues[0].expression == "Observation.encounter"
    assert await counts(database) == before
    await services.writer.write(
        SYSTEM, pulse("anne", encounter={"reference": "Encounter/stay-anne"})
    )


async def test_an_id_that_pretends_to_be_another_inhabitants_is_refused(
    services: Any, database: Any, pulse: Any
) -> None:
    before = await counts(database)
    pretending = keys.new_id("Observation", keys.patient_key("berit"))
    with pytest.raises(Unprocessable, match="another inhabitant"):
        await services.writer.write(SYSTEM, pulse("anne", id=pretending))
    assert await counts(database) == before
    made = await services.writer.write(SYSTEM, pulse("anne", id=pretending), create=True)
    assert keys.locality("Observation", made.stored.id) == keys.patient_key("anne")


async def test_nothing_moves_from_one_inhabitant_to_another(
    services: Any, database: Any, pulse: Any
) -> None:
    before = await counts(database)
    for moved in (
        pulse("anne", 1, id="pulse-berit"),
        {**pulse("x", id="pulse-berit"), "subject": {"reference": "Group/g"}},
    ):
        with pytest.raises(Unprocessable, match="belongs to another"):
            await services.writer.write(SYSTEM, moved, if_match=1)
    assert await counts(database) == before


async def test_a_nurse_cannot_move_an_entry_out_of_a_closed_record(
    services: Any, nurse: Any, pulse: Any
) -> None:
    with pytest.raises(Unprocessable):
        await services.writer.write(nurse, pulse("anne", 1, id="pulse-berit"), if_match=1)


@pytest.mark.parametrize("if_match", [None, 1, 3])
async def test_the_second_of_two_editors_gets_what_stands_now(
    services: Any, nurse: Any, pulse: Any, if_match: int | None
) -> None:
    first = await services.writer.write(nurse, pulse("anne", 60))
    made = first.stored.resource
    await services.writer.write(nurse, made | {"status": "amended"}, if_match=1)
    with pytest.raises(PreconditionFailed) as told:
        await services.writer.write(nurse, made | {"status": "corrected"}, if_match=if_match)
    assert told.value.current is not None
    assert told.value.current.resource["status"] == "amended"
    same = await services.writer.write(nurse, made | {"status": "amended"}, if_match=if_match)
    assert (same.changed, same.stored.version) == (False, 2)


async def test_of_many_editors_at_once_one_wins_and_the_others_are_told(
    services: Any, nurse: Any, pulse: Any
) -> None:
    made = (await services.writer.write(nurse, pulse("anne", 61))).stored.resource
    editors = [
        services.writer.write(nurse, made | {"note": [{"text": f"editor {n}"}]}, if_match=1)
        for n in range(8)
    ]
    done = await asyncio.gather(*editors, return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in done) == 1
    for result in done:
        if isinstance(result, Exception):
            assert isinstance(result, Conflict)
            assert result.current is not None
            assert result.current.version == 2


async def test_a_repeated_request_gets_the_first_answer(
    services: Any, database: Any, nurse: Any, pulse: Any
) -> None:
    made = pulse("anne", 62)
    sent = [services.writer.write(nurse, made, idempotency_key="phone-1") for _ in range(6)]
    done = await asyncio.gather(*sent)
    assert len({written.stored.id for written in done}) == 1
    assert sum(written.changed for written in done) == 1
    again = await services.writer.write(nurse, made, idempotency_key="phone-1")
    assert (again.stored.id, again.changed) == (done[0].stored.id, False)
    with pytest.raises(Unprocessable, match="another request"):
        await services.writer.write(nurse, pulse("anne", 63), idempotency_key="phone-1")


async def test_what_was_deleted_is_gone_but_its_versions_stay(
    services: Any, nurse: Any, pulse: Any
) -> None:
    made = (await services.writer.write(nurse, pulse("anne", 64))).stored
    gone = await services.writer.delete(nurse, "Observation", made.id, 1)
    assert (gone.version, gone.deleted) == (2, True)
    with pytest.raises(Gone):
        await services.gate.open_resource(nurse, "Observation", made.id)
    with pytest.raises(Gone):
        await services.gate.open_version(nurse, "Observation", made.id, 2)
    first = await services.gate.open_version(nurse, "Observation", made.id, 1)
    assert first.resource == made.resource
    assert await services.writer.delete(nurse, "Observation", made.id) is None
    back = await services.writer.write(nurse, made.resource)
    assert (back.created, back.stored.version) == (True, 3)


@pytest.mark.parametrize("bad", ["a\0b", "\x01", "\x1f"])
async def test_a_text_with_control_characters_is_refused_in_words(
    services: Any, patient: Any, bad: Any
) -> None:
    with pytest.raises(Invalid):
        await services.writer.write(SYSTEM, patient("control", name=[{"family": bad}]))
