"""A content file as fields to fill in, and back: what nobody touched stays as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Table

from helsevev.authoring.field_words import word
from helsevev.content.packs.forms import Form
from helsevev.content.packs.item import Item
from helsevev.content.packs.short_form import ShortForm
from helsevev.kit import clock

Shown = Literal["line", "text", "yes-no", "number", "date", "lines", "pairs", "cells"]
_ROOTS: Final[Mapping[type[Item], type[msgspec.Struct]]] = {Form: ShortForm}
"""Kinds whose files are not read as the kind itself."""
_WHOLE: Final = re.compile(r"-?\d{1,18}")
_DECIMAL: Final = re.compile(r"-?\d{1,18}\.\d{1,18}")
_LONG: Final = 70
_FIRST: Final = "title", "version", "status", "owner", "source", "effective_from", "effective_to"


class Field(msgspec.Struct, frozen=True):
    """One thing to fill in: where it stands in the file ("item.0.text"), and what stands there.

    `value` is text; for `cells`, rows of cells, the last one empty.
    """

    path: str
    label: str
    shown: Shown
    value: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


class Group(msgspec.Struct, frozen=True):
    """Fields that belong together: the file itself, a table of it, or one row of a list."""

    path: str
    label: str
    fields: tuple[Field, ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[Rows, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    """Fields that could stand here and do not: (name, in words)."""


class Rows(msgspec.Struct, frozen=True):
    """A list of rows, each a group of its own."""

    path: str
    label: str
    rows: tuple[Group, ...] = ()


class NotFields(ValueError):
    """The file is not one that can be shown as fields; the message says why."""


def shown(text: str, kind: type[Item]) -> Group:
    """A TOML file as fields. Raises `NotFields`."""
    return _group("", "", _parsed(text), _ROOTS.get(kind, kind))


def filled(text: str, kind: type[Item], said: Mapping[str, str], act: str = "") -> str:
    """The file with what was filled in (path -> text), and then one act.

    `act` is "add PATH" (a row at the end of a list), "remove PATH", "up PATH" (a row before the one
    above it) or "field PATH NAME" (a field that was not there). Raises `NotFields`.
    """
    document = _parsed(text)
    for field in _fields(_group("", "", document, _ROOTS.get(kind, kind))):
        if field.shown == "cells":
            _fill_cells(document, field, said)
        elif field.path in said and _same_lines(said[field.path]) != field.value:
            _put(document, field, _same_lines(said[field.path]))
    _do(document, act.split(), _ROOTS.get(kind, kind))
    return tomlkit.dumps(document)


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as problem:
        raise NotFields(str(problem)) from problem


def _group(path: str, label: str, table: Mapping[str, Any], of: Any) -> Group:
    types = _types(of)
    fields, groups, lists = [], [], []
    for name, value in table.items():
        place, inner = f"{path}{name}", types.get(name, Any)
        if _is_rows(value):
            rows = tuple(
                _group(f"{place}.{n}.", _row_name(row, n), row, _inside(inner))
                for n, row in enumerate(value)
            )
            lists.append(Rows(place, word(name), rows))
        elif isinstance(value, Mapping) and not _is_struct(_without_none(inner)):
            fields.append(Field(place, word(name), "pairs", _pairs(value)))
        elif isinstance(value, Mapping):
            groups.append(_group(f"{place}.", word(name), value, inner))
        else:
            fields.append(_field(place, name, value))
    fields.sort(key=lambda each: _FIRST.index(each.path) if each.path in _FIRST else len(_FIRST))
    for name, inner in types.items():
        if name not in table and _is_struct(_inside(inner)) and _is_many(inner):
            lists.append(Rows(f"{path}{name}", word(name)))
    more = tuple(
        (name, word(name)) for name, inner in types.items()
        if name not in table and not _is_struct(_inside(inner)) and (path or name != "key")
    )  # fmt: skip
    return Group(path, label, tuple(fields), tuple(groups), tuple(lists), more)


def _field(path: str, name: str, value: Any) -> Field:
    label = word(name)
    if isinstance(value, bool):
        return Field(path, label, "yes-no", "true" if value else "false")
    if isinstance(value, list):
        if any(isinstance(each, list) for each in value):
            cells = [tuple(_plain(cell) for cell in _as_list(row)) for row in value]
            width = max(len(row) for row in cells)
            rows = (*(row + ("",) * (width - len(row)) for row in cells), ("",) * width)
            return Field(path, label, "cells", rows=rows)
        return Field(path, label, "lines", "\n".join(_plain(each) for each in value))
    if isinstance(value, date):
        return Field(path, label, "date", value.isoformat())
    text = _plain(value)
    if isinstance(value, int | float):
        return Field(path, label, "number", text)
    return Field(path, label, "text" if len(text) > _LONG or "\n" in text else "line", text)


def _put(document: Any, field: Field, text: str) -> None:
    table, name = _holder(document, field.path)
    if field.shown == "lines":
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        array = tomlkit.array()
        array.extend(_value(line, same=_first_of(table[name])) for line in lines)
        table[name] = array.multiline(len(lines) > 1)
    elif field.shown == "pairs":
        table[name] = _of_pairs(text)
    elif not text.strip():
        del table[name]
    elif field.shown == "yes-no":
        table[name] = text == "true"
    elif field.shown == "date":
        try:
            table[name] = date.fromisoformat(text.strip())
        except ValueError:
            table[name] = text
    elif field.shown == "number":
        table[name] = _value(text.strip(), same=0)
    else:
        table[name] = text


def _fill_cells(document: Any, field: Field, said: Mapping[str, str]) -> None:
    rows = [
        tuple(said.get(f"{field.path}.{y}.{x}", cell).strip() for x, cell in enumerate(row))
        for y, row in enumerate(field.rows)
    ]
    if rows == [tuple(row) for row in field.rows]:
        return
    table, name = _holder(document, field.path)
    before = list(table[name])
    array = tomlkit.array()
    for y, cells in enumerate(row for row in rows if any(row)):
        kept = list(cells)
        while kept and not kept[-1]:
            kept.pop()
        old = _as_list(before[min(y, len(before) - 1)]) if before else []
        inner = tomlkit.array()
        inner.extend(_value(c, same=old[x] if x < len(old) else None) for x, c in enumerate(kept))
        array.append(inner)
    table[name] = array.multiline(True)


def _do(document: Any, act: list[str], root: Any) -> None:
    match act:
        case []:
            return
        case ["add", path]:
            _add(document, path, root)
        case ["remove", path]:
            rows, n = _row(document, path)
            del rows[n]
        case ["up", path]:
            rows, n = _row(document, path)
            if n > 0:
                row = rows[n]
                del rows[n]
                rows.insert(n - 1, row)
        case ["field", path, name]:
            table = _at(document, path.removesuffix(".").split(".") if path != "." else [])
            inner = _types(_type_at(root, path)).get(name, str)
            table[name] = _empty(inner)
        case _:
            raise NotFields(" ".join(act))


def _row(document: Any, path: str) -> tuple[Any, int]:
    """(list, place) of a row. Raises `NotFields` where there is none."""
    rows, name = _holder(document, path)
    if not isinstance(rows, list) or not name.isdigit() or int(name) >= len(rows):
        raise NotFields(path)
    return rows, int(name)


def _add(document: Any, path: str, root: Any) -> None:
    holder, name = _holder(document, path)
    of = _type_at(root, f"{path}.0")
    row = tomlkit.table()
    for each in msgspec.structs.fields(of) if _is_struct(of) else ():
        if each.required and not _is_struct(_inside(each.type)):
            row[each.name] = _empty(each.type)
    if name in holder:
        holder[name].append(row)
    else:
        rows = tomlkit.aot()
        rows.append(row)
        holder[name] = rows


def _holder(document: Any, path: str) -> tuple[Any, str]:
    *above, name = path.split(".")
    return _at(document, above), name


def _at(document: Any, names: Iterable[str]) -> Any:
    found = document
    try:
        for name in names:
            found = found[int(name) if isinstance(found, list) else name]
    except (LookupError, ValueError, TypeError) as problem:
        raise NotFields(".".join(names)) from problem
    return found


def _fields(group: Group) -> Iterator[Field]:
    yield from group.fields
    for inner in (*group.groups, *(row for rows in group.lists for row in rows.rows)):
        yield from _fields(inner)


def _value(text: str, *, same: Any) -> Any:
    """A text as the value it stands for; what was words stays words."""
    if isinstance(same, str):
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _empty(kind: Any) -> Any:
    inner = _without_none(kind)
    if inner is bool:
        return True
    if inner is date:
        return clock.now().date()
    if _is_many(inner):
        return tomlkit.array()
    if inner in (int, float) or getattr(inner, "__name__", "") == "Decimal":
        return 0
    return tomlkit.inline_table() if get_origin(inner) is dict or _is_struct(inner) else ""


def _types(of: Any) -> dict[str, Any]:
    if not _is_struct(of):
        return {}
    return {each.encode_name: each.type for each in msgspec.structs.fields(of)}


def _type_at(root: Any, path: str) -> Any:
    found = root
    for name in filter(None, path.strip(".").split(".")):
        found = _inside(found) if name.isdigit() else _types(_without_none(found)).get(name, Any)
    return _without_none(found)


def _inside(kind: Any) -> Any:
    inner = _without_none(kind)
    return get_args(inner)[0] if _is_many(inner) else inner


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        return next(each for each in get_args(kind) if each is not type(None))
    return kind


def _is_many(kind: Any) -> bool:
    return get_origin(_without_none(kind)) in (tuple, list)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _pairs(value: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {tomlkit.item(inner).as_string()}" for name, inner in value.items())


def _of_pairs(text: str) -> Any:
    """Lines of "name = value" as a table on one line. Raises `NotFields`."""
    try:
        pairs = tomlkit.parse(text)
    except TOMLKitError as problem:
        raise NotFields(str(problem)) from problem
    table = tomlkit.inline_table()
    table.update(pairs.unwrap())
    return table


def _is_rows(value: Any) -> bool:
    if isinstance(value, AoT):
        return True
    return (
        isinstance(value, Array)
        and bool(value)
        and all(isinstance(each, Table | InlineTable) for each in value)
    )


def _row_name(row: Mapping[str, Any], number: int) -> str:
    for name in ("text", "title", "label", "name", "heading", "about", "says", "key", "version"):
        if isinstance(found := row.get(name), str) and found.strip():
            return str(found)
    return str(number + 1)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _first_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ""


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, Mapping):
        return tomlkit.item(value).as_string()
    return str(value)


def _same_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
