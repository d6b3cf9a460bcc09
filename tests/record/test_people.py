"""Finding people: by beginnings of names, birth date or number; everyone listed is traced."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Invalid, Refused
from helsevev.access.services import Services
from helsevev.record import keys

FNR = "urn:oid:2.16.578.1.12.4.1.4.1"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(services: Services, patient: Any, stay: Any) -> None:
    """Five people; the ward treats Åse."""

    def named(key: str, family: str, *given: str, born: str, number: str) -> dict[str, Any]:
        made_one: dict[str, Any] = patient(
            key,
            name=[{"family": family, "given": list(given)}],
            birthDate=born,
            identifier=[{"system": FNR, "value": number}],
            address=[{"text": "Hidden road 1"}],
        )
        return made_one

    made = [
        named("aase", "Berg", "Åse", born="1950-11-21", number="21915099999"),
        named("asbjorn", "Berg", "Asbjørn", "Lie", born="1950-11-21", number="21915088888"),
        named("bergljot", "Bergan", "Bergljot", born="1971-01-02", number="02817177777"),
        named("oyvind", "Østby", "Øyvind", born="1971-01-02", number="02817166666"),
        named("zoe", "O'Brien", "Zoë", born="2020-02-29", number="29822055555"),
        stay("aase"),
    ]
    for resource in made:
        await services.writer.write(SYSTEM, resource)


FOUND = [
    ("berg", {"aase", "asbjorn", "bergljot"}),
    ("Berg Åse", {"aase"}),
    ("åse BERG", {"aase"}),
    ("as ber", {"asbjorn"}),
    ("lie asbj", {"asbjorn"}),
    ("øst", {"oyvind"}),
    ("ost", set()),
    ("zoe", {"zoe"}),
    ("o'br", {"zoe"}),
    ("berg 21.11.1950", {"aase", "asbjorn"}),
    ("21.11.1950", {"aase", "asbjorn"}),
    ("1971-01-02", {"bergljot", "oyvind"}),
    ("ø 2.1.1971", {"oyvind"}),
    ("21915099999", {"aase"}),
    ("219150 99999", {"aase"}),
    ("99999999999", set()),
    ("berg lund", set()),
    ("% %", set()),
    ("__", set()),
    ("'; DROP TABLE resource; --", set()),
]


@pytest.mark.parametrize(("text", "found"), FOUND)
async def test_people_are_found_by_what_one_knows_of_them(
    services: Services, nurse: Actor, text: str, found: set[str]
) -> None:
    assert {person.patient_id for person in await services.people.find(nurse, text)} == found


@pytest.mark.parametrize("text", ["", "x", "99.99.1950"])
async def test_too_little_to_go_by_lists_nobody(services: Any, nurse: Any, text: str) -> None:
    with pytest.raises(Invalid):
        await services.people.find(nurse, text)


async def test_a_list_shows_whom_one_treats_in_full_and_others_by_name(
    services: Any, nurse: Any
) -> None:
    found = {person.patient_id: person for person in await services.people.find(nurse, "berg")}
    assert {key: person.may_open for key, person in found.items()} == {
        "aase": True, "asbjorn": False, "bergljot": False
    }  # fmt: skip
    assert "address" in found["aase"].resource
    assert "address" not in found["asbjorn"].resource


async def test_everyone_on_a_list_is_traced(services: Any, database: Any, nurse: Any) -> None:
    await services.people.find(nurse, "østby")
    rows = await database.fetch(
        "SELECT actor, action FROM audit_event WHERE patient = $1 AND interaction = 'find'"
        " ORDER BY id DESC LIMIT 1",
        keys.patient_key("oyvind"),
    )
    assert [tuple(row) for row in rows] == [(nurse.id, "list")]


async def test_inhabitants_look_nobody_up(services: Any, nurse: Any) -> None:
    inhabitant = Actor("inhabitant", "Patient/zoe", "Zoë", "", "inhabitant", patient="Patient/zoe")
    for asking in (services.people.find(inhabitant, "berg"), services.people.mine(inhabitant)):
        with pytest.raises(Refused):
            await asking


async def test_my_patients_are_those_of_the_unit_and_those_opened_in_an_emergency(
    services: Any, nurse: Any, stranger: Any
) -> None:
    assert [p.patient_id for p in await services.people.mine(nurse)] == ["aase"]
    assert await services.people.mine(stranger) == []
    await services.gate.break_glass(stranger, "zoe", "unconscious", "Fell from a great height")
    [mine] = await services.people.mine(stranger)
    assert (mine.patient_id, mine.may_open, mine.looked_at) == ("zoe", True, None)
    assert mine.changed_at is not None


async def test_a_list_of_many_stops_where_one_can_still_read_it(services: Any, nurse: Any) -> None:
    assert len(await services.people.find(nurse, "berg", limit=2)) == 2
