"""What an inhabitant has blocked, read from Consents that deny: for whom, and what of the record.

https://hl7.org/fhir/R4/consent.html. A Consent of scope `patient-privacy` whose provision denies
shuts out those it names (everyone, when it names nobody) from the whole record, or from what its
provisions name: categories by security label, entries by reference. Provisions within it that
permit name those who are spared. What cannot be carried out is refused when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from helsevev.content.loading import categories
from helsevev.fhir import dates, references
from helsevev.fhir.outcome import Issue, error
from helsevev.kit.projection import Projection
from helsevev.record.rows import label_hash

EVERYONE: Final = "*"
WHOLE: Final = 0
"""In place of a category's hash: the whole record, or the entry that is named."""

_KNOWN: Final = frozenset(
    {"id", "extension", "type", "period", "actor", "securityLabel", "data", "provision"}
)
_WHO: Final = ("Practitioner/", "PractitionerRole/", "Organization/")
_SCOPE: Final = "patient-privacy"

Row = tuple[str, int, str, str, bool, int, int]


def blocks(consent: Mapping[str, Any]) -> Iterator[Row]:
    """(grantee, category, entry's type, entry's id, exempt, start, end) for what is denied."""
    if not _is_block(consent):
        return
    provision = consent["provision"]
    whole = _span(provision, (dates.MIN, dates.MAX))
    inner = provision.get("provision", ())
    denied = [provision, *(each for each in inner if each.get("type") == "deny")]
    if not _says_what(provision) and any(_says_what(each) for each in denied[1:]):
        del denied[0]
    for each in denied:
        span = _span(each, whole)
        grantees = _grantees(each) or _grantees(provision) or [EVERYONE]
        for grantee in grantees:
            for label, entry_type, entry_id in _what(each):
                yield grantee, label, entry_type, entry_id, False, *span
    for each in inner:
        if each.get("type") == "permit":
            for grantee in _grantees(each):
                yield grantee, WHOLE, "", "", True, *_span(each, whole)


def check(consent: Mapping[str, Any]) -> Sequence[Issue]:
    """What of a block could not be carried out; none when all of it can. A clinical rule."""
    if not _is_block(consent):
        return ()
    return list(_faults(consent["provision"], "Consent.provision", within=False))


def _is_block(consent: Mapping[str, Any]) -> bool:
    scopes = {coding.get("code") for coding in consent.get("scope", {}).get("coding", ())}
    return (
        consent.get("status") == "active"
        and _SCOPE in scopes
        and consent.get("provision", {}).get("type") == "deny"
    )


def _faults(provision: Mapping[str, Any], path: str, *, within: bool) -> Iterator[Issue]:
    for name in sorted(provision.keys() - _KNOWN):
        text = f"A block cannot be limited by {name}; it would not be carried out as it is meant."
        yield error("not-supported", text, f"{path}.{name}")
    for n, actor in enumerate(provision.get("actor", ())):
        if not actor.get("reference", {}).get("reference", "").startswith(_WHO):
            text = "A block names practitioners, roles or organisations of the record."
            yield error("not-supported", text, f"{path}.actor[{n}].reference")
    for n, coding in enumerate(provision.get("securityLabel", ())):
        if _category(coding) is None:
            text = f"{coding.get('code', '')!r} is no category that can be blocked."
            yield error("not-supported", text, f"{path}.securityLabel[{n}]")
    for n, each in enumerate(provision.get("data", ())):
        target = references.relative(each.get("reference", {}).get("reference", ""))
        if each.get("meaning") != "instance" or target is None:
            text = "A block names single entries of the record, with the meaning 'instance'."
            yield error("not-supported", text, f"{path}.data[{n}]")
    if within:
        if provision.get("provision"):
            yield error("not-supported", "A block is at most two provisions deep.", path)
        if provision.get("type") == "permit":
            if _says_what(provision) or not provision.get("actor"):
                text = "Within a block, who is spared is named, and spared altogether."
                yield error("not-supported", text, path)
        elif provision.get("type") != "deny":
            yield error("required", "A provision says whether it denies or permits.", path)
        return
    for n, each in enumerate(provision.get("provision", ())):
        yield from _faults(each, f"{path}.provision[{n}]", within=True)


def _says_what(provision: Mapping[str, Any]) -> bool:
    return "securityLabel" in provision or "data" in provision


def _what(provision: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    if not _says_what(provision):
        yield WHOLE, "", ""
    for coding in provision.get("securityLabel", ()):
        if (key := _category(coding)) is not None:
            yield label_hash(key), "", ""
    for each in provision.get("data", ()):
        target = references.relative(each.get("reference", {}).get("reference", ""))
        if target is not None:
            yield WHOLE, *target


def _grantees(provision: Mapping[str, Any]) -> list[str]:
    named = (a.get("reference", {}).get("reference", "") for a in provision.get("actor", ()))
    return [text.partition("/_history/")[0] for text in named if text.startswith(_WHO)]


def _span(provision: Mapping[str, Any], within: tuple[int, int]) -> tuple[int, int]:
    period = provision.get("period")
    found = dates.period_bounds(period.get("start"), period.get("end")) if period else None
    start, end = found or within
    return max(start, within[0]), min(end, within[1])


def _category(coding: Mapping[str, Any]) -> str | None:
    return _categories().get(str(coding.get("code", "")))


@cache
def _categories() -> Mapping[str, str]:
    return {
        code: category.key
        for category in categories().category
        for code in (category.key, *category.marks)
    }


PROJECTION: Final = Projection(
    table="record_block",
    sources=frozenset({"Consent"}),
    columns={
        "grantee": "text", "label": "bigint", "entry_type": "text", "entry_id": "text",
        "exempt": "boolean", "start_at": "bigint", "end_at": "bigint",
    },
    rows=blocks,
)  # fmt: skip
