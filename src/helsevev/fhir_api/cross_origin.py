"""What lets apps in browsers ask from where they live (https://fetch.spec.whatwg.org/#http-cors).

Any origin may: nothing is answered without a bearer token, which no browser sends by itself, and
cookies open nothing here.
"""

from __future__ import annotations

from typing import Final

from helsevev.fhir_api.answer import Header

_ANYWHERE: Final = (b"access-control-allow-origin", b"*")
_TOLD: Final = (
    b"content-location, etag, last-modified, location, retry-after, x-progress, x-request-id"
)
_ASKED: Final = (
    b"accept, authorization, content-type, idempotency-key, if-match, if-modified-since,"
    b" if-none-exist, if-none-match, prefer, x-request-id"
)
ALLOWED: Final[list[Header]] = [_ANYWHERE, (b"access-control-expose-headers", _TOLD)]
"""Beside an answer to a request that came from another origin."""

PREFLIGHT: Final[list[Header]] = [
    _ANYWHERE,
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", _ASKED),
    (b"access-control-max-age", b"3600"),
    (b"content-length", b"0"),
]
"""The answer's headers when a browser asks whether it may ask."""
