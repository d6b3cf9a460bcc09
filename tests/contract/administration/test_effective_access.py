"""Who can do what: now, on a day that has passed, and what came and went between two of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.contract.administration.test_administering import ADMINISTRATOR, NURSE
from tests.contract.apps.conftest import World, world

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.administration.effective.asking import Asked, Told, told
from helsevev.access.administration.effective.command import lines
from helsevev.access.administration.keeping import StaffKeeper
from helsevev.access.errors import Invalid, Refused
from helsevev.kit import clock

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
TODAY = clock.now().date().isoformat()


class House:
    """A hospital in which things happen one after another; `moments` are those between them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.moments: list[datetime] = []

    async def write(self, *resources: dict[str, Any]) -> None:
        """Something happens, and a moment passes."""
        for each in resources:
            stored = await self.world.services.gate.store.beyond.read(
                each["resourceType"], each["id"]
            )
            version = None if stored is None or stored.deleted else stored.version
            await self.world.services.writer.write(SYSTEM, each, if_match=version)
        self.moments.append(clock.now())

    async def told(self, actor: Actor = SYSTEM, **asked: str) -> Told:
        """The answer to a question."""
        services = self.world.services
        return await told(StaffKeeper(services.gate, services.bundles), actor, Asked(**asked))

    def at(self, number: int) -> str:
        """A moment as one writes it."""
        return self.moments[number].isoformat()


def unit(name: str, part_of: str = "", **more: Any) -> dict[str, Any]:
    """An organisation or a unit."""
    part = {"partOf": {"reference": f"Organization/{part_of}"}} if part_of else {}
    return {"resourceType": "Organization", "id": name, "name": name.capitalize(), **part, **more}


def person(name: str, code: str, *, active: bool = True) -> dict[str, Any]:
    """Somebody who works here, authorised as something."""
    system = "urn:oid:2.16.578.1.12.4.1.1.9060"
    return {
        "resourceType": "Practitioner", "id": name, "active": active,
        "name": [{"family": "Moe", "given": [name.capitalize()]}],
        "qualification": [{"code": {"coding": [{"system": system, "code": code}]}}],
    }  # fmt: skip


def role(who: str, title: str, where: str, **more: Any) -> dict[str, Any]:
    """A role of somebody's at a unit."""
    return {
        "resourceType": "PractitionerRole", "id": f"{who}-{where}", "active": True,
        "practitioner": {"reference": f"Practitioner/{who}"}, "code": [{"text": title}],
        "organization": {"reference": f"Organization/{where}"}, **more,
    }  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(world: World) -> AsyncIterator[House]:
    """Ida comes, Ole leaves, the ward moves, Eli becomes a doctor; Siv stays as she was."""
    made = House(world)
    await made.write(
        unit("hospital"), unit("clinic"), unit("ward", "hospital"), unit("desk", "hospital"),
        person("ole", "SP"), person("eli", "SP"), person("siv", "HE"), person("ida", "LE"),
        role("ole", "Sykepleier", "ward"), role("eli", "Sykepleier", "ward"),
        role("siv", "Sekretær", "desk"),
    )  # fmt: skip
    await made.write(role("ida", "Lege", "ward"))
    await made.write(role("ole", "Sykepleier", "ward", active=False))
    await made.write(unit("ward", "clinic"), person("eli", "LE"))
    yield made


async def test_what_came_and_went_between_two_moments_is_told(house: House) -> None:
    found = await house.told(since=house.at(0))
    seen = {(row["change"], row["name"]) for row in found.rows}
    assert seen == {("came", "Ida Moe"), ("went", "Ole Moe"), ("changed", "Eli Moe")}
    eli = next(row for row in found.rows if row["change"] == "changed")
    assert eli["was-profession"] == "nurse"
    assert eli["was-inherits"] == "Organization/hospital"
    assert "was-until" not in eli
    went = next(row for row in found.rows if row["change"] == "went")
    assert went["until"].startswith(TODAY)


