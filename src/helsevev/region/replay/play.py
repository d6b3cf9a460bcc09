"""Plays a plan: each event begins at its moment, whether those before it are done or not."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from ..calendar import DAY, stamp
from ..chance import Chance
from .machine import Machine
from .plan import Event
from .tally import Tally
from .turn import Board, Failed, Turn

_LOOK_SECONDS: Final = 5.0
_HOPELESS_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Played:
    """How a play went: its seconds, how much of the plan was begun, whether it was given up.

    `overtime` is how long the last answer came after the last event was due, in seconds.
    """

    seconds: float
    overtime: float
    begun: int
    planned: int
    given_up: bool


async def play(
    board: Board,
    events: Sequence[Event],
    day: date,
    first_minute: float,
    *,
    machine: Machine | None = None,
    most_seconds: float | None = None,
    advance: Callable[[int, float], None] = lambda _begun, _minute: None,
) -> Played:
    """Play events from a minute of the day on, at the board's speed.

    Ends after `most_seconds`, and when it has fallen hopelessly behind; what is under way is
    finished. `advance` is told how many have begun, and the minute of the day.
    """
    tally: Tally = board.tally
    # What is planned stays: no collection halts the staff to look at it again.
    gc.collect()
    gc.freeze()
    begin = time.monotonic()
    begun, given_up, planned = 0, False, begin
    looking = asyncio.create_task(_look(machine)) if machine is not None else None
    try:
        async with asyncio.TaskGroup() as turns:
            for event in events:
                offset = (event.minute - first_minute) * 60 / board.speed
                if most_seconds is not None and offset > most_seconds:
                    break
                planned = begin + offset
                if time.monotonic() < planned:
                    # Timers may wake a little early.
                    while (ahead := planned - time.monotonic()) > 0:
                        await asyncio.sleep(ahead)
                elif tally.late and tally.late[-1] > _HOPELESS_SECONDS:
                    given_up = True
                    break
                turns.create_task(_turn(board, event, day, planned))
                begun += 1
                advance(begun, event.minute)
    finally:
        gc.unfreeze()
        if looking is not None:
            looking.cancel()
    ended = time.monotonic()
    if machine is not None:
        machine.look()
    return Played(ended - begin, ended - planned, begun, len(events), given_up)


async def _turn(board: Board, event: Event, day: date, planned: float) -> None:
    chance = Chance(board.seed, "turn", event.serial)
    turn = Turn(
        board, event.who, event.patient, event.serial, event.minute,
        moment(day, event.minute), chance, planned,
    )  # fmt: skip
    try:
        await event.action.do(turn)
    except Failed:
        return
    board.tally.actions[event.action.name] += 1


def moment(day: date, minute: float) -> str:
    """The played moment as a FHIR dateTime to the second; now, when it has not come yet."""
    played = stamp(day.toordinal() * DAY + int(minute))
    played = f"{played[:17]}{int(minute % 1 * 60):02d}{played[19:]}"
    now = datetime.now(UTC)
    if datetime.fromisoformat(played) <= now:
        return played
    local = now.astimezone(datetime.fromisoformat(played).tzinfo)
    return local.isoformat(timespec="seconds")


async def _look(machine: Machine) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        # In a thread: no event waits while hundreds of files are read.
        await asyncio.to_thread(machine.look)
