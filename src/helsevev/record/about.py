"""Whether resources of a type are about one inhabitant, about several, or perhaps about nobody."""

from __future__ import annotations

from functools import cache

from helsevev.fhir.definitions import elements
from helsevev.record.rows import ABOUT


@cache
def may_be_about_nobody(resource_type: str) -> bool:
    """Whether a resource of this type may be kept with one whom it does not name as its subject."""
    known = elements(resource_type)
    return not any(name in known and known[name].least >= 1 for name in ABOUT)


@cache
def may_name_many(resource_type: str) -> bool:
    """Whether a resource of this type may be about several inhabitants at once."""
    known = elements(resource_type)
    return all(name not in known or known[name].most != 1 for name in ABOUT)
