"""One measured value as an Observation: its code, its value with the digits typed, its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from helsevev.content.score_shapes import News2
from helsevev.content.shapes import Measured, VitalSign
from helsevev.locale import gettext as _
from helsevev.observation.news2 import Score

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
UCUM: Final = "http://unitsofmeasure.org"
CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATIONS: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
LEVEL_OF_CONSCIOUSNESS: Final = "80288-4"
# NEWS2's levels of risk as the interpretation codes that mark them in every list of results.
RISK_CODES: Final = {"low": "N", "low-medium": "H", "medium": "H", "high": "HH"}


def frame(category: str, code: Mapping[str, Any]) -> dict[str, Any]:
    """A final Observation with its observation-category and code, and no value yet."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": category}]}],
        "code": code,
    }


def concept(system: str, code: str, display: str, label: str) -> dict[str, Any]:
    """A CodeableConcept with one coding, called by the reader's own word."""
    listed = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [listed], "text": label}


def measurement(
    sign: VitalSign,
    parts: Sequence[Measured],
    values: Mapping[str, Decimal],
    months: int | None,
    shared: Mapping[str, Any],
    sex: str = "",
) -> dict[str, Any]:
    """A vital sign: one value, or a panel of several, with the ranges of this age and sex."""
    if sign.loinc is None:
        (part,) = parts
        code = concept(LOINC, part.loinc, part.display, part.label)
        value = valued(part, values[part.key], months, sex)
        return {**frame("vital-signs", code), **shared, **value}
    code = concept(LOINC, sign.loinc, sign.display or "", sign.label)
    components = [
        {
            "code": concept(LOINC, part.loinc, part.display, part.label),
            **valued(part, values[part.key], months, sex),
        }
        for part in parts
    ]
    return {**frame("vital-signs", code), **shared, "component": components}


def consciousness_entry(letter: str, table: News2, shared: Mapping[str, Any]) -> dict[str, Any]:
    """The level of consciousness by its ACVPU letter."""
    answer = next(each for each in table.consciousness if each.key == letter)
    code = concept(LOINC, LEVEL_OF_CONSCIOUSNESS, "Level of consciousness", _("Consciousness"))
    chosen = (
        concept(SNOMED, answer.snomed, "", answer.label)
        if answer.snomed
        else {"text": answer.label}
    )
    return {**frame("vital-signs", code), **shared, "valueCodeableConcept": chosen}


def score_entry(
    found: Score, table: News2, sources: Sequence[str], shared: Mapping[str, Any]
) -> dict[str, Any]:
    """NEWS2 with its parts, derived from the Observations that `sources` refer to."""
    scored: dict[str, Any] = {
        **frame("survey", concept(SNOMED, table.snomed, "", table.title)),
        **shared,
        "valueQuantity": points_of(found.total or 0),
        "derivedFrom": [{"reference": url} for url in sources],
        "component": [
            {
                "code": concept(SNOMED, part.code, "", part.label),
                "valueQuantity": points_of(part.points),
            }
            for part in found.parts
        ],
    }
    if found.response is not None and found.response.risk in RISK_CODES:
        code = RISK_CODES[found.response.risk]
        scored["interpretation"] = [concept(INTERPRETATIONS, code, "", found.response.label)]
    return scored


def valued(part: Measured, value: Decimal, months: int | None, sex: str = "") -> dict[str, Any]:
    """The value, and the normal range of the age it was measured at, when there is one."""
    measured: dict[str, Any] = {"valueQuantity": quantity(value, part)}
    normal = part.normal_at(months, sex) if months is not None else None
    limits = {
        side: quantity(limit, part)
        for side, limit in (("low", normal.low), ("high", normal.high))
        if limit is not None
    } if normal is not None else {}  # fmt: skip
    return {**measured, "referenceRange": [limits]} if limits else measured


def quantity(value: Decimal, part: Measured) -> dict[str, Any]:
    """A Quantity in UCUM; its digits stay as typed."""
    shown = {"unit": part.unit} if part.unit else {}
    return {"value": value, **shown, "system": UCUM, "code": part.ucum}


def points_of(points: int) -> dict[str, Any]:
    """Points as a Quantity."""
    return {"value": points, "system": UCUM, "code": "{score}"}