async def test_a_day_that_has_passed_is_told_as_it_was(house: House) -> None:
    first = await house.told(on=house.at(0), unit="ward")
    assert [row["name"] for row in first.rows] == ["Eli Moe", "Ole Moe"]
    assert {row["profession"] for row in first.rows} == {"nurse"}
    second = await house.told(on=house.at(1), unit="hospital")
    assert {row["name"] for row in second.rows} == {"Ida Moe", "Ole Moe", "Eli Moe", "Siv Moe"}
    assert (await house.told(on="2026-01-01")).rows == []


async def test_rows_say_what_a_role_gives_and_whom_it_reaches(house: House) -> None:
    found = {row["name"]: row for row in (await house.told()).rows}
    assert found["Ida Moe"]["read"] == "stated organisation unit personal emergency"
    assert found["Ida Moe"]["reaches-by-unit"] == "2"
    assert (found["Siv Moe"]["reaches-by-unit"], found["Siv Moe"]["break-glass"]) == ("0", "")
    assert found["Ida Moe"]["break-glass"] == "yes"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"person": "siv"}, ["Siv Moe"]),
        ({"unit": "clinic"}, ["Eli Moe", "Ida Moe"]),
        ({"role": "lege"}, ["Ida Moe"]),
        ({"role": "physician"}, ["Eli Moe", "Ida Moe"]),
        ({"unit": "nowhere"}, []),
    ],
)
async def test_one_asks_about_a_person_a_unit_or_a_role(
    house: House, asked: dict[str, Any], names: list[str]
) -> None:
    assert sorted(row["name"] for row in (await house.told(**asked)).rows) == names


async def test_a_role_that_begins_later_is_told_on_that_day_alone(house: House) -> None:
    later = (clock.now() + timedelta(days=20)).date().isoformat()
    await house.write(role("siv", "Vikar", "ward", period={"start": later, "end": later}))
    assert len((await house.told(person="siv")).rows) == 1
    assert {row["role"] for row in (await house.told(person="siv", on=later)).rows} == {
        "Vikar", "Sekretær",
    }  # fmt: skip
    (came,) = (await house.told(person="siv", since=TODAY, on=later)).rows
    assert (came["change"], came["role"], came["until"][:10]) == ("came", "Vikar", later)


@pytest.mark.parametrize(
    "asked", [{"on": "yesterday"}, {"since": "2026"}, {"since": "2026-10-02", "on": "2026-10-01"}]
)
async def test_a_date_that_is_none_is_refused_in_words(house: House, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await house.told(**asked)


async def test_who_looks_is_decided_and_traced(house: House) -> None:
    with pytest.raises(Refused):
        await house.told(NURSE)
    rows = await house.world.services.gate.store.roles.owner.fetch(
        "SELECT interaction, outcome FROM audit_event WHERE interaction IN"
        " ('administer', 'access-difference') ORDER BY at"
    )
    assert {(row["interaction"], row["outcome"]) for row in rows} >= {
        ("administer", 8), ("access-difference", 0),
    }  # fmt: skip


async def test_the_text_tells_changes_by_a_sign(house: House) -> None:
    text = "\n".join(lines(await house.told(since=house.at(0), on=TODAY)))
    assert "1 came, 1 went, 1 changed" in text
    assert "+ Ida Moe: Lege, Ward" in text
    assert "was        profession: nurse" in text


async def test_the_page_and_its_files_tell_the_same_difference(house: House) -> None:
    address = f"/administration/access/held?since={house.moments[0]:%Y-%m-%dT%H:%M:%S.%f}Z"
    async with await house.world.signed_in(ADMINISTRATOR) as browser:
        page = await browser.get(address)
        assert page.status_code == 200
        assert "1 kom, 1 gikk og 1 ble endret" in page.text
        rows = (await browser.get(f"{address}&form=json")).json()
        assert {row["change"] for row in rows} == {"came", "went", "changed"}
        listed = (await browser.get(f"{address}&form=csv")).text.splitlines()
        assert len(listed) == 4
        wrong = await browser.get("/administration/access/held?on=2026-13-01&unit=ward")
        assert wrong.status_code == 422
        assert "2026-13-01" in wrong.text
