"""A pack: its own page, and its items by kind, from nothing but the texts of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Final, TypeVar

import msgspec

from helsevev.content.loading import read
from helsevev.content.packs.item import Change, Item
from helsevev.content.packs.kinds import KINDS
from helsevev.content.shapes import ContentError, Document

PAGE: Final = "pack.toml"
_Kind = TypeVar("_Kind", bound=Item)


class About(Document, frozen=True, kw_only=True):
    """A pack's own page: whose it is, for which discipline, which edition, and when it holds."""

    discipline: str
    effective_from: date
    effective_to: date | None = None
    changelog: tuple[Change, ...] = ()

    def holds_on(self, day: date) -> bool:
        """Whether the pack is in force on a day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """One pack as it was read: `items` by folder and key, `files` the texts it was read from."""

    key: str
    about: About
    items: Mapping[str, Mapping[str, Item]]
    files: Mapping[str, str]

    def of(self, kind: type[_Kind]) -> Mapping[str, _Kind]:
        """Its items of one kind, by key."""
        return self.items.get(kind.folder, {})  # type: ignore[return-value]

    def every(self) -> Iterator[tuple[str, str, Item]]:
        """(folder, key, item) of all that it holds."""
        for folder, items in self.items.items():
            for key, item in items.items():
                yield folder, key, item


def read_about(text: str, key: str) -> About:
    """A pack's page from its text. ContentError says what does not fit."""
    return read(text, About, f"{key}/{PAGE}")


def read_pack(key: str, files: Mapping[str, str]) -> Pack:
    """The pack whose files (path inside the pack -> text) these are.

    ContentError says which file does not fit and why; a file that no kind reads is refused too.
    """
    if PAGE not in files:
        raise ContentError(f"{key}: has no {PAGE}")
    items: dict[str, dict[str, Item]] = {}
    for path, text in sorted(files.items()):
        if path == PAGE:
            continue
        kind, stem = kind_of(path, key)
        found = items.setdefault(kind.folder, {})
        if stem in found:
            raise ContentError(f"{key}/{path}: {stem} occurs twice")
        found[stem] = kind.read(text, f"{key}/{path}", stem)
    return Pack(key=key, about=read_about(files[PAGE], key), items=items, files=files)


def kind_of(path: str, pack: str) -> tuple[type[Item], str]:
    """The kind of content that a file of a pack is, and its key.

    ContentError where no kind lies there.
    """
    place = PurePosixPath(path)
    kind = KINDS.get(str(place.parent))
    if kind is None:
        known = ", ".join(sorted(KINDS))
        raise ContentError(f"{pack}/{path}: no kind of content lies here; there are {known}")
    return kind, place.stem
