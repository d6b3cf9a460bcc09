"""Every panel opens on every record that anyone else wrote, whatever it lacks or bends."""

from __future__ import annotations

import bz2
import gzip
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helsevev.chart.timeline import timeline
from helsevev.chart.view import ChartView
from helsevev.documentation import note
from helsevev.documentation.panel import documents
from helsevev.fhir.serialization import decode
from helsevev.medication.panel import GROUPS, medicines
from helsevev.observation import vital_signs
from helsevev.observation.results import results
from helsevev.patient.banner import banner
from helsevev.patient.contacts import contacts
from helsevev.patient.problems import problems
from helsevev.screens.rendering import render_text

SHARED = Path(os.environ.get("HELSEVEV_SHARED", Path(__file__).resolve().parents[4] / "shared"))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Record = dict[str, list[dict[str, Any]]]

READ = (
    "Patient", "AllergyIntolerance", "Flag", "Encounter", "EpisodeOfCare", "CareTeam",
    "Condition", "Observation", "MedicationRequest", "MedicationStatement", "Medication",
    "Composition", "DocumentReference", "DiagnosticReport", "CarePlan", "Immunization",
    "Procedure", "Appointment",
)  # fmt: skip


def open_every_panel(record: Record) -> None:
    """Each panel is built; what went in and was not withdrawn comes out somewhere."""
    found = contacts(record["Encounter"], record["EpisodeOfCare"])
    shown = banner(record, NOW, found=found)
    assert shown.allergies.status in ("recorded", "none-known", "unknown")
    problems(record["Condition"])
    series = results(record["Observation"])
    for each in series:
        each.lines()
    listed = medicines(
        record["MedicationRequest"], record["MedicationStatement"], record["Medication"], now=NOW
    )
    assert all(m.group in GROUPS for m in listed.in_use)
    documents(record["Composition"], record["DocumentReference"], record["DiagnosticReport"])
    timeline(record)


def by_type(resources: Iterator[dict[str, Any]]) -> Record:
    record: Record = defaultdict(list)
    for resource in resources:
        record[resource["resourceType"]].append(resource)
    return record


def with_entries(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield resource
    for entry in resource.get("entry", []):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield entry["resource"]


def test_every_official_example_opens() -> None:
    path = SHARED / "fhir" / "r4-examples.ndjson.gz"
    if not path.is_file():
        path = SHARED / "data" / "fhir" / "r4-examples.ndjson.gz"
    if not path.is_file():
        pytest.skip("The official R4 examples are not here; HELSEVEV_SHARED names their folder.")
    with gzip.open(path) as lines:
        examples = [decode(json.loads(line)["text"]) for line in lines]
    for example in examples:
        open_every_panel(by_type(with_entries(example)))
    open_every_panel(by_type(inner for example in examples for inner in with_entries(example)))


def generated_records() -> list[Path]:
    found = sorted((SHARED / "data" / "synthea").glob("**/*.json*"), key=lambda p: p.stat().st_size)
    # The smallest and the largest of each shape say as much as all of them, in a tenth of the time.
    return [*found[:3], *found[-4:]]


def test_generated_records_open() -> None:
    paths = generated_records()
    if not paths:
        pytest.skip("Generated records are not here; HELSEVEV_SHARED names their folder.")
    for path in paths:
        unpack = {".bz2": bz2.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)
        record = by_type(with_entries(decode(unpack(path.read_bytes()))))
        open_every_panel(record)
        shown = sum(len(series.readings) for series in results(record["Observation"]))
        assert shown == len(record["Observation"]), f"{path.name}: an observation got lost"


def test_no_rule_of_ours_refuses_a_record_that_others_wrote() -> None:
    paths = generated_records()
    if not paths:
        pytest.skip("Generated records are not here; HELSEVEV_SHARED names their folder.")
    for path in paths:
        unpack = {".bz2": bz2.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)
        record = by_type(with_entries(decode(unpack(path.read_bytes()))))
        assert [i for r in record["Observation"] for i in vital_signs.check(r)] == []
        assert [i for r in record["Composition"] for i in note.check(r)] == []


ELEMENTS = (
    "id", "status", "code", "category", "subject", "name", "identifier", "period", "start", "end",
    "text", "div", "coding", "system", "display", "value", "valueQuantity", "valueRange",
    "component", "referenceRange", "low", "high", "interpretation", "effectiveDateTime",
    "effectivePeriod", "dosageInstruction", "dosage", "timing", "repeat", "when", "doseAndRate",
    "doseQuantity", "medicationReference", "medicationCodeableConcept", "contained", "reference",
    "participant", "individual", "location", "clinicalStatus", "verificationStatus", "reaction",
    "manifestation", "section", "content", "attachment", "presentedForm", "data", "contentType",
    "note", "birthDate", "deceasedDateTime", "deceasedBoolean", "address", "telecom", "meta",
    "security", "extension", "url", "communication", "generalPractitioner", "managingOrganization",
    "onsetAge", "onsetDateTime", "authoredOn", "class", "type", "member", "period", "frequency",
    "periodUnit", "boundsPeriod", "dayOfWeek", "timeOfDay", "sequence", "asNeededBoolean",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=12),
    st.sampled_from(["2026", "2026-02-30", "9999-12-31", "0001-01-01", "2026-11-21T24:00:00Z",
                     "2026-11-21T10:00:00+01:00", "active", "#x", "Patient/1", "d", "text/plain"]),
)  # fmt: skip
BENT = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(ELEMENTS), inner, max_size=6),
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(READ), st.dictionaries(st.sampled_from(ELEMENTS), BENT, max_size=12))
def test_no_resource_however_bent_keeps_a_chart_from_opening(
    kind: str, elements: dict[str, Any]
) -> None:
    record: Record = defaultdict(list)
    record[kind] = [{**elements, "resourceType": kind}]
    open_every_panel(record)


