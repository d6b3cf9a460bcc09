"""A replay from curtain to curtain: learn who works, sign them in, play, read back, report."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from .actions.table import ACTIONS
from .admission import WHOLE_RECORD, Admission
from .ledger import Ledger
from .machine import Machine
from .plan import WHOLE_DAY, Event, Part, is_possible, plan
from .play import Played, play
from .record import Record
from .report import Report
from .roster import Roster, learn
from .staff import Staff
from .tally import Tally
from .turn import Board
from .verify import Verdicts, verify
from .wire import Wire

_SIGNING_IN_AT_ONCE: Final = 8


class NotAdmitted(Exception):
    """The staff cannot sign in: no demo is served there, or not from this data folder."""


class Screen(Protocol):
    """Where a replay shows how far it has come."""

    def begin(self, what: str, total: int) -> None:
        """A new part of the work begins."""

    def advance(self, done: int, detail: str = "") -> None:
        """So much of the part is done."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a replay."""

    url: str
    day: date
    speed: float
    seed: int = 1
    part: Part = WHOLE_DAY
    staff: int | None = None
    connections: int = 128
    most_seconds: float | None = None
    inhabitants: int | None = None
    """How many inhabitants the volume is that of; None for those who are in the record."""
    server_pid: int | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """Those who have signed in, and the system that reads back."""

    wire: Wire
    record: Record
    roster: Roster


async def gather(wanted: Wanted, admission: Admission, screen: Screen) -> Cast:
    """Learn the roster and sign everybody in. Raises `NotAdmitted`, and what learning raises."""
    wire = Wire(wanted.url, wanted.connections)
    screen.begin("Learning who works", 0)
    (token,) = await asyncio.to_thread(admission.tokens, [WHOLE_RECORD])
    record = Record(wire, token)
    roster = await learn(record, wanted.day, wanted.staff)
    if wanted.inhabitants is not None:
        roster = replace(roster, inhabitants=wanted.inhabitants)
    staff = roster.staff
    tokens = await asyncio.to_thread(admission.tokens, [each.role for each in staff])
    for each, its in zip(staff, tokens, strict=True):
        each.token = its
    screen.begin("Signing in", len(staff))
    waiting = list(staff)

    async def sign_in() -> None:
        while waiting:
            await _sign_in(wire, waiting.pop(), admission.login_key)
            screen.advance(1)

    async with asyncio.TaskGroup() as doors:
        for _ in range(_SIGNING_IN_AT_ONCE):
            doors.create_task(sign_in())
    return Cast(wire, record, roster)


async def _sign_in(wire: Wire, each: Staff, key: str) -> None:
    answer = await each.sign_in(wire, key)
    if answer.status != 303 or not each.cookies or not each.token:
        raise NotAdmitted(
            f"PractitionerRole/{each.role} cannot sign in ({answer.status}). Is the record served"
            " with --demo, and from this data folder?"
        )
    # The first page gives the cookie that forms are sent with.
    await each.get(wire, "/patients")


async def replay(wanted: Wanted, admission: Admission, screen: Screen) -> Report:
    """One replay, from beginning to end."""
    cast = await gather(wanted, admission, screen)
    try:
        events = plan(cast.roster, ACTIONS, wanted.day, wanted.seed, wanted.part)
        machine = Machine(admission.data, wanted.server_pid)
        return await perform(cast, wanted, events, screen, machine)
    finally:
        await cast.wire.close()


async def perform(
    cast: Cast, wanted: Wanted, events: Sequence[Event], screen: Screen, machine: Machine
) -> Report:
    """Play events, and read back what they wrote."""
    folder = wanted.out or Path(tempfile.mkdtemp(prefix="replay-"))
    folder.mkdir(parents=True, exist_ok=True)
    run = f"{wanted.day}-{wanted.seed}-{secrets.token_hex(4)}"
    ledger = Ledger(folder / f"{run}.sqlite")
    board = Board(
        cast.wire, ledger, Tally(), run, wanted.seed, wanted.speed, cast.roster.words
    )  # fmt: skip
    screen.begin("Playing", len(events))
    shown = _by_difference(screen)
    try:
        played: Played = await play(
            board, events, wanted.day, wanted.part.first * 60, machine=machine,
            most_seconds=wanted.most_seconds, advance=shown,
        )  # fmt: skip
        cost = machine.as_data()
        screen.begin("Reading back", sum(ledger.states().values()))
        begun = time.monotonic()
        verdicts: Verdicts = await verify(ledger, cast.record, screen.advance)
        reading = time.monotonic() - begun
    finally:
        ledger.close()
    facts: dict[str, Any] = {
        "left_out": [each.name for each in ACTIONS if not is_possible(cast.roster, each)],
        "ledger": str(folder / f"{run}.sqlite"),
        "machine": cost,
    }
    return Report(wanted.day, wanted.speed, wanted.part, cast.roster, board.tally, played,
                  verdicts, reading, facts)  # fmt: skip


def _by_difference(screen: Screen) -> Callable[[int, float], None]:
    last = 0

    def advance(begun: int, minute: float) -> None:
        nonlocal last
        screen.advance(begun - last, f"{int(minute) // 60:02d}:{int(minute) % 60:02d}")
        last = begun

    return advance
