"""Sign-ins under way: what is remembered between two pages, on the server, for a few minutes."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("identity")
LASTS: Final = timedelta(minutes=10)
Kind = Literal["provider", "role", "passkey", "new-passkey", "emergency"]


class Attempts:
    """Remembers by a random token, which the browser holds in a cookie; each is taken once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, kind: Kind, data: Any) -> str:
        """Remember `data`; returns the token for the cookie."""
        now = clock.now()
        token = secrets.token_urlsafe(32)
        await self._database.execute(_SQL["end_old_attempts"], now)
        told = msgspec.json.encode(data).decode()
        await self._database.execute(_SQL["begin_attempt"], _hash(token), now + LASTS, kind, told)
        return token

    async def take(self, kind: Kind, token: str | None) -> Any | None:
        """What was remembered, and forget it; None when there is nothing, or it took too long."""
        if not token:
            return None
        row = await self._database.fetchrow(_SQL["take_attempt"], _hash(token), kind)
        if row is None or row["expires_at"] <= clock.now():
            return None
        return msgspec.json.decode(row["data"])

    async def look(self, kind: Kind, token: str | None) -> Any | None:
        """What is remembered, without forgetting it."""
        if not token:
            return None
        row = await self._database.fetchrow(_SQL["read_attempt"], _hash(token), kind, clock.now())
        return None if row is None else msgspec.json.decode(row["data"])


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
