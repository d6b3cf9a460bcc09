"""What seals acts on the phone: who took the round is proved inside, and only we can open it.

P-256 ECDH with a key made for each act, HKDF-SHA-256 (RFC 5869) and AES-256-GCM: what every
browser's WebCrypto has. The ticket is ours, given with the round, and never leaves the seal.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from hashlib import sha256, sha512
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from helsevev.access.actor import Actor, actor_of

_CURVE: Final = ec.SECP256R1()
# The order of the group, http://www.secg.org/sec2-v2.pdf section 2.4.2.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_INFO: Final = b"helsevev done without contact"
_POINT: Final = 65
_NONCE: Final = 12


class Unreadable(ValueError):
    """It was not sealed for us, or not with a ticket of ours."""


class Ticket(Struct, frozen=True):
    """Who took a round along (`actor` as plain data), in which session, from when until when."""

    actor: dict[str, Any]
    session: str
    taken_at: datetime
    until: datetime

    @property
    def who(self) -> Actor:
        """Who took it, in the role they had."""
        return actor_of(self.actor)


class Seals:
    """Gives out tickets and the public key, and opens what was sealed with them."""

    def __init__(self, secret: str) -> None:
        number = int.from_bytes(sha512(b"seal" + secret.encode()).digest())
        self._key = ec.derive_private_key(number % (_ORDER - 1) + 1, _CURVE)
        self._proof = sha256(b"ticket" + secret.encode()).digest()

    @property
    def public(self) -> dict[str, str]:
        """The key to seal for, as a JSON Web Key (RFC 7517)."""
        point = self._key.public_key().public_numbers()
        return {
            "kty": "EC", "crv": "P-256",
            "x": _text(point.x.to_bytes(32)), "y": _text(point.y.to_bytes(32)),
        }  # fmt: skip

    def ticket(self, told: Ticket) -> str:
        """A ticket, to be kept inside the round's encrypted part."""
        body = msgspec.json.encode(told)
        return f"{_text(body)}.{_text(self._signed(body))}"

    def open(self, key: str, box: str) -> tuple[Ticket, dict[str, Any]]:
        """Who did it and what: `box` was sealed for the act `key`. Raises `Unreadable`."""
        try:
            said = msgspec.json.decode(self._opened(key, _bytes(box)), type=dict[str, Any])
            body, _, signature = str(said.pop("ticket", "")).partition(".")
            if not hmac.compare_digest(self._signed(_bytes(body)), _bytes(signature)):
                raise Unreadable("The ticket is not ours.")
            return msgspec.json.decode(_bytes(body), type=Ticket), said
        except (InvalidTag, msgspec.MsgspecError, ValueError) as problem:
            raise Unreadable(str(problem)) from problem

    def _opened(self, key: str, box: bytes) -> bytes:
        point, nonce, sealed = box[:_POINT], box[_POINT : _POINT + _NONCE], box[_POINT + _NONCE :]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        shared = self._key.exchange(ec.ECDH(), theirs)
        derived = HKDF(hashes.SHA256(), 32, salt=point, info=_INFO).derive(shared)
        return AESGCM(derived).decrypt(nonce, sealed, key.encode())

    def _signed(self, body: bytes) -> bytes:
        return hmac.new(self._proof, body, sha256).digest()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
