"""What is wrong, dangerous or done: Condition, AllergyIntolerance, Procedure, Immunization."""

from __future__ import annotations

from typing import Any

from ..calendar import clock, iso, stamp
from ..demo.codes import ATC, ICD10, ICPC2, SNOMED, coding, concept, hl7_concept, no_basis, volven
from ..life import Contact, Tale, at_unit, named
from ..notation import Raw, hl7_coded, raw, words
from ..workforce import Worker

Code = tuple[str, str]
_LISTED = raw([hl7_concept("condition-category", "problem-list-item")])
_CONFIRMED = hl7_coded("condition-ver-status", "confirmed")
_PROCEDURE = raw({"profile": [no_basis("Procedure")]})


def condition(
    t: Tale,
    text: str,
    since: int,
    *,
    icd10: Code | None = None,
    icpc2: Code | None = None,
    until: int | None = None,
    by: Worker | None = None,
) -> str | None:
    """A problem from a day on. What was over before the window, or begins after it, is left out."""
    life = t.life
    if clock(since, 12) >= life.end or (until is not None and until * 1440 < life.start):
        return None
    over = until is not None and until <= life.last_day
    codings = []
    if icd10 is not None:
        codings.append(coding(ICD10, *icd10))
    if icpc2 is not None:
        codings.append(coding(ICPC2, *icpc2))
    content: dict[str, Any] = {
        "clinicalStatus": hl7_coded("condition-clinical", "resolved" if over else "active"),
        "verificationStatus": _CONFIRMED,
        "category": _LISTED,
        "code": concept(text, *codings),
        "subject": life.subject,
        "onsetDateTime": iso(since),
        "recordedDate": stamp(clock(since, 12)),
        "recorder": named(by or t.gp()),
    }
    if over and until is not None:
        content["abatementDateTime"] = iso(until)
    return life.put("Condition", content)


def allergy(
    t: Tale, text: str, atc: Code | None, reaction: Code, severity: str, since: int
) -> None:
    """An allergy or intolerance; `reaction` is (SNOMED CT code, what was seen)."""
    life = t.life
    if clock(since, 12) >= life.end:
        return
    codings = [] if atc is None else [coding(ATC, *atc)]
    life.put(
        "AllergyIntolerance",
        {
            "clinicalStatus": hl7_coded("allergyintolerance-clinical", "active"),
            "verificationStatus": hl7_coded("allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": ["medication" if atc is not None else "environment"],
            "criticality": "high" if severity == "severe" else "low",
            "code": concept(text, *codings),
            "patient": life.subject,
            "recordedDate": stamp(clock(since, 12)),
            "recorder": named(t.gp()),
            "reaction": [
                {
                    "manifestation": [concept(reaction[1], coding(SNOMED, *reaction))],
                    "severity": severity,
                }
            ],
        },
    )


def procedure(t: Tale, text: str, seen: Contact | None) -> None:
    """Something that was done at a contact."""
    if seen is None:
        return
    t.life.put(
        "Procedure",
        {
            "meta": _PROCEDURE,
            "status": "completed",
            "code": words(text),
            "subject": t.life.subject,
            "encounter": {"reference": seen.reference},
            "performedDateTime": stamp(seen.start),
            "performer": [{"actor": named(seen.by), "onBehalfOf": at_unit(seen.unit)}],
        },
    )


def vaccine(
    t: Tale, seen: Contact | None, text: str, atc: str, product: Code | None, dose: int,
    site: Raw | None = None,
) -> None:  # fmt: skip
    """A vaccine given at a contact. `product` is SYSVAK's (Volven 9554), `dose` its number."""
    if seen is None:
        return
    codings = [coding(ATC, atc)]
    if product is not None:
        codings.append(coding(volven(9554), *product))
    content: dict[str, Any] = {
        "status": "completed",
        "vaccineCode": concept(text, *codings),
        "patient": t.life.subject,
        "encounter": {"reference": seen.reference},
        "occurrenceDateTime": stamp(seen.start),
        "primarySource": True,
        "performer": [{"actor": named(seen.by)}, {"actor": at_unit(seen.unit)}],
        "protocolApplied": [{"doseNumberPositiveInt": dose}],
    }
    if site is not None:
        content["site"] = site
    t.life.put("Immunization", content)
