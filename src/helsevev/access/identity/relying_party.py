"""The relying party of OpenID Connect: sends people to a provider, and believes what it can check.

OpenID Connect Core 1.0, RFC 7636 (PKCE), 9126 (PAR), 9101 (request objects), 9449 (DPoP), 9207
(issuer in the answer), 7523 (private_key_jwt); logout: RP-Initiated 1.0, Back-Channel 1.0.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from helsevev.access.identity.profile import Client
from helsevev.access.identity.proofs import (
    ASSERTION_TYPE,
    challenge_of,
    client_assertion,
    dpop_proof,
    request_object,
)
from helsevev.access.identity.refusals import LoginRefused, ProviderDown
from helsevev.kit import clock

PATIENCE: Final = 2.0
"""Seconds that a provider has for an answer before it counts as down."""

_BELIEVED: Final = timedelta(minutes=10)
_UP_FOR: Final = timedelta(seconds=5)
_DOWN_FOR: Final = timedelta(seconds=2)
_ALGORITHMS: Final = ("RS256", "PS256", "ES256")
_LEEWAY: Final = 30
_BACK_CHANNEL: Final = "http://schemas.openid.net/event/backchannel-logout"

NOT_ASKED: Final = "This sign-in was not begun here, or it took too long. Begin again."
NOT_GIVEN: Final = "The national login did not sign you in. Begin again."
NOT_TRUSTED: Final = "The answer of the national login could not be trusted. Nobody was signed in."


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was begun: what the answer is checked against. Kept on the server."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    dpop_key: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider vouches for: the checked claims of the id_token, and that token."""

    claims: dict[str, Any]
    id_token: str
    details: tuple[dict[str, Any], ...] = ()
    """`authorization_details` of the token answer (RFC 9396): the trust framework's attest."""


