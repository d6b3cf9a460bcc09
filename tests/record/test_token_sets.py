"""Common values are kept as combinations: a condition finds what it would find in each row."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.record import keys, rows
from helsevev.record.database import Database
from helsevev.record.rows import Row, set_hash, token_hash
from helsevev.record.search_values import Arguments, holding
from helsevev.record.store import Author, Store, Write

NOW = datetime(2026, 1, 2, tzinfo=UTC)
STATUSES = ("final", "amended", "preliminary")
CATEGORIES = ("vital-signs", "laboratory", "survey", "exam")


def measured(who: str, n: int, chance: Random) -> Row:
    resource = {
        "resourceType": "Observation", "id": f"{who}-{n}", "status": chance.choice(STATUSES),
        "code": {"text": "x"}, "subject": {"reference": f"Patient/{who}"},
        "category": [
            {"coding": [{"system": "urn:c", "code": each}]}
            for each in chance.sample(CATEGORIES, chance.randrange(len(CATEGORIES)))
        ],
    }  # fmt: skip
    if not resource["category"]:
        del resource["category"]
    return rows.build(rows.stamped(resource, 1, NOW), 1, rows.locality(resource))


def written_by(author: Author, made: list[Row]) -> Write:
    return Write(keys.next_key(), NOW, author, made)


async def test_a_condition_on_combinations_finds_what_each_row_holds(
    store: Store, database: Database, author: Author
) -> None:
    chance = Random(6)
    made = [measured("sets", n, chance) for n in range(120)]
    await store.write(written_by(author, made[:100]))
    for row in made[100:]:
        await store.write(written_by(author, [row]))
    values: list[tuple[str, str | None, str]] = [("status", None, each) for each in STATUSES]
    values += [("category", "urn:c", each) for each in CATEGORIES] + [("category", None, "none")]
    for count in (1, 2):
        for _ in range(30):
            wanted = [token_hash(*each) for each in chance.sample(values, count)]
            arguments = Arguments()
            sql = holding(wanted, arguments)
            for condition, there in ((sql, True), (f"NOT {sql}", False)):
                found = await database.fetch(
                    f"SELECT r.id FROM resource r WHERE r.id LIKE 'sets-%' AND {condition}",
                    *arguments.values,
                )
                held = {r.id for r in made if bool(set(wanted) & set(r.tokens)) is there}
                assert {row["id"] for row in found} == held


async def test_writers_at_once_share_a_combination(
    store: Store, database: Database, author: Author
) -> None:
    chance = Random(8)
    made = [[measured(f"many{w}", n, chance) for n in range(70)] for w in range(6)]
    singles = [[measured(f"few{w}", 0, chance)] for w in range(6)]
    await database.execute("TRUNCATE token_set")
    await asyncio.gather(*(store.write(written_by(author, each)) for each in made + singles))
    sets = {row.token_set: sorted(set(row.tokens)) for each in made + singles for row in each}
    kept = await database.fetch("SELECT id, tokens FROM token_set")
    assert {row["id"]: row["tokens"] for row in kept} == sets


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.tuples(st.integers(-(2**63), 2**63 - 1)), max_size=8))
def test_different_combinations_have_different_numbers(combinations: set[Any]) -> None:
    assert len({set_hash(each) for each in combinations}) == len(combinations)


async def test_the_record_knows_every_resource_type_in_order(database: Database) -> None:
    labels = await database.fetch("SELECT unnest(enum_range(NULL::resource_type))::text")
    assert [row[0] for row in labels] == sorted(RESOURCE_TYPES)
