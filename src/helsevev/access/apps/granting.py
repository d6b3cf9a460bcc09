"""The token endpoint's work: codes, refresh tokens and assertions become access tokens.

RFC 6749 sections 4.1.3, 4.4 and 6, RFC 7636 (PKCE by S256 alone), RFC 9700 (one use, rotation),
RFC 7662, RFC 7009, and https://hl7.org/fhir/smart-app-launch/app-launch.html.
"""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from helsevev.access import scopes, staff
from helsevev.access.actor import Actor
from helsevev.access.apps.clients import Clients, trace
from helsevev.access.apps.refusals import NotLetIn, invalid_grant
from helsevev.access.apps.registration import Client
from helsevev.access.apps.signing import SigningKey
from helsevev.access.apps.tokens import ACCESS_LASTS, SYSTEM_LASTS, Context, Grant, Tokens
from helsevev.access.gate import Gate
from helsevev.access.session import Credentials
from helsevev.kit import clock

STYLE: Final = "/app-style.json"
"""Where apps find how our screens look (SMART's smart_style_url)."""

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_BEFORE: Final = "This was used before. For safety the app's access was taken back; open it again."
Form = Mapping[str, str]
Answer = dict[str, Any]


class Granting:
    """Gives tokens to apps that have shown who they are, never for more than was granted."""

    def __init__(
        self,
        gate: Gate,
        credentials: Credentials,
        clients: Clients,
        tokens: Tokens,
        signing: SigningKey,
        address: str,
    ) -> None:
        self._gate = gate
        self._credentials = credentials
        self._clients = clients
        self._tokens = tokens
        self._signing = signing
        self.address = address

    async def by_code(self, client: Client, form: Form) -> Answer:
        """An answer to `authorization_code`. Raises `NotLetIn`."""
        verifier = form.get("code_verifier", "")
        ticket = await self._tokens.use_ticket("code", form.get("code", ""))
        if ticket is None or ticket.client != client.id or ticket.grant is None:
            raise invalid_grant("There is no such code.")
        if ticket.used_before:
            # Whoever was first may not have been the app: nobody keeps anything (RFC 9700).
            await self._end(client, ticket.grant, "app-code-reuse")
            raise invalid_grant(_BEFORE)
        if ticket.expires_at <= clock.now():
            raise invalid_grant("The code has expired.")
        if form.get("redirect_uri", "") != ticket.content["redirect_uri"]:
            raise invalid_grant("redirect_uri is another than the code was asked for with.")
        if not _fits(verifier, ticket.content["challenge"]):
            raise invalid_grant("code_verifier does not fit the code_challenge.")
        grant = await self._grant(ticket.grant)
        answer = await self._answer(client, grant, grant.context.scopes)
        if "openid" in grant.context.scopes:
            answer["id_token"] = self._id_token(client, grant)
        return answer

    async def by_refresh(self, client: Client, form: Form) -> Answer:
        """An answer to `refresh_token`: the token is used up, another takes its place.

        `scope` may ask for less than was granted, never for more. Raises `NotLetIn`.
        """
        text = form.get("refresh_token", "")
        known = await self._tokens.look_at_ticket("refresh", text)
        if known is None or known.client != client.id or known.grant is None:
            raise invalid_grant("There is no such refresh token.")
        grant = await self._grant(known.grant)
        wanted = tuple(form.get("scope", "").split()) or grant.context.scopes
        if not known.used_before and not scopes.is_within(wanted, grant.context.scopes):
            raise NotLetIn("invalid_scope", "More than was granted cannot be had.")
        ticket = await self._tokens.use_ticket("refresh", text)
        if ticket is None or ticket.used_before:
            await self._end(client, known.grant, "app-refresh-reuse")
            raise invalid_grant(_BEFORE)
        if ticket.expires_at <= clock.now():
            raise invalid_grant("The refresh token has expired.")
        await self._require_role(client, grant)
        return await self._answer(client, grant, scopes.granted(wanted, grant.context.scopes))

    async def for_system(self, client: Client, form: Form) -> Answer:
        """An answer to `client_credentials`: a system acts for itself. Raises `NotLetIn`."""
        if client.kind != "backend":
            raise NotLetIn("unauthorized_client", "Only a backend system acts for itself.")
        asked = scopes.split(form.get("scope", ""))
        granted = scopes.granted(asked, client.registration.scopes)
        if not granted:
            raise NotLetIn("invalid_scope", "None of these scopes can be granted.")
        actor = system_actor(client)
        expires = clock.now() + SYSTEM_LASTS
        grant = await self._tokens.add_grant(client.id, actor, Context(granted), None, expires)
        token, seconds = await self._tokens.issue_access(grant, granted, SYSTEM_LASTS)
        await trace(self._gate, replace(actor, client=client.id), "app-token", " ".join(granted))
        return _told(token, seconds, granted)

    async def introspect(self, client: Client, token: str) -> Answer:
        """What a token is for, told to the app that holds it (RFC 7662)."""
        found = await self._tokens.read(token)
        if found is None or found.client != client.id:
            return {"active": False}
        if await self._credentials.token_actor(token) is None:
            return {"active": False}  # its session is locked
        told: Answer = {
            "active": True,
            "client_id": found.client,
            "token_type": "Bearer",
            "scope": " ".join(found.actor.scopes or ()),
            "iat": int(found.created_at.timestamp()),
            "exp": int(found.expires_at.timestamp()),
            "iss": self.address,
            "aud": f"{self.address}/fhir",
            "sub": found.actor.id,
        }
        if "fhirUser" in (found.actor.scopes or ()):
            told["fhirUser"] = f"{self.address}/fhir/{found.actor.id}"
        return told | _context(found.context)

    async def revoke(self, client: Client, token: str) -> None:
        """Take back a token of the app's own: a refresh token with all it stands for (RFC 7009)."""
        ticket = await self._tokens.look_at_ticket("refresh", token)
        if ticket is not None:
            if ticket.client == client.id and ticket.grant is not None:
                await self._end(client, ticket.grant, "app-revoke")
            return
        found = await self._tokens.read(token)
        if found is not None and found.client == client.id:
            await self._tokens.end_access(token)
            await self._credentials.forget_app(client.id)
            await trace(self._gate, found.actor, "app-revoke", f"app {client.id} {client.name}")

    async def withdraw(self, actor: Actor, grant_id: str) -> bool:
        """Somebody takes back what they let an app do; whether it was theirs to take back."""
        mine = [grant for grant in await self._tokens.grants_of(actor.id) if grant.id == grant_id]
        client = await self._clients.read(mine[0].client) if mine else None
        if client is None:
            return False
        await self._tokens.end_grant(grant_id)
        await self._clients.end_subscriptions(client.id, actor.id)
        await self._credentials.forget_app(client.id)
        await trace(self._gate, actor, "app-withdraw", f"app {client.id} {client.name}")
        return True

    async def _grant(self, grant_id: str) -> Grant:
        grant = await self._tokens.grant(grant_id)
        if grant is None:
            raise invalid_grant("The access has ended.")
        return grant

    async def _answer(self, client: Client, grant: Grant, granted: tuple[str, ...]) -> Answer:
        if grant.session is not None and not await self._tokens.session_lives(grant.session):
            raise invalid_grant("The user has signed out.")
        token, seconds = await self._tokens.issue_access(grant, granted, ACCESS_LASTS)
        answer = _told(token, seconds, granted) | _context(grant.context)
        answer["smart_style_url"] = f"{self.address}{STYLE}"
        if not scopes.OF_LASTING.isdisjoint(grant.context.scopes):
            answer["refresh_token"] = await self._tokens.issue_ticket(
                "refresh", client.id, {}, grant.expires_at, grant=grant.id
            )
        acting = replace(grant.actor, client=client.id)
        await trace(self._gate, acting, "app-token", f"app {client.id} {' '.join(granted)}")
        return answer

    async def _require_role(self, client: Client, grant: Grant) -> None:
        """Who no longer works in the role has no app that goes on working in it."""
        role = grant.actor.practitioner_role
        if role is None:
            return
        now = await staff.actor_of_role(self._gate.store, role.partition("/")[2])
        if now is None or now.id != grant.actor.id:
            await self._end(client, grant.id, "app-role-ended")
            raise invalid_grant("The user no longer works in this role.")

    async def _end(self, client: Client, grant_id: str, interaction: str) -> None:
        grant = await self._tokens.grant(grant_id)
        await self._tokens.end_grant(grant_id)
        await self._credentials.forget_app(client.id)
        if grant is not None:
            await self._clients.end_subscriptions(client.id, grant.actor.id)
            acting = replace(grant.actor, client=client.id)
            await trace(self._gate, acting, interaction, f"app {client.id} {client.name}")

    def _id_token(self, client: Client, grant: Grant) -> str:
        now = int(clock.now().timestamp())
        claims: Answer = {
            "iss": self.address,
            "sub": grant.actor.id,
            "aud": client.id,
            "iat": now,
            "exp": now + int(ACCESS_LASTS.total_seconds()),
        }
        if grant.context.nonce:
            claims["nonce"] = grant.context.nonce
        if "fhirUser" in grant.context.scopes:
            claims["fhirUser"] = f"{self.address}/fhir/{grant.actor.id}"
        if "profile" in grant.context.scopes:
            claims["name"] = grant.actor.name
        return self._signing.sign(claims)


def system_actor(client: Client) -> Actor:
    """Who a backend system is in the record and in its trail."""
    return Actor(
        kind="system", id=f"Device/{client.id}", name=client.name, profession="system",
        role="system", organisation_name=client.registration.vendor,
    )  # fmt: skip


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of a verifier (RFC 7636 section 4.2)."""
    digest = sha256(verifier.encode()).digest()
    return binascii.b2a_base64(digest, newline=False).decode().translate(_URL_SAFE).rstrip("=")


_URL_SAFE: Final = str.maketrans("+/", "-_")


def _fits(verifier: str, challenge: str) -> bool:
    known = _VERIFIER.fullmatch(verifier) is not None
    return known and hmac.compare_digest(challenge_of(verifier), challenge)


def _told(token: str, seconds: int, granted: tuple[str, ...]) -> Answer:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(granted),
    }


def _context(context: Context) -> Answer:
    told: Answer = {}
    if context.patient:
        told |= {"patient": context.patient, "need_patient_banner": context.banner}
    if context.encounter:
        told["encounter"] = context.encounter
        told["fhirContext"] = [{"reference": f"Encounter/{context.encounter}"}]
    return told
