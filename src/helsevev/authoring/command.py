"""`helsevev content`: check packs, tell what changed, put one in force, and list what is."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import uvloop

from helsevev.access.actor import SYSTEM
from helsevev.access.content_releases import ContentReleases, Signed
from helsevev.access.errors import AccessError
from helsevev.access.packs import today
from helsevev.access.services import Services
from helsevev.authoring.checking import Checked, check
from helsevev.authoring.difference import PackDifference, between
from helsevev.authoring.field_words import kind_word
from helsevev.authoring.publishing import publish
from helsevev.content.packs.pack import PAGE, Pack, read_pack
from helsevev.content.packs.shelf import built_in, texts_in
from helsevev.content.shapes import ContentError
from helsevev.kit.chapter import Command, CommandContext

_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do with packs of content"
    )
    checks = actions.add_parser("check", help="validate packs and work out their cases")
    checks.add_argument(
        "packs", nargs="*", type=Path, metavar="FOLDER",
        help="folders of packs (default those that come with the program)",
    )  # fmt: skip
    diff = actions.add_parser("diff", help="tell what changed, as a professional reads it")
    diff.add_argument("before", metavar="BEFORE", help="a pack's folder, or the key of one")
    diff.add_argument(
        "after", nargs="?", metavar="AFTER",
        help="the folder of the other (default: BEFORE against what is in force)",
    )  # fmt: skip
    load = actions.add_parser("load", help="check a pack and put it in force, without a restart")
    load.add_argument("folder", type=Path, metavar="FOLDER", help="its folder, named as the pack")
    load.add_argument("--by", required=True, metavar="NAME", help="who releases it")
    load.add_argument(
        "--reviewed-by", required=True, metavar="NAME", help="the other person who reviewed it"
    )
    load.add_argument("--words", required=True, metavar="WORDS", help="what is new, in a sentence")
    load.add_argument(
        "--place", default="", metavar="ORGANISATION",
        help="for one organisation alone, by its reference: Organization/trondheim",
    )  # fmt: skip
    actions.add_parser("list", help="list the packs that are in force, and their releases")


def _run(context: CommandContext, arguments: Namespace) -> int:
    try:
        if arguments.action == "check":
            return _check(arguments.packs)
        if arguments.action == "diff" and arguments.after is not None:
            return _tell(between(_pack_at(arguments.before), _pack_at(arguments.after)))
        if arguments.action == "diff" and Path(arguments.before).is_dir():
            return uvloop.run(_diff_folder(context, _pack_at(arguments.before)))
        return uvloop.run(_do(context, arguments))
    except (ContentError, AccessError) as problem:
        sys.stderr.write(f"helsevev content: {problem}\n")
        return 1


async def _do(context: CommandContext, arguments: Namespace) -> int:
    async with context.services() as services:
        if arguments.action == "diff":
            return await _diff(services, arguments.before)
        if arguments.action == "load":
            return await _load(services, arguments)
        return await _list(services)


def _check(folders: list[Path]) -> int:
    given = {folder.resolve().name: _files(folder) for folder in folders}
    packs: Mapping[str, Mapping[str, str]] = given or {p.key: p.files for p in built_in()}
    holds = [_told(check(key, files, built_in(), today())) for key, files in packs.items()]
    return 0 if all(holds) else 1


def _told(found: Checked) -> bool:
    items = len(found.ran)
    said = "holds" if found.holds else f"{len(found.faults)} faults"
    _say(f"{found.pack}: {items} items, {found.cases} cases, {said}")
    for fault in found.faults:
        _say(f"  {fault.path}: {fault.words}")
    return found.holds


async def _diff_folder(context: CommandContext, after: Pack) -> int:
    async with context.services() as services:
        in_force = {p.key: p for p in (await services.packs.standing()).packs(today())}
        return _tell(between(in_force.get(after.key), after))


async def _diff(services: Services, named: str) -> int:
    in_force = {each.key: each for each in (await services.packs.standing()).packs(today())}
    included = {each.key: each for each in built_in()}
    if named not in in_force:
        raise ContentError(f"there is no folder and no pack {named}")
    return _tell(between(included.get(named), in_force[named]))


async def _load(services: Services, arguments: Namespace) -> int:
    if arguments.by.strip().casefold() == arguments.reviewed_by.strip().casefold():
        raise ContentError("who releases it and who reviewed it are two people")
    key, files, place = arguments.folder.resolve().name, _files(arguments.folder), arguments.place
    standing = await services.packs.standing()
    whole = dict(files)
    if place:
        found = {each.key: each for each in standing.packs(today())}
        if key not in found:
            raise ContentError(f"{place} can have its own of a pack that there is; {key} is none")
        whole = {**found[key].files, **files}
        files.pop(PAGE, None)
    found_wrong = check(key, whole, standing.packs(today()), today())
    if not _told(found_wrong):
        return 1
    releases = ContentReleases(services.gate, services.packs)
    signed = Signed("", arguments.by, arguments.words, "", arguments.reviewed_by)
    number = await releases.release(SYSTEM, key, place, files, signed)
    written = await publish(services)
    _say(f"{key} is in force as release {number}; {written} resources were written.")
    return 0


async def _list(services: Services) -> int:
    standing, on = await services.packs.standing(), today()
    for pack in standing.packs(on):
        release = standing.in_force(pack.key, "", on)
        since = f"release {release.number}" if release else "as it comes with the program"
        items = sum(len(each) for each in pack.items.values())
        _say(f"{pack.key} {pack.about.version} ({pack.about.status}): {items} items, {since}")
    for place in sorted({each.place for each in standing.releases if each.place}):
        for pack in standing.packs(on, place):
            for folder, key, item in pack.every():
                _say(f"  {place}: {pack.key} {folder}/{key} {item.version}")
    for named, why in sorted(standing.unreadable.items()):
        _say(f"NOT IN FORCE, for it cannot be read: {named}: {why}")
    return 0


def _tell(found: PackDifference) -> int:
    for detail in found.page:
        _say(f"{_SIGNS[detail.what]} {detail.place}: {detail.before} → {detail.after}")
    for item in found.items:
        versions = " → ".join(filter(None, (item.before, item.after)))
        _say(f"{_SIGNS[item.what]} {kind_word(item.folder)}: {item.title} ({item.key}) {versions}")
        for each in item.details:
            words = " → ".join(filter(None, (each.before, each.after)))
            _say(f"    {_SIGNS[each.what]} {each.place}: {words}")
    return 0


def _pack_at(folder: str) -> Pack:
    path = Path(folder)
    return read_pack(path.resolve().name, _files(path))


def _files(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise ContentError(f"{folder} is no folder")
    files: Mapping[str, str] = dict(texts_in(folder))
    return dict(files)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


CONTENT: Final = Command(
    "content", "check, compare, release and list packs of professional content",
    _add_arguments, _run,
)  # fmt: skip
