"""How often one device, address or app may knock: counted by all processes together.

Nobody is counted as the person they say they are: else whoever knows a name could shut its owner
out. Wrong PINs and codes are counted where they are looked at, once the device or the passkey is
known (access/identity).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from types import MappingProxyType
from typing import Final

from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("limits")
_FORGET_EVERY: Final = 256
_MOST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`times` at once; each is given back after `minutes` divided by `times`."""

    times: int
    minutes: float = 1.0

    @property
    def each(self) -> timedelta:
        """What one time uses up."""
        return self.whole / self.times

    @property
    def whole(self) -> timedelta:
        """What can be used up."""
        return timedelta(minutes=self.minutes)


LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        # A hospital comes from one address, at the change of a shift all at once.
        "sign-in": Limit(600),
        # Argon2 costs 30 ms of a core; a device is shared by a few.
        "unlock": Limit(60),
        "code": Limit(30),
        "token": Limit(1200),
        "register": Limit(30),
        # What opens nothing: each of these leaves a row in the audit trail.
        "wrong-key": Limit(60),
        # What was refused because it would have cost too much, for all that it cost to find out.
        "costly-search": Limit(30),
    }
)
"""What routes name by `opt={"limit": …}`, and the API by itself."""


class Limits:
    """Counts knocks in the database, and remembers here who has to wait: a flood costs no query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[bytes, datetime] = {}
        self._count = 0

    async def knock(self, name: str, who: str) -> int:
        """Count one time of `LIMITS[name]` by `who`; 0, or how many seconds they have to wait."""
        limit, key, now = LIMITS[name], _key(name, who), clock.now()
        if seconds := self._left(key, now):
            return seconds
        self._count += 1
        if self._count % _FORGET_EVERY == 0:
            await self._database.execute(_SQL["forget_knocks"], now)
        counted = await self._database.fetchval(_SQL["knock"], key, now, limit.each, limit.whole)
        if counted is not None:
            return 0
        ahead: datetime = await self._database.fetchval(_SQL["free_at"], key) or now
        if len(self._waiting) >= _MOST_KEPT:
            self._waiting.clear()
        self._waiting[key] = ahead + limit.each - limit.whole
        return self._left(key, now) or 1

    def waits(self, name: str, who: str) -> int:
        """How many seconds `who` has to wait, as far as this process has seen; counts nothing."""
        return self._left(_key(name, who), clock.now()) if self._waiting else 0

    def _left(self, key: bytes, now: datetime) -> int:
        until = self._waiting.get(key)
        if until is None:
            return 0
        if until <= now:
            del self._waiting[key]
            return 0
        return math.ceil((until - now).total_seconds())


def network_of(address: str) -> str:
    """What is counted as one address: of IPv6 the half that one customer has (a /64)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _key(name: str, who: str) -> bytes:
    return sha256(f"{name} {who}".encode()).digest()
