"""Allergies and intolerances: what must not be given, and whether anybody has asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir.reading import (
    Moment,
    code_of,
    codes,
    concept_text,
    concept_texts,
    moment_of,
    notes,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
    texts,
)

# SNOMED CT: no known allergy, no known drug/food/environmental/latex allergy.
NONE_KNOWN: Final = frozenset({"716186003", "409137002", "428607008", "428197003", "716184000"})

_CRITICALITY_ORDER: Final = {"high": 0, "unable-to-assess": 1, "": 1, "low": 2}


@dataclass(frozen=True, slots=True)
class Allergy:
    """One allergy or intolerance. Empty text means that the sender did not say."""

    id: str
    substance: str
    reactions: tuple[str, ...]
    severity: str
    criticality: str
    kind: str
    categories: tuple[str, ...]
    verification: str
    is_active: bool
    since: Moment | None
    recorded: Moment | None
    recorder: str
    notes: tuple[str, ...]

    @property
    def is_dangerous(self) -> bool:
        """High criticality, or a severe reaction that has happened."""
        return self.is_active and (self.criticality == "high" or self.severity == "severe")


@dataclass(frozen=True, slots=True)
class Allergies:
    """All allergies of one patient; `status` is "recorded", "none-known" or "unknown"."""

    active: tuple[Allergy, ...]
    past: tuple[Allergy, ...]
    none_known: tuple[str, ...]

    @property
    def status(self) -> str:
        """Absence of a record is unknown; "none known" only when somebody wrote that down."""
        if self.active:
            return "recorded"
        return "none-known" if self.none_known else "unknown"


def allergies(
    resources: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None = None
) -> Allergies:
    """AllergyIntolerance resources as a view, the most dangerous first.

    Refuted and mistaken entries are left out; inactive and resolved ones are past.
    """
    active: list[Allergy] = []
    past: list[Allergy] = []
    none_known: list[str] = []
    for resource in of_patient(resources):
        verification = code_of(resource.get("verificationStatus"))
        if verification == "refuted":
            continue
        status = code_of(resource.get("clinicalStatus"))
        if codes(resource.get("code")) & NONE_KNOWN:
            if status in ("", "active"):
                none_known.append(concept_text(resource.get("code")))
            continue
        allergy = _allergy(resource, verification, status not in ("inactive", "resolved"), names)
        (active if allergy.is_active else past).append(allergy)
    active.sort(key=_urgency)
    past.sort(key=lambda a: sort_key(a.recorded or a.since), reverse=True)
    return Allergies(tuple(active), tuple(past), tuple(none_known))


def _allergy(
    resource: Mapping[str, Any],
    verification: str,
    is_active: bool,
    names: Mapping[str, str] | None,
) -> Allergy:
    reactions = objects(resource.get("reaction"))
    severities = {text(reaction.get("severity")) for reaction in reactions}
    substance = concept_text(resource.get("code")) or next(
        (s for r in reactions if (s := concept_text(r.get("substance")))), ""
    )
    manifestations = [m for r in reactions for m in concept_texts(r.get("manifestation"))]
    return Allergy(
        id=text(resource.get("id")),
        substance=substance,
        reactions=tuple(dict.fromkeys(manifestations)),
        severity=next((s for s in ("severe", "moderate", "mild") if s in severities), ""),
        criticality=text(resource.get("criticality")),
        kind=text(resource.get("type")),
        categories=tuple(texts(resource.get("category"))),
        verification=verification,
        is_active=is_active,
        since=moment_of(resource, "onsetDateTime", "onsetPeriod"),
        recorded=moment_of(resource, "recordedDate"),
        recorder=reference_text(resource.get("recorder"), names)
        or reference_text(resource.get("asserter"), names),
        notes=tuple(notes(resource.get("note"))),
    )


def _urgency(allergy: Allergy) -> tuple[bool, int, str]:
    return (
        not allergy.is_dangerous,
        _CRITICALITY_ORDER.get(allergy.criticality, 1),
        allergy.substance.casefold(),
    )
