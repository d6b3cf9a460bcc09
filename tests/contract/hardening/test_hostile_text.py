"""Text that is code elsewhere, in every field that pages show, is text and nothing else."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest_asyncio

from helsevev.access.actor import SYSTEM

from .conftest import Site

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*191}}</textarea>"
PERSON = "hostile"
LOINC, ICD = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-no"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
WHEN = "2026-01-02T10:00:00Z"


VALUES: dict[str, dict[str, Any]] = {
    "8867-4": {"valueQuantity": {"value": 72, "unit": EVIL}},
    "718-7": {"valueQuantity": {"value": 9, "unit": EVIL}},
    "2345-7": {"valueString": EVIL},
}


def told(code: str = "J45", system: str = ICD) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": EVIL}], "text": EVIL}


def resources() -> list[dict[str, Any]]:
    about = {"reference": f"Patient/{PERSON}", "display": EVIL}
    active = {"coding": [{"system": CLINICAL, "code": "active"}]}
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Plain</p></div>'
    role = {"reference": "Practitioner/hostile-doctor", "display": EVIL}
    return [
        {"resourceType": "Organization", "id": "hostile-unit", "name": EVIL},
        {"resourceType": "Practitioner", "id": "hostile-doctor",
         "name": [{"family": EVIL, "given": ["=1+1"], "text": EVIL}]},
        {"resourceType": "Patient", "id": PERSON, "gender": "female", "birthDate": "1960-01-01",
         "name": [{"family": EVIL, "given": ["=HYPERLINK(1)"], "text": EVIL}],
         "address": [{"line": [EVIL], "city": EVIL, "text": EVIL}],
         "telecom": [{"system": "phone", "value": EVIL}],
         "contact": [{"name": {"text": EVIL}, "relationship": [{"text": EVIL}]}]},
        {"resourceType": "Encounter", "id": "hostile-stay", "status": "in-progress",
         "class": {"code": "IMP", "display": EVIL}, "subject": about, "type": [told()],
         "reasonCode": [told()], "serviceProvider": {"reference": "Organization/hostile-unit"},
         "location": [{"location": {"display": EVIL}}], "period": {"start": "2026-01-01"},
         "participant": [{"individual": role}]},
        {"resourceType": "Condition", "subject": about, "code": told(), "clinicalStatus": active,
         "note": [{"text": EVIL}], "recorder": role, "recordedDate": WHEN,
         "bodySite": [{"text": EVIL}], "text": {"status": "generated", "div": div}},
        {"resourceType": "AllergyIntolerance", "patient": about, "code": told(),
         "clinicalStatus": {"coding": [{"system": ALLERGY, "code": "active"}]},
         "criticality": "high", "note": [{"text": EVIL}],
         "reaction": [{"manifestation": [told()], "description": EVIL, "severity": "severe"}]},
        {"resourceType": "MedicationStatement", "status": "active", "subject": about,
         "medicationCodeableConcept": told("N02BE01", "http://www.whocc.no/atc"),
         "dosage": [{"text": EVIL, "patientInstruction": EVIL}], "note": [{"text": EVIL}],
         "reasonCode": [told()]},
        {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
         "subject": about, "medicationCodeableConcept": told("N02BE01", "http://www.whocc.no/atc"),
         "dosageInstruction": [{"text": EVIL}], "requester": role, "authoredOn": WHEN},
        *({"resourceType": "Observation", "status": "final", "subject": about,
           "code": told(code, LOINC), "effectiveDateTime": WHEN, "performer": [role],
           "note": [{"text": EVIL}], "interpretation": [{"text": EVIL}],
           "referenceRange": [{"text": EVIL}]} | value
          for code, value in VALUES.items()),
        {"resourceType": "DocumentReference", "status": "current", "subject": about, "date": WHEN,
         "type": told(), "description": EVIL, "author": [role],
         "content": [{"attachment": {"contentType": "text/plain", "title": EVIL,
                                     "data": "PHNjcmlwdD4=", "url": "javascript:alert(3)"}}]},
        {"resourceType": "Composition", "status": "final", "type": told(), "subject": about,
         "date": WHEN, "title": EVIL, "author": [role],
         "section": [{"title": EVIL, "text": {"status": "generated", "div": div}}]},
        {"resourceType": "Procedure", "status": "completed", "subject": about, "code": told(),
         "performedDateTime": WHEN, "note": [{"text": EVIL}]},
        {"resourceType": "DiagnosticReport", "status": "final", "subject": about, "code": told(),
         "effectiveDateTime": WHEN, "conclusion": EVIL},
    ]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile(site: Site) -> Site:
    """A record whose every text is an attack, and a doctor there whose name is one too."""
    for resource in resources():
        await site.services.writer.write(SYSTEM, resource)
    return site


class _Found(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        leads = any((v or "").strip().lower().startswith("javascript:") for v in said.values())
        inline = tag == "script" and not said.get("src") and "json" not in (said.get("type") or "")
        if leads or inline or "onerror" in said or said.get("src") == "x":
            self.tags.append(f"{tag} {attrs}")


async def test_no_text_of_a_record_becomes_part_of_a_page(hostile: Site) -> None:
    doctor = replace(
        hostile.pages.state["personas"]["hospital-doctor"], name=EVIL, unit_name=EVIL,
        organisation_name=EVIL, id="Practitioner/hostile-doctor",
        organisation="Organization/hostile-unit",
        organisations=("Organization/hostile-unit",), role=EVIL,
    )  # fmt: skip
    session = await hostile.services.credentials.start_session(doctor)
    browser = hostile.browser(cookie=f"helsevev_session={session}")
    shown = 0
    for method, path, _ in hostile.routes():
        if method != "GET" or path.endswith("/live"):
            continue
        page = path.replace(hostile.patient, PERSON)
        for key in (
            ("problems", "medication", "results", "vital-signs") if "/panel/" in page else ("",)
        ):
            answer = await browser.get(page.replace("/vital-signs", f"/{key}") if key else page)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            reader = _Found()
            reader.feed(answer.text)
            assert reader.tags == [], page
            assert "1337" not in answer.text, page
            shown += answer.text.count("&lt;img src=x")
    assert shown > 20


async def test_no_cell_of_an_exported_log_is_a_formula(hostile: Site) -> None:
    credentials = hostile.services.credentials
    staff = hostile.pages.state["personas"]["hospital-doctor"]
    for name in ("=cmd|' /C calc'!A1", "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1"):
        actor = replace(
            staff, name=name, unit_name=name, organisation_name=name,
            organisations=("Organization/hostile-unit",),
        )  # fmt: skip
        session = await credentials.start_session(actor)
        opened = hostile.browser(cookie=f"helsevev_session={session}")
        assert (await opened.get(f"/patient/{PERSON}")).status_code == 200
    own = replace(
        hostile.pages.state["personas"]["inhabitant"], id=f"Patient/{PERSON}",
        patient=f"Patient/{PERSON}",
    )  # fmt: skip
    session = await credentials.start_session(own)
    browser = hostile.browser(cookie=f"helsevev_session={session}")
    answer = await browser.get(f"/patient/{PERSON}/access/log.csv")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.text.removeprefix("\ufeff")
    cells = [
        c
        for row in csv.reader(io.StringIO(text), delimiter=";" if ";" in text else ",")
        for c in row
    ]
    assert len(cells) > 20
    assert [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)] == []
