"""Small edits of a content file's text, which leave everything else in it as somebody wrote it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Final

_VERSION: Final = re.compile(r'^version\s*=\s*"([^"\n]*)"', re.MULTILINE)
_NUMBERS: Final = re.compile(r"^(\d+)\.(\d+)\.(\d+)(.*)$")
_TABLE: Final = re.compile(r"^\s*\[", re.MULTILINE)
_INLINE_LOG: Final = re.compile(r"^changelog\s*=", re.MULTILINE)


def next_version(version: str, place: str = "") -> str:
    """The version after one: the last number raised; a place's own is numbered after the shared.

    "1.2.0" -> "1.2.1"; at `Organization/town` "1.2.0" -> "1.2.0-town.1", and that -> "…-town.2".
    """
    if place:
        name = place.rpartition("/")[2]
        shared, _, own = version.partition(f"-{name}.")
        return f"{shared}-{name}.{int(own) + 1 if own.isdigit() else 1}"
    found = _NUMBERS.match(version)
    if found is None:
        return f"{version}.1"
    first, second, third, _rest = found.groups()
    return f"{first}.{second}.{int(third) + 1}"


def version_of(text: str) -> str:
    """The version that a file of TOML says, "" when it says none."""
    found = _VERSION.search(_head(text))
    return "" if found is None else found[1]


def with_version(text: str, version: str) -> str:
    """The file with another version."""
    head = _head(text)
    return _VERSION.sub(f'version = "{version}"', head, count=1) + text[len(head) :]


def with_change(text: str, version: str, on: date, what: str) -> str:
    """The file with a line in its changelog; as it is, where the changelog is written inline."""
    if not what.strip() or _INLINE_LOG.search(_head(text)):
        return text
    words = json.dumps(" ".join(what.split()), ensure_ascii=False)
    line = f'[[changelog]]\nversion = "{version}"\non = {on.isoformat()}\nwhat = {words}\n'
    return f"{text.rstrip()}\n\n{line}"


def _head(text: str) -> str:
    found = _TABLE.search(text)
    return text if found is None else text[: found.start()]
