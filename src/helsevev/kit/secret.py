"""Secrets of one data folder: made at first use, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from helsevev.kit.settings import BadSetting, Settings

_OTHERS = 0o007
_GROUP_WRITES = 0o020


def secret(data: Path, name: str) -> str:
    """The secret `name` of a data folder, 43 characters fit for a URL; always the same one."""
    path = data / f"{name}.secret"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        # Whole from the first moment it can be read, and the first to be made stays.
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text()


def must_be_private(settings: Settings) -> None:
    """Raises `BadSetting` when a file with a key or secret is open to others than its owner.

    Its group may read it, as services are given keys; nobody but the owner may write it.
    """
    for path in _secret_files(settings):
        mode = path.stat().st_mode
        if mode & (_OTHERS | _GROUP_WRITES):
            told = f"{path} holds a secret and is open to others (mode {mode & 0o777:o})"
            raise BadSetting(f"{told}. Put that right with: chmod 600 {path}")


def _secret_files(settings: Settings) -> Iterator[Path]:
    for folder in (settings.data, settings.audit_keys or settings.data / "audit-log"):
        for kind in ("*.secret", "*.pem", "*.key"):
            yield from sorted(folder.glob(kind))
    for issuer in (settings.staff_issuer, settings.inhabitant_issuer):
        if issuer is not None and issuer.key_file.exists():
            yield issuer.key_file
