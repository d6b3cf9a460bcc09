"""Files, archives and folders as portions of text, read once and never held whole.

Whatever the input's size, what is in memory is one portion: a JSON text up to `LARGEST_TEXT`, or
so many lines as make `CHUNK` bytes. What expands beyond reason is refused.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from helsevev.fhir_api.bulk_import.portion import Fault, Portion

LARGEST_TEXT: Final = 64 * 1024 * 1024
"""Most bytes of one JSON text: it is decoded whole."""

LONGEST_LINE: Final = 16 * 1024 * 1024
"""Most bytes of one line of NDJSON, as much as the API takes for one resource."""

CHUNK: Final = 1024 * 1024
MOST_EXPANSION: Final = 250
"""How many times larger than the file its text may be; records shrink to a tenth or so."""

_UNSUSPICIOUS: Final = 64 * 1024 * 1024
_LINES: Final = (".ndjson", ".jsonl")
_PACKED: Final = (".gz", ".bz2")
_BROKEN: Final = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
                  NotImplementedError, RuntimeError)  # fmt: skip


class Unreadable(Exception):
    """A file or an archive's member that cannot be read on; the message says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be read, and how many bytes it has."""

    path: Path
    size: int


def sources(paths: Iterable[Path]) -> list[Source]:
    """The files meant: a folder means those below it that look like FHIR, in sorted order.

    Raises `Unreadable` for a path that does not exist, or a folder with nothing to import.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if looks_like_input(p.name) and p.is_file())
            if not files:
                raise Unreadable(f"{path} holds no .json, .ndjson or .zip file.")
        elif path.is_file():
            files = [path]
        else:
            raise Unreadable(f"{path} does not exist.")
        found.update({each: Source(each, each.stat().st_size) for each in files})
    return list(found.values())


def looks_like_input(name: str) -> bool:
    """Whether a file of this name is read when its folder or archive is imported."""
    plain = _plain(name)
    return plain.endswith((".json", *_LINES)) or (plain == name.lower() and plain.endswith(".zip"))


class Reader:
    """Reads one source after another; `done` counts the bytes of the files read so far."""

    def __init__(self, everything: Iterable[Source]) -> None:
        self.total = sum(source.size for source in everything)
        self._before = 0
        self._raw: IO[bytes] | None = None
        self._serial = 0

    @property
    def done(self) -> int:
        """Bytes read of `total`."""
        here = self._raw.tell() if self._raw and not self._raw.closed else 0
        return min(self._before + here, self.total)

    def passed(self, source: Source) -> None:
        """Count a source as read, whatever of it could be."""
        self._before += source.size

    def of(self, source: Source) -> Iterator[Portion | Fault]:
        """The portions of one file."""
        name = str(source.path)
        try:
            with source.path.open("rb") as raw:
                self._raw = raw
                start = raw.read(4)
                raw.seek(0)
                if start == b"PK\x03\x04" or name.lower().endswith(".zip"):
                    yield from self._archive(raw, name)
                else:
                    yield from self._stream(raw, name, source.size, start)
        except Unreadable as problem:
            yield Fault(name, str(problem))
        except _BROKEN as problem:
            yield Fault(name, _why(problem))
        finally:
            self._raw = None

    def _archive(self, raw: IO[bytes], name: str) -> Iterator[Portion | Fault]:
        with zipfile.ZipFile(raw) as archive:
            for member in sorted(archive.infolist(), key=lambda info: info.filename):
                if member.is_dir() or not looks_like_input(member.filename):
                    continue
                inside = f"{name}/{member.filename}"
                if member.filename.lower().endswith(".zip"):
                    yield Fault(inside, "An archive within an archive is not opened.")
                    continue
                try:
                    with archive.open(member) as stream:
                        start = cast("zipfile.ZipExtFile", stream).peek(4)[:4]
                        yield from self._stream(stream, inside, member.compress_size, start)
                except Unreadable as problem:
                    yield Fault(inside, str(problem))
                except _BROKEN as problem:
                    yield Fault(inside, _why(problem))

    def _stream(
        self, raw: IO[bytes], name: str, size: int, start: bytes
    ) -> Iterator[Portion | Fault]:
        stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File = raw
        if start.startswith(b"\x1f\x8b"):
            stream = gzip.GzipFile(fileobj=raw)
        elif start.startswith(b"BZh"):
            stream = bz2.BZ2File(raw)
        text = _Bounded(stream, max(size * MOST_EXPANSION, _UNSUSPICIOUS))
        for first_line, piece in _pieces(text, _plain(name).endswith(_LINES)):
            self._serial += 1
            yield Portion(self._serial, name, first_line, piece)


class _Bounded:
    """A stream that refuses to give more than `most` bytes."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int) -> bytes:
        found = self._stream.read(min(size, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise Unreadable(
                f"It expands to more than {MOST_EXPANSION} times its size; unpack it first."
            )
        return found


def _pieces(text: _Bounded, in_lines: bool) -> Iterator[tuple[int, bytes]]:
    """`(first line, lines)` of NDJSON, or `(0, all of it)` of one JSON text."""
    begun = _read(text, CHUNK)
    if not begun.strip() and len(begun) < CHUNK:
        raise Unreadable("The file is empty.")
    if not in_lines and not _begins_with_whole_line(begun):
        yield 0, begun + _rest(text, LARGEST_TEXT - len(begun))
        return
    line = 1
    while begun:
        more = _read(text, CHUNK)
        end = begun.rfind(b"\n") + 1
        if not more:
            yield line, begun
        elif end:
            yield line, begun[:end]
            line += begun.count(b"\n", 0, end)
        elif len(begun) + len(more) > LONGEST_LINE:
            raise Unreadable(f"Line {line} is longer than {LONGEST_LINE} bytes.")
        begun = begun[end:] + more if more else b""


def _begins_with_whole_line(begun: bytes) -> bool:
    """Whether this is NDJSON under another name: `{…}` on the first line, and another `{` next."""
    first, _, rest = begun.partition(b"\n")
    return first.rstrip().endswith(b"}") and first.startswith(b"{") and rest.lstrip()[:1] == b"{"


def _read(text: _Bounded, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    pieces = io.BytesIO()
    while pieces.tell() < size and (found := text.read(size - pieces.tell())):
        pieces.write(found)
    return pieces.getvalue()


def _rest(text: _Bounded, most: int) -> bytes:
    found = _read(text, most + 1)
    if len(found) > most:
        raise Unreadable(
            f"One JSON text holds {LARGEST_TEXT} bytes at most; write its resources as NDJSON."
        )
    return found


def _plain(name: str) -> str:
    """The name without what says how it is packed."""
    lower = name.lower()
    for ending in _PACKED:
        lower = lower.removesuffix(ending)
    return lower


def _why(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return f"It cannot be read: {problem.strerror}."
    return f"It cannot be read: {problem or type(problem).__name__}."
