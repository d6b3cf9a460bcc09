"""Makes a screenshot small: at most 256 colours in a palette, packed as well as zlib can.

Screens have few colours but for the edges of letters, so that nobody sees the difference.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _RGBA = 2, 6
_MOST_COLOURS = 256


def shrink(png: bytes) -> bytes:
    """The same picture in fewer bytes; for 8-bit RGB or RGBA without interlacing."""
    width, height, channels, packed = _read(png)
    pixels = _unfiltered(zlib.decompress(packed), width, height, channels)
    colours = [pixels[at : at + 3] for at in range(0, len(pixels), channels)]
    counted = Counter(colours)
    palette = [colour for colour, _ in counted.most_common(_MOST_COLOURS)]
    index = {colour: place for place, colour in enumerate(palette)}
    for colour in counted.keys() - index.keys():
        index[colour] = _nearest(colour, palette)
    plain = bytes(index[colour] for colour in colours)
    rows = b"".join(b"\0" + plain[y * width : (y + 1) * width] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return (
        _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"PLTE", b"".join(palette))
        + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    )  # fmt: skip


def _read(png: bytes) -> tuple[int, int, int, bytes]:
    chunks = list(_chunks(png))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or kind not in (_RGB, _RGBA) or interlaced:
        raise ValueError("only 8-bit RGB and RGBA without interlacing")
    channels = 3 if kind == _RGB else 4
    return width, height, channels, b"".join(data for name, data in chunks if name == b"IDAT")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _unfiltered(raw: bytes, width: int, height: int, channels: int) -> bytes:
    stride = width * channels
    above = bytearray(stride)
    out = bytearray()
    for y in range(height):
        start = y * (stride + 1)
        line = bytearray(raw[start + 1 : start + 1 + stride])
        _undo(raw[start], line, above, channels)
        out += line
        above = line
    return bytes(out)


def _undo(kind: int, line: bytearray, above: bytearray, step: int) -> None:
    # PNG's five filters: https://www.w3.org/TR/png/#9Filters
    if kind == 0:
        return
    for x in range(len(line)):
        left = line[x - step] if x >= step else 0
        up = above[x]
        corner = above[x - step] if x >= step else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = _paeth(left, up, corner)
        line[x] = (line[x] + guess) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    base = left + up - corner
    to_left, to_up, to_corner = abs(base - left), abs(base - up), abs(base - corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    red, green, blue = colour
    return min(
        range(len(palette)),
        key=lambda i: (
            (palette[i][0] - red) ** 2 + (palette[i][1] - green) ** 2 + (palette[i][2] - blue) ** 2
        ),
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
