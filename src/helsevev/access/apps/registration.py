"""What is registered of an app or a system, and the rules that a registration has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from helsevev.access import scopes
from helsevev.access.errors import Invalid
from helsevev.fhir.outcome import Issue, error

Kind = Literal["public", "confidential", "asymmetric", "backend"]
KINDS: Final[tuple[Kind, ...]] = ("public", "confidential", "asymmetric", "backend")
"""How it shows who it is: not at all (an app in a browser or on a phone), by a secret, by a key;
backend: a system that acts for itself, by a key."""

_LONGEST: Final = 2000
_LONGEST_NAME: Final = 100
_MOST: Final = 20
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN_SCHEMES: Final = frozenset({"javascript", "data", "file", "vbscript", "blob", "about"})
_KEY_KINDS: Final = frozenset({"RSA", "EC"})
_PRIVATE_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Registration(msgspec.Struct, frozen=True, omit_defaults=True):
    """An app as its administrator registered it.

    `scopes` are the most it may ever be granted; `launch_url` is where it is opened from a chart;
    `for_staff` and `for_inhabitants` say who may use it. A key is given as `jwks` or by `jwks_url`.
    """

    name: str
    vendor: str
    kind: Kind
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    launch_url: str = ""
    jwks: dict[str, Any] | None = None
    jwks_url: str = ""
    for_staff: bool = True
    for_inhabitants: bool = False

    def encoded(self) -> str:
        """As JSON, for `registration_of`."""
        return msgspec.json.encode(self).decode()


class Client(msgspec.Struct, frozen=True):
    """A registered app; `active` is false while it is suspended."""

    id: str
    active: bool
    registration: Registration
    secret_hash: bytes | None = None

    @property
    def name(self) -> str:
        """Its name, for people."""
        return self.registration.name

    @property
    def kind(self) -> Kind:
        """How it shows who it is."""
        return self.registration.kind

    @property
    def proves_by_key(self) -> bool:
        """Whether it signs assertions with a key of its own."""
        return self.kind in ("asymmetric", "backend")


def registration_of(text: str | bytes) -> Registration:
    """What `encoded` wrote."""
    return msgspec.json.decode(text, type=Registration)


def check(asked: Registration) -> None:
    """Raises `Invalid` with all that is wrong with a registration."""
    issues = [*_names(asked), *_addresses(asked), *_scopes(asked), *_keys(asked)]
    if issues:
        raise Invalid(issues)


def is_redirect_uri(text: str) -> bool:
    """Whether an app can be sent back to such an address (RFC 8252, RFC 9700 section 4.1).

    https; http on the user's own machine; or a scheme of the app's own, which holds a dot.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if not _is_plain(text) or parts.fragment or "#" in text or port == 0:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.hostname in _LOOPBACK
    return "." in parts.scheme and parts.scheme not in _OPEN_SCHEMES


def _names(asked: Registration) -> Iterator[Issue]:
    for name, value in (("name", asked.name), ("vendor", asked.vendor)):
        if not value.strip() or len(value) > _LONGEST_NAME or not value.isprintable():
            text = "It needs a name, and somebody who answers for it."
            yield error("required", text, name)
    if asked.kind not in KINDS:
        yield error("value", f"The kind is one of {', '.join(KINDS)}.", "kind")


def _addresses(asked: Registration) -> Iterator[Issue]:
    for uri in asked.redirect_uris:
        if not is_redirect_uri(uri):
            text = "A redirect URI is https, or http on localhost, or a scheme of the app's own."
            yield error("value", text, "redirect_uris")
    if len(asked.redirect_uris) > _MOST:
        yield error("too-long", f"At most {_MOST} redirect URIs.", "redirect_uris")
    if asked.kind == "backend":
        if asked.redirect_uris or asked.launch_url:
            text = "A system that acts for itself is not opened in a browser."
            yield error("business-rule", text, "redirect_uris")
    elif not asked.redirect_uris:
        yield error("required", "An app needs a redirect URI.", "redirect_uris")
    if asked.launch_url and not (
        is_redirect_uri(asked.launch_url) and asked.launch_url.startswith("http")
    ):
        yield error("value", "The launch URL is https, or http on localhost.", "launch_url")


def _scopes(asked: Registration) -> Iterator[Issue]:
    if not asked.scopes:
        yield error("required", "Say what it may be granted at most.", "scopes")
    if len(asked.scopes) > scopes.MOST:
        yield error("too-long", f"At most {scopes.MOST} scopes.", "scopes")
    for text in asked.scopes:
        if not scopes.is_known(text):
            yield error("value", "One of the scopes is none.", "scopes")
        elif text.startswith("system/") is not (asked.kind == "backend"):
            said = "Only a backend system has system/ scopes, and it has no others."
            yield error("business-rule", said, "scopes")


def _keys(asked: Registration) -> Iterator[Issue]:
    by_key = asked.kind in ("asymmetric", "backend")
    given = (asked.jwks is not None) + bool(asked.jwks_url)
    if given != by_key:
        text = "Give its keys as a JWKS or by the URL of one." if by_key else "It has no key."
        yield error("required", text, "jwks")
    if asked.jwks_url and (not asked.jwks_url.startswith("http") or not _is_plain(asked.jwks_url)):
        yield error("value", "The address of the keys is https.", "jwks_url")
    if asked.jwks is not None:
        try:
            public_keys(asked.jwks)
        except ValueError as problem:
            yield error("value", str(problem), "jwks")


def public_keys(jwks: dict[str, Any]) -> KeySet:
    """The public keys of a JWKS. Raises `ValueError` for what is none, and for private keys."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys or len(keys) > _MOST:
        raise ValueError("A JWKS holds its keys in the list keys.")
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in _KEY_KINDS:
            raise ValueError("Keys are RSA or EC, for RS384 or ES384.")
        if not _PRIVATE_PARTS.isdisjoint(key):
            raise ValueError("A private key has been given away: make a new one.")
    try:
        return KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise ValueError("A key cannot be read.") from problem


def _is_plain(text: str) -> bool:
    plain = text.isascii() and text.isprintable() and len(text) <= _LONGEST
    return plain and not any(c in text for c in '\\ "<>')
