"""What a provider's claims say about who somebody is: a health personnel number, or a national one.

HelseID: `helseid://claims/…` (utviklerportal.nhn.no). ID-porten: `pid`, `acr` (docs.digdir.no).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helsevev.access.identity.profile import ID_PORTEN_HIGH
from helsevev.access.identity.refusals import LoginRefused
from helsevev.fhir.identifiers import Kind, kind_of

HPR_NUMBER: Final = "helseid://claims/hpr/hpr_number"
SECURITY_LEVEL: Final = "helseid://claims/identity/security_level"
ASSURANCE_LEVEL: Final = "helseid://claims/identity/assurance_level"
ORGANISATION: Final = "helseid://claims/client/claims/orgnr_parent"
UNIT: Final = "helseid://claims/client/claims/orgnr_child"
_TRUST_FRAMEWORK: Final = "nhn:tillitsrammeverk"
_NATIONAL: Final = (Kind.FODSELSNUMMER, Kind.D_NUMMER)
_HIGHEST: Final = "4"
_HPR: Final = re.compile(r"[0-9]{1,9}")

LEVEL_TOO_LOW: Final = "You must sign in at the highest security level."
NO_HPR_NUMBER: Final = "The national login names no number in the register of health personnel."
NO_NATIONAL_NUMBER: Final = "The national login names no national identity number."


@dataclass(frozen=True, slots=True)
class StaffClaims:
    """Who a member of staff is to HelseID.

    `organisation` and `unit` are the organisation numbers that the sign-in is for, "" when it is
    for none in particular; `attest` is what the trust framework's attest says of practitioner and
    care relation, in codes.
    """

    hpr_number: str
    organisation: str = ""
    unit: str = ""
    provider_session: str = ""
    attest: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class InhabitantClaims:
    """Who an inhabitant is to ID-porten."""

    national_number: str
    provider_session: str = ""


def staff_claims(
    claims: Mapping[str, Any], details: Iterable[Mapping[str, Any]] = ()
) -> StaffClaims:
    """Read HelseID's claims. Raises `LoginRefused` at a lower level or without an HPR number."""
    level = str(claims.get(SECURITY_LEVEL, ""))
    assurance = str(claims.get(ASSURANCE_LEVEL, "high"))
    if level != _HIGHEST or assurance != "high":
        raise LoginRefused(LEVEL_TOO_LOW, f"level {level}, assurance {assurance}"[:80])
    number = str(claims.get(HPR_NUMBER, ""))
    if not _HPR.fullmatch(number):
        raise LoginRefused(NO_HPR_NUMBER, "no HPR number")
    return StaffClaims(
        number,
        str(claims.get(ORGANISATION, "")),
        str(claims.get(UNIT, "")),
        str(claims.get("sid", "")),
        _attest(claims, details),
    )


def inhabitant_claims(claims: Mapping[str, Any]) -> InhabitantClaims:
    """Read ID-porten's claims. Raises `LoginRefused` at a lower level or without a number."""
    if claims.get("acr") != ID_PORTEN_HIGH:
        raise LoginRefused(LEVEL_TOO_LOW, f"acr {claims.get('acr')}"[:80])
    number = claims.get("pid")
    if not isinstance(number, str) or kind_of(number) not in _NATIONAL:
        raise LoginRefused(NO_NATIONAL_NUMBER, "no pid")
    return InhabitantClaims(number, str(claims.get("sid", "")))


def _attest(
    claims: Mapping[str, Any], details: Iterable[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The attest (Tillitsrammeverket 1.1), without whom it is about: that stands in the record."""
    offered = [d for d in details if str(d.get("type", "")).startswith(_TRUST_FRAMEWORK)]
    offered += [
        value
        for name, value in claims.items()
        if name.startswith(_TRUST_FRAMEWORK) and isinstance(value, dict)
    ]
    kept = ("practitioner", "care_relation")
    for attest in offered:
        found = {part: dict(attest[part]) for part in kept if isinstance(attest.get(part), dict)}
        if found:
            # A national number: who it is stands in the session already.
            found.get("practitioner", {}).pop("identifier", None)
            return found
    return None
