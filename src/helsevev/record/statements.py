"""The record's SQL by name: every statement lives in a `.sql` file, with a sentence of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "sql"
_HEADING = re.compile(r"^-- name: (\w+)(, planned once)?[ \t]*\n((?:--.*\n)*)", re.MULTILINE)


class PlannedOnce(str):
    """A statement whose best plan is the same whatever values it is run with.

    It finds its rows by keys. PostgreSQL, left to itself, plans one with lists anew each time it is
    run, which costs three times what running it does; see `Database`.
    """

    __slots__ = ()


class PlannedAnew(str):
    """A statement whose best plan depends on the values that it is run with.

    What is common is best taken in its order, what is rare found and ordered then. PostgreSQL,
    left to itself, would come to plan it without looking at the values.
    """

    __slots__ = ()


class BadStatementFile(Exception):
    """A `.sql` file does not name and describe each of its statements once."""


@cache
def load(name: str) -> Mapping[str, str]:
    """Read `sql/<name>.sql`: statement name -> SQL. Raises `BadStatementFile`."""
    return read((_FOLDER / f"{name}.sql").read_text(encoding="utf-8"), f"{name}.sql")


def read(text: str, file: str) -> Mapping[str, str]:
    """Read the statements of a file's text; `file` is named in errors."""
    headings = list(_HEADING.finditer(text))
    statements: dict[str, str] = {}
    for heading, following in zip_longest(headings, headings[1:]):
        name, once, description = heading.groups()
        sql = text[heading.end() : following.start() if following else len(text)].strip()
        if not description.strip("-\n ") or not sql or name in statements:
            raise BadStatementFile(f"{file}: {name} needs one description and one statement")
        sql = sql.removesuffix(";")
        statements[name] = PlannedOnce(sql) if once else sql
    if not statements:
        raise BadStatementFile(f"{file}: there is no statement")
    return MappingProxyType(statements)
