"""The keys that checkpoints are signed with: files of one folder, private ones for its owner.

`name` is what the log is called, `0001.key` a private key (PKCS 8), `0001.vkey` its public half.
The newest signs; every public key still checks what it signed once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from helsevev.access.audit.checkpoint import BadCheckpoint, PublicKey

Signer = tuple[PublicKey, Ed25519PrivateKey]
_FIRST: Final = "0001"


class LogKeys:
    """The keys of one folder, made at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self) -> str:
        """What the log is called in its checkpoints: made once, by chance."""
        path = self._folder / "name"
        _create(path, f"helsevev-audit-{secrets.token_hex(6)}\n".encode())
        return path.read_text().strip()

    def signer(self) -> Signer:
        """The newest key. Raises `BadCheckpoint` when its file holds no Ed25519 key."""
        paths = sorted(self._folder.glob("*.key"))
        if not paths:
            self._make(_FIRST)
            paths = [self._folder / f"{_FIRST}.key"]
        return self._signer(paths[-1])

    def known(self) -> list[PublicKey]:
        """Every key that may have signed, oldest first. Raises `BadCheckpoint`."""
        self.signer()
        return [PublicKey.parse(path.read_text()) for path in sorted(self._folder.glob("*.vkey"))]

    def rotate(self) -> tuple[Signer, Signer]:
        """Make a new key; the one before it, and the new one that signs from now on."""
        before = self.signer()
        newest = sorted(self._folder.glob("*.key"))[-1]
        number = f"{int(newest.stem) + 1:04d}"
        self._make(number)
        return before, self._signer(self._folder / f"{number}.key")

    def _signer(self, path: Path) -> Signer:
        try:
            private = load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as problem:
            raise BadCheckpoint(f"{path} holds no key: {problem}") from problem
        if not isinstance(private, Ed25519PrivateKey):
            raise BadCheckpoint(f"{path} holds a key of another kind than Ed25519.")
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        public = PublicKey(self.name(), raw)
        # A private key from elsewhere may come without its public half.
        _create(path.with_suffix(".vkey"), f"{public}\n".encode())
        return public, private

    def _make(self, number: str) -> None:
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _create(self._folder / f"{number}.key", pem)


def _create(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, unless it is there: whole, or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    coming = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(coming, path)
    coming.unlink()
