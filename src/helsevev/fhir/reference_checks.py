"""Checks of references: their shape, the type they name, and contained resources they point to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from helsevev.fhir.definitions import RESOURCE_TYPES, reference_targets
from helsevev.fhir.primitive_checks import Check, Problem, problem, shown

# The code of a problem that is none when the resource around contains what is named.
LOCAL = "#"

# Longer references are read each time, so that they cannot fill the cache.
_CACHED = 256

_RELATIVE = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_SEARCH = re.compile(r"([A-Z][A-Za-z]+)\?\S+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


# Whom and which contact a resource is about: the record relies on these types.
_EXACT = frozenset({"patient", "subject", "beneficiary", "individual", "encounter"})

# Elsewhere HL7's own examples name types that the definitions of the element do not: one that an
# element of the same name has in another type, or another of who, where and during what.
_WHO_AND_WHERE = frozenset(
    {"CareTeam", "Device", "Encounter", "Endpoint", "EpisodeOfCare", "Group", "HealthcareService",
     "Location", "Organization", "Patient", "Person", "Practitioner", "PractitionerRole",
     "RelatedPerson"}
)  # fmt: skip


def _borne(name: str, targets: frozenset[str]) -> frozenset[str]:
    """The types that a reference of an element so called may name (any, when there are none)."""
    if not targets or name in _EXACT:
        return targets
    kin = _WHO_AND_WHERE if targets & _WHO_AND_WHERE else frozenset[str]()
    return targets | kin | reference_targets().get(name, kin)


def check_reference(check: Check, name: str, targets: tuple[str, ...]) -> Check:
    """The check of a Reference of an element `name` that R4 lets refer to the target types."""
    borne = _borne(name, frozenset(targets))

    def reference_check(value: Any, parent: Any) -> list[Problem] | None:
        found = check(value, parent)
        if found is not None:
            return found
        text = value.get("reference")
        if text is None:
            return None
        named = _named(text) if len(text) <= _CACHED else _named.__wrapped__(text)
        if named is None:
            return [(".reference", "value", f"not a reference: {shown(text)}")]
        if named == LOCAL:
            return [("", LOCAL, text)]
        if borne and named and named not in borne:
            names = ", ".join(targets)
            return problem("structure", f"a reference to {named} is not allowed here: {names}")
        return None

    return reference_check


def unresolved(problems: list[Problem], contained: Any) -> list[Problem]:
    """The problems of a resource, without references to what it does contain."""
    ids = {"#"}
    if type(contained) is list:
        ids |= {f"#{item.get('id')}" for item in contained if type(item) is dict}
    kept = []
    for path, code, text in problems:
        if code != LOCAL:
            kept.append((path, code, text))
        elif text not in ids:
            message = f"ref-1: the resource contains no {text}"
            kept.append((path + ".reference", "invariant", message))
    return kept


@lru_cache(maxsize=16_384)
def _named(text: str) -> str | None:
    """The type a reference names, "" when it does not say, LOCAL for contained, None if neither."""
    if text.startswith("#"):
        return LOCAL
    match = _RELATIVE.fullmatch(text) or _SEARCH.fullmatch(text)
    if match is not None:
        return match[1] if match[1] in RESOURCE_TYPES else None
    return "" if _ABSOLUTE.fullmatch(text) else None
