"""What we sign to prove that it is us: client assertions, request objects and DPoP proofs."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64encode

from helsevev.access.identity.profile import Client
from helsevev.kit import clock

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LASTS: Final = 60


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of a PKCE verifier (RFC 7636)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode()


def client_assertion(client: Client) -> str:
    """A JWT that says who the client is (RFC 7523); each is used once."""
    claims = {"iss": client.client_id, "sub": client.client_id, "aud": client.issuer}
    return _signed(client, "client-authentication+jwt", claims)


def request_object(client: Client, parameters: dict[str, Any]) -> str:
    """The authorization request, signed (RFC 9101)."""
    claims = {"iss": client.client_id, "aud": client.issuer, **parameters}
    return _signed(client, "oauth-authz-req+jwt", claims)


def dpop_proof(key: ECKey, method: str, url: str, nonce: str = "") -> str:
    """That whoever asks `url` holds `key` (RFC 9449)."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    claims: dict[str, Any] = {
        "jti": secrets.token_urlsafe(16),
        "htm": method,
        "htu": url,
        "iat": int(clock.now().timestamp()),
    }
    if nonce:
        claims["nonce"] = nonce
    return jwt.encode(header, claims, key, algorithms=["ES256"])


def _signed(client: Client, kind: str, claims: dict[str, Any]) -> str:
    now = int(clock.now().timestamp())
    header = {
        "typ": kind,
        "alg": client.algorithm,
        "kid": client.key.kid or client.key.thumbprint(),
    }
    lasting = {"jti": secrets.token_urlsafe(16), "iat": now, "nbf": now, "exp": now + _LASTS}
    return jwt.encode(header, lasting | claims, client.key, algorithms=[client.algorithm])
