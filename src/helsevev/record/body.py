"""How a resource's bytes are kept: zstd with a dictionary of FHIR, so that small ones shrink.

Every resource begins with its type, id, version and time, and the row has these as columns: a
body is kept without that head, which is put before it again.

Each compressed body names its dictionary, so a better dictionary can be added without touching
what is stored. All dictionaries in use are also kept in the database (table `dictionary`).
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Final

import zstandard

CURRENT_ID: Final = 1
_LEVEL: Final = 5
"""16 bytes of 100 less than level 3, for two microseconds more (level 7: 3 bytes, four)."""

_MAGIC: Final = b"\x28\xb5\x2f\xfd"
"""What frames began with before migration 0008. Frames of now begin with what is in them, and
never so, since they have a checksum (RFC 8878, 3.1.1.1.1)."""


def _load(dictionary_id: int) -> zstandard.ZstdCompressionDict:
    path = files("helsevev.record").joinpath("dictionaries", f"{dictionary_id:04}.zdict")
    return zstandard.ZstdCompressionDict(path.read_bytes())


_dictionary: Final = _load(CURRENT_ID)
_parameters: Final = zstandard.ZstdCompressionParameters.from_level(
    _LEVEL, format=zstandard.FORMAT_ZSTD1_MAGICLESS,
    write_checksum=True, write_content_size=True, write_dict_id=True,
)  # fmt: skip
_dictionary.precompute_compress(compression_params=_parameters)
_compressor: Final = zstandard.ZstdCompressor(dict_data=_dictionary, compression_params=_parameters)
_decompressor: Final = zstandard.ZstdDecompressor(
    dict_data=_dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS
)


_TIME: Final = b'","lastUpdated":"'
_TIME_LENGTH: Final = len(_TIME) + len("2026-01-01T00:00:00.000000Z") + 1


def pack(text: bytes) -> bytes:
    """The stored form of a stamped resource's JSON."""
    return compress(text[text.index(_TIME) + _TIME_LENGTH :])


def unpack(
    packed: bytes, resource_type: str, resource_id: str, version: int, at: datetime
) -> bytes:
    """The exact JSON that was packed, from the body and the row's columns."""
    head = (
        f'{{"resourceType":"{resource_type}","id":"{resource_id}","meta":'
        f'{{"versionId":"{version}","lastUpdated":"{time_text(at)}"'
    )
    return head.encode() + expand(packed)


def time_text(at: datetime) -> str:
    """A time in UTC as `meta.lastUpdated` says it, to the microsecond."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def compress(plain: bytes) -> bytes:
    """The text in a zstd frame without magic number, with a checksum that reading verifies."""
    return _compressor.compress(plain)


def expand(stored: bytes) -> bytes:
    """The exact bytes that were compressed; `zstandard.ZstdError` when they are damaged."""
    if stored.startswith(_MAGIC):
        stored = stored[len(_MAGIC) :]
    return _decompressor.decompress(stored)


def dictionary_bytes() -> bytes:
    """The dictionary in use, as it is kept beside the data."""
    return _dictionary.as_bytes()
