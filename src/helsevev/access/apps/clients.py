"""The register of apps and systems: who is in it, and what follows when one is suspended."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from helsevev.access.actor import Actor
from helsevev.access.apps.registration import Client, Registration, check, registration_of
from helsevev.access.errors import NotFound
from helsevev.access.gate import Gate, author_of
from helsevev.access.policy import Decision, Facts, decide
from helsevev.access.session import Credentials
from helsevev.kit import clock
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.statements import load
from helsevev.record.subscriptions import Subscriptions

_SQL: Final = load("apps")
_OFFERED_FOR: Final = timedelta(seconds=10)
_CHANGES: Final = frozenset({"app-register", "app-change", "app-suspend", "app-activate"})
REFUSED: Final = "Apps are registered by those who are set to approve them."


class Clients:
    """Registers, changes, suspends and recognises apps."""

    def __init__(self, gate: Gate, credentials: Credentials) -> None:
        self._gate = gate
        self._database = gate.store.database
        self._credentials = credentials
        self._subscriptions = Subscriptions(self._database)
        self._offered: list[Client] = []
        self._offered_until = datetime.min.replace(tzinfo=UTC)

    async def decide(self, actor: Actor) -> None:
        """That the actor may administer apps. Raises `Refused`, which is audited."""
        decision = may_register(actor)
        if not decision.allowed:
            await self._gate.refuse(actor, keys.REFERENCE, decision, "app-registration")

    async def every(self, actor: Actor) -> list[Client]:
        """All that are registered, by name. Raises `Refused`."""
        await self.decide(actor)
        return [_client(row) for row in await self._database.fetch(_SQL["clients"])]

    async def read(self, client_id: str) -> Client | None:
        """The registered app, suspended or not; None when there is none."""
        row = await self._database.fetchrow(_SQL["client"], client_id)
        return None if row is None else _client(row)

    async def active(self, client_id: str) -> Client | None:
        """The app, unless it is unknown or suspended."""
        found = await self.read(client_id) if 0 < len(client_id) <= 100 else None
        return found if found is not None and found.active else None

    async def opened_by(self, actor: Actor) -> list[Client]:
        """The apps that the actor may open from a chart, by name; looked up now and then."""
        if actor.kind != "practitioner":
            return []
        now = clock.now()
        if now >= self._offered_until:
            found = [_client(row) for row in await self._database.fetch(_SQL["clients"])]
            self._offered = [
                c for c in found
                if c.active and c.registration.launch_url and c.registration.for_staff
            ]  # fmt: skip
            self._offered_until = now + _OFFERED_FOR
        return self._offered

    async def register(self, actor: Actor, asked: Registration) -> tuple[Client, str]:
        """Register an app; it, and the secret that is told this once ("": it has none).

        Raises `Refused` or `Invalid`.
        """
        await self.decide(actor)
        check(asked)
        secret = secrets.token_urlsafe(32) if asked.kind == "confidential" else ""
        client = Client(secrets.token_hex(12), True, asked, _hash(secret) if secret else None)
        await self._keep(actor, client, "app-register")
        return client, secret

    async def change(self, actor: Actor, client_id: str, asked: Registration) -> Client:
        """Change a registration; what was granted by the former one ends.

        Raises `Refused`, `Invalid` or `NotFound`. How it shows who it is stays.
        """
        await self.decide(actor)
        client = await self._existing(client_id)
        asked = msgspec.structs.replace(asked, kind=client.kind)
        check(asked)
        changed = Client(client.id, client.active, asked, client.secret_hash)
        await self._keep(actor, changed, "app-change")
        await self._end(client.id)
        return changed

    async def suspend(self, actor: Actor, client_id: str) -> None:
        """End all that the app has, at once, and let it in no more. Raises as `change`."""
        await self.decide(actor)
        client = await self._existing(client_id)
        await self._keep(actor, msgspec.structs.replace(client, active=False), "app-suspend")
        await self._end(client.id)

    async def activate(self, actor: Actor, client_id: str) -> None:
        """Let a suspended app in again; it starts without any grant. Raises as `change`."""
        await self.decide(actor)
        client = await self._existing(client_id)
        await self._keep(actor, msgspec.structs.replace(client, active=True), "app-activate")

    async def end_subscriptions(self, client_id: str, actor_id: str = "") -> None:
        """Switch off what the app listens to: for all, or for one actor."""
        rows = await self._database.fetch(_SQL["subscriptions_of_app"], client_id, actor_id)
        for row in rows:
            await self._subscriptions.end(row["id"], clock.now(), "The app's access has ended.")

    async def _end(self, client_id: str) -> None:
        await self._database.execute(_SQL["end_grants_of_client"], client_id)
        await self._database.execute(_SQL["end_tickets_of_client"], client_id)
        await self.end_subscriptions(client_id)
        await self._credentials.forget_app(client_id)

    async def _existing(self, client_id: str) -> Client:
        client = await self.read(client_id)
        if client is None:
            raise NotFound(f"The app {client_id[:40]}")
        return client

    async def _keep(self, actor: Actor, client: Client, interaction: str) -> None:
        await self._database.execute(
            _SQL["keep_client"], client.id, clock.now(), client.active,
            client.registration.encoded(), client.secret_hash,
        )  # fmt: skip
        self._offered_until = clock.now()
        await trace(self._gate, actor, interaction, f"app {client.id} {client.name}")


async def trace(
    gate: Gate,
    actor: Actor,
    interaction: str,
    target: str,
    *,
    patient: int = keys.REFERENCE,
    refused: str = "",
) -> None:
    """A line in the trail about an app: registered, opened, let in, ended, or (`refused`) not."""
    purpose = "SYSADMIN" if actor.kind == "system" else "TREAT"
    author = author_of(actor, interaction, purpose, refused)
    outcome = 8 if refused else 0
    action = "write" if interaction in _CHANGES else "read"
    row = audit_row(patient, 0, clock.now(), author, target[:400], action=action, outcome=outcome)
    await gate.trail.keep(row)


def may_register(actor: Actor) -> Decision:
    """Whether the actor may register and suspend apps, as the rules say: never an app itself."""
    decision = decide(actor, "register-apps", Facts("reference"))
    if decision.allowed and actor.scopes is None:
        return decision
    return replace(decision, allowed=False, reason=REFUSED)


def has_secret(client: Client, secret: str) -> bool:
    """Whether it is the app's secret, told in a time that tells nothing of it."""
    kept = client.secret_hash
    return kept is not None and hmac.compare_digest(kept, _hash(secret))


def _client(row: Any) -> Client:
    registration = registration_of(row["registration"])
    return Client(row["id"], row["active"], registration, row["secret_hash"])


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
