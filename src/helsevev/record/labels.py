"""What an entry is labelled with: sensitive categories by mark or code, and marks of its own.

Labels are worked out from the resource alone, kept as keys of its row so that a search can leave
entries out, and worked out again wherever a version is handed over. What is contained in a
resource, or bundled in it, labels the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

from helsevev.content.loading import categories

PERSONS: Final = frozenset({"Patient", "RelatedPerson", "Person", "Practitioner", "Location"})
"""Types that carry an address, whose marks tell how secret it is."""

NONE: Final[frozenset[str]] = frozenset()

_ICD10: Final = re.compile(r"icd-10|7110|4\.1\.1\.(?:7110|7170)", re.IGNORECASE)
_ICPC2: Final = re.compile(r"icpc-?2|7170", re.IGNORECASE)
_SAYING: Final = ("code", "category", "type", "reasonCode", "serviceType", "diagnosis", "finding")
"""Elements whose codes say what an entry is about."""

_BLOCK: Final = "block"
_STRICTEST: Final = "strengtFortrolig"


def labels_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """The keys of content/access/categories.toml that hold for a resource."""
    found = set(_own(resource))
    for inner in _inner(resource):
        found |= labels_of(inner)
    return frozenset(found) if found else NONE


def may_be_labelled(json: bytes) -> bool:
    """Whether a resource's JSON may give a label: a sieve that lets too much through."""
    return (
        b"onfidential" in json
        or b"secret-address" in json
        or b'"type":"deny"' in json
        or b"\\u" in json
        or _sieve().search(json) is not None
    )


def _inner(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in resource.get("contained", ()) if "resourceType" in each)
    if resource.get("resourceType") == "Bundle":
        for entry in resource.get("entry", ()):
            if "resource" in entry:
                yield entry["resource"]


def _own(resource: Mapping[str, Any]) -> Iterator[str]:
    kind = resource.get("resourceType", "")
    meta = resource.get("meta", {})
    marks = [*meta.get("security", ()), *meta.get("tag", ())]
    for coding in marks:
        yield from _marked(kind in PERSONS, kind == "Patient", str(coding.get("code", "")))
    if kind == "Consent" and resource.get("provision", {}).get("type") == "deny":
        yield _BLOCK
    if kind in PERSONS:
        yield from _of_addresses(resource)
        if kind == "Location" and _is_home(resource):
            yield from _marked(True, False, _STRICTEST)
    elif kind not in categories().never_by_code:
        for system, code in _codes(resource):
            yield from _by_code(system, code)


@lru_cache(maxsize=10_000)
def _marked(is_person: bool, is_patient: bool, code: str) -> tuple[str, ...]:
    known = categories()
    found = [
        mark.key
        for mark in known.mark
        if code in mark.codes
        and (mark.on == "entry" or (is_person and mark.on == "person") or is_patient)
    ]
    if not is_person:
        found += [category.key for category in known.category if code in category.marks]
    return tuple(found)


@lru_cache(maxsize=20_000)
def _by_code(system: str, code: str) -> tuple[str, ...]:
    found = []
    for category in categories().category:
        if _ICPC2.search(system):
            starts = category.icpc2
        elif _ICD10.search(system):
            starts = category.icd10
        else:
            continue
        if code.upper().startswith(starts):
            found.append(category.key)
    return tuple(found)


def _codes(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _SAYING:
        value = resource.get(name)
        for concept in value if isinstance(value, list) else [value]:
            if not isinstance(concept, dict):
                continue  # A code, a boolean, or nothing: it has no coding.
            nested = concept.get("condition")
            for one in (concept, nested if isinstance(nested, dict) else {}):
                for coding in one.get("coding", [one] if "system" in one else ()):
                    yield str(coding.get("system", "")), str(coding.get("code", ""))


def _is_home(place: Mapping[str, Any]) -> bool:
    """Whether somebody lives there: whose home it is, only their record tells."""
    concepts = [place.get("physicalType", {}), *place.get("type", ())]
    codings = (coding for concept in concepts for coding in concept.get("coding", ()))
    return any(f"{c.get('system', '')}|{c.get('code', '')}" in categories().homes for c in codings)


def _of_addresses(resource: Mapping[str, Any]) -> Iterator[str]:
    """How secret an address is, as the address itself says in an extension."""
    listed = resource.get("address", ())
    for address in [listed] if isinstance(listed, dict) else listed:
        for code in _grades(address.get("extension", ())):
            yield from (key for key in _marked(True, False, code) if key.startswith("address:"))


def _grades(extensions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for extension in extensions:
        url = str(extension.get("url", "")).lower()
        if "confidential" in url or "secret" in url:
            for name in ("valueCode", "valueString"):
                if name in extension:
                    yield str(extension[name])
            if extension.get("valueBoolean") is True:
                # Secret, and nobody said how: as secret as can be.
                yield _STRICTEST
            for name in ("valueCoding", "valueCodeableConcept"):
                value = extension.get(name, {})
                for coding in value.get("coding", [value]):
                    yield str(coding.get("code", ""))
        yield from _grades(extension.get("extension", ()))


@cache
def _sieve() -> re.Pattern[bytes]:
    """Finds a mark or the beginning of a code, as the record writes JSON."""
    known = categories()
    whole = {code for mark in known.mark for code in mark.codes}
    whole |= {mark for category in known.category for mark in category.marks}
    whole |= {home.partition("|")[2] for home in known.homes}
    starts = {start for each in known.category for start in (*each.icd10, *each.icpc2)}
    either = {f'{code}"' for code in whole} | starts | {start.lower() for start in starts}
    return re.compile(f'"code":"{_one_of(either)}'.encode())


def _one_of(beginnings: Iterable[str]) -> str:
    """A pattern of texts that branches letter by letter, so that most codes fail at their first."""
    rests: dict[str, list[str]] = {}
    for text in sorted(beginnings):
        if not text:
            return ""
        rests.setdefault(text[0], []).append(text[1:])
    branches = (f"{re.escape(letter)}{_one_of(rest)}" for letter, rest in rests.items())
    return f"(?:{'|'.join(branches)})"


__all__ = ["NONE", "PERSONS", "labels_of", "may_be_labelled"]