def drawn(record: Record) -> str:
    """The chart's page and the timeline of a record, as a reader who looked before sees them."""
    chart = ChartView(
        record, patient_id="p", now=NOW, reader="Practitioner/x", since=NOW, full=False
    )
    page = render_text(
        "chart/chart.html", chart=chart, section="overview", place="patients", page_title="x",
        live_url="", may_write=True, may_prescribe=True, may_order=True, drafts=[],
        panel_of=defaultdict(str),
        new_sections=(), apps=(),
    )  # fmt: skip
    full = ChartView(record, patient_id="p", now=NOW, reader="Practitioner/x", full=True)
    panels = (
        "medications", "measurements", "results", "notes", "documents", "contacts", "problems",
        "plans", "allergies",
    )  # fmt: skip
    return page + "".join(
        render_text(f"chart/_{key}.html", chart=full, may_write=False) for key in panels
    )


def test_every_official_example_is_drawn() -> None:
    path = SHARED / "data" / "fhir" / "r4-examples.ndjson.gz"
    if not path.is_file():
        pytest.skip("The official R4 examples are not here; HELSEVEV_SHARED names their folder.")
    with gzip.open(path) as lines:
        record = by_type(
            inner for line in lines for inner in with_entries(decode(json.loads(line)["text"]))
        )
    page = drawn(record)
    assert "Amoxicillin" in page
    assert "<script>alert" not in page


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(READ), st.dictionaries(st.sampled_from(ELEMENTS), BENT, max_size=12))
def test_no_resource_however_bent_keeps_a_chart_from_being_drawn(
    kind: str, elements: dict[str, Any]
) -> None:
    record: Record = defaultdict(list)
    record[kind] = [{**elements, "resourceType": kind}]
    assert drawn(record)


@given(st.text(alphabet="<>\"'&scriptimgonerror= /", min_size=5, max_size=40))
def test_nothing_that_anyone_wrote_becomes_markup(said: str) -> None:
    record: Record = defaultdict(list)
    record["Patient"] = [{"resourceType": "Patient", "name": [{"text": said}]}]
    record["Condition"] = [{"resourceType": "Condition", "code": {"text": said}}]
    record["MedicationRequest"] = [{
        "resourceType": "MedicationRequest", "status": "active",
        "medicationCodeableConcept": {"text": said}, "dosageInstruction": [{"text": said}],
    }]  # fmt: skip
    page = drawn(record)
    empty = drawn(defaultdict(list))
    for mark in ("<script", "<img", "<SCRIPT", "<IMG"):
        assert page.count(mark) == empty.count(mark)
