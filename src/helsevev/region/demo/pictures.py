"""Pictures that are drawn, for those places where a demo needs a photo of nobody."""

from __future__ import annotations

import struct
import zlib
from functools import cache

_WIDTH, _HEIGHT = 480, 360
_SHEET, _SKIN, _CAST, _SHADE = (206, 214, 214), (222, 176, 150), (244, 242, 236), (216, 212, 202)


@cache
def photo_of_a_cast() -> bytes:
    """A forearm in plaster on a sheet, as a PNG (https://www.w3.org/TR/png/)."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(_WIDTH) for value in _colour(x, y))
        for y in range(_HEIGHT)
    )
    size = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _colour(x: int, y: int) -> tuple[int, int, int]:
    # The arm narrows towards the hand; four fingers and a thumb stick out of the plaster.
    middle, half = 180, 92 - x // 9
    off = abs(y - middle)
    if x < 300 and off < half:
        return _SHADE if (x + 2 * y) % 37 < 3 or off > half - 6 else _CAST
    if 300 <= x < 380 and off < half - 4:
        return _SKIN
    if 380 <= x < 450 and off < 46 and (y - middle) % 23 > 3:
        return _SKIN
    if 310 <= x < 370 and -90 + (x - 310) // 2 < y - middle < -40:
        return _SKIN
    return _SHEET


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
