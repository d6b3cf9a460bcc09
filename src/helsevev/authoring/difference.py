"""What changed between two editions of content, as a professional reads it: in words, by item."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from helsevev.authoring.field_words import word
from helsevev.content.packs.pack import PAGE, Pack
from helsevev.locale import gettext as _

What = Literal["added", "removed", "changed"]
_NAMES: Final = ("key", "linkId", "code", "name", "label", "title", "text", "about", "says",
                 "typed", "version", "system", "heading")  # fmt: skip
"""By what a row of a list is known again, the first that every row of both lists has."""
_LONG: Final = 300


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is otherwise: its `place` in words, what stood there, and what stands now."""

    what: What
    place: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """One item that is otherwise. `before` and `after` are versions, "" where there is none."""

    what: What
    folder: str
    key: str
    title: str
    before: str
    after: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class PackDifference:
    """What is otherwise in a pack: its own page, then its items by kind and key."""

    page: tuple[Detail, ...] = ()
    items: tuple[ItemDifference, ...] = field(default=())

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.page or self.items)


def between(before: Pack | None, after: Pack | None) -> PackDifference:
    """What is otherwise in `after`; None is a pack that is not there."""
    return of_files({} if before is None else before.files, {} if after is None else after.files)


def of_files(before: Mapping[str, str], after: Mapping[str, str]) -> PackDifference:
    """What is otherwise between two packs' files (path -> text)."""
    page: tuple[Detail, ...] = ()
    if PAGE in before and PAGE in after:
        page = of_texts(PAGE, before[PAGE], after[PAGE])
    items = []
    for path in sorted({*before, *after} - {PAGE}):
        found = of_file(path, before.get(path), after.get(path))
        if found is not None:
            items.append(found)
    return PackDifference(page, tuple(items))


def of_file(path: str, before: str | None, after: str | None) -> ItemDifference | None:
    """What is otherwise between two versions of an item's file, None when nothing is."""
    folder, _slash, name = path.rpartition("/")
    key = name.rpartition(".")[0]
    old, new = _read(path, before), _read(path, after)
    if before == after:
        return None
    shown = new or old
    what: What = "added" if before is None else "removed" if after is None else "changed"
    return ItemDifference(
        what, folder, key, str(shown.get("title") or key), str(old.get("version", "")),
        str(new.get("version", "")), tuple(_walk("", old, new)) if what == "changed" else (),
    )  # fmt: skip


def of_texts(path: str, before: str, after: str) -> tuple[Detail, ...]:
    """What is otherwise between two texts of a file."""
    return tuple(_walk("", _read(path, before), _read(path, after)))


def _read(path: str, text: str | None) -> dict[str, Any]:
    """What a file says; the text as it is, where it cannot be read."""
    if text is None:
        return {}
    try:
        if path.endswith(".json"):
            found = json.loads(text, parse_float=Decimal)
            return found if isinstance(found, dict) else {"text": text}
        return tomllib.loads(text, parse_float=Decimal)
    except ValueError:
        return {"text": text}


def _walk(place: str, before: Any, after: Any) -> Iterator[Detail]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            inside = f"{place} › {word(name)}" if place else word(name)
            yield from _walk(inside, before.get(name), after.get(name))
    elif _is_rows(before) and _is_rows(after) and (before or after):
        yield from _rows(place, before, after)
    elif _is_list(before) and _is_list(after):
        yield from _values(place, before, after)
    elif _is_nothing(before) and _is_nothing(after):
        return
    elif _is_nothing(before):
        yield Detail("added", place, after=said(after))
    elif _is_nothing(after):
        yield Detail("removed", place, before=said(before))
    else:
        yield Detail("changed", place, said(before), said(after))


def _rows(place: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Detail]:
    """Rows that are known again by a name; what has only moved is said once."""
    name = _known_by(before, after)
    old = {str(row.get(name, n)) if name else str(n + 1): row for n, row in enumerate(before)}
    new = {str(row.get(name, n)) if name else str(n + 1): row for n, row in enumerate(after)}
    for key in {**old, **new}:
        shown = f"{place}: {_short(new.get(key, old.get(key)), key)}"
        if key not in new:
            yield Detail("removed", shown, before=said(old[key]))
        elif key not in old:
            yield Detail("added", shown, after=said(new[key]))
        else:
            yield from _walk(shown, old[key], new[key])
    both = [key for key in old if key in new]
    if both != [key for key in new if key in old]:
        yield Detail("changed", place, _("another order"), ", ".join(new))


def _values(place: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Detail]:
    gone = [each for each in before if each not in after]
    come = [each for each in after if each not in before]
    if len(gone) == len(come):
        for one, other in zip(gone, come, strict=True):
            yield Detail("changed", place, said(one), said(other))
        if not gone:
            yield Detail("changed", place, said(list(before)), said(list(after)))
        return
    for each in gone:
        yield Detail("removed", place, before=said(each))
    for each in come:
        yield Detail("added", place, after=said(each))


def _known_by(before: Sequence[Any], after: Sequence[Any]) -> str:
    for name in _NAMES:
        for rows in (before, after):
            values = [row.get(name) for row in rows]
            if not all(isinstance(value, str) and value for value in values):
                break
            if len(set(values)) != len(values):
                break
        else:
            return name
    return ""


def _short(row: Any, key: str) -> str:
    for name in ("text", "title", "label", "name", "display"):
        value = row.get(name)
        if isinstance(value, str) and value:
            return value if len(value) <= 80 else f"{value[:77]}…"
    return key


def said(value: Any) -> str:
    """A value of content in words."""
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Mapping):
        parts = [f"{word(name)}: {said(inner)}" for name, inner in value.items()
                 if not _is_nothing(inner)]  # fmt: skip
        return _cut("; ".join(parts))
    if _is_list(value):
        return _cut(", ".join(said(each) for each in value))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_rows(value: Any) -> bool:
    return _is_list(value) and all(isinstance(each, Mapping) for each in value)


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, list | tuple | dict) and not value)
