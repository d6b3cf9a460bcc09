"""Signed-in browsers and API tokens: random, stored only as hashes, ended on the server."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from helsevev.access.actor import Actor, actor_of
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("access")
SHIFT: Final = timedelta(hours=13)
"""How long a sign-in lasts: one long shift."""

TOKEN_LASTS: Final = timedelta(days=30)
_KEPT: Final = 10_000
_TRUSTED: Final = timedelta(seconds=10)


class Credentials:
    """Gives out and recognises session tokens and API tokens over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, bytes], tuple[Actor, datetime]] = {}

    async def start_session(self, actor: Actor) -> str:
        """A new session's token, for a cookie."""
        await self._database.execute(_SQL["end_old_sessions"], clock.now())
        return await self._issue("start_session", actor, SHIFT)

    async def issue_token(self, actor: Actor, lasts: timedelta = TOKEN_LASTS) -> str:
        """A new bearer token for the API."""
        return await self._issue("issue_token", actor, lasts)

    async def session_actor(self, token: str) -> Actor | None:
        """Who is signed in with this cookie, or None."""
        return await self._actor("session", token)

    async def token_actor(self, token: str) -> Actor | None:
        """Whom this bearer token speaks for, or None."""
        return await self._actor("token", token)

    async def end_session(self, token: str) -> None:
        """Sign out: the token is worthless from now on."""
        await self._database.execute(_SQL["end_session"], _hash(token))
        self._known.pop(("session", _hash(token)), None)

    async def _issue(self, statement: str, actor: Actor, lasts: timedelta) -> str:
        token = secrets.token_urlsafe(32)
        now = clock.now()
        data = msgspec.json.encode(actor.as_data()).decode()
        await self._database.execute(_SQL[statement], _hash(token), now, now + lasts, data)
        return token

    async def _actor(self, statement: str, token: str) -> Actor | None:
        # A cookie is no bearer token, nor the other way round.
        known_as = (statement, _hash(token))
        now = clock.now()
        known = self._known.get(known_as)
        if known is not None and now < known[1]:
            return known[0]
        row = await self._database.fetchrow(_SQL[statement], known_as[1], now)
        if row is None:
            self._known.pop(known_as, None)
            return None
        actor = actor_of(row["actor"])
        if len(self._known) >= _KEPT:
            self._known.clear()
        # Asked again every few seconds, so that a sign-out elsewhere is soon noticed here.
        self._known[known_as] = (actor, min(row["expires_at"], now + _TRUSTED))
        return actor


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
