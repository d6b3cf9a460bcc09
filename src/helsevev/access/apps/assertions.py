"""Systems that show who they are by a signature of their own (RFC 7523, private_key_jwt).

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

import asyncio
import binascii
import logging
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from helsevev.access.apps.refusals import NotLetIn, invalid_client
from helsevev.access.apps.registration import Client, public_keys
from helsevev.access.subscriptions.endpoints import Endpoints
from helsevev.kit import clock
from helsevev.record.database import Database
from helsevev.record.statements import load

ALGORITHMS: Final = ("RS384", "ES384")
BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE: Final = 300
"""Seconds that an assertion may be good for (SMART's limit)."""

_LEEWAY: Final = 30
_LONGEST: Final = 8192
_KEYS_KEPT: Final = 300.0
_ASKED_AGAIN: Final = 20.0
"""Seconds between two looks at the same address for a key that was not there."""

_FETCH_SECONDS: Final = 5.0
_LARGEST_JWKS: Final = 64 * 1024
_MOST_KNOWN: Final = 1000
_SQL: Final = load("apps")
_log = logging.getLogger(__name__)


class Assertions:
    """Checks assertions, each of which is taken once."""

    def __init__(self, database: Database, endpoints: Endpoints) -> None:
        self._database = database
        self._endpoints = endpoints
        self._fetched: dict[str, tuple[KeySet, float]] = {}

    async def check(self, client: Client, assertion: str, audiences: Collection[str]) -> None:
        """That the app signed this, now, for this server, for the first time.

        Raises `NotLetIn` (invalid_client).
        """
        header = _part(assertion, 0)
        if header.get("alg") not in ALGORITHMS:
            raise invalid_client(f"An assertion is signed by {' or '.join(ALGORITHMS)}.")
        keys = await self._keys(client, str(header.get("kid", "")))
        try:
            # The algorithms are told, and keys are of kinds that sign by no other.
            claims = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            raise invalid_client("The signature does not hold.") from problem
        expires = _checked(client.id, claims, audiences)
        kept = await self._database.fetchval(
            _SQL["keep_assertion"], client.id, str(claims["jti"]), datetime.fromtimestamp(
                expires + 2 * _LEEWAY, UTC
            ),
        )  # fmt: skip
        if kept is None:
            raise invalid_client("This assertion was used before.")

    async def forget(self) -> None:
        """Forget assertions that are too old to be taken again."""
        await self._database.execute(_SQL["forget_assertions"], clock.now())

    async def _keys(self, client: Client, kid: str) -> KeySet:
        asked = client.registration
        if asked.jwks is not None:
            return _parsed(asked.jwks)
        now = time.monotonic()
        known, until = self._fetched.get(asked.jwks_url, (None, 0.0))
        fresh = until - _KEYS_KEPT
        has_it = known is not None and any(key.kid == kid for key in known.keys)
        if known is not None and now < until and (has_it or now < fresh + _ASKED_AGAIN):
            return known
        found = _parsed(await self._fetch(asked.jwks_url))
        if len(self._fetched) >= _MOST_KNOWN:
            self._fetched.clear()
        self._fetched[asked.jwks_url] = found, now + _KEYS_KEPT
        return found

    async def _fetch(self, url: str) -> Mapping[str, Any]:
        """The JWKS at an address that whoever runs the server has allowed; no redirect followed."""
        if refusal := self._endpoints.refusal(url):
            _log.warning("The keys of an app are not fetched: %s", refusal)
            raise invalid_client("The keys' address is not among those this server may ask.")
        try:
            async with (
                asyncio.timeout(_FETCH_SECONDS),
                httpx.AsyncClient(follow_redirects=False, trust_env=False) as browser,
                browser.stream("GET", url, headers={"accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise invalid_client("The keys' address does not answer with keys.")
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST_JWKS:
                        raise invalid_client("The keys' address answers with too much.")
            found = msgspec.json.decode(body, type=dict[str, Any])
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            raise invalid_client("The keys' address cannot be reached.") from problem
        except msgspec.DecodeError as problem:
            raise invalid_client("The keys' address does not answer with keys.") from problem
        return found


def client_named(assertion: str) -> str:
    """The app that an assertion says it is from, not yet believed; "" when it says none."""
    try:
        claims = _part(assertion, 1)
    except NotLetIn:
        return ""
    issuer, subject = claims.get("iss"), claims.get("sub")
    return issuer if isinstance(issuer, str) and issuer == subject else ""


def _parsed(jwks: Mapping[str, Any]) -> KeySet:
    try:
        return public_keys(dict(jwks))
    except ValueError as problem:
        raise invalid_client(str(problem)) from problem


def _part(assertion: str, number: int) -> dict[str, Any]:
    parts = assertion.split(".")
    if len(parts) != 3 or len(assertion) > _LONGEST:
        raise invalid_client("The assertion is no signed JWT.")
    try:
        text = binascii.a2b_base64(
            parts[number].replace("-", "+").replace("_", "/") + "=" * (-len(parts[number]) % 4)
        )
        return msgspec.json.decode(text, type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError) as problem:
        raise invalid_client("The assertion is no signed JWT.") from problem


def _checked(client_id: str, claims: Mapping[str, Any], audiences: Collection[str]) -> int:
    """When the assertion ends, in seconds since 1970. Raises `NotLetIn`."""
    now = int(clock.now().timestamp())
    expires, jti, audience = claims.get("exp"), claims.get("jti"), claims.get("aud")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise invalid_client("iss and sub are the app's own id.")
    named = audience if isinstance(audience, list) else [audience]
    if len(named) != 1 or named[0] not in audiences:
        raise invalid_client("aud is the address of the token endpoint.")
    if not isinstance(jti, str) or not 0 < len(jti) <= 200:
        raise invalid_client("jti is a text that is used once.")
    if not isinstance(expires, int) or isinstance(expires, bool) or expires < now - _LEEWAY:
        raise invalid_client("The assertion has expired.")
    if expires > now + LONGEST_LIFE + _LEEWAY:
        raise invalid_client(f"An assertion is good for {LONGEST_LIFE} seconds at most.")
    for name in ("nbf", "iat"):
        begins = claims.get(name, now)
        if not isinstance(begins, int) or begins > now + _LEEWAY:
            raise invalid_client(f"{name} is a time that has come.")
    return expires
