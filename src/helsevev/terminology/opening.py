"""Opens a distribution: one file, a folder of files, or an archive of them, packed or not."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from .shapes import BadDistribution

READERS: Final = "1"
"""Part of every fingerprint: a new number makes what was loaded before be loaded anew."""

_BLOCK: Final = 1 << 20
_TAR: Final = (".tgz", ".tar.gz", ".tar")
_IGNORED: Final = re.compile(r"(^|/)(\.|__MACOSX)")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a distribution: its path inside it, and how its bytes are read."""

    name: str
    open: Callable[[], IO[bytes]]

    @property
    def bare(self) -> str:
        """The name without folders."""
        return self.name.rpartition("/")[2]

    def text(self) -> io.TextIOWrapper:
        """The file as text: UTF-8, or Windows-1252 where it is not."""
        with closing(self.open()) as stream:
            head = stream.read(_BLOCK)
        try:
            head[: -4 if len(head) == _BLOCK else None].decode("utf-8")
            encoding = "utf-8-sig"
        except UnicodeDecodeError:
            encoding = "cp1252"
        return io.TextIOWrapper(self.open(), encoding=encoding, newline="")


def files(path: Path) -> list[File]:
    """The files of a distribution in order of their names. Raises `BadDistribution`."""
    if not path.exists():
        raise BadDistribution(f"There is no {path}.")
    try:
        found = list(_files(path))
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as problem:
        raise BadDistribution(f"{path} cannot be read: {problem}") from problem
    return sorted((file for file in found if not _IGNORED.search(file.name)), key=lambda f: f.name)


def _files(path: Path) -> Iterator[File]:
    if path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.is_file():
                for file in _files(each):
                    yield File((each.parent.relative_to(path) / file.name).as_posix(), file.open)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield File(name.removesuffix(".gz"), _zipped(path, name))
    elif path.name.endswith(_TAR):
        with tarfile.open(path) as packed:
            for member in packed.getmembers():
                if member.isfile():
                    yield File(member.name, _tarred(path, member.name))
    else:
        name = path.name.removesuffix(".gz").removesuffix(".bz2")
        yield File(name, _plain(path))


def _plain(path: Path) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        if path.suffix == ".gz":
            return cast("IO[bytes]", gzip.open(path, "rb"))
        if path.suffix == ".bz2":
            return cast("IO[bytes]", bz2.open(path, "rb"))
        return path.open("rb")

    return opened


def _zipped(path: Path, name: str) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        # A member's stream keeps its archive open for as long as it is read.
        with zipfile.ZipFile(path) as archive:
            stream = archive.open(name)
        return cast("IO[bytes]", gzip.open(stream, "rb")) if name.endswith(".gz") else stream

    return opened


def _tarred(path: Path, name: str) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        with tarfile.open(path) as packed:
            stream = packed.extractfile(name)
            assert stream is not None
            return io.BytesIO(stream.read())

    return opened


def fingerprint(path: Path, *more: str) -> str:
    """What tells this content from any other: a digest of every byte, and of what else counts."""
    digest = hashlib.sha256(READERS.encode())
    for each in more:
        digest.update(b"\0" + each.encode())
    for part in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(part.name.encode() + b"\0")
        with part.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
