"""The professional content that is in force, for pages, rules and jobs.

What comes with the program is in force until somebody releases the pack anew; what an organisation
has of its own goes before both, for those who work there. Every process knows all of it, and asks
once a second whether there is a new release.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.content.packs.item import Item
from helsevev.content.packs.pack import PAGE, Pack, read_about
from helsevev.content.packs.shelf import Archive, Edition, Shelf, built_in
from helsevev.content.shapes import ContentError
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.record.connection import Connection
from helsevev.record.database import Database
from helsevev.record.statements import load

_SQL: Final = load("content")
_FRESH_FOR: Final = 1.0
"""Seconds for which what was read is held to be what stands."""
_log: Final = logging.getLogger(__name__)

USED_AT: Final[ContextVar[tuple[str, ...]]] = ContextVar("content_used_at", default=())
"""The unit of who asks and all that it is part of, nearest first: whose content is used."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a pack holds from a release on: `items` is path -> version. `page` is its pack.toml.

    `place` is "" for everybody, else the organisation that has it of its own; `back_to` the number
    of the release that this one brought back.
    """

    number: int
    place: str
    pack: str
    version: str
    effective_from: date
    page: str
    items: Mapping[str, str]
    words: str
    back_to: int | None
    released_at: datetime
    released_by: str
    released_by_name: str
    reviewed_by: str
    reviewed_by_name: str


@dataclass(slots=True)
class Standing:
    """All that was ever released, and what of it is in force where."""

    number: int
    releases: Sequence[Release] = ()
    archive: Archive = field(default_factory=Archive)
    unreadable: dict[str, str] = field(default_factory=dict)
    """Files (place, pack, path) that this program cannot read, and why: they are not in force."""
    _shelves: dict[tuple[str, ...], Shelf] = field(default_factory=dict)
    _packs: dict[int, Pack] = field(default_factory=dict)

    def in_force(self, pack: str, place: str, on: date) -> Release | None:
        """The newest release of a pack for a place that has come into force by a day."""
        found = (r for r in reversed(self.releases) if r.pack == pack and r.place == place)
        return next((each for each in found if each.effective_from <= on), None)

    def shelf(self, organisations: Sequence[str], on: date) -> Shelf:
        """What is in force on a day for who works in these organisations, nearest first."""
        local = {each.place for each in self.releases if each.place}
        places = tuple(each for each in reversed(organisations) if each in local)
        shelf = self._shelves.get(places)
        if shelf is None or shelf.on != on:
            if len(self._shelves) > _MOST_SHELVES:
                self._shelves.clear()
            shelf = self._shelves[places] = self._made(places, on)
        return shelf

    def packs(self, on: date, place: str = "") -> list[Pack]:
        """The packs that are in force on a day: for everybody, or what a place has of its own."""
        keys = dict.fromkeys(each.pack for each in self.releases if each.place == place)
        released = {key: self.in_force(key, place, on) for key in keys}
        found = {key: self.pack(each) for key, each in released.items() if each is not None}
        if not place:
            found = {each.key: each for each in built_in()} | found
        return [found[key] for key in sorted(found)]

    def pack(self, release: Release) -> Pack:
        """The pack as it was released, without what this program cannot read."""
        if (known := self._packs.get(release.number)) is not None:
            return known
        items: dict[str, dict[str, Item]] = {}
        texts = {PAGE: release.page}
        for path, version in release.items.items():
            folder, _, name = path.rpartition("/")
            key = name.rpartition(".")[0]
            edition = self.archive.one(folder, key, version)
            try:
                if edition is None:
                    raise ContentError(f"{release.pack}/{path}: version {version} is missing")
                items.setdefault(folder, {})[key] = edition.item
                texts[path] = edition.text
            except ContentError as problem:
                named = " ".join(filter(None, (release.place, f"{release.pack}/{path}")))
                if named not in self.unreadable:
                    _log.error("content is not in force, for it cannot be read: %s", problem)
                self.unreadable[named] = str(problem)
        about = read_about(release.page, release.pack)
        made = Pack(key=release.pack, about=about, items=items, files=texts)
        self._packs[release.number] = made
        return made

    def _made(self, places: tuple[str, ...], on: date) -> Shelf:
        local = [(place, pack) for place in places for pack in self.packs(on, place)]
        return Shelf(self.packs(on), on, local=local, archive=self.archive)


_MOST_SHELVES: Final = 200


class Packs:
    """Knows what is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._standing = Standing(-1)
        self._until = 0.0
        self._looking = asyncio.Lock()

    async def current(self, actor: Actor | None = None) -> Shelf:
        """All content that is in force today where `actor` works.

        Without one: where the one who asks for the page works, and else what is for everybody.
        """
        organisations = USED_AT.get() if actor is None else actor.organisations
        return (await self.standing()).shelf(organisations, today())

    async def standing(self) -> Standing:
        """All that was released, as of at most a second ago."""
        if time.monotonic() >= self._until:
            async with self._looking:
                if time.monotonic() >= self._until:
                    await self._look()
        return self._standing

    async def _look(self) -> None:
        began = time.monotonic()
        number: int = await self._database.fetchval(_SQL["state"])
        if number != self._standing.number:
            self._standing = await read_standing(self._database, number)
        self._until = began + _FRESH_FOR

    def forget(self) -> None:
        """Look again the next time: something was released."""
        self._until = 0.0

    async def keep_built_in(self) -> None:
        """Keep what comes with the program, for when a later one comes with something else.

        A version that nobody has approved may still change; one that was approved is what it was.
        """
        kept = (await read_standing(self._database, 0)).archive
        new: list[Edition] = []
        for edition in editions_of(built_in()):
            there = kept.one(edition.folder, edition.key, edition.version)
            if there is None:
                new.append(edition)
            elif there.text == edition.text:
                continue
            elif there.place or there.item.status != "draft":
                _log.error(
                    "%s/%s is not what was released as version %s: raise its version",
                    edition.pack, edition.path, edition.version,
                )  # fmt: skip
            else:
                await self._database.execute(
                    _SQL["rewrite_draft"], edition.folder, edition.key, edition.version,
                    edition.text, edition.path, edition.pack,
                )  # fmt: skip
        for place, pack, editions in _by_pack(new):
            await self._database.execute(_SQL["keep_items"], *columns(editions, place, pack))
        self._standing = Standing(-1)
        self.forget()


