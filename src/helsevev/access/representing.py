"""Who acts for an inhabitant: parents, holders of a power of attorney and guardians.

Read from RelatedPerson: what the register says of parents, and what was granted, with its period.
A parent acts by parental responsibility alone, as Folkeregisteret has it and the national base
profile carries it. A representative is known by the national number, of which only a hash is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from helsevev.fhir import dates
from helsevev.fhir.identifiers import PERSON_SYSTEMS
from helsevev.kit.projection import Projection
from helsevev.record.rows import token_hash

PARENT: Final = "parent"
POWER_OF_ATTORNEY: Final = "power-of-attorney"
GUARDIAN: Final = "guardian"

SCOPE_URL: Final = "https://helsevev.example/fhir/StructureDefinition/representation-scope"
SCOPES: Final = ("communicate", "read", "full")
"""How far somebody may act, from the least."""

RESPONSIBILITY: Final = "http://hl7.no/fhir/CodeSystem/no-basis-parental-responsibility"
"""Who has parental responsibility for the child: together, one parent alone, or others."""

# v3-RoleCode and the national base profile's family relations, with which code of parental
# responsibility says that this parent has it alone.
_PARENTS: Final[Mapping[str, str]] = {
    "MTH": "mor", "NMTH": "mor", "ADOPTM": "mor", "mor": "mor", "FTH": "far", "NFTH": "far",
    "ADOPTF": "far", "far": "far", "medmor": "medmor", "PRN": "", "ADOPTP": "",
}  # fmt: skip
_GRANTED: Final[Mapping[str, str]] = {
    "POWATT": POWER_OF_ATTORNEY, "HPOWATT": POWER_OF_ATTORNEY, "GUARD": GUARDIAN,
}  # fmt: skip

Row = tuple[int, str, str, int, int]


def representations(person: Mapping[str, Any]) -> Iterator[Row]:
    """(representative, kind, scope, start, end) for each way in which a RelatedPerson acts."""
    if person.get("active") is False:
        return
    period = person.get("period")
    found = dates.period_bounds(period.get("start"), period.get("end")) if period else None
    start, end = found or (dates.MIN, dates.MAX)
    kinds = _kinds(person)
    for identifier in person.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if system in PERSON_SYSTEMS and value and identifier.get("use") != "old":
            for kind in kinds:
                yield token_hash("identifier", system, value), kind, _scope(person), start, end


def _kinds(person: Mapping[str, Any]) -> list[str]:
    said = [
        (coding.get("system"), coding.get("code"))
        for concept in person.get("relationship", ())
        for coding in concept.get("coding", ())
    ]
    kinds = {_GRANTED[code] for system, code in said if code in _GRANTED}
    parents = {_PARENTS[c] for system, c in said if system != RESPONSIBILITY and c in _PARENTS}
    responsible = {code for system, code in said if system == RESPONSIBILITY}
    # "felles": the parents together. "andre": others than the parents, who is then this person.
    if (parents and responsible & {"felles", *parents}) or (not parents and "andre" in responsible):
        kinds.add(PARENT)
    return sorted(kinds)


def _scope(person: Mapping[str, Any]) -> str:
    for extension in person.get("extension", ()):
        if extension.get("url") == SCOPE_URL:
            said = str(extension.get("valueCode", ""))
            # What is not understood opens nothing.
            return said if said in SCOPES else SCOPES[0]
    return "full"


PROJECTION: Final = Projection(
    table="representation",
    sources=frozenset({"RelatedPerson"}),
    columns={
        "representative": "bigint", "kind": "text", "scope": "text", "start_at": "bigint",
        "end_at": "bigint",
    },
    rows=representations,
)  # fmt: skip
