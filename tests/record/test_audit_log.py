"""The audit trail proves itself: whatever is changed in it afterwards is found, and where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.audit import proving
from helsevev.access.audit.checkpoint import BadCheckpoint, Checkpoint, opened, signed
from helsevev.access.audit.log_keys import LogKeys
from helsevev.access.audit.merkle import Frontier, is_consistent, leaf_hash, root_by_inclusion
from helsevev.access.audit.sealing import BrokenLog, Sealer
from helsevev.access.audit.verifying import Report, Verifier, row_name
from helsevev.access.gate import author_of
from helsevev.kit import clock
from helsevev.record import audit, sealed
from helsevev.record.database import Database, DatabaseError

LOG = ("audit_event", "audit_origin", "audit_batch", "audit_checkpoint")
ROWS = 40


class Log:
    """A trail of `ROWS` rows in four batches, each signed, and what was put aside of it."""

    def __init__(self, database: Database, folder: Path, nurse: Any) -> None:
        self.database = database
        self.keys = LogKeys(folder)
        self.sealer = Sealer(database, self.keys)
        self._nurse = nurse
        self.notes: list[str] = []

    async def write(self, count: int, reason: str = "") -> None:
        """Rows about ten inhabitants."""
        author = author_of(self._nurse, "read", reason=reason, basis="relation CareTeam/x")
        rows = [
            audit.audit_row(n % 10 + 1, 0, clock.now(), author, f"Observation/{n}", action="read")
            for n in range(count)
        ]
        await audit.keep(self.database, rows)

    async def seal(self) -> None:
        """Seal and sign what there is."""
        await self.sealer.seal(most=7)
        self.notes.append(await self.sealer.sign())

    async def verify(self, *held: str) -> Report:
        """What is found, with checkpoints kept outside."""
        known = self.keys.known()
        checkpoints = [opened(note, known) for note in held]
        return await Verifier(self.database, known).verify(checkpoints)

    async def row_at(self, leaf: int) -> tuple[int, int]:
        """The row of a leaf."""
        async for batch in sealed.batches(self.database, 0):
            if leaf < batch.first + batch.size:
                return batch.keys[leaf - batch.first]
        raise LookupError(leaf)


@pytest_asyncio.fixture(loop_scope="session")
async def log(database: Database, tmp_path: Path, nurse: Any) -> AsyncIterator[Log]:
    """A sealed trail that a test may spoil."""
    await database.execute(f"TRUNCATE {', '.join(LOG)}")
    database.origins.clear()
    made = Log(database, tmp_path / "keys", nurse)
    for _ in range(4):
        await made.write(ROWS // 4)
        await made.seal()
    yield made


async def test_an_untouched_trail_is_proved_whole(log: Log) -> None:
    report = await log.verify(*log.notes)
    assert (report.leaves, report.size, report.waiting) == (ROWS, ROWS, 0)
    assert (report.findings, report.checkpoints) == ([], 8)


ALTERATIONS = {
    "who": "actor = 'Practitioner/other'", "when": "at = at - interval '1 hour'",
    "what": "target = 'Flag/1'", "why": "reason = 'Because'", "basis": "basis = 'own'",
    "outcome": "outcome = 8", "interaction": "interaction = 'open'", "request": "request = 'x'",
    "purpose": "purpose = 'BTG'", "origin": "origin = NULL", "name": "actor_name = 'Other'",
    "action": "action = 'write'", "transaction": "transaction = 7",
}  # fmt: skip


@pytest.mark.parametrize("column", ALTERATIONS)
async def test_an_altered_row_is_found_whatever_was_altered(log: Log, column: str) -> None:
    key = await log.row_at(17)
    await log.database.execute(
        f"UPDATE audit_event SET {ALTERATIONS[column]} WHERE patient = $1 AND id = $2", *key
    )
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.leaf, finding.row) == ("altered", 17, row_name(*key))


async def test_another_name_of_who_it_was_is_found_in_every_row(log: Log) -> None:
    await log.database.execute(
        "UPDATE audit_origin SET content = replace(content::text, 'Nora', 'Mona')::json"
    )
    report = await log.verify()
    assert {f.kind for f in report.findings} == {"altered"}
    assert len(report.findings) == ROWS


async def test_a_row_moved_to_another_inhabitant_is_found(log: Log) -> None:
    key = await log.row_at(5)
    await log.database.execute(
        "UPDATE audit_event SET patient = 99 WHERE patient = $1 AND id = $2", *key
    )
    report = await log.verify()
    assert [(f.kind, f.leaf) for f in report.findings] == [("deleted", 5), ("inserted", None)]
    assert report.findings[1].row.startswith("0000000000000063-")


async def test_a_deleted_row_is_found(log: Log) -> None:
    key = await log.row_at(23)
    await log.database.execute("DELETE FROM audit_event WHERE patient = $1 AND id = $2", *key)
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.leaf, finding.row) == ("deleted", 23, row_name(*key))


async def test_a_row_put_into_the_past_is_found(log: Log) -> None:
    await log.database.execute(
        "INSERT INTO audit_event (patient, id, transaction, at, outcome, action, interaction,"
        " actor, purpose, reason, target, xid) SELECT patient, id + 1, 0, at, 0, 'read', 'read',"
        " 'Practitioner/x', 'TREAT', '', 'Patient/p', xid FROM audit_event ORDER BY id LIMIT 1"
    )
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.text.endswith("never sealed.")) == ("inserted", True)


async def test_rows_that_changed_places_are_found(log: Log) -> None:
    await log.database.execute(
        "UPDATE audit_batch SET ids = ids[2:2] || ids[1:1] || ids[3:], patients = patients[2:2]"
        " || patients[1:1] || patients[3:], hashes = substr(hashes, 33, 32)"
        " || substr(hashes, 1, 32) || substr(hashes, 65) WHERE first = 10"
    )
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.leaf) == ("reordered", 10)


async def test_a_row_altered_together_with_its_leaf_is_found(log: Log) -> None:
    key = await log.row_at(24)
    await log.database.execute(
        "UPDATE audit_event SET target = 'Flag/1' WHERE patient = $1 AND id = $2", *key
    )
    (row,) = await log.database.fetch(sealed.SQL["leaves"], [key[0]], [key[1]])
    forged = leaf_hash(sealed.leaf(row))
    async for batch in sealed.batches(log.database, 0):
        if batch.first <= 24 < batch.first + batch.size:
            hashes = list(batch.hashes)
            hashes[24 - batch.first] = forged
            await log.database.execute(
                "UPDATE audit_batch SET hashes = $1 WHERE first = $2", b"".join(hashes), batch.first
            )
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.leaf) == ("reordered", 20)
    assert "after leaf 20" in finding.text


async def test_a_batch_that_is_gone_leaves_a_gap(log: Log) -> None:
    await log.database.execute("DELETE FROM audit_batch WHERE first = 10")
    kinds = {(f.kind, f.leaf) for f in (await log.verify()).findings}
    assert ("gap", 10) in kinds


async def cut_tail(log: Log) -> None:
    """Take away the last ten rows, their leaves, and the checkpoint that signs them."""
    await log.database.execute(
        "DELETE FROM audit_event e USING (SELECT unnest(patients) AS patient, unnest(ids) AS id"
        " FROM audit_batch WHERE first >= 30) AS gone"
        " WHERE (e.patient, e.id) = (gone.patient, gone.id)"
    )
    await log.database.execute("DELETE FROM audit_batch WHERE first >= 30")


async def test_a_tail_that_is_gone_is_found_by_its_checkpoint(log: Log) -> None:
    await cut_tail(log)
    (finding,) = (await log.verify()).findings
    assert (finding.kind, finding.leaf) == ("truncated", 30)


async def test_a_tail_that_is_gone_with_its_checkpoint_is_found_by_one_kept_outside(
    log: Log,
) -> None:
    await cut_tail(log)
    await log.database.execute("DELETE FROM audit_checkpoint WHERE size > 30")
    assert (await log.verify()).findings == []
    (finding,) = (await log.verify(log.notes[-1])).findings
    assert (finding.kind, finding.leaf) == ("truncated", 30)


async def test_a_tail_written_anew_is_found_by_a_checkpoint_kept_outside(log: Log) -> None:
    await cut_tail(log)
    await log.database.execute("DELETE FROM audit_checkpoint WHERE size > 30")
    await log.write(15)
    await log.seal()
    assert (await log.verify()).findings == []
    (finding,) = (await log.verify(log.notes[3])).findings
    assert (finding.kind, finding.leaf) == ("reordered", 30)
    old, new = (opened(note, log.keys.known()) for note in (log.notes[3], log.notes[4]))
    proof = await proving.consistency(log.database, old.size, new.size)
    assert not is_consistent(old.size, new.size, old.root, new.root, proof)


async def test_a_checkpoint_of_another_s_making_is_not_believed(log: Log, tmp_path: Path) -> None:
    forger = LogKeys(tmp_path / "forged")
    checkpoint = Checkpoint(log.keys.name(), ROWS, bytes(32), clock.now())
    note = signed(checkpoint, [forger.signer()])
    with pytest.raises(BadCheckpoint):
        opened(note, log.keys.known())
    await log.database.execute("UPDATE audit_checkpoint SET note = $1 WHERE size = 40", note)
    report = await log.verify()
    assert {f.kind for f in report.findings} == {"checkpoint"}


async def test_a_log_that_is_not_the_signed_one_is_not_continued(log: Log) -> None:
    await log.database.execute(
        "UPDATE audit_batch SET subtrees = decode(repeat('00', 64), 'hex') WHERE first = 37"
    )
    await log.write(3)
    with pytest.raises(BrokenLog):
        await log.seal()


async def test_rows_that_nobody_seals_are_told(log: Log, later: Any) -> None:
    await log.write(2)
    assert (await log.verify()).findings == []
    later(minutes=2)
    (finding,) = (await log.verify()).findings
    assert finding.kind == "unsealed"


async def test_a_row_is_proved_to_be_in_the_log(log: Log) -> None:
    key = await log.row_at(33)
    checkpoint = opened(log.notes[-1], log.keys.known())
    index, _ = await proving.place_of(log.database, *key)
    path = await proving.inclusion(log.database, index, checkpoint.size)
    (row,) = await log.database.fetch(sealed.SQL["leaves"], [key[0]], [key[1]])
    own = leaf_hash(sealed.leaf(row))
    assert (index, root_by_inclusion(own, index, ROWS, path)) == (33, checkpoint.root)
    assert proving.row_of(row_name(*key)) == key


async def test_every_earlier_checkpoint_is_the_beginning_of_every_later(log: Log) -> None:
    known = [opened(note, log.keys.known()) for note in log.notes]
    for old in known:
        for new in known:
            if old.size <= new.size:
                proof = await proving.consistency(log.database, old.size, new.size)
                assert is_consistent(old.size, new.size, old.root, new.root, proof)


async def test_a_row_of_a_transaction_that_ends_late_is_not_skipped(log: Log) -> None:
    begun = asyncio.Event()
    go_on = asyncio.Event()
    author = author_of(log._nurse, "read")
    row = audit.audit_row(3, 0, clock.now(), author, "Patient/late", action="read")
    await audit.keep_origins(log.database, (author.origin,))

    async def slow() -> None:
        async with log.database.transaction() as connection:
            await audit.keep_known(connection, [row])
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(slow())
    await begun.wait()
    await log.write(5)
    # Rows behind a running transaction wait with it: a place that was passed stays as it is.
    assert await log.sealer.seal() == 0
    go_on.set()
    await writing
    assert await log.sealer.seal() == 6
    assert (await log.verify()).findings == []


async def test_several_sealers_seal_each_row_once(log: Log) -> None:
    await log.write(300)
    others = [Sealer(log.database, log.keys) for _ in range(4)]
    await asyncio.gather(*(each.seal(most=11) for each in others))
    report = await log.verify()
    assert (report.size, report.findings) == (ROWS + 300, [])


async def test_a_new_key_is_vouched_for_by_the_old_one(log: Log) -> None:
    before = log.keys.known()
    note = await log.sealer.rotate()
    assert opened(note, before) == opened(note, log.keys.known()[1:])
    await log.write(3)
    await log.seal()
    with pytest.raises(BadCheckpoint):
        opened(log.notes[-1], before)
    assert (await log.verify(*log.notes)).findings == []


async def test_only_what_came_since_can_be_verified(log: Log, later: Any) -> None:
    since = clock.now()
    later(seconds=1)
    await log.write(5)
    await log.seal()
    report = await Verifier(log.database, log.keys.known()).verify(since=since)
    assert (report.leaves, report.size, report.findings) == (5, ROWS + 5, [])
    await log.database.execute(
        "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)"
    )
    report = await Verifier(log.database, log.keys.known()).verify(since=since)
    assert [f.kind for f in report.findings] == ["deleted"]


async def test_a_restored_trail_goes_on_where_it_was(log: Log) -> None:
    await log.write(4)
    # Another server has counted fewer transactions than the one that the rows came from.
    await log.database.execute(
        "UPDATE audit_event SET xid = (xid::text::bigint + 10^9)::bigint::text::xid8"
    )
    await log.database.execute("UPDATE audit_batch SET xid = xid + 10^9::bigint")
    await sealed.settle_restored(log.database)
    await sealed.settle_restored(log.database)
    await log.write(2)
    await log.seal()
    report = await log.verify(*log.notes)
    assert (report.size, report.findings) == (ROWS + 6, [])


async def test_keys_are_for_their_owner_alone(log: Log, tmp_path: Path) -> None:
    private = tmp_path / "keys" / "0001.key"
    assert private.stat().st_mode & 0o777 == 0o600
    again = LogKeys(tmp_path / "keys")
    assert (again.name(), again.known()) == (log.keys.name(), log.keys.known())


async def test_a_role_of_the_application_cannot_change_what_was_written(log: Log) -> None:
    await log.database.execute("DROP ROLE IF EXISTS audit_writer")
    await log.database.execute("CREATE ROLE audit_writer NOINHERIT")
    try:
        tables = ", ".join(LOG)
        await log.database.execute(f"GRANT SELECT, INSERT ON {tables} TO audit_writer")
        for statement in (
            "UPDATE audit_event SET reason = ''", "DELETE FROM audit_event",
            "TRUNCATE audit_event", "DELETE FROM audit_batch", "UPDATE audit_origin SET id = 1",
            "DELETE FROM audit_checkpoint",
        ):  # fmt: skip
            with pytest.raises(DatabaseError, match="permission denied"):
                async with log.database.transaction() as connection:
                    await connection.execute("SET LOCAL ROLE audit_writer")
                    await connection.execute(statement)
    finally:
        await log.database.execute("DROP OWNED BY audit_writer")
        await log.database.execute("DROP ROLE audit_writer")


def test_a_tree_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        Frontier(3, bytes(32))


async def test_nothing_settled_waits_longer_than_the_sealer_s_pace(log: Log) -> None:
    await log.write(9)
    await log.sealer.start()
    try:
        async with asyncio.timeout(5):
            while (await sealed.end(log.database)).size < ROWS + 9:
                await asyncio.sleep(0.05)
    finally:
        await log.sealer.stop()
    report = await log.verify()
    assert (report.findings, report.size - report.signed) == ([], 0)
