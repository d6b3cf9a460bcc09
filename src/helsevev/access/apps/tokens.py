"""What an app holds: launches, codes, refresh tokens and access tokens; only hashes are kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from helsevev.access.actor import Actor, actor_of
from helsevev.access.apps.refusals import invalid_grant
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

ACCESS_LASTS: Final = timedelta(minutes=10)
"""How long a person's app may use an access token."""

SYSTEM_LASTS: Final = timedelta(minutes=5)
"""The same for a system by itself (SMART: at most five minutes)."""

CODE_LASTS: Final = timedelta(seconds=60)
LAUNCH_LASTS: Final = timedelta(minutes=5)
_SQL: Final = load("apps")

TicketKind = Literal["launch", "code", "refresh"]


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a grant is for: the scopes, the inhabitant and contact it was opened with.

    `banner` tells that the app has to show who the patient is; `consented` that an inhabitant
    agreed to it.
    """

    scopes: tuple[str, ...]
    patient: str = ""
    encounter: str = ""
    banner: bool = True
    consented: bool = False
    nonce: str = ""


class Grant(msgspec.Struct, frozen=True):
    """What one app may do for one actor, until when, and in which session (None: it lasts)."""

    id: str
    client: str
    actor: Actor
    context: Context
    session: bytes | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


class Ticket(msgspec.Struct, frozen=True):
    """What was handed in: for which app, by which grant or in which session, with what in it."""

    client: str
    grant: str | None
    session: bytes | None
    content: dict[str, Any]
    expires_at: datetime
    used_before: bool


class Token(msgspec.Struct, frozen=True):
    """An access token that holds: whom it speaks for, since when, until when, by which grant."""

    actor: Actor
    created_at: datetime
    expires_at: datetime
    grant: str
    client: str
    context: Context


class Tokens:
    """Gives out and takes back what an app holds, over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_grant(
        self,
        client: str,
        actor: Actor,
        context: Context,
        session: bytes | None,
        expires: datetime,
    ) -> Grant:
        """A new grant. Raises `NotLetIn` when the app was suspended meanwhile."""
        now = clock.now()
        grant = Grant(secrets.token_hex(16), client, actor, context, session, now, expires)
        status = await self._database.execute(
            _SQL["add_grant"], grant.id, client, actor.id, _json(actor.as_data()), _json(context),
            session, now, expires,
        )  # fmt: skip
        if not str(status).endswith(" 1"):
            raise invalid_grant("The app is not active.")
        return grant

    async def grant(self, grant_id: str) -> Grant | None:
        """A grant that holds, of an app that is active."""
        row = await self._database.fetchrow(_SQL["grant"], grant_id, clock.now())
        return None if row is None else _grant(row)

    async def grants_of(self, actor_id: str) -> list[Grant]:
        """An actor's grants that hold, newest first."""
        rows = await self._database.fetch(_SQL["grants_of_actor"], actor_id, clock.now())
        return [_grant(row) for row in rows]

    async def end_grant(self, grant_id: str) -> bool:
        """Take a grant back, with every code and token of it; whether it was there."""
        return await self._database.fetchrow(_SQL["end_grant"], grant_id) is not None

    async def issue_ticket(
        self,
        kind: TicketKind,
        client: str,
        content: dict[str, Any],
        expires: datetime,
        *,
        grant: str | None = None,
        session: bytes | None = None,
    ) -> str:
        """Something to hand in once, before it expires."""
        ticket = secrets.token_urlsafe(32)
        await self._database.execute(
            _SQL["add_ticket"], _hash(ticket), kind, client, grant, session, _json(content), expires
        )
        return ticket

    async def use_ticket(self, kind: TicketKind, ticket: str) -> Ticket | None:
        """What a ticket is for; from now on it has been used. None: there is no such ticket."""
        row = await self._database.fetchrow(_SQL["use_ticket"], _hash(ticket), kind, clock.now())
        return None if row is None else _ticket(row)

    async def look_at_ticket(self, kind: TicketKind, ticket: str) -> Ticket | None:
        """What a ticket is for, without using it."""
        row = await self._database.fetchrow(_SQL["ticket"], _hash(ticket), kind)
        return None if row is None else _ticket(row)

    async def issue_access(
        self, grant: Grant, scopes: Sequence[str], lasts: timedelta
    ) -> tuple[str, int]:
        """An access token for these scopes, and for how many seconds it can be used.

        Raises `NotLetIn` when the grant has just been taken back.
        """
        now = clock.now()
        expires = min(now + lasts, grant.expires_at)
        patient = grant.context.patient
        actor = replace(
            grant.actor, client=grant.client, scopes=tuple(scopes),
            launch_patient=f"Patient/{patient}" if patient else None,
        )  # fmt: skip
        token = secrets.token_urlsafe(32)
        status = await self._database.execute(
            _SQL["issue_app_token"], _hash(token), now, expires, _json(actor.as_data()), grant.id
        )
        if not str(status).endswith(" 1"):
            raise invalid_grant("The access was taken back.")
        await self._database.execute(_SQL["used_grant"], grant.id, now)
        return token, max(int((expires - now).total_seconds()), 1)

    async def read(self, token: str) -> Token | None:
        """An access token that holds, of an app that is active."""
        row = await self._database.fetchrow(_SQL["app_token"], _hash(token), clock.now())
        if row is None:
            return None
        context = msgspec.json.decode(row["context"], type=Context)
        actor = actor_of(row["actor"])
        return Token(
            actor, row["created_at"], row["expires_at"], row["app_grant"], row["client"], context
        )

    async def end_access(self, token: str) -> None:
        """An access token is given back."""
        await self._database.execute(_SQL["end_token"], _hash(token))

    async def session_lives(self, session: bytes) -> bool:
        """Whether somebody is still signed in there."""
        return bool(await self._database.fetchval(_SQL["session_lives"], session, clock.now()))

    async def tidy(self) -> None:
        """Forget what has expired."""
        for name in ("forget_tickets", "forget_grants", "forget_assertions"):
            await self._database.execute(_SQL[name], clock.now())


def hash_of_session(cookie: str) -> bytes:
    """By what a signed-in browser's session is kept."""
    return _hash(cookie)


def _grant(row: Any) -> Grant:
    return Grant(
        row["id"], row["client"], actor_of(row["actor"]),
        msgspec.json.decode(row["context"], type=Context), row["session"], row["created_at"],
        row["expires_at"], row["last_used_at"],
    )  # fmt: skip


def _ticket(row: Any) -> Ticket:
    return Ticket(
        row["client"], row["app_grant"], row["session"], msgspec.json.decode(row["content"]),
        row["expires_at"], row["used_before"],
    )  # fmt: skip


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
