"""What a ValueSet says it holds, read from its `compose`, or from a URL that means one by itself.

http://hl7.org/fhir/R4/valueset.html#compositions, http://hl7.org/fhir/R4/snomedct.html#implicit,
http://hl7.org/fhir/R4/loinc.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"

OPERATORS: Final = frozenset(
    {"=", "is-a", "descendent-of", "is-not-a", "regex", "in", "not-in", "generalizes", "exists"}
)
_SNOMED_EDITION: Final = re.compile(r"http://snomed\.info/sct(?:/\d+(?:/version/\d{8})?)?")
_SNOMED_VALUE_SET: Final = re.compile(
    r"(http://snomed\.info/sct(?:/\d+(?:/version/\d{8})?)?)\?fhir_vs(?:=(.*))?"
)
_LOINC_VALUE_SET: Final = re.compile(r"http://loinc\.org/vs(?:/([A-Z]{2}\d+-\d))?")
_SCTID: Final = re.compile(r"\d{6,18}")


class BadValueSet(Exception):
    """A value set cannot be evaluated as it is written; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One code that a value set lists, with the names it gives to it there."""

    code: str
    display: str = ""
    designations: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a system's concepts."""

    property: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """One include or exclude: what fits all of it is meant. An empty `system` asks value sets."""

    system: str = ""
    version: str = ""
    listed: tuple[Listed, ...] = ()
    filters: tuple[Filter, ...] = ()
    value_sets: tuple[str, ...] = ()
    member_of: str = ""
    """A named set of the system's release, as an implicit value set has it; "*" is any of them."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A value set: what it includes less what it excludes."""

    url: str = ""
    version: str = ""
    include: tuple[Part, ...] = ()
    exclude: tuple[Part, ...] = ()
    inactive: bool = True
    resource: Mapping[str, Any] = field(default_factory=dict)


def read(resource: Mapping[str, Any]) -> ValueSet:
    """The value set that a ValueSet resource defines.

    One without `compose` is what its stored expansion lists. Raises `BadValueSet`.
    """
    compose = resource.get("compose")
    described = {k: v for k, v in resource.items() if k not in ("compose", "expansion", "text")}
    url, version = resource.get("url", ""), resource.get("version", "")
    if compose is None:
        if "expansion" not in resource:
            raise BadValueSet("The value set has neither a compose nor an expansion.")
        return ValueSet(url, version, _expanded(resource["expansion"]), resource=described)
    include = tuple(
        _part(part, f"ValueSet.compose.include[{n}]")
        for n, part in enumerate(compose.get("include", ()))
    )
    exclude = tuple(
        _part(part, f"ValueSet.compose.exclude[{n}]")
        for n, part in enumerate(compose.get("exclude", ()))
    )
    return ValueSet(url, version, include, exclude, compose.get("inactive", True), described)


def implicit(url: str) -> ValueSet | None:
    """The value set that the URL itself defines, or None when it is an ordinary one."""
    snomed = _SNOMED_VALUE_SET.fullmatch(url)
    if snomed:
        return ValueSet(url, include=(_snomed(snomed[1], unquote(snomed[2] or "")),))
    loinc = _LOINC_VALUE_SET.fullmatch(url)
    if loinc:
        name = loinc[1] or ""
        if name.startswith("LL"):
            return ValueSet(url, include=(Part(LOINC, member_of=name),))
        filters = (Filter("concept", "is-a", name),) if name else ()
        return ValueSet(url, include=(Part(LOINC, filters=filters),))
    system, found, rest = url.partition("?fhir_vs")
    if found and not rest:
        return ValueSet(url, include=(Part(system),))
    return None


def edition(system: str, version: str) -> tuple[str, str]:
    """A SNOMED CT edition's URI as system and version; any other system as it is."""
    if system != SNOMED and _SNOMED_EDITION.fullmatch(system):
        return SNOMED, version or system
    return system, version


def _snomed(base: str, asked: str) -> Part:
    system, version = edition(base, "")
    kind, _, code = asked.partition("/")
    if not asked:
        return Part(system, version)
    if kind == "isa" and _SCTID.fullmatch(code):
        return Part(system, version, filters=(Filter("concept", "is-a", code),))
    if asked == "refset":
        return Part(system, version, member_of="*")
    if kind == "refset" and _SCTID.fullmatch(code):
        return Part(system, version, member_of=code)
    text = f"The implicit SNOMED CT value set fhir_vs={asked[:80]!r} is not one this server reads"
    raise BadValueSet(f"{text}: it reads fhir_vs, isa/[sctid], refset and refset/[sctid].")


def _part(part: Mapping[str, Any], place: str) -> Part:
    system, version = edition(part.get("system", ""), part.get("version", ""))
    listed = tuple(
        Listed(each["code"], each.get("display", ""), tuple(each.get("designation", ())))
        for each in part.get("concept", ())
    )
    filters = tuple(
        _filter(each, f"{place}.filter[{n}]") for n, each in enumerate(part.get("filter", ()))
    )
    if listed and filters:
        raise BadValueSet(f"{place} has both concepts and filters (rule vsd-3).")
    if (listed or filters) and not system:
        raise BadValueSet(f"{place} names codes without a system (rule vsd-2).")
    value_sets = tuple(part.get("valueSet", ()))
    if not system and not value_sets:
        raise BadValueSet(f"{place} names neither a system nor a value set (rule vsd-1).")
    return Part(system, version, listed, filters, value_sets)


def _filter(each: Mapping[str, Any], place: str) -> Filter:
    found = Filter(each.get("property", ""), each.get("op", ""), each.get("value", ""))
    if found.operator not in OPERATORS:
        raise BadValueSet(f"{place}.op {found.operator!r} is not one R4 knows.")
    if not found.property or not found.value:
        raise BadValueSet(f"{place} needs a property and a value.")
    return found


def _expanded(expansion: Mapping[str, Any]) -> tuple[Part, ...]:
    by_system: dict[tuple[str, str], list[Listed]] = {}
    waiting = list(reversed(expansion.get("contains", ())))
    while waiting:
        each = waiting.pop()
        waiting += reversed(each.get("contains", ()))
        if each.get("abstract") or "code" not in each:
            continue
        named = edition(each.get("system", ""), each.get("version", ""))
        designations = tuple(each.get("designation", ()))
        listed = Listed(each["code"], each.get("display", ""), designations)
        by_system.setdefault(named, []).append(listed)
    return tuple(Part(*named, tuple(listed)) for named, listed in by_system.items())