def today() -> date:
    """The day by which content is in force."""
    return clock.now().astimezone(OSLO).date()


async def read_standing(database: Database | Connection, number: int) -> Standing:
    """All that was released by now; `number` is the newest that is known to be there."""
    rows = await database.fetch(_SQL["releases"])
    releases = [
        Release(number, place, pack, version, since, page, json.loads(items), *more)
        for number, place, pack, version, since, page, items, *more in rows
    ]
    found = await database.fetch(_SQL["items"])
    archive = Archive(
        Edition(folder=folder, key=key, version=version, pack=pack, path=path, text=text, place=at)
        for folder, key, version, pack, path, text, at in found
    )  # fmt: skip
    # Read first: what has come since is read again.
    return Standing(number, releases, archive)


def editions_of(packs: Iterable[Pack], place: str = "") -> list[Edition]:
    """Every item of some packs as the version that it is."""
    return [
        Edition(folder=folder, key=key, version=pack.items[folder][key].version, pack=pack.key,
                path=path, text=text, place=place)
        for pack in packs
        for path, text in pack.files.items() if path != PAGE
        for folder, key in [place_of(path)]
    ]  # fmt: skip


def place_of(path: str) -> tuple[str, str]:
    """(folder, key) of a file of a pack."""
    folder, _, name = path.rpartition("/")
    return folder, name.rpartition(".")[0]


def columns(editions: Sequence[Edition], place: str, pack: str) -> tuple[object, ...]:
    """What `keep_items` is run with."""
    return (
        [each.folder for each in editions], [each.key for each in editions],
        [each.version for each in editions], place, pack,
        [each.path for each in editions], [each.text for each in editions],
    )  # fmt: skip


def _by_pack(editions: Iterable[Edition]) -> list[tuple[str, str, list[Edition]]]:
    found: dict[tuple[str, str], list[Edition]] = {}
    for each in editions:
        found.setdefault((each.place, each.pack), []).append(each)
    return [(place, pack, those) for (place, pack), those in found.items()]
