"""All that apps need of us, put together: who they are, what they ask, what they are told of us."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

from helsevev.access.apps import assertions
from helsevev.access.apps.assertions import Assertions
from helsevev.access.apps.authorizing import Authorizing
from helsevev.access.apps.clients import Clients, has_secret, trace
from helsevev.access.apps.granting import Granting, system_actor
from helsevev.access.apps.refusals import NotLetIn, invalid_client
from helsevev.access.apps.registration import Client
from helsevev.access.apps.signing import ALGORITHM, SigningKey
from helsevev.access.apps.tidying import Tidying
from helsevev.access.apps.tokens import Tokens
from helsevev.access.audit import refused_login
from helsevev.access.gate import Gate
from helsevev.access.session import Credentials
from helsevev.access.subscriptions.wiring import Outward

GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
_METHODS: Final = ("none", "client_secret_basic", "client_secret_post", "private_key_jwt")
_CAPABILITIES: Final = (
    "launch-ehr", "launch-standalone", "authorize-post", "client-public",
    "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect",
    "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter",
    "context-standalone-patient", "permission-offline", "permission-online",
    "permission-patient", "permission-user", "permission-v1", "permission-v2",
)  # fmt: skip
_SCOPES: Final = (
    "openid", "fhirUser", "profile", "launch", "launch/patient", "offline_access",
    "online_access", "patient/*.cruds", "user/*.cruds", "system/*.cruds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apps:
    """What is done for apps, by what it is."""

    clients: Clients
    tokens: Tokens
    tidying: Tidying
    authorizing: Authorizing
    granting: Granting
    assertions: Assertions
    signing: SigningKey
    gate: Gate
    address: str
    """Where we are reached, without a final slash; also the issuer's name."""

    @property
    def token_endpoint(self) -> str:
        """Where apps get tokens."""
        return f"{self.address}/auth/token"

    async def client_of(self, form: Mapping[str, str], authorization: str) -> Client:
        """The app that asks, having shown who it is in its own way and in no other.

        Raises `NotLetIn`; what was refused is in the trail when the app is known.
        """
        named, secret, by_header = _named(form, authorization)
        assertion = form.get("client_assertion", "")
        if assertion and (secret or by_header):
            raise invalid_client("An app shows who it is in one way.")
        named = named or assertions.client_named(assertion) or await self._holder(form)
        client = await self.clients.active(named)
        if client is None:
            await refused_login.note(self.gate, "No app is registered by the name that was given.")
            raise invalid_client()
        try:
            await self._prove(client, form, secret, assertion)
        except NotLetIn as refusal:
            await trace(
                self.gate, system_actor(client), "app-token", f"app {client.id} {client.name}",
                refused=refusal.description,
            )  # fmt: skip
            raise
        return client

    async def _holder(self, form: Mapping[str, str]) -> str:
        """Whose refresh token it is. A public app need not say its name beside it (RFC 6749
        section 6), and SMART's own client does not; who has a proof is asked for it all the same.
        """
        if form.get("grant_type") != "refresh_token":
            return ""
        ticket = await self.tokens.look_at_ticket("refresh", form.get("refresh_token", ""))
        return "" if ticket is None else ticket.client

    async def answer(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """The token endpoint's answer. Raises `NotLetIn`."""
        kind = form.get("grant_type", "")
        if kind not in GRANT_TYPES:
            words = ", ".join(GRANT_TYPES)
            raise NotLetIn("unsupported_grant_type", f"grant_type is one of {words}.")
        client = await self.client_of(form, authorization)
        try:
            match kind:
                case "authorization_code":
                    return await self.granting.by_code(client, form)
                case "refresh_token":
                    return await self.granting.by_refresh(client, form)
            return await self.granting.for_system(client, form)
        except NotLetIn as refusal:
            await trace(
                self.gate, system_actor(client), "app-token", f"app {client.id} {client.name}",
                refused=refusal.description,
            )  # fmt: skip
            raise

    def configuration(self) -> dict[str, Any]:
        """What is told to apps: SMART's .well-known/smart-configuration, and RFC 8414's."""
        auth = f"{self.address}/auth"
        return {
            "issuer": self.address,
            "jwks_uri": f"{auth}/keys",
            "authorization_endpoint": f"{auth}/authorize",
            "token_endpoint": self.token_endpoint,
            "introspection_endpoint": f"{auth}/introspect",
            "revocation_endpoint": f"{auth}/revoke",
            "management_endpoint": f"{self.address}/my-apps",
            "grant_types_supported": list(GRANT_TYPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "scopes_supported": list(_SCOPES),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": list(_METHODS),
            "token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
            "introspection_endpoint_auth_methods_supported": list(_METHODS[1:]),
            "revocation_endpoint_auth_methods_supported": list(_METHODS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "capabilities": list(_CAPABILITIES),
        }

    async def _prove(
        self, client: Client, form: Mapping[str, str], secret: str, assertion: str
    ) -> None:
        if client.proves_by_key:
            if form.get("client_assertion_type") != assertions.BEARER or not assertion or secret:
                raise invalid_client("The app shows who it is by private_key_jwt.")
            audiences = (self.token_endpoint, self.address)
            await self.assertions.check(client, assertion, audiences)
        elif client.kind == "confidential":
            if assertion or not has_secret(client, secret):
                raise invalid_client("The app has not shown its secret.")
        elif secret or assertion:
            raise invalid_client("The app is registered as one that cannot keep a secret.")


def apps_over(gate: Gate, credentials: Credentials, outward: Outward, keys: Path | None) -> Apps:
    """The parts over one gate; `keys` is the folder of the signing key."""
    address = outward.base.removesuffix("/fhir")
    database = gate.store.database
    clients, tokens = Clients(gate, credentials), Tokens(database)
    signing = SigningKey(keys)
    return Apps(
        clients=clients,
        tokens=tokens,
        tidying=Tidying(tokens),
        authorizing=Authorizing(gate, clients, tokens, address),
        granting=Granting(gate, credentials, clients, tokens, signing, address),
        assertions=Assertions(database, outward.endpoints),
        signing=signing,
        gate=gate,
        address=address,
    )


def _named(form: Mapping[str, str], authorization: str) -> tuple[str, str, bool]:
    """The id and the secret that the app says, and whether in the header. Raises `NotLetIn`."""
    kind, _, told = authorization.partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", ""), False
    try:
        text = binascii.a2b_base64(told.strip(), strict_mode=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise invalid_client("The Authorization header cannot be read.") from problem
    named, _, secret = text.partition(":")
    named = unquote_plus(named)
    if form.get("client_secret") or form.get("client_id", named) != named:
        raise invalid_client("An app shows who it is in one way.")
    return named, unquote_plus(secret), True
