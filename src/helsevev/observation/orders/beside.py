"""What the record says beside an order: its newest values, and that it is ordered already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from helsevev.fhir.reading import codings, of_patient
from helsevev.observation.orders.catalogue import Ordering
from helsevev.observation.reading import Reading, reading


class Beside(Struct, frozen=True):
    """The newest readings of what decides about an order, and when the same was ordered, if it was.

    Readings are named, the newest of each code.
    """

    readings: tuple[Reading, ...]
    ordered_at: str


def beside(
    ordering: Ordering, measured: Iterable[Mapping[str, Any]], standing: Mapping[str, str]
) -> Beside:
    """`measured` are Observations, newest first; `standing` keys and codes of open orders."""
    what = ordering.what
    wanted = {*what.shows, *([what.nlk] if what.nlk else ())}
    found: dict[str, Reading] = {}
    for resource in of_patient(measured) if wanted else ():
        named = {code for _, code in codings(resource.get("code"))}
        if named & wanted and not any(code in found for code in named):
            read = reading(resource)
            if read.parts:
                found |= dict.fromkeys(sorted(named), read)
        if len(found) > 8:
            break
    readings = tuple({id(each): each for each in found.values()}.values())[:2]
    return Beside(readings, standing.get(what.key) or standing.get(what.nlk or "-", ""))
