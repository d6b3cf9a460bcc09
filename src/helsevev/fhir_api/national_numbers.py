"""Whether a search names a person by a national number, which does not belong in a URL.

URLs end up in histories, proxies and logs; the Norwegian best practice is POST …/_search. From a
personal role such a GET is refused. Systems with a token for the whole record may use it: their
clients are programs that cannot choose, and nothing here logs queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from helsevev.access.actor import Actor
from helsevev.fhir import identifiers
from helsevev.fhir.outcome import error
from helsevev.fhir_api.problem import Problem

_SYSTEMS: Final = frozenset(identifiers.PERSON_SYSTEMS)
_LENGTH: Final = 11
_WORDS: Final = re.compile(r'[\s"()\[\],]+')
"""Between the words of an expression."""


def refuse_in_url(actor: Actor, parameters: Iterable[tuple[str, str]]) -> None:
    """Raises `Problem` 400 when a personal role asks for a national number by GET."""
    if actor.kind != "system" and names_person(parameters):
        text = "National numbers do not belong in a URL: search with POST …/_search."
        raise Problem(400, error("security", text))


def names_person(parameters: Iterable[tuple[str, str]]) -> bool:
    """Whether any value is a national number, or asks for one by its system."""
    return any(
        _is_national(part)
        for name, value in parameters
        if not name.startswith("_") or name.startswith("_has") or name == "_filter"
        for part in (_WORDS.split(value) if name == "_filter" else value.split(","))
    )


def _is_national(text: str) -> bool:
    system, bar, value = text.partition("|")
    if bar and system in _SYSTEMS:
        return bool(value)
    number = value if bar else system
    return len(number) == _LENGTH and identifiers.is_person_number(number)
