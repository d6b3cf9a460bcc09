"""The words of a resource: its narrative, and whatever else a person or a code has put into it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final

import regex

PROSE: Final = frozenset(
    {"ActivityDefinition", "CarePlan", "ClinicalImpression", "Communication",
     "CommunicationRequest", "Composition", "Consent", "DiagnosticReport", "DocumentReference",
     "FamilyMemberHistory", "ImplementationGuide", "Library", "Measure", "PlanDefinition",
     "Questionnaire", "QuestionnaireResponse", "StructureDefinition"}
)  # fmt: skip
"""Types that are mostly prose: their words are kept for `_content`, whether they have a narrative.

Of others the content is read when it is asked for, among what the other conditions find: keeping
it would cost a third of the record's size.
"""

SPOKEN: Final = frozenset(
    {"AllergyIntolerance", "Appointment", "Condition", "Encounter", "EpisodeOfCare", "Flag", "Goal",
     "ImagingStudy", "Immunization", "MedicationRequest", "MedicationStatement", "Procedure",
     "ServiceRequest", "Task"}
)  # fmt: skip
"""Types whose words are kept for the search in a chart: what people have called and said."""

MEASURED: Final = frozenset({"MedicationAdministration", "MedicationDispense", "Observation"})
"""Types of which there are thousands in a record: of these only what was said besides the code.

What was measured is found by its code (`record.chart_search`).
"""

_CODED: Final = frozenset(
    {"code", "category", "component", "interpretation", "referenceRange", "dosage", "method",
     "dosageInstruction", "medicationCodeableConcept", "medicationReference"}
)  # fmt: skip
_SAID: Final = frozenset(
    {"text", "display", "description", "title", "comment", "conclusion", "patientInstruction",
     "valueString", "name", "div", "summary"}
)  # fmt: skip
_CODE: Final = regex.compile(r"\p{Lu}+\d[\w.]*")

_NO_WORDS: Final = frozenset(
    {"id", "reference", "system", "url", "data", "resourceType", "contentType", "language",
     "lastUpdated", "versionId", "hash", "profile", "fullUrl"}
)  # fmt: skip
_TAG: Final = re.compile(r"<[^>]*>")
_LETTER: Final = re.compile(r"[^\W\d_]")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")
"""What is no word, though it has a letter."""

MOST: Final = 60_000
"""Characters of each; PostgreSQL keeps at most a megabyte of words for a resource."""


def narrative(resource: dict[str, Any]) -> str:
    """The text of the resource's narrative, without its tags; empty when it has none."""
    text = resource.get("text")
    div = text.get("div") if type(text) is dict else None
    return _plain(div)[:MOST] if type(div) is str else ""


def content(resource: dict[str, Any]) -> str:
    """Every text and code of the resource besides its narrative."""
    found = " \n".join(text for name, value in resource.items() if name != "text"
                       for text in _texts(name, value))  # fmt: skip
    return found[:MOST]


def _texts(name: str, value: Any) -> Iterator[str]:
    if type(value) is str:
        if name not in _NO_WORDS and _LETTER.search(value) and not _MOMENT.fullmatch(value):
            yield _plain(value) if name == "div" else value
    elif type(value) is list:
        for item in value:
            yield from _texts(name, item)
    elif type(value) is dict:
        for key, inner in value.items():
            yield from _texts(key, inner)


def _plain(div: str) -> str:
    return html.unescape(_TAG.sub(" ", div)).replace("\0", "")


def spoken(resource: dict[str, Any]) -> str:
    """What people have called or said in a resource: texts, names of codes, notes; no narrative."""
    kind = resource["resourceType"]
    left_out = {"text", "meta"} | (_CODED if kind in MEASURED else set())
    found = dict.fromkeys(
        said for name, value in resource.items() if name not in left_out
        for said in _spoken(name, value)
    )  # fmt: skip
    if kind == "Observation":
        for part in resource.get("component", ()):
            kept = {k: v for k, v in part.items() if k.startswith("value")}
            found |= dict.fromkeys(said for k, v in kept.items() for said in _spoken(k, v))
    return " \n".join(found)[:MOST]


def _spoken(name: str, value: Any) -> Iterator[str]:
    if type(value) is str:
        if name in _SAID and _LETTER.search(value):
            yield _plain(value) if name == "div" else value
        elif name == "code" and _CODE.fullmatch(value):
            yield value
    elif type(value) is list:
        for item in value:
            yield from _spoken(name, item)
    elif type(value) is dict:
        # Whom an entry names is found where they are, not in everything they did.
        is_reference = "reference" in value and name != "medicationReference"
        for key, inner in value.items():
            if not is_reference:
                yield from _spoken(key, inner)


def kept(resource: dict[str, Any]) -> tuple[str, str] | None:
    """(narrative, other words) when they are kept for full text; None when there is nothing."""
    told, kind = narrative(resource), resource["resourceType"]
    if kind in PROSE:
        return told, content(resource)
    said = spoken(resource) if kind in SPOKEN or kind in MEASURED else ""
    return (told, said) if told or said else None
