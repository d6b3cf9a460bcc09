"""The gate: decided, traced before it is answered, and closed again when the ground is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.audit_trail import AuditTrail
from helsevev.access.errors import (
    Invalid,
    NotFound,
    Refused,
)
from helsevev.access.gate import author_of
from helsevev.access.services import services_over
from helsevev.access.slices import Slice
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.database import Database, DatabaseError

REASON = "Unconscious, brought in by ambulance"
Later = Callable[..., None]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(anne_and_berit: None) -> None:
    """Anne is on the ward; Berit is treated elsewhere."""


async def trail(database: Database, patient_id: str) -> list[tuple[Any, ...]]:
    """What the trail says of an inhabitant, oldest first."""
    rows = await database.fetch(
        "SELECT actor, action, interaction, outcome, purpose, reason, target FROM audit_event"
        " WHERE patient = $1 AND actor <> 'Device/helsevev' ORDER BY id",
        keys.patient_key(patient_id),
    )
    return [tuple(row) for row in rows]


async def counts(database: Database) -> list[int]:
    tables = ("resource", "resource_history", "change", "idempotency_key")
    return [await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_opening_a_chart_is_in_the_trail(services: Any, database: Any, nurse: Any) -> None:
    before = len(await trail(database, "anne"))
    permit = await services.gate.open_chart(nurse, "anne")
    assert (permit.basis, permit.purpose) == ("relation", "TREAT")
    found = await services.gate.open_slices(permit, [Slice("Observation", 5), Slice("Flag", 5)])
    assert [o["id"] for o in found["Observation"]] == ["pulse-anne"]
    assert found["Flag"] == []
    new = (await trail(database, "anne"))[before:]
    assert [(row[0], row[1], row[2], row[3]) for row in new] == [
        (nurse.id, "read", "open", 0), (nurse.id, "read", "read", 0)
    ]  # fmt: skip


REFUSALS: dict[str, Callable[..., Any]] = {
    "open the chart": lambda s, a, _: s.gate.open_chart(a, "berit"),
    "read": lambda s, a, _: s.gate.open_resource(a, "Observation", "pulse-berit"),
    "read a version": lambda s, a, _: s.gate.open_version(a, "Observation", "pulse-berit", 1),
    "read the person": lambda s, a, _: s.gate.open_resource(a, "Patient", "berit"),
    "create": lambda s, a, o: s.writer.write(a, o, create=True),
    "update": lambda s, a, o: s.writer.write(a, o | {"id": "pulse-berit"}, if_match=1),
    "delete": lambda s, a, _: s.writer.delete(a, "Observation", "pulse-berit", 1),
    "history": lambda s, a, _: s.history.of_instance(a, "Observation", "pulse-berit"),
    "bundle": lambda s, a, o: s.bundles.transact(
        a,
        {"resourceType": "Bundle", "type": "transaction",
         "entry": [{"resource": o, "request": {"method": "POST", "url": "Observation"}}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("door", REFUSALS)
async def test_every_door_to_a_closed_record_refuses_and_traces_it(
    services: Any, database: Any, nurse: Any, pulse: Any, door: str
) -> None:
    stored, before = await counts(database), len(await trail(database, "berit"))
    with pytest.raises(Refused) as refused:
        await REFUSALS[door](services, nurse, pulse("berit", 99))
    assert refused.value.decision.may_break_glass
    new = (await trail(database, "berit"))[before:]
    assert [(row[0], row[3], row[5]) for row in new] == [
        (nurse.id, 8, refused.value.decision.reason)
    ]
    assert await counts(database) == stored


async def test_what_others_may_not_see_is_left_out_of_many(services: Any, nurse: Any) -> None:
    wanted = [("Observation", "pulse-anne"), ("Observation", "pulse-berit"), ("Patient", "none")]
    assert set(await services.gate.open_many(nurse, wanted)) == {("Observation", "pulse-anne")}


async def test_an_emergency_opens_the_record_for_four_hours(
    services: Any, database: Any, stranger: Actor, later: Later
) -> None:
    permit = await services.gate.break_glass(stranger, "berit", "unconscious", REASON)
    assert (permit.basis, permit.purpose) == ("emergency", "BTG")
    rows = await trail(database, "berit")
    stated = [row for row in rows if row[1] == "emergency"]
    assert [(r[0], r[4], r[5]) for r in stated] == [(stranger.id, "BTG", f"unconscious: {REASON}")]
    assert rows.index(stated[0]) < len(rows) - 1
    later(hours=3, minutes=59)
    assert (await services.gate.open_chart(stranger, "berit")).basis == "emergency"
    later(minutes=2)
    with pytest.raises(Refused):
        await services.gate.open_chart(stranger, "berit")
    with pytest.raises(Refused):
        await services.gate.open_slices(permit, [Slice("Observation", 5)])
    with pytest.raises(Refused):
        await services.gate.who_has_read(permit)


@pytest.mark.parametrize("reason", ["", "   ", "short", "         x "])
async def test_an_emergency_needs_a_reason_in_words(
    services: Any, stranger: Any, reason: str
) -> None:
    with pytest.raises(Invalid):
        await services.gate.break_glass(stranger, "anne", "unconscious", reason)
    with pytest.raises(Refused):
        await services.gate.open_chart(stranger, "anne")


async def test_only_those_who_give_care_break_the_glass(
    services: Any, secretary: Any, nurse: Any
) -> None:
    patient = replace(nurse, kind="inhabitant", id="Patient/anne", patient="Patient/anne")
    for actor in (secretary, patient):
        with pytest.raises(Refused) as refused:
            await services.gate.break_glass(actor, "berit", "unconscious", REASON)
        assert not refused.value.decision.allowed
    assert (await services.gate.break_glass(secretary, "anne", "x", REASON)).basis == "relation"
    with pytest.raises(NotFound):
        await services.gate.break_glass(nurse, "nobody", "unconscious", REASON)


async def test_a_relation_that_ended_closes_the_record_within_twenty_seconds(
    services: Any, database: Any, nurse: Any, patient: Any, stay: Any, later: Later
) -> None:
    await services.writer.write(SYSTEM, patient("cecilie"))
    await services.writer.write(SYSTEM, stay("cecilie"))
    permit = await services.gate.open_chart(nurse, "cecilie")
    # Ended elsewhere: this process is not told.
    await database.execute("DELETE FROM treatment_relation WHERE source_id = 'stay-cecilie'")
    later(seconds=20)
    for closed in (
        services.gate.open_chart(nurse, "cecilie"),
        services.gate.open_slices(permit, [Slice("Patient", 1)]),
        services.gate.open_resource(nurse, "Patient", "cecilie"),
    ):
        with pytest.raises(Refused):
            await closed


async def test_a_relation_that_ends_here_closes_the_record_at_once(
    services: Any, nurse: Any, patient: Any, stay: Any
) -> None:
    await services.writer.write(SYSTEM, patient("dina"))
    made = stay("dina")
    await services.writer.write(SYSTEM, made)
    await services.gate.open_chart(nurse, "dina")
    await services.writer.write(SYSTEM, made | {"status": "entered-in-error"}, if_match=1)
    with pytest.raises(Refused):
        await services.gate.open_chart(nurse, "dina")
    await services.writer.write(SYSTEM, made, if_match=2)
    await services.gate.open_chart(nurse, "dina")
    await services.writer.delete(SYSTEM, "Encounter", "stay-dina")
    with pytest.raises(Refused):
        await services.gate.open_chart(nurse, "dina")


async def test_a_relation_opens_the_record_at_once(
    services: Any, nurse: Any, patient: Any, stay: Any
) -> None:
    await services.writer.write(SYSTEM, patient("eli"))
    with pytest.raises(Refused):
        await services.gate.open_chart(nurse, "eli")
    await services.writer.write(SYSTEM, stay("eli"))
    await services.gate.open_chart(nurse, "eli")


ANSWERS: dict[str, Callable[..., Any]] = {
    "open": lambda s, a: s.gate.open_chart(a, "anne"),
    "read": lambda s, a: s.gate.open_resource(a, "Observation", "pulse-anne"),
    "refuse": lambda s, a: s.gate.open_chart(a, "berit"),
    "break the glass": lambda s, a: s.gate.break_glass(a, "berit", "unconscious", REASON),
    "find": lambda s, a: s.people.find(a, "Berg Anne"),
    "my patients": lambda s, a: s.people.mine(a),
    "history": lambda s, a: s.history.of_instance(a, "Observation", "pulse-anne"),
}


@pytest.mark.parametrize("asked", ANSWERS)
async def test_what_cannot_be_traced_is_not_answered(
    services: Any, database: Any, nurse: Any, asked: str
) -> None:
    await database.execute(
        "ALTER TABLE audit_event ADD CONSTRAINT is_full CHECK (id < 0) NOT VALID"
    )
    before = await database.fetchval("SELECT count(*) FROM emergency_access")
    try:
        with pytest.raises(DatabaseError):
            await ANSWERS[asked](services, nurse)
        assert await database.fetchval("SELECT count(*) FROM emergency_access") == before
    finally:
        await database.execute("ALTER TABLE audit_event DROP CONSTRAINT is_full")


async def test_a_write_that_cannot_be_traced_is_not_stored(
    services: Any, database: Any, nurse: Any, pulse: Any
) -> None:
    before = await counts(database)
    await database.execute(
        "ALTER TABLE audit_event ADD CONSTRAINT is_full CHECK (id < 0) NOT VALID"
    )
    try:
        with pytest.raises(DatabaseError):
            await services.writer.write(nurse, pulse("anne"))
        with pytest.raises(DatabaseError):
            await services.writer.delete(nurse, "Observation", "pulse-anne")
    finally:
        await database.execute("ALTER TABLE audit_event DROP CONSTRAINT is_full")
    assert await counts(database) == before


async def test_readers_at_the_same_time_share_a_statement_and_each_is_traced(
    database: Database, nurse: Any
) -> None:
    keeper = AuditTrail(database)
    before = await database.fetchval("SELECT count(*) FROM audit_event")
    made = [
        audit_row(7, 0, clock.now(), author_of(nurse, "read"), f"T/{n}", action="read")
        for n in range(300)
    ]
    await asyncio.gather(*(keeper.keep(row) for row in made))
    assert await database.fetchval("SELECT count(*) FROM audit_event") == before + 300


async def test_one_trace_that_cannot_be_kept_does_not_turn_the_others_away(
    database: Database, nurse: Any
) -> None:
    keeper = AuditTrail(database)
    reasons = ["fine", "fine", "with \0 in it", "fine", "torn \ud800", "fine"]
    made = [
        audit_row(8, 0, clock.now(), author_of(nurse, "read", reason=reason), "T/1")
        for reason in reasons
    ]
    async with asyncio.timeout(5):
        done = await asyncio.gather(*(keeper.keep(row) for row in made), return_exceptions=True)
    assert [result is None for result in done] == [reason == "fine" for reason in reasons]


async def test_a_reader_who_gives_up_takes_nobody_along(database: Database, nurse: Any) -> None:
    keeper = AuditTrail(database)
    row = audit_row(9, 0, clock.now(), author_of(nurse, "read"), "T/1")
    other = audit_row(9, 0, clock.now(), author_of(nurse, "read"), "T/2")
    leaving = asyncio.create_task(keeper.keep(row))
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(5):
        await keeper.keep(other)
    found = await database.fetchval("SELECT count(*) FROM audit_event WHERE patient = 9")
    assert found >= 1


async def test_who_has_read_shows_openings_writes_refusals_and_itself(
    services: Any, nurse: Any, stranger: Any, patient: Any, stay: Any, pulse: Any
) -> None:
    await services.writer.write(SYSTEM, patient("frida"))
    await services.writer.write(SYSTEM, stay("frida"))
    with pytest.raises(Refused):
        await services.gate.open_chart(stranger, "frida")
    await services.writer.write(nurse, pulse("frida"))
    permit = await services.gate.open_chart(nurse, "frida")
    seen = await services.gate.who_has_read(permit)
    assert [(row.name, row.interaction, 8 * row.refused) for row in seen] == [
        (nurse.name, "read-audit", 0), (nurse.name, "open", 0), (nurse.name, "create", 0),
        (stranger.name, "open", 8), (SYSTEM.name, "create", 0), (SYSTEM.name, "create", 0),
    ]  # fmt: skip


async def test_a_device_of_somebody_is_for_those_who_treat_them(
    services: Any, nurse: Any, stranger: Any
) -> None:
    implant = {"resourceType": "Device", "id": "pump", "patient": {"reference": "Patient/anne"}}
    await services.writer.write(SYSTEM, implant)
    await services.writer.write(SYSTEM, {"resourceType": "Device", "id": "scale"})
    assert (await services.gate.open_resource(nurse, "Device", "pump")).id == "pump"
    assert (await services.gate.open_resource(stranger, "Device", "scale")).id == "scale"
    with pytest.raises(Refused):
        await services.gate.open_resource(stranger, "Device", "pump")


@pytest.mark.parametrize(
    "made",
    [{"resourceType": "Binary", "contentType": "text/plain", "data": "aGVtbWVsaWc="},
     {"resourceType": "Bundle", "type": "collection"},
     {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}],
    ids=lambda made: made["resourceType"],
)  # fmt: skip
async def test_what_names_no_inhabitant_but_may_tell_of_one_is_for_systems(
    services: Any, nurse: Any, made: dict[str, Any]
) -> None:
    stored = (await services.writer.write(SYSTEM, made)).stored
    with pytest.raises(Refused):
        await services.gate.open_resource(nurse, stored.type, stored.id)
    assert (await services.gate.open_resource(SYSTEM, stored.type, stored.id)).id == stored.id


async def test_sessions_end(database: Database, nurse: Any, later: Later) -> None:
    here, elsewhere = (services_over(database, {}).credentials for _ in range(2))
    cookie = await here.start_session(nurse)
    assert await here.session_actor(cookie) == await elsewhere.session_actor(cookie) == nurse
    assert await here.session_actor(cookie + "x") is None
    await here.end_session(cookie)
    assert await here.session_actor(cookie) is None
    later(seconds=11)
    assert await elsewhere.session_actor(cookie) is None
    shift = await here.start_session(nurse)
    later(hours=11, minutes=59, seconds=55)
    assert await here.session_actor(shift) == nurse
    later(seconds=6)
    assert await here.session_actor(shift) is None
    await here.start_session(nurse)
    assert (
        await database.fetchval("SELECT count(*) FROM session WHERE expires_at <= $1", clock.now())
        == 0
    )


async def test_a_cookie_is_no_token_and_a_token_no_cookie(services: Any, nurse: Any) -> None:
    cookie = await services.credentials.start_session(nurse)
    token = await services.credentials.issue_token(nurse)
    for _ in range(2):
        assert await services.credentials.session_actor(cookie) == nurse
        assert await services.credentials.token_actor(token) == nurse
        assert await services.credentials.token_actor(cookie) is None
        assert await services.credentials.session_actor(token) is None


async def test_a_stolen_database_holds_no_token(
    services: Any, database: Database, nurse: Any
) -> None:
    cookie = await services.credentials.start_session(nurse)
    rows = await database.fetch("SELECT session::text FROM session")
    assert cookie not in "".join(row[0] for row in rows)
