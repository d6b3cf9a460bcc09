"""Many new resources are copied into the record, and leave there what one by one would leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from helsevev.access.treatment_relation import PROJECTION
from helsevev.record import keys, rows, store
from helsevev.record.audit import Author, origin
from helsevev.record.database import Database
from helsevev.record.rows import Row
from helsevev.record.store import MANY, Remembered, Store, Write

from .importing import observation

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
AUTHOR = Author(origin("Device/x", {"name": "X", "role": "system"}), "import")
TABLES = {
    "resource": "patient, type, id, version, code, date_low, keys, token_set, body",
    "search_string": "patient, type, id, name, value",
    "search_date": "patient, type, id, name, low, high",
    "search_quantity": "patient, type, id, name, unit, system_unit, value, code",
    "treatment_relation": "patient, source_type, source_id, grantee, start_at, end_at",
    "directory": "key, patient",
    "token_set": "id, tokens",
    "change": "transaction, patient, actor, verbs, types, ids, versions",
    "audit_event": "patient, transaction, at, action, interaction, actor, target",
    "idempotency_key": "actor, key, transaction, fingerprint",
}


def built(patient: str, count: int) -> list[Row]:
    """Rows of a patient, a contact, and so many measurements."""
    about = f"Patient/{patient}"
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": patient, "name": [{"family": "Å"}],
         "deceasedDateTime": "2026-01-01"},
        {"resourceType": "Encounter", "id": f"{patient}-e", "status": "finished",
         "class": {"code": "AMB"}, "subject": {"reference": about},
         "serviceProvider": {"reference": "Organization/o"}},
    ]  # fmt: skip
    resources += [
        observation(about, n, id=f"{patient}-{n}", valueQuantity={"value": n, "unit": "kg"})
        for n in range(count)
    ]
    stamped = [rows.stamped(resource, 1, AT) for resource in resources]
    return [rows.build(resource, 1, rows.locality(resource)) for resource in stamped]


async def left(database: Database, transaction: int) -> dict[str, list[Any]]:
    """All that a write of a person left, as if it had been about person `p` in transaction 0."""
    found: dict[str, list[Any]] = {}
    for table, columns in TABLES.items():
        kept = [tuple(row) for row in await database.fetch(f"SELECT {columns} FROM {table}")]
        found[table] = sorted(
            [tuple(0 if value == transaction else value for value in row) for row in kept], key=repr
        )
    return found


async def test_copied_rows_leave_what_single_statements_leave(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = {}
    for most in (1, 10**9):
        await database.execute(f"TRUNCATE {', '.join(TABLES)}, coding")
        monkeypatch.setattr(store, "MANY", most)
        transaction = keys.next_key()
        remember = Remembered("k", b"f", "{}")
        write = Write(transaction, AT, AUTHOR, built("p", 30), remember)
        await Store(database, (PROJECTION,)).write(write)
        everything[most] = await left(database, transaction)
    assert everything[1] == everything[10**9]
    assert all(everything[1].values())


async def test_nothing_is_copied_when_one_resource_is_there_already(database: Database) -> None:
    await database.execute(f"TRUNCATE {', '.join(TABLES)}, coding")
    target = Store(database, (PROJECTION,))
    await target.write(Write(keys.next_key(), AT, AUTHOR, built("q", 0)))
    before = await left(database, -5)
    with pytest.raises(store.VersionMismatch):
        await target.write(Write(keys.next_key(), AT, AUTHOR, built("q", MANY)))
    assert await left(database, -5) == before


async def test_nothing_is_copied_when_the_key_was_used(database: Database) -> None:
    await database.execute(f"TRUNCATE {', '.join(TABLES)}, coding")
    target, remember = Store(database, (PROJECTION,)), Remembered("k", b"f", "{}")
    await target.write(Write(keys.next_key(), AT, AUTHOR, built("r", MANY), remember))
    before = await left(database, -5)
    with pytest.raises(store.UniqueViolation):
        await target.write(Write(keys.next_key(), AT, AUTHOR, built("s", MANY), remember))
    assert await left(database, -5) == before
