"""Writers on the same condition take turns; those on others do not wait."""

from __future__ import annotations

import asyncio

import pytest

from helsevev.access.conditional import Turns


async def test_one_at_a_time_for_each_name() -> None:
    turns = Turns()
    inside: list[str] = []
    most = 0

    async def work(*names: str) -> None:
        nonlocal most
        async with turns.taken(names):
            inside.extend(set(names))
            assert len(set(inside)) == len(inside)
            most = max(most, len(inside))
            await asyncio.sleep(0)
            for name in set(names):
                inside.remove(name)

    jobs = [work("a", "b"), work("b", "a"), work("c"), work("a", "a"), work()] * 5
    await asyncio.gather(*jobs)
    assert most > 1
    assert not turns.waiting


async def test_a_turn_is_given_back_whatever_happens() -> None:
    turns = Turns()

    async def hold() -> None:
        async with turns.taken(["a"]):
            await asyncio.sleep(10)

    first, second = asyncio.create_task(hold()), asyncio.create_task(hold())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert not turns.waiting
    with pytest.raises(ZeroDivisionError):
        async with turns.taken(["a"]):
            raise ZeroDivisionError
    assert not turns.waiting
