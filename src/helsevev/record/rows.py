"""From a resource to the rows that keep it: the body, its place, and what it can be found by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import starmap
from typing import Any, Final

from helsevev.fhir import compartment, contained, serialization
from helsevev.fhir.extraction import (
    COMPOSITE,
    DATE,
    NUMBER,
    PARAMETERS,
    POSITION,
    QUANTITY,
    REFERENCE,
    STRING,
    TOKEN,
    extract,
)
from helsevev.fhir.search_query import normalize
from helsevev.record import body, composites, keys, leading, words
from helsevev.record.composites import Layout
from helsevev.record.labels import labels_of

RULES: Final = 3
"""The number of the rules by which resources become rows. Whoever changes what a resource is found
by raises it, and adds a migration that notes it for records that are empty (as 0008 does)."""

NO_DATE: Final = -(2**62)  # earlier than any date FHIR can write
NO_CODE: Final = 0
NO_UNIT: Final = 0
ABOUT: Final = ("patient", "subject")
"""Parameters whose value is, for most, the inhabitant that the row is kept with."""

UCUM: Final = "http://unitsofmeasure.org"
NEAR: Final = ("near:latitude", "near:longitude")
"""The numbers that a position is kept as."""

_LONGEST_STRING: Final = 1200  # bytes, twice in an index entry

UNSELECTIVE: Final = frozenset(
    {"_language", "_profile", "_security", "_tag", "abatement-string", "action", "active",
     "activity-code", "address-use", "appointment-type", "availability", "bodysite", "category",
     "characteristic", "class", "clinical-status", "component-code",
     "component-data-absent-reason", "component-value-concept", "contenttype", "criticality",
     "data-absent-reason", "dayofweek", "deceased", "discharge-disposition", "disposition",
     "document-type", "exclude", "experimental", "facility", "financial-status", "format",
     "gender", "intent", "interaction", "kind", "language", "laterality", "lifecycle-status",
     "location-type", "manifestation", "mechanism", "method", "modality", "mode", "outcome",
     "participating-role", "policy", "priority", "processing-status", "purpose", "reason",
     "reason-code", "relationship", "request-status", "role", "route", "security-label",
     "service-category", "service-type", "setting", "severity", "special-arrangement", "species",
     "specialty", "stage", "status", "status-reason", "subject-type", "substance-status",
     "telecom-use", "type", "use", "value-concept", "verification-status"}
)  # fmt: skip
"""Token parameters whose values are too common to be worth an index entry for each row.

They are kept in the row and filter what another condition finds (measured: indexing them costs
five times the insert rate and draws the planner to bad plans).
"""

URI_SEEN: Final = "\x08uri:"
"""With a parameter's name, the system under which its URLs are listed among the codings."""


@dataclass(slots=True)
class Row:
    """One version of one resource, ready to be written; the columns of migration 0001."""

    patient: int
    type: str
    id: str
    version: int
    resource: dict[str, Any]
    body: bytes
    code: int = NO_CODE
    date_low: int = NO_DATE
    date_high: int = NO_DATE
    keys: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    strings: list[tuple[str, str]] = field(default_factory=list)
    dates: list[tuple[str, int, int]] = field(default_factory=list)
    quantities: list[tuple[str, int, int, Decimal, int]] = field(default_factory=list)
    """(name, unit, unit with its system, value, what it is of)."""
    codings: list[tuple[str, str, int, bool]] = field(default_factory=list)
    """(code, system, hash, whether it stands in a `code` column): codes, units and URLs seen."""
    added: list[str] = field(default_factory=list)
    """URLs of the added search parameters whose values are here."""
    words: tuple[str, str] | None = None
    """The narrative, and other words, for full text."""

    @property
    def token_set(self) -> int:
        """The number of this combination of tokens in table `token_set`; 0 for none."""
        return set_hash(tuple(sorted(set(self.tokens))))

    @property
    def in_directory(self) -> bool:
        """Whether the id itself does not tell where the row is kept."""
        return keys.locality(self.type, self.id) != self.patient


