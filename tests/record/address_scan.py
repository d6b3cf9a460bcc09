"""Looks for words in bytes as they travel: packed, escaped, encoded, in whatever case."""

from __future__ import annotations

import base64
import gzip
import html
import io
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_plus, unquote_to_bytes

import arro3.io
import zstandard

_WRITTEN_OTHERWISE = re.compile(r"\\u|[&<%]")
_TAG = re.compile(r"<[^>]*>")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PAR1"
_FLATE = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def found_in(data: bytes, words: Iterable[str]) -> set[str]:
    """Those of the words (lower case) that the bytes hold in any form."""
    wanted = list(words)
    hits: set[str] = set()
    for piece in _pieces(data, 3):
        for text in _readings(piece):
            hits.update(word for word in wanted if word in text)
    return hits


def _pieces(data: bytes, deep: int) -> Iterator[bytes]:
    """The bytes, and whatever is packed or encoded in them."""
    yield data
    if not deep:
        return
    for inner in _unpacked(data):
        yield from _pieces(inner, deep - 1)
    if decoded := b"\n".join(_decoded(match) for match in _BASE64.findall(data)):
        yield from _pieces(decoded, deep - 1)


def _decoded(match: bytes) -> bytes:
    text = match.rstrip(b"=").translate(_URL_SAFE)
    usable = text[: len(text) - (len(text) % 4 == 1)]
    return base64.b64decode(usable + b"=" * (-len(usable) % 4))


def _unpacked(data: bytes) -> Iterator[bytes]:
    place = data.find(_GZIP)
    while place >= 0:
        try:
            yield zlib.decompressobj(31).decompress(data[place:])
        except zlib.error:
            pass
        place = data.find(_GZIP, place + 1)
    place = data.find(_ZSTD)
    while place >= 0:
        try:
            yield zstandard.ZstdDecompressor().stream_reader(data[place:]).read()
        except zstandard.ZstdError:
            pass
        place = data.find(_ZSTD, place + 1)
    for stream in _FLATE.findall(data):
        try:
            yield zlib.decompress(stream)
        except zlib.error:
            pass
    if data.startswith(_PARQUET):
        yield _rows_of_parquet(data)


def _rows_of_parquet(data: bytes) -> bytes:
    cells: list[str] = []
    for batch in arro3.io.read_parquet(io.BytesIO(data)):
        for number in range(batch.num_columns):
            cells += map(str, batch.column(number).to_pylist())
    return "\n".join(cells).encode()


def _readings(data: bytes) -> Iterator[str]:
    """What the bytes say, in the ways in which a text may be written."""
    text = data.decode("utf-8", "replace")
    yield from _forms(text)
    if b"\xc3" not in data and any(byte > 127 for byte in data[:4096]):
        yield data.decode("latin-1").lower()
        yield data.decode("utf-16-le", "replace").lower()


def _forms(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFC", text).lower()
    yield plain
    if not _WRITTEN_OTHERWISE.search(text):
        return
    if "\\u" in text:
        yield _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).lower()
    if "&" in text or "<" in text:
        read = html.unescape(plain)
        yield read.replace("\xa0", " ")
        yield _TAG.sub("", read).replace("\xa0", " ")
    if "%" in text:
        yield unquote_plus(text).lower()
        yield unquote_to_bytes(text).decode("latin-1").lower()


def forms_of(text: str) -> list[bytes]:
    """The same text as it may travel, to try the scan on."""
    page = "".join(f"&#{ord(letter)};" if ord(letter) > 127 else letter for letter in text)
    escaped = "".join(f"\\u{ord(letter):04x}" if ord(letter) > 127 else letter for letter in text)
    raw = text.encode()
    return [
        raw, text.upper().encode(), page.encode(), escaped.encode(), b"%".join([b"", b"x"]) + raw,
        "".join(f"%{byte:02X}" for byte in raw).encode(),
        base64.b64encode(b"Til " + raw + b", Oslo"),
        gzip.compress(b"<p>" + raw + b"</p>"), zstandard.compress(b"{" + raw + b"}"),
        b"PK" + gzip.compress(base64.b64encode(b"brev til " + raw)), text.encode("latin-1"),
        b"%PDF-1.4\nstream\n" + zlib.compress(raw) + b"\nendstream",
    ]  # fmt: skip
