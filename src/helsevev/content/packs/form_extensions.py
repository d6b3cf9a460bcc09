"""Parts of a Questionnaire that the short form of a form is written with: its extensions."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from helsevev.content.packs.short_form import Band, Question

CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
SDC: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
OWN: Final = "http://helsevev.no/fhir/StructureDefinition/"
_UCUM: Final = "http://unitsofmeasure.org"
_PERIOD: Final = re.compile(r"(\d+)\s*(h|d|wk|mo|a)")


def is_said(value: Any) -> bool:
    """Whether there is something to write: no empty text or list, and no "false"."""
    return value is not None and value is not False and value not in ("", [])


def expression(url: str, text: str, name: str = "") -> dict[str, Any]:
    """An extension with a FHIRPath expression, named when others use it."""
    named = {"name": name} if name else {}
    return {
        "url": url,
        "valueExpression": {**named, "language": "text/fhirpath", "expression": text},
    }


def control(code: str) -> dict[str, Any]:
    """The extension that says by what an item is shown."""
    coding = {"system": "http://hl7.org/fhir/questionnaire-item-control", "code": code}
    return {
        "url": f"{CORE}questionnaire-itemControl", "valueCodeableConcept": {"coding": [coding]}
    }  # fmt: skip


def category(code: str) -> dict[str, Any]:
    """The extension that says what category a stored Observation has."""
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    concept = {"coding": [{"system": system, "code": code}]}
    return {"url": f"{SDC}observation-extract-category", "valueCodeableConcept": concept}


def unit_coding(unit: str) -> dict[str, Any]:
    """A unit from "mm[Hg] mmHg": UCUM, and how it is written."""
    code, _, display = unit.partition(" ")
    return {"system": _UCUM, "code": code, "display": display or code.strip("{}")}


def unit(unit: str) -> dict[str, Any]:
    """The parts of a Quantity that say its unit."""
    coding = unit_coding(unit)
    return {"unit": coding["display"], "system": _UCUM, "code": coding["code"]}


def limit(name: str, value: Decimal | str, question: Question) -> dict[str, Any]:
    """The extension with one end of what can be answered."""
    url = f"{CORE}{name}"
    if isinstance(value, str):
        key = "valueDateTime" if question.kind == "dateTime" else "valueDate"
        return {"url": url, key: value}
    if question.kind == "integer":
        return {"url": url, "valueInteger": int(value)}
    return {"url": url, "valueDecimal": value}


def period(question: Question) -> dict[str, Any]:
    """The extension that says how old an Observation may be that answers. ValueError if unclear."""
    found = _PERIOD.fullmatch(question.prefill_within)
    if found is None or not question.code:
        raise ValueError(f"{question.key}: prefill_within is as 24 h or 30 d, and needs a code")
    duration = {"value": int(found[1]), "unit": found[2], "system": _UCUM, "code": found[2]}
    return {"url": f"{SDC}observationLinkPeriod", "valueDuration": duration}


def constraint(question: Question) -> dict[str, Any]:
    """The extension with a question's own rule. ValueError when it has no words."""
    if not question.rule_text:
        raise ValueError(f"{question.key}: a rule needs rule_text, what to say when it is broken")
    parts = [
        {"url": "key", "valueId": f"{question.key.replace('_', '-')}-rule"},
        {"url": "severity", "valueCode": "warning" if question.warn else "error"},
        {"url": "human", "valueString": question.rule_text},
        {"url": "expression", "valueString": question.rule},
    ]
    return {"url": f"{CORE}questionnaire-constraint", "extension": parts}


def band(band: Band) -> dict[str, Any]:
    """The extension with what a sum in some range means."""
    ends = (("low", band.low), ("high", band.high))
    parts: list[dict[str, Any]] = [
        {"url": name, "valueDecimal": value} for name, value in ends if value is not None
    ]
    parts.append({"url": "label", "valueString": band.label})
    if band.do:
        parts.append({"url": "action", "valueString": band.do})
    parts.append({"url": "severity", "valueCode": band.severity})
    return {"url": f"{OWN}score-band", "extension": parts}
