"""Changes of content under way: written, sent to review, approved by a second person, released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.content_releases import ContentReleases, Signed
from helsevev.access.errors import Conflict, Invalid, NotFound
from helsevev.access.packs import Standing, today
from helsevev.content.packs.editing import next_version, version_of, with_change, with_version
from helsevev.content.packs.pack import PAGE
from helsevev.content.packs.shelf import built_in
from helsevev.fhir.outcome import error
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record.connection import Connection, Row
from helsevev.record.statements import load

_SQL: Final = load("content")
_MOST_WORDS: Final = 2000
_MOST_TITLE: Final = 200
_LONGEST_FILE: Final = 400_000


@dataclass(frozen=True, slots=True)
class Change:
    """What is being changed of a pack: `files` is path -> text, None for what is taken away.

    `state` is editing, review, approved, released or dropped. `based_on` is the number of the
    release that it was begun from, 0 for what comes with the program; `turn` rises with each act.
    """

    id: int
    place: str
    pack: str
    title: str
    files: Mapping[str, str | None]
    based_on: int
    state: str
    turn: int
    authors: tuple[str, ...]
    started_at: datetime
    saved_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody did with a change, and said of it."""

    at: datetime
    act: str
    words: str
    actor: str
    actor_name: str


class ContentChanges:
    """Keeps them. Each act names the `turn` that was seen: nobody's work is overwritten."""

    def __init__(self, releases: ContentReleases) -> None:
        self.releases = releases
        self._database = releases.database

    async def under_way(self) -> list[Change]:
        """Those that nobody has ended, the last saved first."""
        rows = await self._database.fetch(_SQL["changes"], None)
        return [_change(row) for row in rows]

    async def one(self, change_id: int) -> Change:
        """A change. Raises `NotFound`."""
        rows = await self._database.fetch(_SQL["changes"], change_id)
        if not rows:
            raise NotFound(_("The change"))
        return _change(rows[0])

    async def lines(self, change_id: int) -> list[Line]:
        """What was done with it, the oldest first."""
        return [Line(*row) for row in await self._database.fetch(_SQL["lines"], change_id)]

    async def start(self, actor: Actor, pack: str, title: str, place: str = "") -> int:
        """Begin a change of a pack, for everybody or for a place; its id.

        Who has one under way by the same name goes on with it. Raises `Refused`, and `Invalid`
        without a name.
        """
        await self.releases.must_be_allowed(actor, pack, place, "content-change")
        title = _clean(title, _MOST_TITLE)
        if not title:
            raise Invalid([error("required", _("Say what is to be changed."), "title")])
        for each in await self.under_way():
            if (each.pack, each.place, each.title) == (pack, place, title) and (
                actor.id in each.authors
            ):
                return each.id
        standing = await self.releases.packs.standing()
        now, based_on = clock.now(), _newest(standing, pack, place)
        async with self._database.transaction() as connection:
            made: int = await connection.fetchval(
                _SQL["start_change"], place, pack, title, "{}", based_on, actor.id, now
            )
            await connection.execute(_SQL["add_line"], made, now, "start", "", actor.id, actor.name)
        await self.releases.gate.trace_nothing(
            actor, "content-change", f"{pack} {made}", action="write"
        )
        return made

    async def save(
        self, actor: Actor, change: Change, files: Mapping[str, str | None], title: str = ""
    ) -> int:
        """Keep what was written; whoever had approved it has to look again. The new turn.

        Raises `Refused`, `Invalid` for a file that is too long, and `Conflict` when somebody wrote
        in between.
        """
        await self.releases.must_be_allowed(actor, change.pack, change.place, "content-change")
        for path, text in files.items():
            if text is not None and len(text) > _LONGEST_FILE:
                raise Invalid([error("too-long", _("The file is too long."), path)])
        kept = json.dumps({path: text and text.replace("\0", "") for path, text in files.items()})
        now = clock.now()
        async with self._database.transaction() as connection:
            turn: int | None = await connection.fetchval(
                _SQL["save_change"], change.id, change.turn, _clean(title, 200) or change.title,
                kept, now, actor.id,
            )  # fmt: skip
            if turn is None:
                raise _changed()
            said = (change.id, now, "save", "", actor.id, actor.name)
            await connection.execute(_SQL["add_line"], *said)
        return turn

    async def submit(self, actor: Actor, change: Change, words: str) -> None:
        """Ask a second person to look at it. Raises `Invalid` when nothing was changed."""
        if not change.files:
            raise Invalid([error("required", _("Nothing has been changed yet."), "files")])
        await self._move(actor, change, ("editing",), "review", words)

    async def send_back(self, actor: Actor, change: Change, words: str) -> None:
        """Say what has to be mended. Raises `Invalid` without words."""
        if not words.strip():
            raise Invalid([error("required", _("Say what has to be changed."), "words")])
        await self._move(actor, change, ("review", "approved"), "editing", words)

    async def approve(self, actor: Actor, change: Change, words: str) -> None:
        """Vouch for it. Raises `Conflict` for somebody who wrote in it."""
        if actor.id in change.authors:
            raise Conflict(_("Who has written in it does not approve it. Ask a colleague."), None)
        await self._move(actor, change, ("review",), "approved", words)

    async def drop(self, actor: Actor, change: Change, words: str) -> None:
        """Give it up."""
        await self._move(actor, change, ("editing", "review", "approved"), "dropped", words)

    async def release(self, actor: Actor, change: Change, words: str) -> int:
        """Put it in force; the number of the release. Nothing else is touched when it cannot be.

        Raises `Refused`, `Invalid` when it does not fit, and `Conflict` when nobody has approved it
        as it stands or others have released the same files meanwhile.
        """
        await self.releases.must_be_allowed(actor, change.pack, change.place, "content-release")
        approved = [each for each in await self.lines(change.id) if each.act == "approved"]
        if change.state != "approved" or not approved:
            raise Conflict(_("It has to be approved by a second person first."), None)
        by = approved[-1]
        words = _clean(words) or change.title
        signed = Signed(actor.id, actor.name, words, by.actor, by.actor_name)
        files = await self.files_of(change)
        async with self._database.transaction() as connection:
            await self._moved(connection, actor, change, ("approved",), "released", words)
            number = await self.releases.release(
                actor, change.pack, change.place, files, signed, connection
            )
        await self.releases.told(actor, change.pack, change.place, number)
        return number

    async def files_of(self, change: Change) -> dict[str, str]:
        """The files of its pack as they will be: what stands now, with what it changes.

        Raises `Conflict` when others have released the same files since it was begun.
        """
        standing = await self.releases.packs.standing()
        now = standing_files(standing, change.pack, change.place)
        then = _files_at(standing, change.pack, change.place, change.based_on)
        moved = [
            path for path, text in change.files.items()
            if now.get(path) != then.get(path) and now.get(path) != text and path != PAGE
        ]  # fmt: skip
        if moved:
            told = _("Released by others meanwhile: %(files)s. Begin a new change.")
            raise Conflict(told % {"files": ", ".join(moved)}, None)
        whole = {**now, **change.files}
        if PAGE in now and change.files.get(PAGE, now[PAGE]) == now[PAGE]:
            version = next_version(version_of(now[PAGE]))
            page = with_version(now[PAGE], version)
            whole[PAGE] = with_change(page, version, today(), change.title)
        return {path: text for path, text in whole.items() if text is not None}

    async def _move(
        self, actor: Actor, change: Change, before: tuple[str, ...], after: str, words: str
    ) -> None:
        act = f"content-{after}"
        await self.releases.must_be_allowed(actor, change.pack, change.place, act)
        async with self._database.transaction() as connection:
            await self._moved(connection, actor, change, before, after, words)
        await self.releases.gate.trace_nothing(
            actor, act, f"{change.pack} {change.id}", action="write"
        )

    async def _moved(
        self, connection: Connection, actor: Actor, change: Change, before: tuple[str, ...],
        after: str, words: str,
    ) -> None:  # fmt: skip
        now = clock.now()
        turn = await connection.fetchval(
            _SQL["move_change"], change.id, change.turn, list(before), after, now, actor.id
        )
        if turn is None:
            raise _changed()
        said = (change.id, now, after, _clean(words), actor.id, actor.name)
        await connection.execute(_SQL["add_line"], *said)


def standing_files(standing: Standing, pack: str, place: str) -> dict[str, str]:
    """The files of a pack as they are in force, or will be; of a place, only its own."""
    return _files_at(standing, pack, place, _newest(standing, pack, place))


def _files_at(standing: Standing, pack: str, place: str, number: int) -> dict[str, str]:
    for release in standing.releases:
        if release.number == number and number:
            files = dict(standing.pack(release).files)
            if place:
                files.pop(PAGE, None)
            return files
    if place:
        return {}
    found = {each.key: each for each in built_in()}
    return dict(found[pack].files) if pack in found else {}


def _newest(standing: Standing, pack: str, place: str) -> int:
    found = (r.number for r in reversed(standing.releases) if (r.pack, r.place) == (pack, place))
    return next(found, 0)


def _change(row: Row) -> Change:
    id_, place, pack, title, files, based_on, state, turn, authors, *times = row
    return Change(
        id_, place, pack, title, json.loads(files), based_on, state, turn, tuple(authors), *times
    )


def _clean(words: str, most: int = _MOST_WORDS) -> str:
    return words.strip().replace("\0", "")[:most]


def _changed() -> Conflict:
    return Conflict(_("Somebody has written in it meanwhile. Look at it again."), None)
