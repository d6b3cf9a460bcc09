"""All content that is in force: the packs together, an item found by its kind and key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from helsevev.content.packs.item import Item
from helsevev.content.packs.pack import Pack, read_pack
from helsevev.content.shapes import ContentError

_Kind = TypeVar("_Kind", bound=Item)


class Shelf:
    """The items of some packs, as they are used: `all(Form)`, `one(Form, "barthel")`."""

    def __init__(self, packs: Iterable[Pack], on: date) -> None:
        """Take what is in force `on` a day; ContentError when two packs have the same item."""
        self.packs = tuple(packs)
        self._items: dict[str, dict[str, Item]] = {}
        self._pack_of: dict[tuple[str, str], str] = {}
        for pack in self.packs:
            for folder, items in pack.items.items():
                for key, item in items.items():
                    if not item.holds_on(on):
                        continue
                    if other := self._pack_of.get((folder, key)):
                        raise ContentError(f"{folder}/{key} is in {other} and in {pack.key}")
                    self._pack_of[folder, key] = pack.key
                    self._items.setdefault(folder, {})[key] = item

    def all(self, kind: type[_Kind]) -> Mapping[str, _Kind]:
        """Every item of a kind, by key."""
        return self._items.get(kind.folder, {})  # type: ignore[return-value]

    def one(self, kind: type[_Kind], key: str) -> _Kind | None:
        """The item of a kind with this key, None when there is none in force."""
        return self.all(kind).get(key)


@cache
def built_in() -> tuple[Pack, ...]:
    """The packs that come with the program, by name."""
    root = files("helsevev.content") / "disciplines"
    folders = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda x: x.name)
    return tuple(read_pack(folder.name, dict(_texts(folder))) for folder in folders)


def _texts(folder: Traversable, inside: str = "") -> Iterable[tuple[str, str]]:
    for each in folder.iterdir():
        path = f"{inside}{each.name}"
        if each.is_dir():
            yield from _texts(each, f"{path}/")
        else:
            yield path, each.read_text(encoding="utf-8")
