"""A block in FHIR and in words: the Consent that a wish becomes, and what a Consent says.

https://hl7.org/fhir/R4/consent.html. Pasientjournalloven § 17, helsepersonelloven § 29.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.blocking import EVERYONE, blocks
from helsevev.content.access_shapes import Category
from helsevev.content.loading import categories
from helsevev.record.rows import label_hash

REGISTERED_BY: Final = "https://helsevev.example/fhir/StructureDefinition/registered-by"
LIFTED_BY: Final = "https://helsevev.example/fhir/StructureDefinition/lifted-by"
_LAW: Final = "pasientjournalloven § 17"
_ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_HL7: Final = "http://terminology.hl7.org/CodeSystem/"
_GRADES: Final = frozenset({"restricted", "very-restricted"})
"""Marks that senders set; an inhabitant blocks what an entry is about."""

WHOLE: Final = "whole"
CATEGORY: Final = "category:"
ENTRY: Final = "entry:"


class Party(Struct, frozen=True):
    """Somebody who can be kept out: `reference` is `EVERYONE`, a person or an organisation."""

    reference: str
    name: str
    detail: str = ""

    @property
    def kind(self) -> str:
        """Whom a block of this party is aimed at: everyone, person or unit."""
        if self.reference == EVERYONE:
            return "everyone"
        return "person" if self.reference.startswith("Practitioner/") else "unit"


class Wish(Struct, frozen=True):
    """A block that somebody wants: whom, of what (`whole`, `category:x`, `entry:Type/id`), until.

    `until` is a day, included, or "". `how` says how an inhabitant asked somebody to register it.
    """

    party: Party
    what: str
    until: str = ""
    how: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """A block as it stands or stood: references and categories, not yet their names."""

    id: str
    version: int
    active: bool
    parties: tuple[Party, ...]
    spared: tuple[Party, ...]
    categories: tuple[str, ...]
    entries: tuple[tuple[str, str], ...]
    whole: bool
    since: str
    until: str
    by: str
    lifted_by: str
    changed_at: str


def choices() -> tuple[Category, ...]:
    """The categories that an inhabitant can block."""
    return tuple(each for each in categories().category if each.key not in _GRADES)


def consent(wish: Wish, actor: Actor, patient_id: str, at: datetime) -> dict[str, Any]:
    """The Consent that carries out a wish."""
    provision: dict[str, Any] = {"type": "deny"}
    if wish.until:
        provision["period"] = {"end": wish.until}
    if wish.party.reference != EVERYONE:
        role = {"coding": [{"system": f"{_HL7}v3-ParticipationType", "code": "IRCP"}]}
        who = {"reference": wish.party.reference, "display": wish.party.name}
        provision["actor"] = [{"role": role, "reference": who}]
    if wish.what.startswith(CATEGORY):
        key = wish.what.removeprefix(CATEGORY)
        mark = next(each.marks[0] for each in choices() if each.key == key)
        provision["securityLabel"] = [{"system": _ACT, "code": mark}]
    elif wish.what.startswith(ENTRY):
        entry = {"reference": wish.what.removeprefix(ENTRY)}
        provision["data"] = [{"meaning": "instance", "reference": entry}]
    whose = f"Patient/{patient_id}"
    agrees = actor.id if actor.kind == "inhabitant" else whose
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "extension": [_signed(REGISTERED_BY, actor)],
        "status": "active",
        "scope": {"coding": [{"system": f"{_HL7}consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": whose},
        "dateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": agrees}],
        "policyRule": {"text": _LAW},
        "provision": provision,
    }
    if wish.how:
        made["sourceAttachment"] = {"title": wish.how}
    return made


def lifted(block: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The next version of a block that is over: it stays to be seen, with who lifted it."""
    kept = [each for each in block.get("extension", ()) if each.get("url") != LIFTED_BY]
    return {**block, "status": "inactive", "extension": [*kept, _signed(LIFTED_BY, actor)]}


def told(block: Mapping[str, Any]) -> Told | None:
    """What a Consent keeps from whom, or kept; None when it is no block."""
    rows = list(blocks({**block, "status": "active"}))
    if block.get("status") not in ("active", "inactive") or not rows:
        return None
    denied = [row for row in rows if not row[4]]
    names = _displays(block["provision"])
    return Told(
        id=block["id"],
        version=int(block["meta"]["versionId"]),
        active=block["status"] == "active",
        parties=_parties((row[0] for row in denied), names),
        spared=_parties((row[0] for row in rows if row[4]), names),
        categories=tuple(dict.fromkeys(_by_hash()[row[1]] for row in denied if row[1])),
        entries=tuple(dict.fromkeys((row[2], row[3]) for row in denied if row[2])),
        whole=any(not row[1] and not row[2] for row in denied),
        since=str(block.get("dateTime") or ""),
        until=str(block["provision"].get("period", {}).get("end", "")),
        by=_signer(block, REGISTERED_BY),
        lifted_by=_signer(block, LIFTED_BY),
        changed_at=block["meta"]["lastUpdated"],
    )


def _parties(references: Iterable[str], names: Mapping[str, str]) -> tuple[Party, ...]:
    return tuple(Party(each, names.get(each, "")) for each in dict.fromkeys(references))


def _displays(provision: Mapping[str, Any]) -> dict[str, str]:
    found = {
        actor["reference"].get("reference", ""): actor["reference"].get("display", "")
        for actor in provision.get("actor", ())
    }
    for inner in provision.get("provision", ()):
        found |= _displays(inner)
    return found


def _signed(url: str, actor: Actor) -> dict[str, Any]:
    return {"url": url, "valueReference": {"reference": actor.id, "display": actor.name}}


def _signer(block: Mapping[str, Any], url: str) -> str:
    return next(
        (
            str(each.get("valueReference", {}).get("display", ""))
            for each in block.get("extension", ())
            if each.get("url") == url
        ),
        "",
    )


@cache
def _by_hash() -> Mapping[int, str]:
    return {label_hash(each.key): each.key for each in categories().category}