@lru_cache(maxsize=20_000)
def token_hash(name: str, system: str | None, code: str | None) -> int:
    """The signed 64-bit key of a search value: parameter name, system and code.

    `system` None stands for "whatever system", "" for "no system"; `code` None for "any code".
    """
    parts = ("\x00" if part is None else f"\x01{part}" for part in (name, system, code))
    digest = blake2b("\x02".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


@lru_cache(maxsize=30_000)
def _token_hashes(name: str, system: str | None, code: str | None) -> tuple[int, ...]:
    if code is None:
        return (token_hash(name, system or "", None),)
    hashes = (token_hash(name, system or "", code), token_hash(name, None, code))
    return (*hashes, token_hash(name, system, None)) if system else hashes


@lru_cache(maxsize=20_000)
def leading_hash(system: str, code: str) -> int:
    """The value of column `code` for a leading coding; never NO_CODE."""
    return token_hash("\x03leading", system, code) or 1


@cache
def presence_hash(name: str) -> int:
    """Marks that a resource has any value for a token, reference or uri parameter."""
    return token_hash("\x06present", name, None)


ELSEWHERE: Final = token_hash("\x07elsewhere", None, None)
"""Marks a row that is kept with an inhabitant whom neither of `ABOUT` names (a performer, say)."""


@cache
def label_hash(label: str) -> int:
    """Marks a row that a label holds for (`record.labels`)."""
    return token_hash("\x0elabel", None, label)


@lru_cache(maxsize=50_000)
def set_hash(tokens: tuple[int, ...]) -> int:
    """The signed 64-bit number of a combination of tokens: the same in every process."""
    if not tokens:
        return 0
    packed = b"".join(token.to_bytes(8, signed=True) for token in tokens)
    return int.from_bytes(blake2b(packed, digest_size=8, person=b"tokens").digest(), signed=True)


def reference_hash(name: str, target: str) -> int:
    """The key of a reference parameter's value, `Type/id` or a URL."""
    return token_hash(name, "\x04reference", target)


def string_value(normalized: str, text: str) -> str:
    """What search_string keeps: the text to compare, and after it the text as written.

    Long texts are cut, since an index entry holds some 2,700 bytes: then their beginning is what
    is compared, and a digest stands for the text as written.
    """
    if len(text) * 4 > _LONGEST_STRING and len(text.encode()) > _LONGEST_STRING:
        text = blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{comparable(normalized)}\x01{text}"


def comparable(normalized: str) -> str:
    """As much of a normalized text as search_string compares."""
    if len(normalized) * 4 <= _LONGEST_STRING:
        return normalized
    return normalized.encode()[:_LONGEST_STRING].decode(errors="ignore")


def unit_hash(system: str | None, code: str) -> int:
    """The key of a quantity's unit, with its system or (None) whatever system."""
    return token_hash("\x05unit", system, code)


def prefix_end(prefix: str) -> str:
    """The first text, in code point order, after everything that begins with `prefix`."""
    return prefix + chr(0x10FFFF)


def locality(resource: dict[str, Any]) -> int:
    """The inhabitant's key that `resource` is kept under (0 reference data, -1 no inhabitant).

    A Patient has to have its id.
    """
    resource_type = resource["resourceType"]
    if resource_type == "Patient":
        return keys.patient_key(resource["id"])
    if not compartment.is_clinical(resource_type):
        return keys.REFERENCE
    subject = compartment.subject_of(resource)
    if subject is None:
        # A device that nobody carries is the ward's, and as open as the ward's name.
        return keys.REFERENCE if resource_type == "Device" else keys.UNASSIGNED
    return keys.patient_key(subject[8:])


def stamped(resource: dict[str, Any], version: int, at: datetime) -> dict[str, Any]:
    """The resource with its version and time in `meta`; everything else as it was sent."""
    # First what it is, as readers expect and bodies are packed; the rest as the sender has it.
    stamp = {"versionId": str(version), "lastUpdated": body.time_text(at)}
    meta = stamp | (resource["meta"] | stamp if "meta" in resource else {})
    head = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta}
    head |= resource
    head["meta"] = meta
    return head


def build(resource: dict[str, Any], version: int, patient: int) -> Row:
    """The rows of a valid, stamped resource that is kept under `patient`."""
    packed = body.pack(serialization.encode(resource))
    row = Row(patient, resource["resourceType"], resource["id"], version, resource, packed)
    date_name = leading.date_parameter(row.type)
    code_name = leading.code_parameter(row.type)
    own = compartment.subject_of(resource)
    row.words = words.kept(resource)
    present: set[str] = set()
    said = False
    extracted = extract(resource)
    measured = _add_composites(row, extracted, present)
    row.keys += [*map(label_hash, labels_of(resource)), *_contained_keys(resource)]
    for entry in extracted:
        name, kind = entry[0], entry[1]
        if kind == COMPOSITE or name in composites.not_kept(row.type):
            continue
        if kind == TOKEN:
            if name == code_name:
                _add_leading_code(row, name, entry[2], entry[3])
            elif name.endswith(":of-type"):
                row.keys.append(token_hash(name, entry[2], entry[3]))
            else:
                target = row.tokens if name in UNSELECTIVE else row.keys
                target += _token_hashes(name, entry[2], entry[3])
                present.add(name)
        elif kind == REFERENCE:
            if entry[2] != own or name not in ABOUT:
                row.keys.append(reference_hash(name, entry[2]))
                present.add(name)
            else:
                said = True
        elif kind == DATE:
            if name == date_name:
                _widen(row, entry[2], entry[3])
            else:
                row.dates.append((name, entry[2], entry[3]))
        elif kind == STRING:
            # What is compared first; the text as written after it, for :exact.
            row.strings.append((name, string_value(normalize(entry[2]), entry[2])))
        elif kind == QUANTITY:
            if entry not in measured:
                row.quantities += _quantities(row, entry, NO_CODE)
        elif kind == NUMBER:
            row.quantities.append((name, NO_UNIT, NO_UNIT, entry[2], NO_CODE))
        elif kind == POSITION:
            for part, degrees in zip(NEAR, entry[2:], strict=True):
                row.quantities.append((part, NO_UNIT, NO_UNIT, degrees, NO_CODE))
        else:
            _add_uri(row, name, entry[2])
            present.add(name)
    row.tokens += map(presence_hash, present)
    if own is not None and not said and not PARAMETERS[row.type].keys().isdisjoint(ABOUT):
        row.tokens.append(ELSEWHERE)
    if row.quantities and (beside := composites.beside_code(row.type)):
        row.quantities = [
            (*quantity[:4], row.code) if quantity[0] in beside else quantity
            for quantity in row.quantities
        ]
    return row


