"""Signed checkpoints: how long the log is and its root, as a note that anybody can keep and check.

The texts are those of transparency logs (C2SP tlog-checkpoint, signed-note), with one more line
that says when; so their tools read them.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519: Final = b"\x01"
_TIME: Final = "time "


class BadCheckpoint(ValueError):
    """A text is no checkpoint, or not one that a known key has signed; the message says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checkpoints are signed with, as those know it who check them."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        """The key as a line that tools for signed notes read."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key that a line gives. Raises `BadCheckpoint`."""
        name, _, rest = text.strip().partition("+")
        number, _, encoded = rest.partition("+")
        raw = _decoded(encoded)
        if not name or raw[:1] != _ED25519 or len(raw) != 33:
            raise BadCheckpoint(f"{text.strip()[:80]!r} is no Ed25519 key of signed notes.")
        key = cls(name, raw[1:])
        if key.id.hex() != number:
            raise BadCheckpoint(
                f"The key {text.strip()[:80]!r} was changed: its number is another."
            )
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long the log `name` was, its root, and when that was said."""

    name: str
    size: int
    root: bytes
    at: datetime

    @property
    def text(self) -> str:
        """What is signed."""
        root = b64encode(self.root).decode()
        return f"{self.name}\n{self.size}\n{root}\n{_TIME}{self.at.isoformat()}\n"


def signed(checkpoint: Checkpoint, keys: Iterable[tuple[PublicKey, Ed25519PrivateKey]]) -> str:
    """The checkpoint as a note signed with each key."""
    text = checkpoint.text
    lines = [
        f"\u2014 {public.name} {b64encode(public.id + private.sign(text.encode())).decode()}\n"
        for public, private in keys
    ]
    return f"{text}\n{''.join(lines)}"


def opened(note: str, keys: Iterable[PublicKey]) -> Checkpoint:
    """The checkpoint of a note that one of the keys has signed.

    Raises `BadCheckpoint`: no checkpoint, no signature by a known key, or a wrong one.
    """
    text, separator, signatures = note.partition("\n\n")
    if not separator:
        raise BadCheckpoint("This is no checkpoint: it has no signature.")
    text += "\n"
    known = {(key.name, key.id): key for key in keys}
    checked = False
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        signature = _decoded(encoded)
        key = known.get((name, signature[:4])) if mark == "\u2014" else None
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(signature[4:], text.encode())
        except InvalidSignature:
            raise BadCheckpoint("The checkpoint's signature is wrong.") from None
        checked = True
    if not checked:
        raise BadCheckpoint("The checkpoint is signed by no key that is known here.")
    return _parsed(text)


def _parsed(text: str) -> Checkpoint:
    lines = text.splitlines()
    try:
        name, size, root, time = lines[:4]
        if not (size.isascii() and size.isdigit() and time.startswith(_TIME)):
            raise ValueError
        at = datetime.fromisoformat(time.removeprefix(_TIME))
    except ValueError:
        raise BadCheckpoint("This is no checkpoint of an audit trail.") from None
    return Checkpoint(name, int(size), _decoded(root), at)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return b""
