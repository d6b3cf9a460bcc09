"""The parameters `_format` and `_pretty`, which concern the text of an answer and nothing else."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from helsevev.fhir_api.request import LONGEST_QUERY, parse_parameters


@lru_cache(maxsize=64)
def _last(query: str, name: str) -> str | None:
    found = None
    for key, value in parse_parameters(query):
        if key == name:
            found = value
    return found


def asked_format(query: str) -> str | None:
    """The value of `_format`, None when it is not given. Raises `Problem` for a bad query."""
    if "_format" not in query and len(query) <= LONGEST_QUERY:
        return None
    return _last(query, "_format")


def is_asked(query: str) -> bool:
    """Whether `_pretty` asks for text that people read."""
    return "_pretty" in query and _last(query, "_pretty") in ("true", "")


def indented(body: bytes) -> bytes:
    """The same JSON on many lines; every number and string keeps its spelling."""
    return msgspec.json.format(body, indent=2)
