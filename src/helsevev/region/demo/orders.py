"""What is ordered and how it is answered: orders, who is asked, pictures, and acknowledged results.

Written as the record's own pages write them, with the same systems and codes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .codes import LABORATORY, LOINC, SNOMED, coding, concept, hl7
from .story import Story, organisation, ref, staff

_NEED = "http://helsevev.no/fhir/follow-up"
_MATTER = "http://helsevev.no/fhir/CodeSystem/follow-up"
_NEXT = "http://helsevev.no/fhir/CodeSystem/after-result"
_CATALOGUE = "http://helsevev.no/fhir/CodeSystem/orders"
_REQUISITION = "http://helsevev.no/fhir/requisition"
_STEP = "http://helsevev.no/fhir/CodeSystem/order-step"
_UNIT = "http://helsevev.no/fhir/StructureDefinition/responsible-unit"
_KINDS = {
    "laboratory": ("108252007", "Laboratory procedure", "Laboratorium"),
    "imaging": ("363679005", "Imaging", "Bildediagnostikk"),
}


def seen(story: Story, report: str, title: str, at: datetime, by: str) -> None:
    """Somebody has acknowledged an answer two hours after it came, and found nothing to do."""
    name = report.split("/")[1]
    when = (at + timedelta(hours=2)).isoformat()
    story.add(
        "Task",
        f"kvittert-{name.removeprefix(f'demo-{story.key}-')}",
        identifier=[{"system": _NEED, "value": f"result/{name}/final"}],
        status="completed",
        intent="order",
        code=concept(title, coding(_MATTER, "result", "Svar å kvittere for")),
        focus=ref(report),
        **{"for": story.subject()},
        authoredOn=at.isoformat(),
        lastModified=when,
        owner=staff(by),
        output=[
            {
                "type": {"coding": [coding(_NEXT, "next")]},
                "valueCodeableConcept": concept("Ingen tiltak", coding(_NEXT, "none")),
            }
        ],
    )


def ordered(
    story: Story,
    slug: str,
    kind: str,
    what: tuple[tuple[str, str, str], ...],
    when: str,
    why: str,
    *,
    by: str,
    at: str,
    to: str,
    encounter: str | None = None,
    is_done: bool = False,
) -> list[str]:
    """Things ordered together, each (key in the catalogue, name, NLK code or ""); the references.

    Laboratory orders that are not done wait for `at` to take the samples.
    """
    code, display, name = _KINDS[kind]
    made = []
    for place, (key, label, nlk) in enumerate(what):
        codes = [*([coding(LABORATORY, nlk)] if nlk else ()), coding(_CATALOGUE, key)]
        made.append(
            story.add(
                "ServiceRequest",
                f"rekvisisjon-{slug}-{key}",
                identifier=[{"system": _REQUISITION, "value": f"demo-{story.key}-{slug}-{place}"}],
                requisition={"system": _REQUISITION, "value": f"demo-{story.key}-{slug}"},
                status="completed" if is_done else "active",
                intent="order",
                category=[concept(name, coding(SNOMED, code, display))],
                priority="routine",
                code=concept(label, *codes),
                subject=story.subject(),
                encounter=ref(encounter),
                occurrenceDateTime=story.time.stamp(when),
                authoredOn=story.time.stamp(when),
                requester=staff(by),
                performer=[organisation(to)],
                reasonCode=[concept(why)],
            )
        )
    if kind == "laboratory" and not is_done:
        _to_take(story, slug, made, ", ".join(label for _, label, _ in what), when, by, at)
    return made


def _to_take(
    story: Story, slug: str, orders: list[str], words: str, when: str, by: str, unit: str
) -> None:
    story.add(
        "Task",
        f"prover-{slug}",
        extension=[{"url": _UNIT, "valueReference": organisation(unit)}],
        identifier=[{"system": _NEED, "value": f"demo-{story.key}-{slug}/collect"}],
        groupIdentifier={"system": _REQUISITION, "value": f"demo-{story.key}-{slug}"},
        basedOn=[ref(each) for each in orders],
        status="requested",
        intent="order",
        priority="routine",
        code=concept(
            "Ta prøver", coding(_MATTER, "collect-sample", "Prøver å ta"), coding(_STEP, "collect")
        ),
        description=words,
        focus=ref(orders[0]),
        **{"for": story.subject()},
        authoredOn=story.time.stamp(when),
        lastModified=story.time.stamp(when),
        requester=staff(by),
        owner=organisation(unit),
        restriction={"period": {"end": story.time.stamp("+4h")}},
    )


def pictures(
    story: Story,
    slug: str,
    title: str,
    when: str,
    answered: str,
    conclusion: str,
    *,
    number: str,
    orders: list[str],
    by: str,
    encounter: str | None = None,
) -> str:
    """An examination with its pictures in the archive, by accession number, and what was seen."""
    study = story.add(
        "ImagingStudy",
        f"bilder-{slug}",
        identifier=[{"system": "urn:oid:1.2.826.0.1.3680043.10.1043", "value": number}],
        status="available",
        subject=story.subject(),
        encounter=ref(encounter),
        started=story.time.stamp(when),
        basedOn=[ref(each) for each in orders],
        description=title,
    )
    return story.add(
        "DiagnosticReport",
        f"bildesvar-{slug}",
        basedOn=[ref(each) for each in orders],
        status="final",
        category=[concept("Bildediagnostikk", coding(hl7("v2-0074"), "RAD"))],
        code=concept(title, coding(LOINC, "18748-4", "Diagnostic imaging study")),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=story.time.stamp(when),
        issued=story.time.stamp(answered),
        performer=[organisation("st-olavs-radiologi")],
        resultsInterpreter=[staff(by)],
        imagingStudy=[ref(study)],
        conclusion=conclusion,
    )
