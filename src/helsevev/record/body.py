"""How a resource's bytes are kept: zstd with a dictionary of FHIR, so that small ones shrink.

Each compressed body names its dictionary, so a better dictionary can be added without touching
what is stored. All dictionaries in use are also kept in the database (table `dictionary`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import zstandard

CURRENT_ID: Final = 1
_LEVEL: Final = 3


def _load(dictionary_id: int) -> zstandard.ZstdCompressionDict:
    path = files("helsevev.record").joinpath("dictionaries", f"{dictionary_id:04}.zdict")
    return zstandard.ZstdCompressionDict(path.read_bytes())


_dictionary: Final = _load(CURRENT_ID)
_dictionary.precompute_compress(level=_LEVEL)
_compressor: Final = zstandard.ZstdCompressor(
    level=_LEVEL, dict_data=_dictionary, write_checksum=True, write_content_size=True
)
_decompressor: Final = zstandard.ZstdDecompressor(dict_data=_dictionary)


def compress(plain: bytes) -> bytes:
    """The stored form of a resource's JSON, with a checksum that reading verifies."""
    return _compressor.compress(plain)


def expand(stored: bytes) -> bytes:
    """The exact JSON bytes that were stored; raises `zstandard.ZstdError` when they are damaged."""
    return _decompressor.decompress(stored)


def dictionary_bytes() -> bytes:
    """The dictionary in use, as it is kept beside the data."""
    return _dictionary.as_bytes()
