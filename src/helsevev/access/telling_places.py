"""Which places and services that a resource names tell where somebody lives.

A home is a place, and those that serve a neighbourhood (general practice, home care, a nursing
home) tell of it. Which kinds these are is content: `local_services` of content/access/categories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from helsevev.content.loading import categories
from helsevev.fhir import references
from helsevev.record.store import Store, Stored

KINDS: Final = frozenset({"Organization", "Location", "HealthcareService", "PractitionerRole"})
_NAMED: Final = re.compile(
    rb'"reference":"((?:Organization|Location|HealthcareService|PractitionerRole)/'
    rb"[A-Za-z0-9\-.]{1,64})"
)
_ABOVE: Final = ("partOf", "managingOrganization", "providedBy", "organization")
_SAYING: Final = ("type", "physicalType", "category")
_STEPS: Final = 6
"""How far up from a room to a legal entity is looked."""


async def told_by(store: Store, rows: Iterable[Stored], *, services: bool) -> frozenset[str]:
    """The references in these rows that tell: to homes, and (`services`) to local services."""
    named = {text.decode() for stored in rows for text in _NAMED.findall(stored.json)}
    return await telling(store, named, services=services) if named else frozenset()


async def telling(store: Store, named: Iterable[str], *, services: bool) -> frozenset[str]:
    """Those of some references (`Type/id`) that tell where somebody lives.

    A place that is not in the record tells: what it is called is all that is known of it.
    """
    named = frozenset(named)
    known: dict[str, dict[str, Any]] = {}
    wanted = set(named)
    for _ in range(_STEPS):
        places = {place for text in wanted if (place := references.relative(text)) is not None}
        found = await store.read_many(places) if places else {}
        new = {f"{kind}/{name}": stored.resource for (kind, name), stored in found.items()}
        known |= new
        wanted = {above for each in new.values() for above in _above(each)} - known.keys()
        if not wanted:
            break
    return frozenset(text for text in named if _tells(text, known, services))


def _tells(
    text: str, known: Mapping[str, Mapping[str, Any]], services: bool, steps: int = 0
) -> bool:
    resource = known.get(text)
    if resource is None:
        return steps == 0 and text.startswith("Location/")
    said = set(_said(resource))
    if said & _tokens("homes") or (services and said & _tokens("local_services")):
        return True
    if not services or steps >= _STEPS:
        return False
    return any(_tells(above, known, services, steps + 1) for above in _above(resource))


def _above(resource: Mapping[str, Any]) -> Iterator[str]:
    for name in _ABOVE:
        value = resource.get(name)
        if isinstance(value, dict) and isinstance(value.get("reference"), str):
            yield references.unversioned(value["reference"])


def _said(resource: Mapping[str, Any]) -> Iterator[str]:
    """What kind it is, as tokens: `system|code`, and `system|` for any code of a system."""
    for name in _SAYING:
        value = resource.get(name, [])
        for concept in value if isinstance(value, list) else [value]:
            for coding in concept.get("coding", ()):
                yield f"{coding.get('system', '')}|{coding.get('code', '')}"
                yield f"{coding.get('system', '')}|"


@cache
def _tokens(which: str) -> frozenset[str]:
    known = categories()
    return frozenset(known.homes if which == "homes" else known.local_services)


__all__ = ["KINDS", "telling", "told_by"]
