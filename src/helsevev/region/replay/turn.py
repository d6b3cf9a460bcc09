"""One turn: a member of staff does one action about one patient, step by step, measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ..chance import Chance
from .ledger import Ledger
from .notation import read_json, whole
from .staff import Staff
from .tally import Tally
from .wire import Answer, NoAnswer, Wire

MARKS: Final = "urn:helsevev:replay"
"""The system of the identifiers by which a replay finds its writes again."""


class Failed(Exception):
    """A step was answered otherwise than it had to be; it is counted already."""


@dataclass(slots=True)
class Board:
    """What all turns of a replay share."""

    wire: Wire
    ledger: Ledger
    tally: Tally
    run: str
    """The replay's own name, so that two replays of one day write different things."""
    seed: int
    speed: float
    words: tuple[str, ...]
    medicines: dict[str, Any] = field(default_factory=dict)
    """Patient -> the doses due today, from the medicine lists that were read."""


@dataclass(slots=True)
class Turn:
    """Each step raises `Failed` after counting what was wrong."""

    board: Board
    who: Staff
    patient: str
    serial: int
    minute: float
    moment: str
    """The time to write, as a FHIR dateTime."""
    chance: Chance
    planned: float
    """When the next step is due, on the monotonic clock."""
    started: bool = False

    @property
    def mark(self) -> str:
        """What names this turn among all replays."""
        return f"{self.board.run}-{self.serial}"

    async def think(self, seconds: float) -> None:
        """Look, think or type for so long in the played day."""
        await asyncio.sleep(seconds / self.board.speed)
        self.planned = time.monotonic()

    async def page(self, kind: str, path: str) -> Answer:
        """Open a page."""
        return await self._step(kind, 200, lambda: self.who.get(self.board.wire, path))

    async def follow(self, kind: str, path: str, seconds: float) -> None:
        """Keep a page's live stream open for so long in the played day."""
        wire, lasts = self.board.wire, seconds / self.board.speed
        await self._step(kind, 200, lambda: self.who.follow(wire, path, lasts))

    async def read(self, kind: str, path: str) -> Answer:
        """Ask the API."""
        return await self._step(kind, 200, lambda: self.who.read(self.board.wire, path))

    async def search(self, kind: str, path: str, fields: dict[str, str]) -> Answer:
        """Send a form that writes nothing."""
        return await self._step(kind, 200, lambda: self.who.post(self.board.wire, path, fields))

    async def sign(self, kind: str, path: str, fields: dict[str, str], number: int) -> None:
        """Send a form that writes what the ledger has under `number`."""
        await self._write(
            kind, 303, number, lambda: self.who.post(self.board.wire, path, fields),
            f"/patient/{self.patient}#",
        )  # fmt: skip

    async def create(self, kind: str, resource: dict[str, Any]) -> None:
        """Write a resource through the API, with an identifier of its own, and enter it."""
        named = {**resource, "identifier": [{"system": MARKS, "value": self.mark}]}
        body = msgspec.json.encode(named)
        resource_type = resource["resourceType"]
        # As it is read back: what is compared are the digits of numbers, too.
        content = whole(read_json(body))
        number = self.board.ledger.intend(
            kind, "identifier", resource_type, self.patient, self.mark, content
        )
        await self._write(
            kind, 201, number,
            lambda: self.who.create(self.board.wire, resource_type, body, self.mark),
            f"/fhir/{resource_type}/",
        )  # fmt: skip

    async def _write(
        self,
        kind: str,
        expected: int,
        number: int,
        ask: Callable[[], Awaitable[Answer]],
        back_to: str,
    ) -> None:
        ledger = self.board.ledger
        try:
            answer = await self._step(kind, expected, ask, back_to=back_to)
        except _Refused:
            ledger.refuse(number)
            raise
        place = answer.header("location").partition("/fhir/")[2].partition("/_history/")
        ledger.acknowledge(number, place[0], place[2])

    async def _step(
        self,
        kind: str,
        expected: int,
        ask: Callable[[], Awaitable[Answer]],
        back_to: str | None = None,
    ) -> Answer:
        """One request. `back_to` is where the answer to a write leads, None where none is due."""
        tally = self.board.tally
        try:
            answer = await ask()
        except NoAnswer as problem:
            tally.unanswered += back_to is not None
            tally.error(kind, f"no answer: {problem}")
            raise Failed from None
        if not self.started:
            self.started = True
            tally.late.append(answer.sent - self.planned)
        tally.step(kind, self.planned, answer.sent, answer.done)
        self.planned = time.monotonic()
        place = answer.header("location")
        # Who is not signed in, or may not open the chart, is sent elsewhere in the same way.
        if answer.status != expected or (back_to and back_to not in place):
            said = place or answer.body[:300].decode(errors="replace")
            tally.error(kind, f"{answer.status} in place of {expected}: {said}")
            # What a server could not say for sure may be stored all the same.
            raise _Refused if answer.status < 500 else Failed
        return answer


class _Refused(Failed):
    """The server said that nothing was stored."""