class RelyingParty:
    """One provider, and us as its client."""

    def __init__(self, client: Client, http: httpx.AsyncClient) -> None:
        self.client = client
        self._http = http
        self._metadata: tuple[dict[str, Any], datetime] | None = None
        self._keys: KeySet | None = None
        self._found: tuple[bool, datetime] | None = None

    async def is_up(self) -> bool:
        """Whether the provider answers; asked again after a few seconds."""
        now = clock.now()
        if self._found is not None and now < self._found[1]:
            return self._found[0]
        try:
            await self._discover()
        except ProviderDown:
            self._found = (False, clock.now() + _DOWN_FOR)
        else:
            self._found = (True, clock.now() + _UP_FOR)
        return self._found[0]

    async def begin(self, redirect_uri: str) -> tuple[Attempt, str]:
        """Push a request for a sign-in; what to remember, and where to send the browser.

        Raises `ProviderDown`, or `LoginRefused` when the provider does not take the request.
        """
        metadata = await self._known()
        key = ECKey.generate_key("P-256", private=True) if self.client.profile.dpop else None
        attempt = Attempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
            dpop_key=key.as_dict(private=True) if key else None,
        )
        asked = self._request(attempt, key)
        pushed = asked
        if self.client.profile.request_object:
            pushed = {"request": request_object(self.client, asked)}
        url = metadata["pushed_authorization_request_endpoint"]
        answer = await self._post(url, {"client_id": self.client.client_id, **pushed}, key)
        if "request_uri" not in answer:
            raise LoginRefused(NOT_GIVEN, f"PAR: {_problem(answer)}")
        query = {"client_id": self.client.client_id, "request_uri": answer["request_uri"]}
        return attempt, f"{metadata['authorization_endpoint']}?{urlencode(query)}"

    def _request(self, attempt: Attempt, key: ECKey | None) -> dict[str, Any]:
        profile = self.client.profile
        asked: dict[str, Any] = {
            "client_id": self.client.client_id,
            "response_type": "code",
            "redirect_uri": attempt.redirect_uri,
            "scope": profile.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
            # Devices are shared: whoever sits there now must not be taken for who sat there before.
            "prompt": "login",
        }
        if profile.acr:
            asked["acr_values"] = profile.acr
        if key is not None:
            asked["dpop_jkt"] = key.thumbprint()
        return asked

    async def finish(self, attempt: Attempt, query: dict[str, str]) -> Answer:
        """Redeem the code that the browser came back with, and check all that was promised.

        Raises `LoginRefused`, or `ProviderDown`.
        """
        if not secrets.compare_digest(query.get("state", ""), attempt.state):
            raise LoginRefused(NOT_ASKED, "state differs")
        metadata = await self._known()
        told = query.get("iss")
        required = metadata.get("authorization_response_iss_parameter_supported", False)
        if (told is not None or required) and told != self.client.issuer:
            raise LoginRefused(NOT_TRUSTED, f"iss is {told}")
        if "code" not in query:
            raise LoginRefused(NOT_GIVEN, f"answer: {_problem(query)}")
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client.client_id,
            "code": query["code"],
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        key = ECKey.import_key(attempt.dpop_key) if attempt.dpop_key else None
        tokens = await self._post(metadata["token_endpoint"], form, key)
        if "id_token" not in tokens:
            raise LoginRefused(NOT_GIVEN, f"token: {_problem(tokens)}")
        kind = str(tokens.get("token_type", "")).lower()
        if kind != ("dpop" if key else "bearer"):
            raise LoginRefused(NOT_TRUSTED, f"token_type is {kind}")
        claims = await self.checked(tokens["id_token"], attempt.nonce)
        details = tokens.get("authorization_details", ())
        found = tuple(d for d in details if isinstance(d, dict))
        return Answer(claims, tokens["id_token"], found)

    async def checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        """The claims of an id_token that is the provider's, for us, of now and for this sign-in.

        Raises `LoginRefused` (OpenID Connect Core, 3.1.3.7), or `ProviderDown`.
        """
        claims = await self._claims(
            id_token,
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        if isinstance(claims["aud"], list) and claims.get("azp") != self.client.client_id:
            raise LoginRefused(NOT_TRUSTED, "azp is somebody else")
        return claims

    async def ended(self, logout_token: str) -> tuple[str, str]:
        """(sid, sub) of a session that the provider has ended; each may be "".

        Raises `LoginRefused` (Back-Channel Logout 1.0, 2.6), or `ProviderDown`.
        """
        claims = await self._claims(logout_token, jti={"essential": True})
        events = claims.get("events")
        if not isinstance(events, dict) or _BACK_CHANNEL not in events or "nonce" in claims:
            raise LoginRefused(NOT_TRUSTED, "not a logout token")
        return str(claims.get("sid", "")), str(claims.get("sub", ""))

    async def logout_url(self, id_token: str, back: str) -> str | None:
        """Where a browser also ends its session at the provider; None when that is not possible.

        An inhabitant's id_token holds their national number, which no URL may carry.
        """
        if not await self.is_up():
            return None
        url = (await self._known()).get("end_session_endpoint")
        if not url:
            return None
        query = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        if self.client.profile.who == "staff" and id_token:
            query["id_token_hint"] = id_token
        return f"{url}?{urlencode(query)}"

    async def _claims(self, token: str, **wanted: Any) -> dict[str, Any]:
        try:
            try:
                read = jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)
            except JoseError:
                # The provider may have a new key since.
                keys = await self._key_set(anew=True)
                read = jwt.decode(token, keys, algorithms=_ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                now=int(clock.now().timestamp()),
                leeway=_LEEWAY,
                iss={"essential": True, "value": self.client.issuer},
                aud={"essential": True, "value": self.client.client_id},
                iat={"essential": True},
                **wanted,
            )
            registry.validate(read.claims)
        except (JoseError, ValueError) as problem:
            raise LoginRefused(NOT_TRUSTED, f"token: {problem}") from problem
        return dict(read.claims)

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            self._keys = KeySet.import_key_set(await self._get((await self._known())["jwks_uri"]))
        return self._keys

    async def _known(self) -> dict[str, Any]:
        if self._metadata is not None and clock.now() < self._metadata[1]:
            return self._metadata[0]
        return await self._discover()

    async def _discover(self) -> dict[str, Any]:
        url = f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata: dict[str, Any] = await self._get(url)
        if metadata.get("issuer") != self.client.issuer:
            raise ProviderDown(f"{self.client.issuer} says that it is {metadata.get('issuer')}")
        self._metadata = (metadata, clock.now() + _BELIEVED)
        return metadata

    async def _get(self, url: str) -> Any:
        return self._json(await self._send("GET", url))

    async def _post(self, url: str, form: dict[str, str], key: ECKey | None) -> dict[str, Any]:
        nonce = ""
        for _ in range(2):
            proof = {"DPoP": dpop_proof(key, "POST", url, nonce)} if key else {}
            signed = {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": client_assertion(self.client),
            }
            response = await self._send("POST", url, data={**form, **signed}, headers=proof)
            answer = self._json(response)
            nonce = response.headers.get("DPoP-Nonce", "")
            if not (key and nonce and answer.get("error") == "use_dpop_nonce"):
                break
        return answer

    async def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        try:
            return await self._http.request(method, url, timeout=PATIENCE, **content)
        except httpx.HTTPError as problem:
            raise ProviderDown(f"{url}: {type(problem).__name__}") from problem

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code >= 500:
            raise ProviderDown(f"{response.url} answered {response.status_code}")
        try:
            read = response.json()
        except ValueError as problem:
            raise ProviderDown(f"{response.url} answered no JSON") from problem
        if not isinstance(read, dict):
            raise ProviderDown(f"{response.url} answered no object")
        return read


def _problem(answer: dict[str, Any]) -> str:
    return f"{answer.get('error', '?')}: {answer.get('error_description', '')}"[:300]
