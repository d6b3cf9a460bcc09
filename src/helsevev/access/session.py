"""Signed-in browsers and API tokens: random, stored only as hashes, ended on the server."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import uuid4

import msgspec

from helsevev.access.actor import Actor, actor_of
from helsevev.access.gate import author_of
from helsevev.kit import clock
from helsevev.record import audit, keys
from helsevev.record.audit import audit_row
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("access")
SHIFT: Final = timedelta(hours=12)
"""How long a sign-in lasts: one long shift, and what OWASP ASVS 3.3.2 allows."""

TOKEN_LASTS: Final = timedelta(days=30)
Method = Literal["demo", "national", "pin", "passkey", "emergency"]
FULL: Final[frozenset[str]] = frozenset({"demo", "national"})
"""Methods that say who somebody is by themselves; the others rest on what was done before."""

_KEPT: Final = 20_000
_TRUSTED: Final = timedelta(seconds=10)
_SEEN_EVERY: Final = timedelta(seconds=20)
_CHANNEL: Final = "session_changed"
_APP: Final = "app:"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a new session is made of besides its actor.

    `roles` are what may be switched to; `device` where it is; the rest is the provider's: its own
    session, the id_token that ends it, and the trust framework's attest. `proved_at` is when the
    person last proved who they are by a full login; None: now.
    """

    method: Method = "demo"
    ends_at: datetime | None = None
    device: str = ""
    roles: tuple[dict[str, str], ...] = ()
    provider_session: str = ""
    id_token: str = ""
    attest: dict[str, Any] | None = None
    proved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: whose, how, since when unused, and whether it is locked."""

    id: str
    actor: Actor
    expires_at: datetime
    seen_at: datetime
    locked: bool
    sign_in: SignIn


class Credentials:
    """Gives out and recognises session tokens and API tokens over one database.

    A session that was not used for `lock_after` is locked, whoever asks.
    """

    def __init__(self, database: Database, lock_after: timedelta = SHIFT) -> None:
        self.lock_after = lock_after
        self._database = database
        self._sessions: dict[bytes, tuple[Session, datetime]] = {}
        self._tokens: dict[bytes, tuple[Actor, datetime]] = {}
        self._forgotten = 0
        """Counts what was forgotten: what was read before is not remembered after."""
        self._tokens_in: dict[bytes, set[bytes]] = {}
        """By session, the tokens of apps that live no longer, nor while it is locked."""

    async def follow(self) -> None:
        """Hear at once of sessions that other processes end, lock or begin anew."""
        await self._database.listen(_CHANNEL, self._forget)

    async def start_session(self, actor: Actor, sign_in: SignIn = SignIn()) -> str:
        """A new session's token, for a cookie."""
        now = clock.now()
        await self._database.execute(_SQL["end_old_sessions"], now)
        actor = replace(actor, session=str(uuid4()))
        token = secrets.token_urlsafe(32)
        await self._database.execute(
            _SQL["start_session"], _hash(token), now, sign_in.ends_at or now + SHIFT,
            _json(actor.as_data()), actor.session, actor.id, sign_in.method, sign_in.device,
            _json(sign_in.roles), sign_in.provider_session, sign_in.id_token,
            None if sign_in.attest is None else _json(sign_in.attest), sign_in.proved_at or now,
        )  # fmt: skip
        await self._trace(actor, f"sign-in {sign_in.method}")
        return token

    async def issue_token(self, actor: Actor, lasts: timedelta = TOKEN_LASTS) -> str:
        """A new bearer token for the API."""
        token = secrets.token_urlsafe(32)
        now = clock.now()
        told = _json(actor.as_data())
        await self._database.execute(_SQL["issue_token"], _hash(token), now, now + lasts, told)
        await self._trace(actor, "token")
        return token

    async def _trace(self, actor: Actor, what: str) -> None:
        """Every sign-in, sign-out and token is in the audit trail, which nobody's record is in."""
        author = author_of(actor, what.partition(" ")[0], basis=what, purpose="SYSACCESS")
        row = audit_row(keys.REFERENCE, 0, clock.now(), author, actor.id, action="login")
        await audit.keep(self._database, [row])

    async def session(self, token: str) -> Session | None:
        """The session of this cookie, locked or not; None when it has ended.

        One that was not used for too long is locked by being asked for.
        """
        hashed, now = _hash(token), clock.now()
        known = self._sessions.get(hashed)
        if known is not None and now < known[1] and not self._is_idle(known[0], now):
            return known[0]
        forgotten = self._forgotten
        row = await self._database.fetchrow(_SQL["session"], hashed, now)
        if row is None:
            self._sessions.pop(hashed, None)
            return None
        found = _session(row)
        if self._is_idle(found, now):
            await self.lock(token)
            return replace(found, locked=True)
        if forgotten != self._forgotten:
            return found
        if len(self._sessions) >= _KEPT:
            self._sessions.clear()
        # Asked again every few seconds, in case word of a change was lost.
        self._sessions[hashed] = (found, min(row["expires_at"], now + _TRUSTED))
        return found

    async def session_actor(self, token: str) -> Actor | None:
        """Who is signed in with this cookie, or None: nobody, or it is locked."""
        found = await self.session(token)
        return None if found is None or found.locked else found.actor

    async def token_actor(self, token: str) -> Actor | None:
        """Whom this bearer token speaks for, or None."""
        # A cookie is no bearer token, nor the other way round.
        hashed, now = _hash(token), clock.now()
        known = self._tokens.get(hashed)
        if known is not None and now < known[1]:
            return known[0]
        forgotten = self._forgotten
        row = await self._database.fetchrow(_SQL["token"], hashed, now, now - self.lock_after)
        if row is None:
            self._tokens.pop(hashed, None)
            return None
        actor = actor_of(row["actor"])
        if forgotten != self._forgotten:
            return actor
        if len(self._tokens) >= _KEPT:
            self._tokens.clear()
            self._tokens_in.clear()
        self._tokens[hashed] = (actor, min(row["expires_at"], now + _TRUSTED))
        if row["session"] is not None:
            self._tokens_in.setdefault(row["session"], set()).add(hashed)
        return actor

    async def forget_app(self, client: str) -> None:
        """Ask anew whom the tokens of an app speak for, here and in other processes, at once."""
        self._forgotten += 1
        self._drop_app(client)
        await self._database.execute(_SQL["tell_session_changed"], f"{_APP}{client}")

    async def seen(self, token: str, session: Session) -> None:
        """Somebody used the session: it does not lock for a while."""
        now = clock.now()
        if now - session.seen_at < min(_SEEN_EVERY, self.lock_after / 3):
            return
        hashed = _hash(token)
        await self._database.execute(_SQL["session_seen"], hashed, now)
        if (known := self._sessions.get(hashed)) is not None:
            self._sessions[hashed] = (replace(known[0], seen_at=now), known[1])

    async def lock(self, token: str) -> None:
        """Show nothing more, until the person proves again who they are."""
        await self._database.execute(_SQL["lock_session"], _hash(token), clock.now())
        await self._tell(_hash(token))

    async def end_session(self, token: str) -> None:
        """Sign out: the token is worthless from now on."""
        if found := await self.session(token):
            await self._trace(found.actor, "sign-out")
        await self._database.execute(_SQL["end_session"], _hash(token))
        await self._tell(_hash(token))

    async def end_sessions_of(self, person: str, device: str | None = None) -> int:
        """Sign somebody out everywhere, or on one device; how many sessions that ended."""
        rows = await self._database.fetch(_SQL["end_sessions_of_person"], person, device)
        for row in rows:
            await self._tell(row["token_hash"])
        return len(rows)

    async def sessions_of(self, person: str) -> list[Any]:
        """Where somebody is signed in, last used first: a mapping with `id`, `actor` and times."""
        rows = await self._database.fetch(_SQL["sessions_of_person"], person, clock.now())
        return [{**dict(row), "actor": actor_of(row["actor"])} for row in rows]

    async def end_sessions_of_provider(self, provider_session: str) -> list[str]:
        """Sign out what rests on a provider's session; whose sessions that ended."""
        rows = await self._database.fetch(_SQL["end_sessions_of_provider"], provider_session)
        for row in rows:
            await self._tell(row["token_hash"])
        return [row["person"] for row in rows]

    def _is_idle(self, session: Session, now: datetime) -> bool:
        return not session.locked and now - session.seen_at >= self.lock_after

    async def _tell(self, hashed: bytes) -> None:
        self._forgotten += 1
        self._drop(hashed)
        await self._database.execute(_SQL["tell_session_changed"], hashed.hex())

    def _forget(self, payload: str) -> None:
        self._forgotten += 1
        if payload.startswith(_APP):
            self._drop_app(payload.removeprefix(_APP))
        elif payload:
            self._drop(bytes.fromhex(payload))
        else:
            self._sessions.clear()
            self._tokens.clear()
            self._tokens_in.clear()

    def _drop(self, session: bytes) -> None:
        self._sessions.pop(session, None)
        for token in self._tokens_in.pop(session, ()):
            self._tokens.pop(token, None)

    def _drop_app(self, client: str) -> None:
        for token in [t for t, (actor, _) in self._tokens.items() if actor.client == client]:
            del self._tokens[token]


def _session(row: Any) -> Session:
    attest = row["attest"]
    return Session(
        row["id"],
        replace(actor_of(row["actor"]), session=row["id"]),
        row["expires_at"],
        row["seen_at"],
        row["locked_at"] is not None,
        SignIn(
            row["method"],
            row["expires_at"],
            row["device"],
            tuple(msgspec.json.decode(row["roles"], type=list[dict[str, str]])),
            row["provider_session"],
            row["id_token"],
            None if attest is None else msgspec.json.decode(attest),
            row["proved_at"],
        ),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
