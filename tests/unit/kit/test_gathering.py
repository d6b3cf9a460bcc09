"""What is asked at the same time is answered together, and each asker gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from helsevev.kit.gathering import MOST, Gathering


class Lost(Exception):
    """What is everybody's trouble."""


class Doubling:
    """Doubles numbers; what it is asked together it notes."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    async def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        await asyncio.sleep(0.001)
        if 13 in numbers:
            raise ValueError("thirteen")
        if 99 in numbers:
            raise Lost
        return [ValueError("seven") if number == 7 else number * 2 for number in numbers]


async def test_all_that_is_asked_meanwhile_is_answered_together() -> None:
    doubling = Doubling()
    gathering: Gathering[int, int] = Gathering(doubling)
    answers = await asyncio.gather(*(gathering.ask(n) for n in range(20, 40)))
    assert answers == [n * 2 for n in range(20, 40)]
    first = asyncio.ensure_future(gathering.ask(1))
    await asyncio.sleep(0)
    assert await asyncio.gather(first, *(gathering.ask(n) for n in (2, 3))) == [2, 4, 6]
    assert doubling.groups == [list(range(20, 40)), [1], [2, 3]]
    # And the last group's end leaves nobody waiting.
    assert await gathering.ask(4) == 8


@pytest.mark.parametrize("at_once", [1, 3])
async def test_no_more_groups_are_under_way_than_may_be(at_once: int) -> None:
    groups: list[list[int]] = []
    open_ = asyncio.Event()

    async def answer(numbers: Sequence[int]) -> list[int]:
        groups.append(list(numbers))
        await open_.wait()
        return list(numbers)

    gathering: Gathering[int, int] = Gathering(answer, at_once=at_once)
    asked = []
    for n in range(6):
        asked.append(asyncio.ensure_future(gathering.ask(n)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert groups == [[n] for n in range(at_once)]
    open_.set()
    assert await asyncio.gather(*asked) == list(range(6))
    assert groups == [*([n] for n in range(at_once)), list(range(at_once, 6))]


async def test_one_that_fails_spoils_none_beside_it() -> None:
    gathering: Gathering[int, int] = Gathering(Doubling())
    answers = await asyncio.gather(
        *(gathering.ask(n) for n in (1, 13, 7, 2)), return_exceptions=True
    )
    assert [str(each) for each in answers] == ["2", "thirteen", "seven", "4"]


async def test_what_is_everybodys_trouble_is_not_asked_again() -> None:
    doubling = Doubling()
    gathering: Gathering[int, int] = Gathering(doubling, final=(Lost,))
    answers = await asyncio.gather(*(gathering.ask(n) for n in (1, 99)), return_exceptions=True)
    assert [type(each) for each in answers] == [Lost, Lost]
    assert doubling.groups == [[1, 99]]


async def test_an_asker_that_went_away_is_no_trouble_to_the_others() -> None:
    gathering: Gathering[int, int] = Gathering(Doubling())
    gone, stays = gathering.ask(1), gathering.ask(2)
    gone.cancel()
    assert await stays == 4


async def test_a_crowd_is_answered_in_groups_of_a_bearable_size() -> None:
    doubling = Doubling()
    gathering: Gathering[int, int] = Gathering(doubling)
    crowd = range(1000, 1000 + 2 * MOST + 5)
    assert await asyncio.gather(*map(gathering.ask, crowd)) == [n * 2 for n in crowd]
    assert [len(group) for group in doubling.groups] == [MOST, MOST, 5]
