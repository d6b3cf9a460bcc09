"""The change feed: whoever follows an inhabitant misses nothing and hears nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from helsevev.kit.settings import Settings
from helsevev.record.changes import Change, Feed, Place
from helsevev.record.database import Connection, Database
from helsevev.record.opening import opened

NOW = datetime(2026, 1, 2, tzinfo=UTC)
_CHANGE = """
INSERT INTO change (transaction, patient, at, actor, verbs, types, ids, versions)
VALUES ($1, $2, $3, 'Device/test', 'C', '{Observation}', ARRAY[$4::text], '{1}')
"""
_KILL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'helsevev'
"""


@pytest_asyncio.fixture(loop_scope="session")
async def feed(database: Database) -> AsyncIterator[Feed]:
    made = Feed(database)
    await made.start()
    yield made
    await made.stop()


async def leave(connection: Database | Connection, patient: int, name: str) -> None:
    await connection.fetchval(_CHANGE, 1, patient, NOW, name)


class Follower:
    """Somebody who has a chart open."""

    def __init__(self, feed: Feed, patient: int, after: Place | None = None) -> None:
        self.heard: list[Change] = []
        self._source = feed.follow(patient, after)
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with aclosing(self._source) as changes:
            async for change in changes:
                self.heard.append(change)

    @property
    def names(self) -> list[str]:
        return [change.ids[0] for change in self.heard]

    async def hears(self, count: int, seconds: float = 5) -> list[str]:
        async with asyncio.timeout(seconds):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        return self.names

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def following(
    feed: Feed, patient: int, after: Place | None = None
) -> AsyncIterator[Follower]:
    follower = Follower(feed, patient, after)
    await asyncio.sleep(0.05)
    try:
        yield follower
    finally:
        await follower.close()


async def test_a_follower_hears_its_own_inhabitant_only(feed: Feed, database: Database) -> None:
    async with following(feed, 1) as follower:
        await leave(database, 2, "other")
        await leave(database, 1, "mine")
        feed.ring()
        assert await follower.hears(1) == ["mine"]


async def test_what_is_told_by_ringing_is_heard_at_once(feed: Feed, database: Database) -> None:
    async with following(feed, 3) as follower:
        await asyncio.sleep(0.3)
        await leave(database, 3, "x")
        feed.ring()
        assert await follower.hears(1, seconds=0.2) == ["x"]


async def test_another_process_is_told_too(
    feed: Feed, database: Database, database_url: str
) -> None:
    elsewhere = await Database.open(database_url, size=2)
    other = Feed(elsewhere)
    await other.start()
    async with following(other, 4) as follower:
        await leave(database, 4, "x")
        feed.ring()
        assert await follower.hears(1, seconds=1) == ["x"]
    await other.stop()
    await elsewhere.close()


async def test_transactions_that_commit_out_of_order_are_all_heard(
    feed: Feed, database: Database
) -> None:
    slow, fast = asyncio.Event(), asyncio.Event()

    async def write_slowly() -> None:
        async with database.transaction() as connection:
            await leave(connection, 5, "slow")
            fast.set()
            await slow.wait()

    async with following(feed, 5) as follower:
        writing = asyncio.create_task(write_slowly())
        await fast.wait()
        await leave(database, 5, "fast")
        feed.ring()
        await asyncio.sleep(0.4)
        assert follower.names == [], "what is behind a running transaction waits for it"
        slow.set()
        await writing
        feed.ring()
        assert sorted(await follower.hears(2)) == ["fast", "slow"]


async def test_a_transaction_that_is_undone_is_not_heard(feed: Feed, database: Database) -> None:
    async with following(feed, 6) as follower:
        with pytest.raises(RuntimeError):
            async with database.transaction() as connection:
                await leave(connection, 6, "undone")
                raise RuntimeError
        await leave(database, 6, "done")
        feed.ring()
        assert await follower.hears(1) == ["done"]


async def test_many_writers_and_followers_who_come_and_go_miss_nothing(
    feed: Feed, database: Database
) -> None:
    chance = Random(1)
    start = await feed.now()

    async def write(n: int) -> None:
        await asyncio.sleep(chance.random())
        async with database.transaction() as connection:
            await leave(connection, 7, f"w{n}")
            await asyncio.sleep(chance.random() * 0.3)
        feed.ring()

    async def come_and_go() -> list[str]:
        place, names = start, []
        for _ in range(6):
            async with following(feed, 7, place) as follower:
                await asyncio.sleep(chance.random() * 0.3)
            names += follower.names
            if follower.heard:
                # The place as a browser sends it back after a break.
                place = Place.parse(str(follower.heard[-1].place))
        async with following(feed, 7, place) as follower:
            async with asyncio.timeout(10):
                while len(names) + len(follower.names) < 60:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)
        return names + follower.names

    everyone = [come_and_go() for _ in range(8)]
    heard: Any
    heard, *_ = await asyncio.gather(asyncio.gather(*everyone), *(write(n) for n in range(60)))
    wanted = sorted(f"w{n}" for n in range(60))
    for names in heard:
        assert sorted(names) == wanted


async def test_one_who_was_away_for_long_gets_all_of_it(feed: Feed, database: Database) -> None:
    start = await feed.now()
    async with database.transaction() as connection:
        for n in range(1203):
            await leave(connection, 8, f"n{n}")
    async with following(feed, 8, start) as follower:
        assert await follower.hears(1203) == [f"n{n}" for n in range(1203)]


async def test_following_goes_on_after_the_database_was_away(
    feed: Feed, database: Database, database_url: str
) -> None:
    other = await Database.open(database_url, size=1)
    async with following(feed, 9) as follower:
        for n in range(4):
            await other.execute(_KILL_OTHERS)
            await leave(other, 9, f"n{n}")
            feed.ring()
            await asyncio.sleep(0.3)
        assert await follower.hears(4, seconds=10) == [f"n{n}" for n in range(4)]
    await other.close()


async def test_a_place_from_before_a_restored_backup_still_follows(
    feed: Feed, database: Database
) -> None:
    async with following(feed, 10, Place(2**40, 5)) as follower:
        await leave(database, 10, "new")
        feed.ring()
        assert await follower.hears(1) == ["new"]


def test_a_place_is_written_and_read() -> None:
    assert Place.parse(str(Place(77, 5))) == Place(77, 5)


@pytest.mark.parametrize(
    "text", ["", "5", "a-b", "1-2-3", "-5-3", f"{2**63}-1", f"1-{2**70}", "1--2", "1-2\0", "æ-1"]
)
def test_a_place_that_was_not_given_here_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Place.parse(text)


async def test_nobody_listening_costs_no_reading(feed: Feed, database: Database) -> None:
    await asyncio.sleep(0.3)
    async with following(feed, 11):
        pass
    await asyncio.sleep(0.4)
    assert feed._place is None
    assert not feed._followers


async def test_a_restored_record_shows_its_changes_at_once(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, database_url=database_url)
    ahead = (
        "INSERT INTO change (xid, transaction, patient, at, actor, verbs, types, ids, versions)"
        " SELECT '9000000000', n, 777, now(), 'x', 'C', '{Patient}', '{a}', '{1}'"
        " FROM generate_series(1, 3) AS n"
    )
    async with opened(settings, 1) as database:
        await database.execute(ahead)
        assert await Feed(database).between(777, Place(0, 0)) == []
    async with opened(settings, 1) as database:
        shown = await Feed(database).between(777, Place(0, 0))
    assert len(shown) == len({change.place for change in shown}) == 3
