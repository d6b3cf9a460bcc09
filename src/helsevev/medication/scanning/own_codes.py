"""The codes that we print ourselves: a patient's wristband and the label of a prepared dose.

A code names one thing and nothing about anybody. It is written with capital letters and digits
alone, which a scanner that types sends alike on every keyboard, and ends in a checksum, so that no
letter that was lost or changed makes another code.
"""

from __future__ import annotations

import zlib
from base64 import b32decode, b32encode
from binascii import Error
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

_WRISTBAND: Final = "HVP"
_PREPARED: Final = "HVD"
_CHECK_BYTES: Final = 4
_MOMENT: Final = "%Y%m%dT%H%MZ"


class Damaged(ValueError):
    """It begins as one of our codes, and is none."""


class Wristband(Struct, frozen=True):
    """Whose wristband it is: the id of a Patient."""

    patient_id: str


class Prepared(Struct, frozen=True):
    """Which planned dose was prepared (`key` as in `administration.DUE`), and how long it keeps."""

    key: str
    expires: datetime


def wristband(patient_id: str) -> str:
    """The code on a patient's wristband."""
    return _WRISTBAND + _packed(patient_id)


def prepared(key: str, expires: datetime) -> str:
    """The code on the label of a prepared dose."""
    return _PREPARED + _packed(f"{key}|{expires.astimezone(UTC).strftime(_MOMENT)}")


def read(code: str) -> Wristband | Prepared | None:
    """What one of our codes says; None for any other code. Raises `Damaged`."""
    said = code.strip().upper()
    if said.startswith(_WRISTBAND):
        return Wristband(_unpacked(said[len(_WRISTBAND) :]))
    if said.startswith(_PREPARED):
        key, _, moment = _unpacked(said[len(_PREPARED) :]).rpartition("|")
        try:
            expires = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
        except ValueError:
            raise Damaged(code) from None
        return Prepared(key, expires)
    return None


def _packed(text: str) -> str:
    body = text.encode()
    checked = body + zlib.crc32(body).to_bytes(_CHECK_BYTES)
    return b32encode(checked).decode().rstrip("=")


def _unpacked(packed: str) -> str:
    try:
        checked = b32decode(packed + "=" * (-len(packed) % 8))
        body, check = checked[:-_CHECK_BYTES], checked[-_CHECK_BYTES:]
        said = body.decode()
    except (Error, UnicodeDecodeError):
        raise Damaged(packed) from None
    # The last letter of base 32 has bits that say nothing: only the one way to write it counts.
    if not body or zlib.crc32(body).to_bytes(_CHECK_BYTES) != check or _packed(said) != packed:
        raise Damaged(packed)
    return said
