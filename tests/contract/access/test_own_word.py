"""Who writes of treating somebody themselves gets no further by it than they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
from tests.contract.access.conftest import STREET, World, person, reference, staff

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.audit.watching import Watcher
from helsevev.access.errors import Refused
from helsevev.kit import clock
from helsevev.record import keys

pytestmark = pytest.mark.asyncio(loop_scope="session")

SELF: Final = "Practitioner/keen"
STRICT: Final = {"meta": {"security": [{
    "system": "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality",
    "code": "strengtFortrolig",
}]}}  # fmt: skip
WARD: Final = reference("Organization/ward")


def naming(kind: str, patient: str, who: str) -> dict[str, Any]:
    """An entry of a type that says that `who` treats a patient."""
    about, named = reference(f"Patient/{patient}"), reference(who)
    made: dict[str, dict[str, Any]] = {
        "Encounter": {"status": "in-progress", "class": {"code": "IMP"}, "subject": about,
                      "participant": [{"individual": named}]},
        "CareTeam": {"status": "active", "subject": about, "participant": [{"member": named}]},
        "EpisodeOfCare": {"status": "active", "patient": about, "careManager": named},
        "Appointment": {"status": "booked", "start": clock.now().isoformat(),
                        "end": clock.now().isoformat(),
                        "participant": [{"actor": about, "status": "accepted"},
                                        {"actor": named, "status": "accepted"}]},
        "ServiceRequest": {"status": "active", "intent": "order", "subject": about,
                           "requester": named},
        "Task": {"status": "in-progress", "intent": "order", "for": about, "owner": named},
    }  # fmt: skip
    return {"resourceType": kind} | made[kind]


KINDS: Final = ("Encounter", "CareTeam", "EpisodeOfCare", "Appointment", "ServiceRequest", "Task")


async def someone(world: World, name: str, *, ward: bool, **more: Any) -> None:
    """A person of the record, treated at the ward or by nobody."""
    await world.services.writer.write(SYSTEM, person(name, **more))
    if ward:
        stay = naming("Encounter", name, "Practitioner/admitting") | {"serviceProvider": WARD}
        await world.services.writer.write(SYSTEM, stay)


def keen(**more: Any) -> Actor:
    """A physician at the ward."""
    return replace(staff("physician", "unit"), **{"id": SELF} | more)


async def nearness(world: World, actor: Actor, name: str) -> str:
    """How near a tie the actor has."""
    patient = keys.patient_key(name)
    return (await world.services.gate.permits.known(actor, [patient], clock.now()))[
        patient
    ].facts.nearest


async def sees_address(world: World, actor: Actor, name: str) -> bool:
    return STREET.encode() in (await world.services.gate.open_resource(actor, "Patient", name)).json


@pytest.mark.parametrize("kind", KINDS)
async def test_naming_oneself_opens_no_strictly_confidential_address(
    world: World, kind: str
) -> None:
    name, actor = f"own-{kind.lower()}", keen()
    await someone(world, name, ward=True, **STRICT)
    written = await world.services.writer.write(actor, naming(kind, name, SELF))
    assert await nearness(world, actor, name) == "unit"
    assert not await sees_address(world, actor, name)
    # What a colleague writes is another's word, and so is the colleague's next version of it.
    colleague = keen(id="Practitioner/colleague")
    noted = written.stored.resource | {"language": "nb"}
    await world.services.writer.write(colleague, noted)
    assert await nearness(world, actor, name) == "personal"
    assert await sees_address(world, actor, name)


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_without_a_tie_writes_oneself_one(world: World, kind: str) -> None:
    name, actor = f"none-{kind.lower()}", keen(organisations=("Organization/far",))
    await someone(world, name, ward=False)
    resource = naming(kind, name, SELF)
    if kind == "Encounter":
        resource["serviceProvider"] = reference("Organization/far")
    with pytest.raises(Refused):
        await world.services.writer.write(actor, resource)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": resource, "request": {"method": "POST", "url": kind}},
    ]}  # fmt: skip
    with pytest.raises(Refused):
        await world.services.bundles.transact(actor, bundle)


@pytest.mark.parametrize("door", ["write", "transaction"])
async def test_a_stated_relation_ends_when_it_said_though_the_ward_was_named(
    world: World, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, actor = f"stated-{door}", keen(organisations=("Organization/far",))
    await someone(world, name, ward=False)
    gate = world.services.gate
    await gate.state_relation(actor, name, "DELBEHAN", "Kom inn med akutte smerter")
    stay = naming("Encounter", name, SELF) | {"serviceProvider": reference("Organization/far")}
    if door == "write":
        await world.services.writer.write(actor, stay)
    else:
        await world.services.bundles.transact(actor, {
            "resourceType": "Bundle", "type": "transaction",
            "entry": [{"resource": stay, "request": {"method": "POST", "url": "Encounter"}}],
        })  # fmt: skip
    assert await nearness(world, actor, name) == "stated"
    mate = replace(actor, id="Practitioner/mate")
    assert await nearness(world, mate, name) == "unit"
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=13))
    with pytest.raises(Refused):
        await gate.open_chart(actor, name)
    await gate.open_chart(mate, name)


async def test_a_search_finds_nobody_by_ones_own_word(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = keen(id="Practitioner/searching", organisations=("Organization/its-own",))
    await someone(world, "own-search", ward=False)
    await world.services.gate.state_relation(actor, "own-search", "DELBEHAN", "Ringte og ba om råd")
    await world.services.writer.write(actor, naming("Task", "own-search", actor.id))
    await world.admit("physician", "own word", actor)
    api: httpx.AsyncClient = world.api["physician", "own word"]
    url = "/fhir/Task?_total=accurate"
    assert (await api.get(url)).json()["total"] == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=13))
    later = await world.services.credentials.issue_token(actor)
    found = await api.get(url, headers={"authorization": f"Bearer {later}"})
    assert found.json()["total"] == 0
    assert await world.services.people.mine(actor) == []


async def test_an_order_that_the_unit_was_given_is_taken_on_as_near_as_the_unit(
    world: World,
) -> None:
    name, actor = "taken", keen(id="Practitioner/taking")
    await someone(world, name, ward=False, **STRICT)
    given = naming("Task", name, "Organization/ward")
    stored = (await world.services.writer.write(SYSTEM, given)).stored
    await world.services.writer.write(actor, stored.resource | {"owner": reference(actor.id)})
    assert await nearness(world, actor, name) == "unit"
    assert not await sees_address(world, actor, name)


async def test_others_word_is_not_lengthened_by_oneself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, actor = "lengthened", keen(id="Practitioner/staying", organisations=("Organization/x",))
    await someone(world, name, ward=False, **STRICT)
    ends = clock.now() + timedelta(days=1)
    stay = naming("Encounter", name, actor.id) | {"period": {"end": ends.isoformat()}}
    stored = (await world.services.writer.write(SYSTEM, stay)).stored
    assert await nearness(world, actor, name) == "personal"
    longer = {"end": (ends + timedelta(days=900)).isoformat()}
    await world.services.writer.write(actor, stored.resource | {"period": longer})
    assert await sees_address(world, actor, name)
    monkeypatch.setattr(clock, "now", lambda: ends + timedelta(days=40))
    assert await nearness(world, actor, name) == "none"


async def test_ones_own_word_that_nobody_confirms_is_found_as_unusual(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = keen(id="Practitioner/alone", organisations=("Organization/far",))
    opened = {"own-alone": "own-word", "own-emergency": "no-relation-afterwards"}
    gate = world.services.gate
    for name in opened:
        await someone(world, name, ward=False)
    await gate.state_relation(actor, "own-alone", "DELBEHAN", "Vurderer etter telefon")
    await gate.break_glass(actor, "own-emergency", "BLAALYS", "Bevisstløs på gata her")
    for name in opened:
        await world.services.writer.write(actor, naming("Encounter", name, actor.id))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=15))
    await Watcher(gate.store).look()
    rows = await world.services.gate.store.roles.whole.fetch(
        "SELECT patient, rule FROM audit_finding WHERE actor = $1", actor.id
    )
    found = {(row["patient"], row["rule"]) for row in rows}
    assert {(keys.patient_key(name), rule) for name, rule in opened.items()} <= found


async def test_whose_word_a_tie_is_outlives_reworking_the_read_model(world: World) -> None:
    name, actor = "reworked", keen(id="Practitioner/again")
    await someone(world, name, ward=True, **STRICT)
    stored = (await world.services.writer.write(actor, naming("CareTeam", name, actor.id))).stored
    database = world.services.gate.store.roles.whole
    await database.execute(
        "WITH gone AS (DELETE FROM treatment_relation WHERE source_id = $1 RETURNING *)"
        " INSERT INTO treatment_relation"
        " (patient, start_at, end_at, source_type, source_id, grantee)"
        " SELECT patient, start_at, end_at, source_type, source_id, grantee FROM gone",
        stored.id,
    )
    world.services.gate.permits.drop([])
    assert await nearness(world, actor, name) == "unit"
