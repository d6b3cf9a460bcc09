"""The files of an export: lines or Parquet, in parts of a limited size, with their checksums."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from helsevev.fhir import serialization

LARGEST_PART: Final = 512 * 1024 * 1024
"""Bytes after which NDJSON goes on in another file, so that clients can fetch several at once."""

LARGEST_TABLE: Final = 32 * 1024 * 1024
"""Bytes of values after which Parquet goes on in another file: a file is written from memory."""


MOST_GATHERED: Final = 64 * 1024 * 1024
"""Bytes of values that wait in memory, of all tables together."""


class Written(msgspec.Struct, frozen=True):
    """One file: what it holds, how much, and what tells that it is whole."""

    name: str
    type: str
    count: int
    size: int
    sha256: str


class Part:
    """A file being written; nobody else may read it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.size = 0
        self.count = 0
        self._digest = hashlib.sha256()
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes, count: int) -> None:
        """Append bytes that hold `count` resources or rows."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        self.count += count

    def close(self, kind: str) -> Written:
        """The file, kept safely."""
        os.fsync(self._file.fileno())
        self._file.close()
        return Written(self.name, kind, self.count, self.size, self._digest.hexdigest())

    def abandon(self) -> None:
        """Close it as it is."""
        self._file.close()


class Lines:
    """NDJSON: one JSON text a line, of any number of kinds at once."""

    def __init__(self, folder: Path, largest: int = LARGEST_PART, ending: str = "ndjson") -> None:
        self._folder = folder
        self._largest = largest
        self._ending = ending
        self._open: dict[str, Part] = {}
        self._parts: dict[str, int] = {}
        self._done: list[Written] = []

    def write(self, kind: str, lines: Sequence[bytes], count: int | None = None) -> None:
        """Append lines, without their ends, to the file of a kind; `count` when a line is many."""
        part = self._open.get(kind)
        if part is None:
            number = self._parts[kind] = self._parts.get(kind, 0) + 1
            part = self._open[kind] = Part(self._folder, f"{kind}-{number:04}.{self._ending}")
        part.write(b"\n".join([*lines, b""]), len(lines) if count is None else count)
        if part.size >= self._largest:
            self._done.append(self._open.pop(kind).close(kind))

    def close(self) -> list[Written]:
        """All files, in the order of their names."""
        self._done += [part.close(kind) for kind, part in self._open.items()]
        self._open.clear()
        return sorted(self._done, key=lambda written: written.name)

    def abandon(self) -> None:
        """Give up what is open."""
        for part in self._open.values():
            part.abandon()


Cells = Sequence[Sequence[Any]]


class Tables:
    """Parquet: rows of the same columns for each kind, gathered and written as whole files."""

    def __init__(self, folder: Path, largest: int = LARGEST_TABLE) -> None:
        self._folder = folder
        self._largest = largest
        self._gathered: dict[str, list[Any]] = {}
        self._sizes: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self._done: list[Written] = []

    def write(self, kind: str, columns: Sequence[tuple[str, str]], rows: Cells, size: int) -> None:
        """Append rows of about `size` bytes; `columns` are names and types (see `ARROW`)."""
        self._gathered.setdefault(kind, []).append(_batch(columns, rows))
        self._sizes[kind] = self._sizes.get(kind, 0) + size
        if self._sizes[kind] >= self._largest:
            self._flush(kind)
        elif sum(self._sizes.values()) >= MOST_GATHERED:
            self._flush(max(self._sizes, key=lambda each: self._sizes[each]))

    def _flush(self, kind: str) -> None:
        import arro3.core
        import arro3.io

        batches = self._gathered.pop(kind)
        self._sizes.pop(kind)
        number = self._parts[kind] = self._parts.get(kind, 0) + 1
        memory = io.BytesIO()
        arro3.io.write_parquet(
            arro3.core.Table.from_batches(batches), memory, compression="zstd(3)"
        )
        part = Part(self._folder, f"{kind}-{number:04}.parquet")
        part.write(memory.getvalue(), sum(batch.num_rows for batch in batches))
        self._done.append(part.close(kind))

    def close(self) -> list[Written]:
        """All files, in the order of their names."""
        for kind in list(self._gathered):
            self._flush(kind)
        return sorted(self._done, key=lambda written: written.name)

    def abandon(self) -> None:
        """Give up what is gathered."""
        self._gathered.clear()


def _arrow() -> dict[str, Any]:
    from arro3.core import DataType

    texts, whole = DataType.string(), DataType.int64()
    return {"boolean": DataType.bool(), "integer": whole, "decimal": DataType.float64()} | {
        "string": texts
    }


KINDS: Final = {
    "boolean": "boolean", "integer": "integer", "positiveInt": "integer", "unsignedInt": "integer",
    "decimal": "decimal",
}  # fmt: skip
"""FHIR types that have a column type of their own; all others are texts."""


def _batch(columns: Sequence[tuple[str, str]], rows: Cells) -> Any:
    from arro3.core import Array, RecordBatch

    kinds = _arrow()
    arrays = []
    for place, (_, kind) in enumerate(columns):
        arrow = kinds[kind]
        convert = _CONVERT[kind]
        values = [None if row[place] is None else convert(row[place]) for row in rows]
        arrays.append(Array(values, arrow))
    return RecordBatch.from_arrays(arrays, names=[name for name, _ in columns])


def text_cell(value: Any) -> str:
    """A value as a text: JSON when it is more than one primitive."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(getattr(value, "text", value))
    return str(value) if isinstance(value, int) else serialization.encode(value).decode()


def _whole(value: Any) -> int | None:
    return int(value) if -(2**63) <= int(value) < 2**63 else None


_CONVERT: Final[dict[str, Callable[[Any], Any]]] = {
    "boolean": bool, "integer": _whole, "decimal": float, "string": text_cell,
}  # fmt: skip


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8): nothing for null, JSON for what is no primitive."""
    memory = io.StringIO(newline="")
    writer = csv.writer(memory)
    writer.writerows([None if v is None else text_cell(v) for v in row] for row in rows)
    return memory.getvalue().encode()
