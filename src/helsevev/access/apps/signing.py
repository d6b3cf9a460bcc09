"""The key by which id_tokens are signed: made at first use, in a file for its owner alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import RSAKey

ALGORITHM: Final = "RS256"
"""What every SMART client has to be able to check."""

_BITS: Final = 2048
_NAME: Final = "apps-signing.pem"


class SigningKey:
    """Signs for one data folder; without a folder by a key of this process alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._key: RSAKey | None = None

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a signed JWT."""
        key = self._loaded()
        return jwt.encode({"alg": ALGORITHM, "kid": key.thumbprint()}, claims, key)

    def public(self) -> dict[str, Any]:
        """The JWKS by which others check what was signed."""
        key = self._loaded()
        told = key.as_dict(private=False)
        return {"keys": [{**told, "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}]}

    def _loaded(self) -> RSAKey:
        if self._key is None:
            self._key = _new() if self._folder is None else _kept(self._folder / _NAME)
        return self._key


def _new() -> RSAKey:
    return RSAKey.generate_key(_BITS)


def _kept(path: Path) -> RSAKey:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written whole before it has its name: another process never reads half a key.
        draft = path.with_name(f"{_NAME}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(_new().as_pem(private=True))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return RSAKey.import_key(path.read_bytes())
