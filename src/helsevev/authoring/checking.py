"""Whether a pack can be released: every file reads, fits the others, and has cases that hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from helsevev.authoring.cases import Ran, run
from helsevev.authoring.publishing import id_of
from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.pack import PAGE, Pack, kind_of, read_about, read_pack
from helsevev.content.packs.plans import Plan
from helsevev.content.packs.shelf import Shelf
from helsevev.content.shapes import ContentError
from helsevev.fhir.validation import validate
from helsevev.locale import gettext as _

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(-[a-z0-9-]+\.\d+)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file (its path in the pack), in words."""

    path: str
    words: str


@dataclass(slots=True)
class Checked:
    """What a check of a pack found."""

    pack: str
    faults: list[Fault] = field(default_factory=list)
    ran: dict[str, Ran] = field(default_factory=dict)
    """Path -> what came of the cases of the item there."""
    made: Pack | None = None

    @property
    def holds(self) -> bool:
        """Whether it can be released."""
        return not self.faults

    @property
    def cases(self) -> int:
        """How many cases were worked out."""
        return sum(each.cases for each in self.ran.values())

    def of(self, path: str) -> list[str]:
        """What is wrong with one file."""
        return [each.words for each in self.faults if each.path == path]


def check(key: str, files: Mapping[str, str], others: Iterable[Pack], on: date) -> Checked:
    """Check the files of a pack (path -> text) beside the `others` that are in force."""
    found = Checked(key)
    readable = dict(files)
    for path, text in files.items():
        try:
            if path == PAGE:
                read_about(text, key)
                continue
            kind, stem = kind_of(path, key)
            kind.read(text, f"{key}/{path}", stem)
        except ContentError as problem:
            found.faults.append(Fault(path, _without_place(str(problem), f"{key}/{path}")))
            del readable[path]
    if PAGE not in readable:
        if PAGE not in files:
            found.faults.append(Fault(PAGE, _("The pack has no page of its own.")))
        return found
    try:
        made = read_pack(key, readable)
        shelf = Shelf([*(each for each in others if each.key != key), made], on)
    except ContentError as problem:
        found.faults.append(Fault(PAGE, str(problem)))
        return found
    found.made = made
    paths = {kind_of(path, key): path for path in readable if path != PAGE}
    for (kind, stem), path in paths.items():
        item = made.items[kind.folder][stem]
        found.ran[path] = run(item, shelf)
        words = [*_of_cases(found.ran[path]), *_of_item(item), *_missing(item, made, shelf)]
        found.faults += [Fault(path, each) for each in words]
    return found


def _of_cases(ran: Ran) -> Iterator[str]:
    if not ran.cases:
        yield _("It has no cases of its own.")
    if ran.unknown:
        yield _("Nothing works out the cases of this kind.")
    yield from ran.faults


def _of_item(item: Item) -> Iterator[str]:
    if not _VERSION.fullmatch(item.version):
        told = _("The version %(version)s is not three numbers such as 1.2.0.")
        yield told % {"version": item.version}
    if item.changelog and item.version not in {each.version for each in item.changelog}:
        yield _("The changelog does not say what is new in %(version)s.") % {
            "version": item.version
        }
    try:
        resources = item.resources()
    except (ValueError, KeyError, TypeError) as problem:
        yield str(problem)
        return
    for resource in resources:
        for issue in validate({**resource, "id": id_of(item)}):
            if issue.severity in ("error", "fatal"):
                yield f"{resource['resourceType']}: {issue.expression}: {issue.diagnostics}"


def _missing(item: Item, made: Pack, shelf: Shelf) -> Iterator[str]:
    """What an item refers to by key, and that is not there."""
    if isinstance(item, Plan):
        for action in item.action:
            if action.form and not (shelf.one(Form, action.form) or action.form in made.of(Form)):
                told = _("%(action)s: there is no form %(form)s.")
                yield told % {"action": action.key, "form": action.form}


def _without_place(words: str, place: str) -> str:
    return words.removeprefix(f"{place}: ")
