"""The record itself: versions never skip, writes are whole, and traces are never missing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from helsevev.fhir import serialization
from helsevev.record import keys, rows
from helsevev.record.database import Database, DatabaseError
from helsevev.record.rows import Row
from helsevev.record.slices import Slice, read_slices
from helsevev.record.store import (
    Author,
    Remembered,
    Stored,
    UniqueViolation,
    VersionMismatch,
    Write,
)

Resource = dict[str, Any]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEARCHED = ("search_string", "search_date", "search_quantity")
EVERYTHING = (
    "resource", "resource_history", "directory", *SEARCHED, "coding", "change", "audit_event",
    "idempotency_key", "treatment_relation",
)  # fmt: skip


def row(resource: Resource, version: int = 1) -> Row:
    stamped = rows.stamped(resource, version, NOW)
    return rows.build(stamped, version, rows.locality(resource))


def write(
    author: Author, *made: Row, key: str | None = None, gone: tuple[Stored, ...] = ()
) -> Write:
    remember = Remembered(key, b"print", "{}") if key else None
    return Write(keys.next_key(), NOW, author, made, remember, gone)


async def counts(database: Database) -> dict[str, int]:
    return {t: await database.fetchval(f"SELECT count(*) FROM {t}") for t in EVERYTHING}


async def body_of(store: Any, kind: str, resource_id: str) -> Resource:
    stored = await store.read(kind, resource_id)
    assert stored is not None
    assert not stored.deleted
    found: Resource = stored.resource
    return found


async def test_what_was_written_is_read_back_to_the_last_digit(
    store: Any, author: Any, pulse: Any
) -> None:
    sent = serialization.decode(
        b'{"resourceType":"Observation","id":"digits","status":"final","code":{"text":"x"},'
        b'"subject":{"reference":"Patient/digits"},"valueQuantity":{"value":72.50}}'
    )
    await store.write(write(author, row(sent)))
    stored = await store.read("Observation", "digits")
    assert b'"value":72.50' in stored.json
    assert {k: v for k, v in stored.resource.items() if k != "meta"} == sent
    assert (stored.patient, stored.version, stored.last_updated) == (
        keys.patient_key("digits"), 1, NOW,
    )  # fmt: skip


async def test_every_version_stays_and_none_is_skipped(store: Any, author: Any, pulse: Any) -> None:
    made = pulse("versions", id="v")
    for version in (1, 2, 3):
        await store.write(write(author, row(made | {"status": "amended"}, version)))
    await store.delete(await store.read("Observation", "v"), keys.next_key(), NOW, author)
    gone = await store.read("Observation", "v")
    assert (gone.version, gone.deleted, gone.packed) == (4, True, b"")
    await store.write(write(author, row(made, 5)))
    assert (await body_of(store, "Observation", "v"))["meta"]["versionId"] == "5"
    seen = [await store.read_version("Observation", "v", n) for n in range(7)]
    assert [s and (s.version, s.deleted) for s in seen] == [
        None, (1, False), (2, False), (3, False), (4, True), (5, False), None,
    ]  # fmt: skip
    assert await store.newest_versions([("Observation", "v"), ("Observation", "none")]) == {
        ("Observation", "v"): (5, False)
    }


@pytest.mark.parametrize("version", [1, 3, 4])
async def test_a_version_that_does_not_follow_the_newest_is_refused_whole(
    store: Any, database: Database, author: Any, pulse: Any, version: int
) -> None:
    made = pulse("skips", id=f"skip{version}")
    await store.write(write(author, row(made)))
    before = await counts(database)
    with pytest.raises((VersionMismatch, UniqueViolation)):
        await store.write(write(author, row(made | {"status": "amended"}, version)))
    assert await counts(database) == before


async def test_nothing_can_begin_at_a_later_version_than_the_first(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    before = await counts(database)
    with pytest.raises(VersionMismatch):
        await store.write(write(author, row(pulse("later", id="later"), 2)))
    made = pulse("later", id="again")
    await store.write(write(author, row(made)))
    await store.delete(await store.read("Observation", "again"), keys.next_key(), NOW, author)
    for version in (2, 4):
        with pytest.raises((VersionMismatch, UniqueViolation)):
            await store.write(write(author, row(made, version)))
    assert await store.read("Observation", "later") is None
    assert (await counts(database))["resource"] == before["resource"]


async def test_of_two_who_follow_the_same_version_exactly_one_wins_and_nothing_of_the_other_stays(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    made = pulse("race", id="race")
    await store.write(write(author, row(made)))
    before = await counts(database)
    writers = [
        write(author, row(made | {"note": [{"text": f"writer {n}"}]}, 2), key=f"race{n}")
        for n in range(8)
    ]
    done = await asyncio.gather(*map(store.write, writers), return_exceptions=True)
    won = [n for n, result in enumerate(done) if result is None]
    assert len(won) == 1
    assert all(isinstance(r, VersionMismatch | UniqueViolation) for r in done if r is not None)
    after = await counts(database)
    grown = {
        table: after[table] - before[table] for table in EVERYTHING if after[table] != before[table]
    }
    assert grown == {"resource_history": 1, "change": 1, "audit_event": 1, "idempotency_key": 1}
    stored = await body_of(store, "Observation", "race")
    assert stored["note"][0]["text"] == f"writer {won[0]}"


async def test_of_an_update_and_a_deletion_at_once_one_wins(
    store: Any, author: Any, pulse: Any
) -> None:
    for n in range(10):
        made = pulse("both", id=f"both{n}")
        await store.write(write(author, row(made)))
        current = await store.read("Observation", made["id"])
        done = await asyncio.gather(
            store.write(write(author, row(made | {"status": "amended"}, 2))),
            store.delete(current, keys.next_key(), NOW, author),
            return_exceptions=True,
        )
        assert sum(result is None for result in done) == 1
        newest = await store.read("Observation", made["id"])
        assert newest.version == 2
        assert newest.deleted is (done[1] is None)


async def test_an_id_chosen_for_two_inhabitants_at_once_is_one_inhabitants(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    for n in range(10):
        both = [pulse(person, id=f"chosen{n}") for person in ("anne", "berit")]
        done = await asyncio.gather(
            *(store.write(write(author, row(each))) for each in both), return_exceptions=True
        )
        assert sorted(map(str, map(type, done))).count(str(type(None))) == 1
        kept = "SELECT count(*) FROM resource WHERE id = $1"
        assert await database.fetchval(kept, f"chosen{n}") == 1
        stored = await body_of(store, "Observation", f"chosen{n}")
        assert stored["subject"] == both[done.index(None)]["subject"]


async def test_one_row_that_fails_undoes_the_whole_bundle(
    store: Any, database: Database, author: Any, pulse: Any, patient: Any, stay: Any
) -> None:
    await store.write(write(author, row(pulse("bundle", id="in-the-way"))))
    before = await counts(database)
    many = [row(pulse("bundle", n, id=f"many{n}")) for n in range(200)]
    many += [row(patient("bundle")), row(stay("bundle")), row(pulse("bundle", 1, id="in-the-way"))]
    current = await store.read("Observation", "in-the-way")
    with pytest.raises(VersionMismatch):
        await store.write(write(author, *many, key="bundle", gone=()))
    with pytest.raises((VersionMismatch, UniqueViolation)):
        await store.write(write(author, *many[:-1], row(pulse("b", id="x"), 7), gone=(current,)))
    assert await counts(database) == before
    await store.write(write(author, *many[:-1], gone=(current,)))
    assert (await counts(database))["resource"] == before["resource"] + 201


async def test_every_write_leaves_its_audit_and_its_change(
    store: Any, database: Database, author: Any, pulse: Any, patient: Any
) -> None:
    made = [row(patient("traced")), row(pulse("traced", id="t1")), row(pulse("traced2", id="t2"))]
    whole = write(author, *made)
    await store.write(whole)
    audits = await database.fetch(
        "SELECT * FROM audit_event WHERE transaction = $1", whole.transaction
    )
    assert {a["patient"] for a in audits} == {keys.patient_key(p) for p in ("traced", "traced2")}
    assert {(a["actor"], a["action"], a["interaction"]) for a in audits} == {
        (author.actor, "write", "test")
    }
    changes = await database.fetch(
        "SELECT * FROM change WHERE transaction = $1 ORDER BY cardinality(ids)", whole.transaction
    )
    assert [(c["verbs"], list(c["ids"]), list(c["versions"])) for c in changes] == [
        ("C", ["t2"], [1]), ("CC", ["traced", "t1"], [1, 1]),
    ]  # fmt: skip


async def test_a_deletion_leaves_its_audit_and_its_change(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    await store.write(write(author, row(pulse("erased", id="erased"))))
    number = keys.next_key()
    await store.delete(await store.read("Observation", "erased"), number, NOW, author)
    change: Any = await database.fetchrow("SELECT * FROM change WHERE transaction = $1", number)
    assert (change["verbs"], change["versions"]) == ("D", [2])
    audit: Any = await database.fetchrow("SELECT * FROM audit_event WHERE transaction = $1", number)
    assert audit["target"] == "Observation/erased"
    for table in SEARCHED:
        found = f"SELECT count(*) FROM {table} WHERE patient = $1"
        assert await database.fetchval(found, keys.patient_key("erased")) == 0


async def test_search_rows_are_those_of_the_newest_version(
    store: Any, database: Database, author: Any
) -> None:
    person = {"resourceType": "Patient", "id": "renamed", "name": [{"family": "Before"}]}
    await store.write(write(author, row(person)))
    await store.write(write(author, row(person | {"name": [{"family": "After"}]}, 2)))
    found = await database.fetch("SELECT DISTINCT value FROM search_string WHERE id = 'renamed'")
    assert {r["value"] for r in found} == {"after\x01After"}


async def test_read_models_follow_updates_and_deletions(
    store: Any, database: Database, author: Any, stay: Any
) -> None:
    ties = "SELECT grantee FROM treatment_relation WHERE source_id = 'tie'"
    made = stay("tied", "tie")
    await store.write(write(author, row(made)))
    assert [r[0] for r in await database.fetch(ties)] == ["Organization/ward"]
    moved = made | {"serviceProvider": {"reference": "Organization/other"}}
    await store.write(write(author, row(moved, 2)))
    assert [r[0] for r in await database.fetch(ties)] == ["Organization/other"]
    await store.write(write(author, row(moved | {"status": "cancelled"}, 3)))
    assert await database.fetch(ties) == []
    await store.write(write(author, row(moved, 4)))
    await store.delete(await store.read("Encounter", "tie"), keys.next_key(), NOW, author)
    assert await database.fetch(ties) == []


async def test_a_read_model_is_undone_with_its_write(
    store: Any, database: Database, author: Any, stay: Any, pulse: Any
) -> None:
    with pytest.raises(VersionMismatch):
        await store.write(write(author, row(stay("undone")), row(pulse("undone", id="u"), 3)))
    assert await database.fetch(
        "SELECT FROM treatment_relation WHERE patient = $1", keys.patient_key("undone")
    ) == []  # fmt: skip


async def test_an_idempotency_key_is_used_once_also_in_a_race(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    writers = [
        write(
            author,
            row(pulse("once", n, id=keys.new_id("Observation", keys.patient_key("once")))),
            key="once",
        )
        for n in range(8)
    ]
    done = await asyncio.gather(*map(store.write, writers), return_exceptions=True)
    assert sum(result is None for result in done) == 1
    assert {type(r) for r in done} == {type(None), UniqueViolation}
    kept = "SELECT count(*) FROM resource WHERE patient = $1"
    assert await database.fetchval(kept, keys.patient_key("once")) == 1
    assert await store.remembered(author.actor, "once") == (b"print", "{}")
    assert await store.remembered("Device/other", "once") is None


@pytest.mark.parametrize(
    "chosen",
    ["plain", "0123456789abcdef", "A.b-C", "1", "f" * 64, "ffffffffffffffff",
     "fffffffffffffffe-0000000000000001", "0123456789abcdef-0123456789abcdef-x"],
)  # fmt: skip
async def test_a_chosen_id_is_found_whatever_it_looks_like(
    store: Any, author: Any, pulse: Any, chosen: str
) -> None:
    await store.write(write(author, row(pulse("chooser", id=chosen))))
    place = ("Observation", chosen)
    assert (await body_of(store, *place))["id"] == chosen
    assert set(await store.read_many([place])) == {place}
    assert await store.places_of([place]) == {place: keys.patient_key("chooser")}
    assert (await store.newest_versions([place]))[place] == (1, False)


@pytest.mark.parametrize("patient_id", [None, "someone"])
async def test_a_made_id_is_found_without_the_directory(
    store: Any, database: Database, author: Any, pulse: Any, patient_id: str | None
) -> None:
    made = pulse(patient_id or "x")
    if patient_id is None:
        del made["subject"]
    made["id"] = keys.new_id("Observation", rows.locality(made | {"id": "-"}))
    await store.write(write(author, row(made)))
    assert await body_of(store, "Observation", made["id"])
    listed = "SELECT count(*) FROM directory WHERE key = $1"
    assert await database.fetchval(listed, keys.directory_key("Observation", made["id"])) == 0


@pytest.mark.parametrize(
    "unknown", ["none", "0" * 16, "f" * 16 + "-" + "f" * 16, "0" * 16 + "-" + "0" * 16]
)
async def test_what_never_was_is_none(store: Any, unknown: str) -> None:
    for kind in ("Observation", "Patient", "Organization"):
        assert await store.read(kind, unknown) is None
        assert await store.read_version(kind, unknown, 1) is None
    assert await store.read_many([("Observation", unknown)]) == {}


async def test_the_newest_of_each_kind_by_when_it_happened(
    store: Any, author: Any, pulse: Any, patient: Any
) -> None:
    dated = [
        row(pulse("slices", n, id=f"s{n}", effectiveDateTime=f"2026-01-{n:02}"))
        for n in range(1, 9)
    ]
    await store.write(write(author, row(patient("slices")), *dated))
    found = await store.slices(
        keys.patient_key("slices"), {"Observation": 3, "Patient": 1, "Condition": 5}
    )
    assert [s.id for s in found["Observation"]] == ["s8", "s7", "s6"]
    assert [s.id for s in found["Patient"]] == ["slices"]
    assert found["Condition"] == []


async def test_of_what_ended_only_the_newest_few_are_read_beside_what_goes_on(
    store: Any, author: Any, pulse: Any, patient: Any
) -> None:
    statuses = ["final", "cancelled", "final", "cancelled", "cancelled", "cancelled"]
    dated = [
        row(pulse("ended", n, id=f"e{n}", status=status, effectiveDateTime=f"2026-01-{n:02}"))
        for n, status in enumerate(statuses, 1)
    ]
    await store.write(write(author, row(patient("ended")), *dated))
    every = ["e6", "e5", "e4", "e3", "e2", "e1"]
    for anyway, expected in ((0, ["e3", "e1"]), (1, ["e6", "e3", "e1"]), (9, every)):
        piece = Slice("Observation", 9, ("cancelled",), anyway)
        found = await read_slices(store.shown, keys.patient_key("ended"), [piece])
        assert [each.id for each in found["Observation"]] == expected


@pytest.mark.parametrize(
    "name",
    [
        "x" * 100_000,
        "æ" * 3_000,
        "".join(map(chr, range(0x4E00, 0x9000))),
        "'; DROP TABLE resource; --",
        "\\N",
        "{1,2}",
    ],
    ids=lambda name: name[:6],
)
async def test_any_text_can_be_kept(store: Any, author: Any, name: str) -> None:
    made = {"resourceType": "Organization", "id": str(abs(hash(name))), "name": name}
    await store.write(write(author, row(made)))
    assert (await body_of(store, "Organization", made["id"]))["name"] == name


async def test_a_failing_statement_gives_its_kind_and_the_connection_back(
    store: Any, database: Database, author: Any, pulse: Any
) -> None:
    broken = row(pulse("kind", id="kind"))
    broken.strings.append(("name", "a\0b"))
    for _ in range(20):
        with pytest.raises(DatabaseError):
            await store.write(write(author, broken))
    assert await store.read("Observation", "kind") is None


def test_the_names_of_what_is_counted_are_all_tables(repository: Any) -> None:
    migrations = repository / "src" / "helsevev" / "record" / "migrations"
    sql = "".join(path.read_text() for path in migrations.glob("*.sql"))
    assert all(f"CREATE TABLE {table} " in sql for table in EVERYTHING)
