"""Units are made, renamed, moved and closed by administrators, and what follows is told before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.administration.test_administering import ADMINISTRATOR, NURSE, role_of, sent
from tests.contract.administration.test_effective_access import person, role, unit
from tests.contract.apps.conftest import INHABITANT, World, world

from helsevev.access.actor import SYSTEM
from helsevev.access.administration.filling import fill_standing
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.administration.units.changing import OneUnit, Units
from helsevev.access.chapter import CHAPTER
from helsevev.access.staff import actor_of_role
from helsevev.kit import clock

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
PLACE = "/administration/units"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(world: World) -> AsyncIterator[World]:
    """Two hospitals; a ward that treats two inhabitants, where Ida and Ole work."""
    for each in (
        unit("hospital"), unit("clinic"), unit("ward", "hospital"), unit("annex", "hospital"),
        unit("rest", "annex"), person("ida", "LE"), person("ole", "SP"), person("siv", "SP"),
        role("ida", "Lege", "ward"), role("ole", "Sykepleier", "annex"),
        role("siv", "Sykepleier", "rest"), person("admin", "SP"),
    ):  # fmt: skip
        await world.services.writer.write(SYSTEM, each)
    yield world


async def told(house: World, name: str) -> OneUnit:
    """A unit as an administrator sees it."""
    services = house.services
    return await Units(StaffKeeper(services.gate, services.bundles)).one(ADMINISTRATOR, name)


async def changed(house: World, which: str, act: str, **said: str) -> Any:
    """The answer to a form on a unit's page, as it was seen."""
    version = str((await told(house, which)).version)
    return await sent(house, ADMINISTRATOR, f"{PLACE}/{which}", act=act, version=version, **said)


async def closed(house: World, name: str, end: str = "", **other: str) -> Any:
    """The answer to closing a unit after the page has told what that does."""
    services = house.services
    units = Units(StaffKeeper(services.gate, services.bundles))
    seen = await units.closing(ADMINISTRATOR, name, end)
    version = str((await told(house, name)).version)
    said = {"end": end, "version": version, "told": seen.mark} | other
    return await sent(house, ADMINISTRATOR, f"{PLACE}/{name}/close", **said)


async def test_a_unit_is_made_renamed_and_numbered(house: World) -> None:
    made = await sent(
        house, ADMINISTRATOR, PLACE, name="Fødestuen", part_of="hospital", number="4711"
    )
    assert made.status_code == 303, made.text
    name = made.headers["location"].rpartition("/")[2]
    renamed = await changed(house, name, "describe", name="Fødeavdelingen", number="974707152")
    assert renamed.status_code == 303, renamed.text
    now = await told(house, name)
    assert (now.name, now.number, now.part_of) == ("Fødeavdelingen", "974707152", "hospital")
    async with await house.signed_in(ADMINISTRATOR) as browser:
        assert "Fødeavdelingen" in (await browser.get("/administration")).text


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "En", "number": "974707151"}, "number"),
        ({"name": "En", "part_of": "nowhere"}, "part_of"),
    ],
)
async def test_what_is_wrong_with_a_new_unit_is_said_at_its_field(
    house: World, said: dict[str, str], where: str
) -> None:
    answer = await sent(house, ADMINISTRATOR, PLACE, **said)
    assert answer.status_code == 422
    assert f'href="#field-{where}"' in answer.text


async def test_who_works_in_a_unit_that_moves_reaches_by_its_new_place_alone(house: World) -> None:
    ida = await role_of(house, "Practitioner/ida")
    assert ida is not None
    credentials = house.services.credentials
    await credentials.start_session(ida)
    await credentials.issue_token(ida)
    assert (await changed(house, "ward", "move", part_of="clinic")).status_code == 303
    again = await role_of(house, "Practitioner/ida")
    assert again is not None
    assert again.organisations == ("Organization/ward", "Organization/clinic")
    assert not await is_signed_in(house, ida.id)
    tokens = "SELECT count(*) FROM api_token WHERE actor ->> 'id' = 'Practitioner/ida'"
    assert await house.services.gate.store.roles.owner.fetchval(tokens) == 0


async def is_signed_in(house: World, who: str) -> bool:
    """Whether somebody has a session."""
    rows = "SELECT count(*) FROM session WHERE person = $1"
    return bool(await house.services.gate.store.roles.owner.fetchval(rows, who))


@pytest.mark.parametrize("target", ["annex", "rest"])
async def test_no_unit_becomes_part_of_itself_or_of_what_is_below_it(
    house: World, target: str
) -> None:
    answer = await changed(house, "annex", "move", part_of=target)
    assert answer.status_code == 422
    assert (await told(house, "annex")).part_of == "hospital"


async def test_nobody_moves_or_closes_where_they_work_themselves(house: World) -> None:
    await house.services.writer.write(SYSTEM, role("admin", "Sykepleier", "rest"))
    before = await told(house, "rest")
    assert (await changed(house, "annex", "move", part_of="clinic")).status_code == 403
    assert (await closed(house, "rest")).status_code == 403
    assert await told(house, "rest") == before
    kept = await house.services.gate.store.beyond.read("PractitionerRole", "admin-rest")
    assert kept is not None
    over = {**kept.resource, "active": False}
    await house.services.writer.write(SYSTEM, over, if_match=kept.version)


