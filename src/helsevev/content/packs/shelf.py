"""All content that is in force: the packs together, an item found by its kind and key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from helsevev.content.packs.item import Item
from helsevev.content.packs.kinds import KINDS
from helsevev.content.packs.pack import PAGE, Pack, read_pack
from helsevev.content.shapes import ContentError

_Kind = TypeVar("_Kind", bound=Item)


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an item that was released: its file in which pack, and for which place.

    `place` is "" where it is for everybody, else the organisation (a reference) that has its own.
    """

    folder: str
    key: str
    version: str
    pack: str
    path: str
    text: str
    place: str = ""

    @property
    def item(self) -> Item:
        """The item that its text is, read once. ContentError where it no longer can be read."""
        return _read(self.folder, self.key, f"{self.pack}/{self.path}", self.text)


@lru_cache(maxsize=4_000)
def _read(folder: str, key: str, name: str, text: str) -> Item:
    kind = KINDS.get(folder)
    if kind is None:
        raise ContentError(f"{name}: no kind of content lies here any longer")
    return kind.read(text, name, key)


class Archive:
    """Every version of every item that was ever released, the newest last for each item."""

    def __init__(self, editions: Iterable[Edition] = ()) -> None:
        """Take them in the order in which they were released."""
        self._of: dict[tuple[str, str], dict[str, Edition]] = {}
        for each in editions:
            self._of.setdefault((each.folder, each.key), {})[each.version] = each

    def one(self, folder: str, key: str, version: str) -> Edition | None:
        """The item as it was in a version, None when there was none."""
        return self._of.get((folder, key), {}).get(version)

    def every(self, folder: str, key: str) -> list[Edition]:
        """Its versions, the newest first."""
        return list(self._of.get((folder, key), {}).values())[::-1]

    def all(self) -> list[Edition]:
        """Every version of every item."""
        return [each for found in self._of.values() for each in found.values()]

    def before(self, folder: str, key: str, place: str, on: date) -> Item | None:
        """The newest version of a place that holds on a day: a later one may not yet."""
        found = (e.item for e in self.every(folder, key) if e.place == place)
        return next((each for each in found if each.holds_on(on)), None)


_NOTHING_KEPT: Final = Archive()


class Shelf:
    """The items of some packs, as they are used: `all(Form)`, `one(Form, "barthel")`.

    It is made once for each release and day, and looked in often.
    """

    def __init__(
        self,
        packs: Iterable[Pack],
        on: date,
        *,
        local: Iterable[tuple[str, Pack]] = (),
        archive: Archive = _NOTHING_KEPT,
    ) -> None:
        """Take what is in force `on` a day; ContentError when two packs have the same item.

        `local` are (organisation, what it has of its own), the nearest last: they go before the
        packs. `archive` has the versions that answers were given to.
        """
        self.packs = tuple(packs)
        self.on = on
        self.archive = archive
        self._items: dict[str, dict[str, Item]] = {}
        self._pack_of: dict[tuple[str, str], str] = {}
        self._place_of: dict[tuple[str, str], str] = {}
        for pack in self.packs:
            if pack.about.holds_on(on):
                self._take(pack)
        for place, pack in local:
            self._lay_over(place, pack)
        self._shown = {kind: MappingProxyType(found) for kind, found in self._items.items()}

    def _take(self, pack: Pack) -> None:
        for folder, key, item in pack.every():
            if other := self._pack_of.get((folder, key)):
                raise ContentError(f"{folder}/{key} is in {other} and in {pack.key}")
            self._put(pack.key, folder, key, item, "")

    def _lay_over(self, place: str, pack: Pack) -> None:
        for folder, key, item in pack.every():
            self._put(pack.key, folder, key, item, place)

    def _put(self, pack: str, folder: str, key: str, item: Item, place: str) -> None:
        held: Item | None = item
        if not item.holds_on(self.on):
            held = (
                self.archive.before(folder, key, place, self.on) if item.is_later(self.on) else None
            )
        if held is None:
            return
        self._pack_of[folder, key] = pack
        self._items.setdefault(folder, {})[key] = held
        if place:
            self._place_of[folder, key] = place

    def all(self, kind: type[_Kind]) -> Mapping[str, _Kind]:
        """Every item of a kind, by key."""
        found: Mapping[str, Any] = self._shown.get(kind.folder, _EMPTY)
        return found

    def one(self, kind: type[_Kind], key: str) -> _Kind | None:
        """The item of a kind with this key, None when there is none in force."""
        return self.all(kind).get(key)

    def version(self, kind: type[_Kind], key: str, version: str) -> _Kind | None:
        """The item as it was in a version, in force or not; None when there was no such version.

        What somebody answered, planned or wrote by is shown by the version that it names.
        """
        current = self.one(kind, key)
        if current is not None and current.version == version:
            return current
        found = self.archive.one(kind.folder, key, version)
        return None if found is None else found.item  # type: ignore[return-value]

    def pack_of(self, kind: type[Item], key: str) -> str:
        """The key of the pack that an item in force is in, "" when there is none."""
        return self._pack_of.get((kind.folder, key), "")

    def local_of(self, kind: type[Item], key: str) -> str:
        """The organisation (a reference) that has this item its own way here, "" when it has not.

        Whoever uses such an item is shown that it is adapted locally.
        """
        return self._place_of.get((kind.folder, key), "")


_EMPTY: Final[Mapping[str, Item]] = MappingProxyType({})


@cache
def built_in() -> tuple[Pack, ...]:
    """The packs that come with the program, by name."""
    root = files("helsevev.content") / "disciplines"
    folders = sorted((each for each in root.iterdir() if each.is_dir()), key=lambda x: x.name)
    return tuple(read_pack(each.name, dict(texts_in(each))) for each in folders
                 if each.joinpath(PAGE).is_file())  # fmt: skip


def texts_in(folder: Traversable, inside: str = "") -> Iterable[tuple[str, str]]:
    """(path inside, text) of every file of a folder of content."""
    for each in sorted(folder.iterdir(), key=lambda x: x.name):
        path = f"{inside}{each.name}"
        if each.name.startswith((".", "__")):
            continue
        if each.is_dir():
            yield from texts_in(each, f"{path}/")
        else:
            yield path, each.read_text(encoding="utf-8")
