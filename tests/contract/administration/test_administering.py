"""Administrators keep who works here and see what that gives, but give themselves nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.apps.conftest import World, world

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.administration.effective.working_out import RELATIONS, table_of
from helsevev.access.administration.filling import fill_standing
from helsevev.access.staff import actor_of_role

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMINISTRATOR = Actor(
    kind="practitioner", id="Practitioner/admin", name="Terje", profession="system-administrator",
    role="Systemadministrator", organisation="Organization/ward",
    organisations=("Organization/ward",),
)  # fmt: skip
NURSE = replace(ADMINISTRATOR, profession="nurse")
OFFICER = replace(ADMINISTRATOR, id="Practitioner/officer", profession="privacy-officer")
PLACES = (
    "/administration", "/administration/people", "/administration/people/kari",
    "/administration/signed-in", "/administration/access", "/administration/access/person/kari",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(world: World) -> AsyncIterator[World]:
    """A ward, and a nurse without a role."""
    for resource in (
        {"resourceType": "Organization", "id": "hospital", "name": "Sykehuset"},
        {"resourceType": "Organization", "id": "ward", "name": "Sengeposten",
         "partOf": {"reference": "Organization/hospital"}},
        {"resourceType": "Practitioner", "id": "kari", "active": True,
         "name": [{"family": "Nes", "given": ["Kari"]}],
         "qualification": [{"code": {"coding": [
             {"system": "urn:oid:2.16.578.1.12.4.1.1.9060", "code": "SP"}]}}]},
        {"resourceType": "Practitioner", "id": "admin", "name": [{"family": "Moen"}]},
    ):  # fmt: skip
        await world.services.writer.write(SYSTEM, resource)
    yield world


async def sent(world: World, actor: Actor, path: str, **said: str) -> Any:
    """The answer to a form."""
    async with await world.signed_in(actor) as browser:
        await browser.get("/administration")
        token = browser.cookies.get("csrftoken") or ""
        return await browser.post(path, data={**said, "_csrf_token": token})


async def role_of(world: World, person: str) -> Actor | None:
    """The role that somebody has now."""
    rows = await world.services.gate.store.roles.owner.fetch(
        "SELECT source_id FROM staff_standing WHERE person = $1 AND unit <> ''", person
    )
    return await actor_of_role(world.services.gate.store, rows[0]["source_id"]) if rows else None


async def test_an_administrator_gives_a_role_and_ends_it_and_the_session_with_it(
    house: World,
) -> None:
    path = "/administration/people/kari"
    given = await sent(house, ADMINISTRATOR, path, act="add", title="Sykepleier", unit="ward")
    assert given.status_code == 303, given.text
    actor = await role_of(house, "Practitioner/kari")
    assert actor is not None
    assert (actor.profession, actor.unit_name) == ("nurse", "Sengeposten")
    session = await house.services.credentials.start_session(actor)
    role = (actor.practitioner_role or "").partition("/")[2]
    async with await house.signed_in(ADMINISTRATOR) as browser:
        reach = (await browser.get("/administration/access/person/kari?form=json")).json()
        assert ("unit", "2") in {(row["through"], row["people"]) for row in reach}
    ended = await sent(house, ADMINISTRATOR, path, act="end", role=role)
    assert ended.status_code == 303
    assert await role_of(house, "Practitioner/kari") is None
    row = "SELECT count(*) FROM session WHERE person = 'Practitioner/kari'"
    assert await house.services.gate.store.roles.owner.fetchval(row) == 0
    await house.services.credentials.end_session(session)


async def test_a_session_does_not_outlive_the_role(house: World) -> None:
    database = house.services.gate.store.roles.owner
    await house.services.writer.write(SYSTEM, {
        "resourceType": "PractitionerRole", "id": "short", "active": True,
        "practitioner": {"reference": "Practitioner/kari"}, "code": [{"text": "Vikar"}],
        "organization": {"reference": "Organization/ward"}, "period": {"end": "2027-01-01"},
    })  # fmt: skip
    actor = await actor_of_role(house.services.gate.store, "short")
    assert actor is not None
    await house.services.credentials.issue_token(actor)
    await database.execute("UPDATE staff_standing SET end_at = 1 WHERE source_id = 'short'")
    await house.services.credentials.start_session(actor)
    ends = "SELECT max(expires_at) < now() FROM session WHERE person = 'Practitioner/kari'"
    assert await database.fetchval(ends)


async def test_nobody_gives_oneself_a_role(house: World) -> None:
    answer = await sent(
        house, ADMINISTRATOR, "/administration/people/admin", act="add", title="Overlege",
        unit="ward",
    )  # fmt: skip
    assert answer.status_code == 403
    assert await role_of(house, "Practitioner/admin") is None


@pytest.mark.parametrize("place", PLACES)
async def test_only_administrators_see_these_pages(house: World, place: str) -> None:
    for actor, expected in ((ADMINISTRATOR, 200), (NURSE, 403)):
        async with await house.signed_in(actor) as browser:
            answer = await browser.get(place)
            assert answer.status_code == expected, (actor.profession, answer.text[:2000])


async def test_who_can_open_a_record_is_for_the_one_who_controls(house: World) -> None:
    await house.services.writer.write(SYSTEM, {
        "resourceType": "PractitionerRole", "id": "kari-ward", "active": True,
        "practitioner": {"reference": "Practitioner/kari"}, "code": [{"text": "Sykepleier"}],
        "organization": {"reference": "Organization/ward"},
    })  # fmt: skip
    path = "/administration/access/inhabitant"
    assert (await sent(house, ADMINISTRATOR, path, patient="own")).status_code == 403
    told = (await sent(house, OFFICER, path, patient="own", form="json")).json()
    assert [
        (row["name"], row["read"], row["rule"]) for row in told if row["role"] == "Sykepleier"
    ] == [("Kari Nes", "yes", "treatment-read")]
    closed = await sent(house, OFFICER, path, patient="closed", form="json")
    assert closed.json() == []


async def test_the_table_of_a_role_is_what_the_rules_say() -> None:
    nurse, secretary = table_of("nurse"), table_of("secretary")
    assert [row["relation"] for row in nurse.rows] == [*RELATIONS, "emergency"]
    by_relation = {row["relation"]: row for row in nurse.rows}
    assert by_relation["unit"]["read"] == "yes"
    assert by_relation["none"]["read"] == "no"
    psychiatry = next(row for row in nurse.withheld if row["label"] == "psychiatry")
    assert (psychiatry["organisation"], psychiatry["unit"]) == ("withheld", "yes")
    assert "Observation" in nurse.writes
    assert "Observation" not in secretary.writes


async def test_a_record_from_before_knows_its_staff_once_it_is_served(house: World) -> None:
    store = house.services.gate.store
    there = await store.roles.owner.fetchval("SELECT count(*) FROM staff_standing")
    await store.roles.owner.execute("TRUNCATE staff_standing")
    await fill_standing(store)
    await fill_standing(store)
    assert await store.roles.owner.fetchval("SELECT count(*) FROM staff_standing") == there


async def test_the_officer_is_led_to_no_page_that_is_closed_to_them(house: World) -> None:
    role = {"resourceType": "PractitionerRole", "id": "kari-led", "active": True,
            "practitioner": {"reference": "Practitioner/kari"},
            "organization": {"reference": "Organization/ward"},
            "code": [{"text": "Sykepleier"}]}  # fmt: skip
    await house.services.writer.write(SYSTEM, role)
    for actor, leads in ((OFFICER, False), (ADMINISTRATOR, True)):
        async with await house.signed_in(actor) as browser:
            for page in ("/administration/access/held", "/administration/access/person/kari"):
                answer = await browser.get(page)
                assert answer.status_code == 200
                assert ('href="/administration/people/kari"' in answer.text) == leads, page
                found = re.findall(r'href="(/administration[^"#?]*)', answer.text)
                for address in dict.fromkeys(found):
                    assert (await browser.get(address)).status_code == 200, (actor.id, address)
    await house.services.writer.delete(SYSTEM, "PractitionerRole", "kari-led")
