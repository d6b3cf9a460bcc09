"""Quick re-login on a shared device: who has signed in fully there this shift, and their PINs."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from helsevev.access.actor import Actor, actor_of
from helsevev.access.session import SignIn
from helsevev.kit import clock
from helsevev.kit.secret import secret
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("identity")
MOST_WRONG: Final = 5
"""Wrong PINs in a row after which this person needs a full login on this device; nowhere else."""

FEWEST_DIGITS: Final = 4
MOST_DIGITS: Final = 8

PIN_FORM: Final = "A PIN has 4 to 8 digits."
PIN_WEAK: Final = "Choose a PIN that is not all one digit, and not digits in a row."


@dataclass(frozen=True, slots=True)
class Colleague:
    """One who may come back quickly on a device: in which role, and by what."""

    person: str
    actor: Actor
    sign_in: SignIn
    digits: int | None
    has_passkey: bool
    tries: int
    pin_hash: str | None

    @property
    def has_pin(self) -> bool:
        """Whether a PIN still lets this person in here."""
        return self.pin_hash is not None and self.tries > 0

    @property
    def is_quick(self) -> bool:
        """Whether there is any way but a full login."""
        return self.has_pin or self.has_passkey


class Devices:
    """Remembers full logins by device until their shift ends, and keeps PINs."""

    def __init__(self, database: Database, data: Path) -> None:
        self._database = database
        # Argon2id as OWASP has it (Password Storage Cheat Sheet): 19 MB and 30 ms each. Ten
        # thousand PINs are soon tried all the same by who stole the table alone: a secret of the
        # data folder is mixed in.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._pepper = secret(data, "pin").encode()
        self._hashing = asyncio.Semaphore(4)

    async def remember(self, device: str, actor: Actor, sign_in: SignIn) -> None:
        """A full login: this person may come back quickly here until `sign_in.ends_at`."""
        now = clock.now()
        await self._database.execute(_SQL["end_old_device_logins"], now)
        await self._database.execute(
            _SQL["remember_on_device"], device, actor.id, sign_in.ends_at, now,
            _json(actor.as_data()), _json(sign_in.roles), sign_in.provider_session,
        )  # fmt: skip

    async def colleagues(self, device: str | None, person: str | None = None) -> list[Colleague]:
        """Who may come back quickly on a device, last used first; or this one of them."""
        if not device:
            return []
        rows = await self._database.fetch(_SQL["on_device"], device, clock.now(), person)
        return [_colleague(row, device) for row in rows]

    async def pin_fits(self, device: str, colleague: Colleague, pin: str) -> bool:
        """Whether this is the person's PIN; the try is counted before it is looked at."""
        counted = await self._database.fetchval(
            _SQL["count_wrong_pin"], device, colleague.person, MOST_WRONG
        )
        if counted is None or colleague.pin_hash is None:
            return False
        return await self._verified(colleague.pin_hash, self._peppered(colleague.person, pin))

    async def came_back(self, device: str, person: str) -> str:
        """Forget wrong tries; the page at which this person's session locked, or ""."""
        now = clock.now()
        page = await self._database.fetchval(_SQL["came_back"], device, person, now)
        return page or ""

    async def leave(self, device: str, actor: Actor, page: str) -> None:
        """Remember the page and the role that this person leaves."""
        told = _json(actor.as_data())
        await self._database.execute(_SQL["leave_page"], device, actor.id, page, told)

    async def forget(self, person: str, device: str | None = None) -> None:
        """Only a full login lets this person in again, on a device or on all."""
        await self._database.execute(_SQL["forget_person"], person, device)

    async def forget_provider_session(self, provider_session: str) -> None:
        """The same for what rests on a session that the provider has ended."""
        await self._database.execute(_SQL["forget_provider_session"], provider_session)

    async def pin_digits(self, person: str) -> int | None:
        """How long the person's PIN is; None when there is none."""
        digits: int | None = await self._database.fetchval(_SQL["pin"], person)
        return digits

    async def set_pin(self, person: str, pin: str) -> str:
        """Keep a PIN; why not, as an English source text, or ""."""
        if problem := pin_problem(pin):
            return problem
        async with self._hashing:
            hashed = await asyncio.to_thread(self._hasher.hash, self._peppered(person, pin))
        await self._database.execute(_SQL["set_pin"], person, hashed, len(pin), clock.now())
        return ""

    async def remove_pin(self, person: str) -> None:
        """No PIN any longer."""
        await self._database.execute(_SQL["remove_pin"], person)

    def _peppered(self, person: str, pin: str) -> str:
        return hmac.new(self._pepper, f"{person} {pin}".encode(), sha256).hexdigest()

    async def _verified(self, hashed: str, peppered: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, peppered)
            except VerifyMismatchError:
                return False


def pin_problem(pin: str) -> str:
    """Why this cannot be a PIN, as an English source text; "" when it can."""
    if not (pin.isascii() and pin.isdigit() and FEWEST_DIGITS <= len(pin) <= MOST_DIGITS):
        return PIN_FORM
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return PIN_WEAK if steps in ({0}, {1}, {9}) else ""


def _colleague(row: Any, device: str) -> Colleague:
    return Colleague(
        row["person"],
        actor_of(row["actor"]),
        SignIn(
            ends_at=row["ends_at"],
            device=device,
            roles=tuple(msgspec.json.decode(row["roles"], type=list[dict[str, str]])),
            provider_session=row["provider_session"],
        ),
        row["digits"],
        row["has_passkey"],
        MOST_WRONG - row["wrong_pins"],
        row["hash"],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
