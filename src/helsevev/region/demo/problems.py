"""What is wrong and what is dangerous: Condition, AllergyIntolerance, Procedure, Immunization."""

from __future__ import annotations

from .codes import (
    ATC,
    ICD10,
    ICPC2,
    SNOMED,
    Resource,
    coding,
    concept,
    hl7_concept,
    no_basis,
    volven,
)
from .story import Story, narrative, organisation, ref, staff


def condition(
    story: Story,
    slug: str,
    text: str,
    *,
    since: str,
    by: str,
    icd10: tuple[str, str] | None = None,
    icpc2: tuple[str, str] | None = None,
    status: str = "active",
    until: str | None = None,
    note: str | None = None,
    encounter: str | None = None,
    category: str = "problem-list-item",
) -> str:
    """A problem or diagnosis. Codes are (code, display); `until` is when it was over."""
    codings = []
    if icd10 is not None:
        codings.append(coding(ICD10, *icd10))
    if icpc2 is not None:
        codings.append(coding(ICPC2, *icpc2))
    return story.add(
        "Condition",
        f"problem-{slug}",
        clinicalStatus=hl7_concept("condition-clinical", status),
        verificationStatus=hl7_concept("condition-ver-status", "confirmed"),
        category=[hl7_concept("condition-category", category)],
        code=concept(text, *codings),
        subject=story.subject(),
        encounter=ref(encounter),
        onsetDateTime=story.time.day(since),
        abatementDateTime=None if until is None else story.time.day(until),
        recordedDate=story.time.stamp(since),
        recorder=staff(by),
        note=None if note is None else [{"text": note}],
    )


def allergy(
    story: Story,
    slug: str,
    text: str,
    *,
    category: str,
    criticality: str,
    reaction: tuple[str, str, str],
    since: str,
    by: str,
    atc: tuple[str, str] | None = None,
    snomed: tuple[str, str] | None = None,
    kind: str = "allergy",
    certainty: str = "confirmed",
    note: str | None = None,
) -> None:
    """An allergy or intolerance; `reaction` is (what was seen, SNOMED CT code, severity)."""
    codings = []
    if atc is not None:
        codings.append(coding(ATC, *atc))
    if snomed is not None:
        codings.append(coding(SNOMED, *snomed))
    seen, code, severity = reaction
    story.add(
        "AllergyIntolerance",
        f"allergi-{slug}",
        clinicalStatus=hl7_concept("allergyintolerance-clinical", "active"),
        verificationStatus=hl7_concept("allergyintolerance-verification", certainty),
        type=kind,
        category=[category],
        criticality=criticality,
        code=concept(text, *codings),
        patient=story.subject(),
        onsetDateTime=story.time.day(since),
        recordedDate=story.time.stamp(since),
        recorder=staff(by),
        note=None if note is None else [{"text": note}],
        reaction=[
            {"manifestation": [concept(seen, coding(SNOMED, code))], "severity": severity},
        ],
    )


def no_known_allergy(story: Story, when: str, by: str) -> None:
    """Somebody asked, and the answer was none: SNOMED CT 716186003."""
    story.add(
        "AllergyIntolerance",
        "allergi-ingen",
        clinicalStatus=hl7_concept("allergyintolerance-clinical", "active"),
        verificationStatus=hl7_concept("allergyintolerance-verification", "confirmed"),
        code=concept("Ingen kjente allergier", coding(SNOMED, "716186003", "No known allergy")),
        patient=story.subject(),
        recordedDate=story.time.stamp(when),
        recorder=staff(by),
    )


def procedure(
    story: Story,
    slug: str,
    text: str,
    when: str,
    *,
    by: str,
    at: str,
    encounter: str | None = None,
    note: str | None = None,
) -> None:
    """Something that was done, at a unit."""
    story.add(
        "Procedure",
        f"prosedyre-{slug}",
        meta={"profile": [no_basis("Procedure")]},
        status="completed",
        code=concept(text),
        subject=story.subject(),
        encounter=ref(encounter),
        performedDateTime=story.time.stamp(when),
        performer=[{"actor": staff(by), "onBehalfOf": organisation(at)}],
        note=None if note is None else [{"text": note}],
    )


def immunization(
    story: Story,
    slug: str,
    text: str,
    when: str,
    *,
    product: tuple[str, str] | None,
    atc: str,
    by: str,
    at: str,
    dose: int,
    site: str | None = "Overarm",
) -> None:
    """A vaccine that was given. `product` is SYSVAK's product (Volven 9554), `dose` its number."""
    codings: list[Resource] = [coding(ATC, atc)]
    if product is not None:
        codings.append(coding(volven(9554), *product))
    story.add(
        "Immunization",
        f"vaksine-{slug}",
        status="completed",
        vaccineCode=concept(text, *codings),
        patient=story.subject(),
        occurrenceDateTime=story.time.stamp(when),
        primarySource=True,
        site=None if site is None else concept(site),
        performer=[{"actor": staff(by)}, {"actor": organisation(at)}],
        protocolApplied=[{"doseNumberPositiveInt": dose}],
    )


def goal(story: Story, slug: str, text: str, since: str) -> str:
    """What the inhabitant and the team want to reach."""
    return story.add(
        "Goal",
        f"mal-{slug}",
        text=narrative(text),
        lifecycleStatus="active",
        description=concept(text),
        subject=story.subject(),
        startDate=story.time.day(since),
    )
