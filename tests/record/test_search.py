"""Search through the gate, and what people type to break it."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused
from helsevev.access.services import Services
from helsevev.fhir.search_query import SearchError, parse
from helsevev.record import search_cost
from helsevev.record.database import Database
from helsevev.record.search import Search
from helsevev.record.store import Store

LOINC = "http://loinc.org"
HOSTILE = (
    "'; DROP TABLE resource; --", "' OR '1'='1", "\\", "\\\\'", '"', "%", "_", "$1", "$1::text",
    "{1,2}", "NULL", "' UNION SELECT * FROM session --", "\x01", "\u202e", "😀", "a" * 10_000, "{}",
    "%s", "\r\n", "/*", "1e999999999", "--", "E'\\x00'",
)  # fmt: skip
TORN = ("\0", "a\0b", "\ud800")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(services: Services, patient: Any, pulse: Any, stay: Any) -> None:
    """Anne is on the ward; nobody here treats Berit."""
    made = [patient(p, birthDate=f"195{n}-01-01") for n, p in enumerate(("anne", "berit"))]
    made += [pulse(p, 60 + n, id=f"{p}{n}") for p in ("anne", "berit") for n in range(5)]
    made += [stay("anne"), stay("berit", serviceProvider={"reference": "Organization/other"})]
    made += [{"resourceType": "Organization", "id": "ward", "name": "Ward"}]
    made += [pulse("anne", id="seen-by", performer=[{"reference": "Patient/berit"}])]
    for resource in made:
        await services.writer.write(SYSTEM, resource)


async def ids(services: Services, actor: Actor, kind: str, *pairs: tuple[str, str]) -> set[str]:
    page = await services.searcher.search(actor, parse(kind, pairs))
    return {f"{s.type}/{s.id}" for s in (*page.matches, *page.included)}


@pytest.mark.parametrize(
    "kind_and_name",
    [("Patient", "name"), ("Patient", "name:exact"), ("Patient", "name:contains"),
     ("Patient", "identifier"), ("Patient", "_id"), ("Patient", "birthdate"), ("Patient", "gender"),
     ("Observation", "code"), ("Observation", "code:not"), ("Observation", "subject"),
     ("Observation", "subject:identifier"), ("Observation", "value-quantity"),
     ("Observation", "combo-code"), ("Observation", "_lastUpdated"), ("Observation", "category"),
     ("RiskAssessment", "probability"), ("Questionnaire", "url"), ("Patient", "name:missing"),
     ("Patient", "_sort"), ("Patient", "_cursor"), ("Patient", "_include"), ("Patient", "_total"),
     ("Patient", "_count"), ("Patient", "_revinclude"), ("Patient", "_elements")],
    ids=":".join,
)  # fmt: skip
async def test_hostile_values_find_nothing_and_change_nothing(
    store: Store, database: Database, kind_and_name: tuple[str, str]
) -> None:
    kind, name = kind_and_name
    there = await database.fetchval("SELECT count(*) FROM resource")
    for value in (*HOSTILE, *TORN, *(f"{LOINC}|{text}" for text in HOSTILE)):
        try:
            page = await Search(store).run(parse(kind, [(name, value), ("_count", "5")], now=0))
        except SearchError:
            continue
        if name == "code:not":
            continue
        wild = ("\x01", "\r\n", "_", "%")
        assert page.rows == [] or name in ("_total", "_elements") or value in wild, value
    assert await database.fetchval("SELECT count(*) FROM resource") == there


def forged(*values: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "æ", "====", "e30", "bnVsbA", forged(), forged(1), forged(1, 2, 3, 4, 5, 6),
     forged("a", "b", "c", "d"), forged(None, None, None, None), forged(2**62 * 8, 1, 1, "x"),
     forged(2**63, 2**63, 2**63, "x"), forged(-(2**63), 1, 2**64 - 1, "x"), forged(1, 2, 3, 4),
     forged(1, 2, 3, "\0"), forged(1.5, 1, 1, "x"), forged([1], 1, 1, "x"), "A" * 100_000,
     base64.urlsafe_b64encode(b"[" * 5000).decode(), forged("9" * 500, "x", 1, "x")],
)  # fmt: skip
@pytest.mark.parametrize("sort", ["", "_lastUpdated", "value-quantity", "_id", "-date", "date,_id"])
async def test_a_cursor_that_was_not_given_here_is_refused_in_words(
    store: Store, cursor: str, sort: str
) -> None:
    pairs = [("_cursor", cursor), *([("_sort", sort)] if sort else [])]
    query = parse("Observation", pairs)
    if cursor == "":
        assert (await Search(store).run(query)).rows
        return
    with pytest.raises(SearchError) as told:
        await Search(store).run(query)
    assert told.value.issues[0].expression == "_cursor"


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([("value-quantity", "5|http://unitsofmeasure.org|")], "system of units"),
        ([("_sort", "code-value-quantity")], "cannot be sorted"),
    ],
)
async def test_what_is_not_kept_in_rows_is_refused_not_left_out(
    store: Store, pairs: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(SearchError, match=says):
        await Search(store).run(parse("Observation", pairs))


async def test_a_nurse_finds_what_concerns_those_whom_the_ward_treats(
    services: Services, nurse: Actor
) -> None:
    assert await ids(services, nurse, "Patient") == {"Patient/anne"}
    assert await ids(services, nurse, "Observation", ("code", "8867-4"), ("_count", "3")) < {
        "Observation/seen-by", *(f"Observation/anne{n}" for n in range(5))
    }  # fmt: skip
    assert await ids(services, nurse, "Organization") == {"Organization/ward"}
    assert await ids(services, nurse, "Patient", ("_id", "berit")) == set()


@pytest.mark.parametrize("name", ["patient", "subject", "subject:Patient"])
async def test_a_search_in_a_closed_record_is_refused_and_traced(
    services: Services, database: Database, nurse: Actor, name: str
) -> None:
    refusals = "SELECT count(*) FROM audit_event WHERE outcome = 8 AND interaction = 'search-type'"
    before = await database.fetchval(refusals)
    with pytest.raises(Refused):
        await ids(services, nurse, "Observation", (name, "Patient/berit,Patient/anne"))
    assert await database.fetchval(refusals) == before + 1


async def test_includes_leave_out_whom_one_may_not_see(services: Services, nurse: Actor) -> None:
    both = ("_include", "Observation:subject"), ("_include", "Observation:performer")
    assert await ids(services, nurse, "Observation", ("_id", "seen-by"), *both) == {
        "Observation/seen-by", "Patient/anne"
    }  # fmt: skip
    assert await ids(services, SYSTEM, "Observation", ("_id", "seen-by"), *both) == {
        "Observation/seen-by", "Patient/anne", "Patient/berit"
    }  # fmt: skip
    found = await ids(
        services, nurse, "Organization", ("_revinclude", "Encounter:service-provider")
    )
    assert found == {"Organization/ward", "Encounter/stay-anne"}


async def test_the_same_parameter_may_be_included_for_several_types(services: Services) -> None:
    wanted = [("_include", f"Observation:subject:{kind}") for kind in ("Patient", "Group")]
    for order in (wanted, wanted[::-1]):
        found = await ids(services, SYSTEM, "Observation", ("_id", "anne1"), *order)
        assert found == {"Observation/anne1", "Patient/anne"}


async def test_each_person_found_is_in_the_trail(
    services: Services, database: Database, nurse: Actor
) -> None:
    await ids(services, nurse, "Observation", ("code", "8867-4"))
    newest: Any = await database.fetchrow(
        "SELECT * FROM audit_event WHERE actor = $1 AND interaction = 'search-type'"
        " ORDER BY id DESC LIMIT 1",
        nurse.id,
    )
    assert newest["target"].startswith("Observation?code Observation/")
    assert newest["outcome"] == 0


async def test_an_inhabitant_finds_the_own_record_only(services: Services, nurse: Actor) -> None:
    berit = replace(nurse, kind="inhabitant", id="Patient/berit", patient="Patient/berit")
    assert await ids(services, berit, "Patient") == {"Patient/berit"}
    assert all("berit" in found for found in await ids(services, berit, "Observation"))
    nobody = replace(berit, id="Patient/none", patient=None)
    assert await ids(services, nobody, "Observation") == set()


async def test_a_group_on_the_ward_opens_nothing_that_names_nobody(
    services: Services, nurse: Actor, stay: Any, pulse: Any
) -> None:
    group = {"reference": "Group/class-5b"}
    await services.writer.write(SYSTEM, stay("x", "group-stay", subject=group))
    await services.writer.write(SYSTEM, pulse("x", id="whose", subject=group))
    assert "Observation/whose" not in await ids(services, nurse, "Observation")
    assert "Encounter/group-stay" not in await ids(services, nurse, "Encounter")
    with pytest.raises(Refused):
        await services.gate.open_resource(nurse, "Observation", "whose")


@pytest.mark.parametrize(
    "value", ["le9999-12-31", "gt9999", "ge0001", "ne9999-12-31", "eb0001-01-01"]
)
async def test_the_ends_of_time_can_be_asked_for(store: Store, value: str) -> None:
    page = await Search(store).run(parse("Observation", [("_lastUpdated", value)]))
    assert bool(page.rows) is value.startswith(("le", "ge", "ne"))


async def test_what_is_hidden_links_nothing_in_a_hierarchy(
    services: Services, nurse: Actor, stay: Any
) -> None:
    def part(name: str, of: str, **more: Any) -> Any:
        return stay("anne", name, partOf={"reference": f"Encounter/{of}"}, **more)

    hidden = {"subject": {"reference": "Group/class-5b"}}
    for resource in (stay("anne", "outer"), part("middle", "outer", **hidden),
                     part("inner", "middle"), part("beside", "outer")):  # fmt: skip
        await services.writer.write(SYSTEM, resource)
    for modifier, of, all_see, nurse_sees in (
        ("below", "outer", {"middle", "inner", "beside"}, {"beside"}),
        ("below", "middle", {"inner"}, {"inner"}),
        ("above", "inner", {"middle", "inner", "beside"}, {"inner"}),
    ):
        asked = (f"part-of:{modifier}", f"Encounter/{of}")
        for actor, expected in ((SYSTEM, all_see), (nurse, nurse_sees)):
            found = await ids(services, actor, "Encounter", asked)
            assert found == {f"Encounter/{name}" for name in expected}, (asked, actor.id)


async def test_a_hierarchy_that_goes_round_ends(services: Services, stay: Any) -> None:
    for name, of in (("round-a", "round-b"), ("round-b", "round-a")):
        part_of = {"reference": f"Encounter/{of}"}
        await services.writer.write(SYSTEM, stay("anne", name, partOf=part_of))
    for modifier in ("above", "below"):
        asked = (f"part-of:{modifier}", "Encounter/round-a")
        assert len(await ids(services, SYSTEM, "Encounter", asked)) == 2


async def test_a_search_that_takes_too_long_is_stopped_in_postgresql_too(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_cost, "SECONDS", 0.3)
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    asked = ("value-quantity", "gt59")
    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE search_quantity")
        for kind, *pairs in (
            ("Observation", asked),
            ("Observation", asked, ("_summary", "count")),
            ("Patient", ("_has:Observation:performer:value-quantity", "gt59")),
        ):
            with pytest.raises(SearchError) as told:
                await ids(services, SYSTEM, kind, *pairs)
            assert told.value.issues[0].code == "too-costly"
            assert "stopped after 0.3 seconds. Name" in told.value.issues[0].diagnostics
        await asyncio.sleep(0.3)
        assert await database.fetchval(running) == 0
    assert len(await ids(services, SYSTEM, "Observation", asked)) > 10
