"""From a resource to the rows that keep it: the body, its place, and what it can be found by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from helsevev.fhir import compartment, extraction, references
from helsevev.fhir.search_query import normalize
from helsevev.record import body, keys

NO_DATE: Final = -(2**63)
NO_CODE: Final = 0

UNSELECTIVE: Final = frozenset(
    """_language _profile _security _tag abatement-string action active activity-code
    address-use administrative-gender appointment-type availability bodysite category
    characteristic class clinical-status component-code component-value-concept contenttype
    criticality data-absent-reason component-data-absent-reason dayofweek deceased deleted
    discharge-disposition disposition document-type evidence exclude experimental facility
    financial-status format gender group-identifier-type intent interaction kind language
    laterality lifecycle-status location-type mechanism method modality mode outcome
    outcome-code participating-role policy position priority processing-status purpose reason
    reason-code reject-reason relationship reporter-type request-status role security-label
    service-category setting severity special-arrangement species stage status
    status-reason subject-type substance-status target-disease telecom-use type use
    value-concept verification-status vaccine-status""".split()
)
"""Token parameters whose values are too common to be worth an index entry for each row.

They are kept in the row and filter what another condition finds (measured: indexing them costs
five times the insert rate and draws the planner to bad plans).
"""

_UNIONS: Final = ("combo-",)
"""Parameters that R4 defines as the union of two others; a search asks for those instead."""


class SearchRow(NamedTuple):
    """The part of a resource's rows that searching uses; see migration 0001."""

    code: int
    date_low: int
    date_high: int
    keys: list[int]
    tokens: list[int]


@dataclass(slots=True)
class Row:
    """One version of one resource, ready to be written."""

    patient: int
    type: str
    id: str
    version: int
    search: SearchRow
    body: bytes
    resource: dict[str, Any]
    strings: list[tuple[str, str]] = field(default_factory=list)
    dates: list[tuple[str, int, int]] = field(default_factory=list)
    quantities: list[tuple[str, int, int, Decimal]] = field(default_factory=list)
    coding: tuple[str, str, int] | None = None

    @property
    def in_directory(self) -> bool:
        """Whether the id itself does not tell where the row is kept."""
        return keys.locality(self.type, self.id) != self.patient


@lru_cache(maxsize=400_000)
def token_hash(name: str, system: str | None, code: str | None) -> int:
    """The signed 64-bit key of a search value: parameter name, system and code.

    `system` None stands for "whatever system", "" for "no system"; `code` None for "any code".
    """
    digest = blake2b(digest_size=8)
    for part in (name, system, code):
        digest.update(b"\x00" if part is None else b"\x01" + part.encode())
    return int.from_bytes(digest.digest(), signed=True)


@lru_cache(maxsize=100_000)
def _token_hashes(name: str, system: str | None, code: str | None) -> tuple[int, ...]:
    with_system = token_hash(name, system or "", code)
    if code is None:
        return (token_hash(name, system or "", None),)
    if name == "identifier" or name.endswith(":identifier") or not system:
        return (with_system, token_hash(name, None, code))
    return (with_system, token_hash(name, None, code), token_hash(name, system, None))


def reference_hash(name: str, target: str) -> int:
    """The key of a reference parameter's value, `Type/id` or a URL."""
    return token_hash(name, "\x00reference", target)


def locality(resource: dict[str, Any]) -> int:
    """The inhabitant's key that `resource` is kept under (0 reference data, -1 no inhabitant)."""
    resource_type = resource["resourceType"]
    if resource_type == "Patient":
        return keys.patient_key(resource["id"])
    if not compartment.is_clinical(resource_type):
        return keys.REFERENCE
    subject = compartment.subject_of(resource)
    return keys.UNASSIGNED if subject is None else keys.patient_key(subject[8:])


def _sort_out(row: Row, entries: list[tuple[Any, ...]], main_date: int | None) -> None:
    own = f"Patient/{row.id}" if row.type == "Patient" else compartment.subject_of(row.resource)
    by_kind: Callable[..., None]
    for entry in entries:
        name, kind = entry[0], entry[1]
        if name.startswith(_UNIONS) or kind == extraction.COMPOSITE:
            continue
        if kind == extraction.TOKEN:
            target = row.search.tokens if name in UNSELECTIVE else row.search.keys
            target.extend(_token_hashes(name, entry[2], entry[3]))
        elif kind == extraction.REFERENCE:
            if entry[2] != own or name not in ("patient", "subject"):
                row.search.keys.append(reference_hash(name, entry[2]))
        elif kind == extraction.STRING:
            row.strings.append((name, normalize(entry[2])))
        elif kind == extraction.DATE:
            row.dates.append((name, entry[2], entry[3]))
        elif kind == extraction.QUANTITY:
            _, _, value, system, code, unit = entry
            row.quantities.append((name, _unit(code or unit), _unit(code or unit, system), value))
        elif kind == extraction.NUMBER:
            row.quantities.append((name, 0, 0, entry[2]))
        else:
            row.search.keys.append(token_hash(name, None, entry[2]))


def _unit(code: str | None, system: str | None = None) -> int:
    return 0 if code is None else token_hash("unit", system, code)


def build(resource: dict[str, Any], version: int, encoded: bytes, patient: int) -> Row:
    """The rows of `resource`, whose JSON with `id` and `meta` is `encoded`."""
    raise NotImplementedError


def relative_references(resource: dict[str, Any]) -> list[str]:
    """Every local `Type/id` that the resource refers to, in document order."""
    return [found for found in references.walk(resource)]
