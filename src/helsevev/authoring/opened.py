"""What the content pages show: packs, items and changes, put together for who looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from helsevev.access.actor import Actor
from helsevev.access.content_changes import Change, ContentChanges, standing_files
from helsevev.access.content_releases import ContentReleases
from helsevev.access.errors import NotFound
from helsevev.access.packs import Release, Standing, today
from helsevev.access.services import Services
from helsevev.authoring.field_words import kind_word
from helsevev.content.packs.item import Item
from helsevev.content.packs.pack import PAGE, Pack
from helsevev.content.packs.shelf import built_in
from helsevev.fhir.reading import text
from helsevev.locale import gettext as _


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a pack as a list shows it; `place` has it its own way."""

    folder: str
    item: Item
    place: str = ""


class Room:
    """The content as somebody looks at it."""

    def __init__(self, services: Services, actor: Actor, standing: Standing) -> None:
        self.services = services
        self.actor = actor
        self.standing = standing
        self.on = today()
        self.releases = ContentReleases(services.gate, services.packs)
        self.changes = ContentChanges(self.releases)

    def packs(self) -> list[Pack]:
        """The packs that are in force for everybody."""
        return self.standing.packs(self.on)

    def pack(self, key: str) -> Pack:
        """One of them. Raises `NotFound`."""
        found = {each.key: each for each in self.packs()}
        if key not in found:
            raise NotFound(key)
        return found[key]

    def may(self, pack: Pack, place: str = "") -> bool:
        """Whether the reader keeps its content."""
        return self.releases.may(self.actor, pack.about.discipline, place)

    def release(self, pack: str, place: str = "") -> Release | None:
        """The release that is in force, None for what comes with the program."""
        return self.standing.in_force(pack, place, self.on)

    def history(self, pack: str) -> list[Release]:
        """Its releases, the newest first."""
        return [each for each in reversed(self.standing.releases) if each.pack == pack]

    def is_newer_included(self, pack: str) -> bool:
        """Whether the program brings another edition than the one that somebody released."""
        release = self.release(pack)
        included = next((each for each in built_in() if each.key == pack), None)
        if release is None or included is None:
            return False
        return (
            included.about.version
            not in {r.version for r in self.standing.releases if r.pack == pack}
            and included.about.version != release.version
        )

    def kinds(self, pack: Pack) -> list[tuple[str, list[Line]]]:
        """(kind in words, its items) of a pack, with what places have of their own."""
        found: dict[str, list[Line]] = {}
        for folder, _key, item in pack.every():
            found.setdefault(folder, []).append(Line(folder, item))
        for place in self.places():
            for own in self.standing.packs(self.on, place):
                if own.key == pack.key:
                    for folder, _key, item in own.every():
                        found.setdefault(folder, []).append(Line(folder, item, place))
        return [
            (kind_word(folder), sorted(lines, key=lambda each: (each.item.title, each.place)))
            for folder, lines in sorted(found.items(), key=lambda each: kind_word(each[0]))
        ]

    def places(self) -> list[str]:
        """The organisations that have something of their own."""
        return sorted({each.place for each in self.standing.releases if each.place})

    def file(self, change: Change, path: str) -> str | None:
        """A file as it stands in a change: as written, as the place has it, or as all have it."""
        if path in change.files:
            return change.files[path]
        own = standing_files(self.standing, change.pack, change.place)
        return own.get(path) or standing_files(self.standing, change.pack, "").get(path)

    def before(self, change: Change) -> dict[str, str]:
        """The files of the pack as they are used now where the change is for."""
        shared = standing_files(self.standing, change.pack, "")
        own = standing_files(self.standing, change.pack, change.place) if change.place else {}
        return {**shared, **own}

    def after(self, change: Change) -> dict[str, str]:
        """The files of the pack as they will be used there."""
        whole = self.before(change)
        shared = standing_files(self.standing, change.pack, "") if change.place else {}
        for path, written in change.files.items():
            if written is not None:
                whole[path] = written
            elif path in shared:
                whole[path] = shared[path]
            else:
                whole.pop(path, None)
        return whole

    async def names(self, places: Sequence[str]) -> dict[str, str]:
        """What organisations are called."""
        wanted = [("Organization", each.rpartition("/")[2]) for each in places if each]
        found = await self.services.gate.open_many(self.actor, wanted) if wanted else {}
        named = {"/".join(place): text(resource.get("name")) for place, resource in found.items()}
        return {"": _("everybody"), **{each: named.get(each) or each for each in places if each}}


async def open_room(services: Services, actor: Actor) -> Room:
    """The content as it stands now, for somebody."""
    return Room(services, actor, await services.packs.standing())


def path_of(pack: Pack, folder: str, key: str) -> str:
    """The path of an item's file in its pack. Raises `NotFound`."""
    for path in pack.files:
        if path != PAGE and path.rpartition(".")[0] == f"{folder}/{key}":
            return path
    raise NotFound(f"{folder}/{key}")


def state_words(state: str) -> tuple[str, str]:
    """(what the state of a change is called, its colour)."""
    words: dict[str, tuple[str, str]] = {
        "editing": (_("being written"), "neutral"), "review": (_("to be reviewed"), "warning"),
        "approved": (_("approved, not released"), "info"), "released": (_("released"), "success"),
        "dropped": (_("given up"), "neutral"),
    }  # fmt: skip
    return words.get(state, (state, "neutral"))


def act_words() -> dict[str, str]:
    """What was done with a change, in words."""
    return {
        "start": _("began"), "save": _("wrote"), "review": _("asked for a review"),
        "editing": _("sent it back"), "approved": _("approved"), "released": _("released"),
        "dropped": _("gave it up"),
    }  # fmt: skip