async def test_what_rests_on_a_unit_is_told_before_it_is_closed(house: World) -> None:
    async with await house.signed_in(ADMINISTRATOR) as browser:
        page = (await browser.get(f"{PLACE}/ward/close")).text
    assert "Ida Moe" in page
    now = (await told(house, "ward")).now
    assert ([each.title for each in now.roles], dict(now.treated)) == (["Lege"], {"Encounter": 2})
    late = await closed(house, "ward", told="0 0")
    assert late.status_code == 409
    assert (await told(house, "ward")).is_open


async def test_a_unit_with_open_units_below_is_not_closed(house: World) -> None:
    answer = await closed(house, "annex")
    assert answer.status_code == 422
    assert (await told(house, "annex")).is_open


async def test_a_unit_closes_on_its_day_and_its_roles_with_it(house: World) -> None:
    day = (clock.now() + timedelta(days=30)).date().isoformat()
    assert (await closed(house, "rest", day)).status_code == 303
    now = await told(house, "rest")
    assert (now.is_open, now.end) == (True, day)
    kept = await house.services.gate.store.beyond.read("PractitionerRole", "siv-rest")
    assert kept is not None
    assert kept.resource["period"]["end"] == day
    assert await actor_of_role(house.services.gate.store.beyond, "siv-rest")
    longer = await sent(
        house, ADMINISTRATOR, "/administration/people/ole", act="add", title="Vikar", unit="rest"
    )
    assert longer.status_code == 422
    assert (await changed(house, "rest", "reopen")).status_code == 303
    assert (await told(house, "rest")).end == ""


async def test_what_is_closed_now_gives_nothing_more(house: World) -> None:
    ida = await role_of(house, "Practitioner/ida")
    assert ida is not None
    await house.services.credentials.start_session(ida)
    assert (await closed(house, "ward")).status_code == 303
    assert not (await told(house, "ward")).is_open
    assert not await is_signed_in(house, ida.id)
    assert await role_of(house, "Practitioner/ida") is None
    # A role that somebody writes there all the same gives nothing either.
    await house.services.writer.write(SYSTEM, role("ole", "Sykepleier", "ward"))
    assert await actor_of_role(house.services.gate.store.beyond, "ole-ward") is None
    again = await changed(house, "ward", "move", part_of="hospital")
    assert again.status_code in (303, 422)


async def test_what_others_changed_meanwhile_is_not_written_over(house: World) -> None:
    version = (await told(house, "clinic")).version
    said = {"act": "describe", "version": str(version), "number": ""}
    first = await sent(house, ADMINISTRATOR, f"{PLACE}/clinic", name="Første", **said)
    second = await sent(house, ADMINISTRATOR, f"{PLACE}/clinic", name="Andre", **said)
    assert (first.status_code, second.status_code) == (303, 409)
    assert (await told(house, "clinic")).name == "Første"
    assert "Første" in second.text


async def test_every_change_of_a_unit_is_in_the_trail(house: World) -> None:
    rows = await house.services.gate.store.roles.whole.fetch(
        "SELECT target, actor FROM audit_event WHERE action = 'write' AND outcome = 0"
    )
    mine = [row["target"] for row in rows if row["actor"] == ADMINISTRATOR.id]
    assert any("Organization/ward" in target for target in mine)


async def test_a_record_from_before_knows_its_units(house: World) -> None:
    store = house.services.gate.store
    count = "SELECT count(*) FROM staff_standing WHERE source_type = 'Organization'"
    there = await store.roles.owner.fetchval(count)
    await store.roles.owner.execute("DELETE FROM staff_standing WHERE source_type = 'Organization'")
    await fill_standing(store)
    assert there == await store.roles.owner.fetchval(count) > 3


ROUTES = [
    (method, path)
    for handler in CHAPTER.routes
    for path in sorted(handler.paths)
    if path.startswith(("/administration", "/apps"))
    for method in sorted(handler.http_methods - {"HEAD", "OPTIONS"})
]


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [("nurse", *route) for route in ROUTES]
    + [(who, *route) for who in ("inhabitant", "app") for route in ROUTES if route[0] == "POST"],
)
async def test_every_page_of_administration_refuses_before_it_reads_a_form(
    house: World, who: str, method: str, path: str
) -> None:
    actor = {"nurse": NURSE, "inhabitant": INHABITANT,
             "app": replace(ADMINISTRATOR, client="x", scopes=("user/*.cruds",))}[who]  # fmt: skip
    database = house.services.gate.store.roles.whole
    refusals = "SELECT count(*) FROM audit_event WHERE outcome = 8"
    before = await database.fetchval(refusals)
    address = "/".join("x" if "{" in part else part for part in path.split("/"))
    async with await house.signed_in(actor) as browser:
        await browser.get("/my-apps")
        headers = {"x-csrf-token": browser.cookies.get("csrftoken") or ""}
        answer = await browser.request(method, address, headers=headers)
    assert answer.status_code == 403, answer.text[:300]
    assert await database.fetchval(refusals) == before + 1


async def test_the_walk_finds_the_pages() -> None:
    assert {path for _, path in ROUTES} >= {
        "/administration/people/{person_id:str}", "/apps/{client_id:str}",
        "/administration/units/{unit_id:str}/close", "/administration/access/inhabitant",
    }  # fmt: skip
    assert len([1 for method, _ in ROUTES if method == "POST"]) >= 8
