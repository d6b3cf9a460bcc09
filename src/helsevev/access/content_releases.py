"""Releasing packs of content, and bringing back what was released before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from helsevev.access.actor import Actor
from helsevev.access.errors import Invalid, NotFound
from helsevev.access.gate import Gate
from helsevev.access.packs import Packs, Standing, columns, editions_of, read_standing, today
from helsevev.access.policy import Facts, decide
from helsevev.content.packs.pack import PAGE, Pack, read_pack
from helsevev.content.packs.shelf import Edition, Shelf, built_in
from helsevev.content.shapes import ContentError
from helsevev.fhir.outcome import error
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record import keys
from helsevev.record.connection import Connection
from helsevev.record.statements import load

_SQL: Final = load("content")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who releases, who has looked at it, and what they say changed."""

    by: str
    by_name: str
    words: str
    reviewed_by: str = ""
    reviewed_by_name: str = ""


class ContentReleases:
    """Puts packs in force. What is released holds for every process within two seconds."""

    def __init__(self, gate: Gate, packs: Packs) -> None:
        self.gate = gate
        self.packs = packs
        self.database = gate.store.roles.program

    async def must_be_allowed(self, actor: Actor, pack: str, place: str, act: str) -> None:
        """That the actor keeps the content of this pack, there. Raises `Refused`, audited."""
        discipline = await self.discipline_of(pack)
        decision = decide(actor, "author-content", _facts(actor, discipline, place))
        if not decision.allowed:
            await self.gate.refuse(actor, keys.REFERENCE, decision, act, action="write")

    def may(self, actor: Actor, discipline: str, place: str = "") -> bool:
        """Whether the actor keeps the content of a discipline, for everybody or at a place."""
        return decide(actor, "author-content", _facts(actor, discipline, place)).allowed

    async def discipline_of(self, pack: str) -> str:
        """The discipline that a pack is for, "" when there is no such pack."""
        found = {each.key: each for each in (await self.packs.standing()).packs(today())}
        return found[pack].about.discipline if pack in found else ""

    async def roll_back(self, actor: Actor, pack: str, place: str, number: int, words: str) -> int:
        """Bring back what an earlier release of a pack held; the number of the release it makes.

        One person does it at once: what comes back was reviewed before. `number` 0 is what comes
        with the program, for a place: nothing of its own. Raises `Refused`, `NotFound`, and
        `Invalid` without words.
        """
        await self.must_be_allowed(actor, pack, place, "content-roll-back")
        if not words.strip():
            raise Invalid([error("required", _("Say why."), "words")])
        signed = Signed(actor.id, actor.name, words.strip())
        async with self.database.transaction() as connection:
            await connection.execute(_SQL["lock"])
            standing = await read_standing(connection, 0)
            files, version = _of_release(standing, pack, place, number)
            made = await self._put(
                connection, standing, pack, place, files, signed, number, version
            )
        await self._tell(actor, pack, place, made, "content-roll-back")
        return made

    async def release(
        self,
        actor: Actor,
        pack: str,
        place: str,
        files: Mapping[str, str],
        signed: Signed,
        connection: Connection | None = None,
    ) -> int:
        """Put the files of a pack in force; the number of the release.

        For a place, `files` are what it has of its own. Raises `Invalid` naming each file that does
        not fit, is in another pack, or says something else under a version that was released.
        """
        if connection is None:
            async with self.database.transaction() as own:
                made = await self.release(actor, pack, place, files, signed, own)
            await self._tell(actor, pack, place, made, "content-release")
            return made
        await connection.execute(_SQL["lock"])
        standing = await read_standing(connection, 0)
        return await self._put(connection, standing, pack, place, files, signed, None, "")

    async def told(self, actor: Actor, pack: str, place: str, number: int) -> None:
        """Audit a release that was made in a transaction of the caller's, and look again."""
        await self._tell(actor, pack, place, number, "content-release")

    async def _put(
        self, connection: Connection, standing: Standing, pack: str, place: str,
        files: Mapping[str, str], signed: Signed, back_to: int | None, version: str,
    ) -> int:  # fmt: skip
        made = as_pack(standing, pack, place, files)
        editions = editions_of([made], place)
        must_fit(standing, made, place, editions)
        await connection.execute(_SQL["keep_items"], *columns(editions, place, pack))
        items = {each.path: each.version for each in editions}
        number: int = await connection.fetchval(
            _SQL["release"], place, pack, version or made.about.version,
            made.about.effective_from, made.files[PAGE], json.dumps(items), signed.words, back_to,
            clock.now(), signed.by, signed.by_name, signed.reviewed_by, signed.reviewed_by_name,
        )  # fmt: skip
        return number

    async def _tell(self, actor: Actor, pack: str, place: str, number: int, act: str) -> None:
        self.packs.forget()
        target = " ".join(filter(None, (pack, place, str(number))))
        await self.gate.trace_nothing(actor, act, target, action="write")


def _facts(actor: Actor, discipline: str, place: str) -> Facts:
    own = actor.profession == discipline and (not place or place in actor.organisations)
    return Facts("reference", own=own)


def as_pack(standing: Standing, pack: str, place: str, files: Mapping[str, str]) -> Pack:
    """The pack that files are; a place's own has the page of the pack. Raises `Invalid`."""
    if place:
        found = {each.key: each for each in standing.packs(today())}
        if pack not in found:
            raise NotFound(pack)
        files = {PAGE: found[pack].files[PAGE], **files}
    try:
        return read_pack(pack, files)
    except ContentError as problem:
        raise Invalid([error("invalid", str(problem), "files")]) from problem


def must_fit(standing: Standing, made: Pack, place: str, editions: list[Edition]) -> None:
    """That a pack can be in force beside the others. Raises `Invalid` naming what cannot."""
    said = {(each.folder, each.key, each.version): each.text
            for pack in built_in() for each in editions_of([pack])}  # fmt: skip
    issues = []
    for each in editions:
        there = standing.archive.one(each.folder, each.key, each.version)
        known = there.text if there else said.get((each.folder, each.key, each.version))
        if known is not None and known != each.text:
            told = _(
                "%(file)s: version %(version)s says something else already; raise its version."
            )
            named = {"file": f"{made.key}/{each.path}", "version": each.version}
            issues.append(error("business-rule", told % named, each.path))
    if issues:
        raise Invalid(issues)
    if place:
        return
    others = [pack for pack in standing.packs(today()) if pack.key != made.key]
    try:
        Shelf([*others, made], today())
    except ContentError as problem:
        raise Invalid([error("duplicate", str(problem), "files")]) from problem


def _of_release(
    standing: Standing, pack: str, place: str, number: int
) -> tuple[dict[str, str], str]:
    """(files, version) of an earlier release of a pack. Raises `NotFound`."""
    if not number:
        if place:
            return {}, ""
        for each in built_in():
            if each.key == pack:
                return dict(each.files), each.about.version
        raise NotFound(f"{pack} 0")
    for release in standing.releases:
        if (release.number, release.pack, release.place) == (number, pack, place):
            return dict(standing.pack(release).files), release.version
    raise NotFound(f"{pack} {number}")
