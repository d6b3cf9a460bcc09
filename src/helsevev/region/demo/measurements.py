"""Vital signs as Observations: single values, panels, and long series in one line of story."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from .codes import LOINC, SNOMED, UCUM, Resource, coding, concept, hl7, hl7_concept
from .story import Story, ref, staff


class Measure(NamedTuple):
    """One kind of measurement: its code, unit, decimals and what is normal in an adult."""

    code: Resource
    text: str
    unit: str
    ucum: str
    decimals: int = 0
    low: str | None = None
    high: str | None = None
    category: str = "vital-signs"


def _loinc(code: str, display: str) -> Resource:
    return coding(LOINC, code, display)


MEASURES = {
    "weight": Measure(_loinc("29463-7", "Body weight"), "Vekt", "kg", "kg", 1),
    "baby-weight": Measure(_loinc("29463-7", "Body weight"), "Vekt", "kg", "kg", 3),
    "height": Measure(_loinc("8302-2", "Body height"), "Høyde", "cm", "cm", 1),
    "length": Measure(_loinc("8302-2", "Body height"), "Lengde", "cm", "cm", 1),
    "head": Measure(
        _loinc("9843-4", "Head Occipital-frontal circumference"), "Hodeomkrets", "cm", "cm", 1
    ),
    "bmi": Measure(
        _loinc("39156-5", "Body mass index (BMI) [Ratio]"),
        "KMI", "kg/m²", "kg/m2", 1, "18.5", "24.9",
    ),
    "pulse": Measure(_loinc("8867-4", "Heart rate"), "Puls", "/min", "/min", 0, "50", "100"),
    "temperature": Measure(
        _loinc("8310-5", "Body temperature"), "Temperatur", "°C", "Cel", 1, "36.0", "37.9"
    ),
    "respiration": Measure(
        _loinc("9279-1", "Respiratory rate"), "Respirasjonsfrekvens", "/min", "/min", 0, "12", "20"
    ),
    "spo2": Measure(
        _loinc("2708-6", "Oxygen saturation in Arterial blood"),
        "Oksygenmetning", "%", "%", 0, "95", "100",
    ),
    "oxygen": Measure(
        _loinc("3151-8", "Inhaled oxygen flow rate"), "Oksygentilførsel", "L/min", "L/min", 1
    ),
    "pain": Measure(
        _loinc("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"),
        "Smerte (NRS 0–10)", "", "{score}", 0, None, "3",
    ),
    "glucose": Measure(
        _loinc("14743-9", "Glucose [Moles/volume] in Capillary blood by Glucometer"),
        "Blodsukker, kapillært", "mmol/L", "mmol/L", 1, "4.0", "7.8",
    ),
    "fundal-height": Measure(
        _loinc("11881-0", "Uterus Fundal height Tape measure"),
        "Symfyse-fundus-mål", "cm", "cm", 1, None, None, "exam",
    ),
    "fetal-heart": Measure(
        _loinc("55283-6", "Fetal Heart rate"), "Fosterlyd", "/min", "/min", 0, "110", "160", "exam"
    ),
    "peak-flow": Measure(
        _loinc("33452-4", "Maximum expiratory gas flow Respiratory system airway by Peak flow "
                          "meter"),
        "PEF", "L/min", "L/min", 0, None, None, "exam",
    ),
}  # fmt: skip

PHQ9 = Measure(
    _loinc("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"),
    "PHQ-9", "", "{score}", 0, None, "4", "survey",
)  # fmt: skip
GAD7 = Measure(
    _loinc("70274-6", "Generalized anxiety disorder 7 item (GAD-7) total score [Reported.PHQ]"),
    "GAD-7", "", "{score}", 0, None, "4", "survey",
)  # fmt: skip


def quantity(value: Decimal | int, unit: str, ucum: str) -> Resource:
    """A Quantity whose number keeps its decimals."""
    found: Resource = {"value": value}
    if unit:
        found["unit"] = unit
    return {**found, "system": UCUM, "code": ucum}


def interpretation(
    value: Decimal | int, low: str | None, high: str | None
) -> list[Resource] | None:
    """Low, normal or high against a range; None when there is no range to judge by."""
    if low is None and high is None:
        return None
    code, text = "N", "Normal"
    if low is not None and value < Decimal(low):
        code, text = "L", "Lav"
    elif high is not None and value > Decimal(high):
        code, text = "H", "Høy"
    return [hl7_concept("v3-ObservationInterpretation", code, text)]


def measured(
    story: Story,
    what: str | Measure,
    value: str,
    when: str | datetime,
    by: str | None,
    *,
    number: int = 1,
    slug: str | None = None,
    encounter: str | None = None,
    reported_by: str | None = None,
) -> str:
    """One measurement; `value` is written as it was read (`72.50` keeps both decimals)."""
    measure = MEASURES[what] if isinstance(what, str) else what
    amount = _number(value)
    name = slug or (what if isinstance(what, str) else measure.text)
    performer = staff(by) or ref(reported_by)
    return story.add(
        "Observation",
        f"{name}-{number:03d}",
        status="final",
        category=[_category(measure.category)],
        code=concept(measure.text, measure.code),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=_stamp(story, when),
        performer=None if performer is None else [performer],
        valueQuantity=quantity(amount, measure.unit, measure.ucum),
        interpretation=interpretation(amount, measure.low, measure.high),
        referenceRange=reference_range(measure.low, measure.high, measure.unit, measure.ucum),
    )


def series(
    story: Story, what: str, values: str, first: str, last: str, by: str, *, number: int = 1
) -> None:
    """Values that were read off in turn, spread evenly between two times."""
    readings = values.split()
    times = story.time.spread(first, last, len(readings))
    for step, (value, when) in enumerate(zip(readings, times, strict=True)):
        measured(story, what, value, when, by, number=number + step)


def trend(
    story: Story,
    what: str,
    anchors: Sequence[float],
    first: str,
    last: str,
    count: int,
    by: str,
    *,
    wobble: float,
) -> None:
    """`count` values along a line through `anchors`, each off by at most `wobble`."""
    values = wander(f"{story.key} {what}", anchors, count, wobble)
    decimals = MEASURES[what].decimals
    series(story, what, " ".join(f"{v:.{decimals}f}" for v in values), first, last, by)


def wander(seed: str, anchors: Sequence[float], count: int, wobble: float) -> list[float]:
    """Numbers along a broken line through `anchors`, with a seeded deviation."""
    chance = random.Random(seed)  # noqa: S311 - the same every time, and no secret
    found = []
    for step in range(count):
        place = step / max(count - 1, 1) * (len(anchors) - 1)
        left = min(int(place), len(anchors) - 2)
        line = anchors[left] + (anchors[left + 1] - anchors[left]) * (place - left)
        found.append(line + chance.uniform(-wobble, wobble))
    return found


def blood_pressure(
    story: Story,
    reading: str,
    when: str | datetime,
    by: str | None,
    *,
    number: int = 1,
    encounter: str | None = None,
    reported_by: str | None = None,
) -> str:
    """A blood pressure `systolic/diastolic` in mmHg as one panel with two components."""
    upper, lower = (int(part) for part in reading.split("/"))
    performer = staff(by) or ref(reported_by)
    return story.add(
        "Observation",
        f"bp-{number:03d}",
        status="final",
        category=[_category("vital-signs")],
        code=concept(
            "Blodtrykk", _loinc("85354-9", "Blood pressure panel with all children optional")
        ),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=_stamp(story, when),
        performer=None if performer is None else [performer],
        component=[
            _pressure("8480-6", "Systolic blood pressure", "Systolisk blodtrykk", upper, 90, 140),
            _pressure("8462-4", "Diastolic blood pressure", "Diastolisk blodtrykk", lower, 50, 90),
        ],
    )


def blood_pressures(
    story: Story, readings: str, first: str, last: str, by: str, *, number: int = 1
) -> None:
    """Blood pressures in turn, spread evenly between two times."""
    found = readings.split()
    times = story.time.spread(first, last, len(found))
    for step, (reading, when) in enumerate(zip(found, times, strict=True)):
        blood_pressure(story, reading, when, by, number=number + step)


def reference_range(
    low: str | None, high: str | None, unit: str, ucum: str
) -> list[Resource] | None:
    """The range as FHIR says it, or None when there is none."""
    found: Resource = {}
    if low is not None:
        found["low"] = quantity(_number(low), unit, ucum)
    if high is not None:
        found["high"] = quantity(_number(high), unit, ucum)
    return [found] if found else None


def _pressure(code: str, display: str, text: str, value: int, low: int, high: int) -> Resource:
    found: Resource = {
        "code": concept(text, _loinc(code, display)),
        "valueQuantity": quantity(value, "mmHg", "mm[Hg]"),
        "referenceRange": reference_range(str(low), str(high), "mmHg", "mm[Hg]"),
    }
    found["interpretation"] = interpretation(value, str(low), str(high))
    return found


def _category(code: str) -> Resource:
    return concept(None, coding(hl7("observation-category"), code))


def _number(text: str) -> Decimal | int:
    return Decimal(text) if "." in text else int(text)


def _stamp(story: Story, when: str | datetime) -> str:
    return when.isoformat() if isinstance(when, datetime) else story.time.stamp(when)


CONSCIOUSNESS: dict[str, tuple[str, str]] = {
    "A": ("248234008", "Våken (A)"),
    "C": ("130987000", "Nyoppstått forvirring (C)"),
    "V": ("300202002", "Reagerer på tiltale (V)"),
    "P": ("450847001", "Reagerer på smerte (P)"),
    "U": ("422768004", "Reagerer ikke (U)"),
}


def snomed_concept(code: str, text: str) -> dict[str, Any]:
    """A CodeableConcept with one SNOMED CT code."""
    return concept(text, coding(SNOMED, code))