def _contained_keys(resource: dict[str, Any]) -> Iterator[int]:
    return starmap(token_hash, contained.values_of(resource) if "contained" in resource else ())


def _add_composites(row: Row, extracted: list[Any], present: set[str]) -> set[tuple[Any, ...]]:
    """What composites add; returns the plain quantities that are kept with their code by it."""
    measured: set[tuple[Any, ...]] = set()
    for entry in extracted:
        if entry[1] != COMPOSITE or entry[0] in composites.UNIONS:
            continue
        name = entry[0]
        kept = composites.layout(row.type, name)
        if kept is Layout.PAIRED:
            row.keys += pair_hashes(row.type, name, entry[2], entry[3])
            present.add(name)
        elif kept is Layout.MEASURED:
            _, system, code = entry[2]
            if code is not None:
                quantity = (composites.components(row.type, name)[1].parameter, *entry[3])
                hashed = leading_hash(system or "", code)
                row.quantities += _quantities(row, quantity, hashed)
                row.codings.append((code, system or "", hashed, True))
                measured.add(quantity)
    return measured


def pair_hashes(resource_type: str, name: str, first: Any, second: Any) -> list[int]:
    """Keys of a pair of parts `(TOKEN, system, code)` or `(REFERENCE, text)`, in every wording."""
    one, other = (
        _part_hashes(component.parameter, part)
        for component, part in zip(
            composites.components(resource_type, name), (first, second), strict=True
        )
    )
    return [pair_hash(name, a, b) for a in one for b in other]


def _part_hashes(name: str, part: tuple[Any, ...]) -> tuple[int, ...]:
    if part[0] == REFERENCE:
        return (reference_hash(name, part[1]),)
    return _token_hashes(name, part[1], part[2])


def pair_hash(name: str, first: int, second: int) -> int:
    """The key of two parts of a composite, each given by its own key."""
    return token_hash(name, f"\x09{first}", str(second))


def add_value(row: Row, value: tuple[Any, ...]) -> None:
    """Add what one value of an added search parameter is found by, like one of R4's own."""
    name, kind = value[0], value[1]
    if kind == TOKEN:
        row.keys += _token_hashes(name, value[2], value[3])
    elif kind == REFERENCE:
        row.keys.append(reference_hash(name, value[2]))
    elif kind == DATE:
        row.dates.append((name, value[2], value[3]))
        return
    elif kind == STRING:
        row.strings.append((name, string_value(normalize(value[2]), value[2])))
        return
    elif kind == QUANTITY:
        row.quantities += _quantities(row, value, NO_CODE)
        return
    elif kind == NUMBER:
        row.quantities.append((name, NO_UNIT, NO_UNIT, value[2], NO_CODE))
        return
    else:
        _add_uri(row, name, value[2])
    row.tokens.append(presence_hash(name))


def array_text(values: Sequence[int]) -> str:
    """An array as PostgreSQL writes it, for a column of arrays of different lengths."""
    return "{" + ",".join(map(str, values)) + "}"


def _add_uri(row: Row, name: str, uri: str) -> None:
    hashed = token_hash(name, None, uri)
    row.keys.append(hashed)
    row.codings.append((uri, URI_SEEN + name, hashed, False))


def _add_leading_code(row: Row, name: str, system: str | None, code: str | None) -> None:
    if system and code and row.code == NO_CODE:
        row.code = leading_hash(system, code)
        row.codings.append((code, system, row.code, True))
        return
    row.keys += _token_hashes(name, system, code)
    row.tokens.append(presence_hash(name))
    if code:
        row.codings.append((code, system or "", token_hash(name, system or "", code), False))


def _widen(row: Row, low: int, high: int) -> None:
    known = row.date_low != NO_DATE
    row.date_low = min(row.date_low, low) if known else low
    row.date_high = max(row.date_high, high) if known else high


def _quantities(
    row: Row, entry: tuple[Any, ...], of: int
) -> Iterator[tuple[str, int, int, Decimal, int]]:
    name, _, value, system, code, unit = entry
    coded = unit_hash(system, code) if system and code else NO_UNIT
    if system == UCUM and code:
        row.codings.append((code, system, coded, False))
    measures = list(dict.fromkeys(each for each in (code, unit) if each))
    if not measures:
        yield name, NO_UNIT, NO_UNIT, value, of
    # Found by its code and by the word beside it; by its system only with its code.
    for measure in measures:
        yield name, unit_hash(None, measure), coded, value, of
