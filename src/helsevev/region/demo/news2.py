"""A round of vital signs with its NEWS2 score, as the ward takes it.

Source of the points: NEWS2 (Royal College of Physicians, 2017). Codes: the Norwegian observation
profile for welfare technology (VkpObservation 0.5.2), which uses SNOMED CT.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from .codes import Resource, coding, concept, hl7
from .measurements import (
    CONSCIOUSNESS,
    blood_pressure,
    measured,
    quantity,
    snomed_concept,
)
from .story import Story, ref, staff

Steps = tuple[tuple[str, int], ...]
# Each step is (up to and including, points); the last has no upper end.
_RESPIRATION: Steps = (("8", 3), ("11", 1), ("20", 0), ("24", 2), ("999", 3))
_SATURATION: Steps = (("91", 3), ("93", 2), ("95", 1), ("100", 0))
_HYPERCAPNIC_ON_AIR: Steps = (("83", 3), ("85", 2), ("87", 1), ("100", 0))
_HYPERCAPNIC_ON_OXYGEN: Steps = (
    ("83", 3), ("85", 2), ("87", 1), ("92", 0), ("94", 1), ("96", 2), ("100", 3),
)  # fmt: skip
_SYSTOLIC: Steps = (("90", 3), ("100", 2), ("110", 1), ("219", 0), ("999", 3))
_PULSE: Steps = (("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2), ("999", 3))
_TEMPERATURE: Steps = (("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1), ("99", 2))


class Signs(NamedTuple):
    """What was measured in one round; oxygen in litres a minute, 0 for room air."""

    respiration: int
    saturation: int
    oxygen: str
    pressure: str
    pulse: int
    consciousness: str
    temperature: str
    hypercapnic: bool = False


def points(signs: Signs) -> dict[str, int]:
    """The points of each part of NEWS2, by the part's SNOMED CT code."""
    on_oxygen = Decimal(signs.oxygen) > 0
    if not signs.hypercapnic:
        saturation = _SATURATION
    else:
        saturation = _HYPERCAPNIC_ON_OXYGEN if on_oxygen else _HYPERCAPNIC_ON_AIR
    systolic = int(signs.pressure.split("/")[0])
    return {
        "1104301000000104": _step(_RESPIRATION, Decimal(signs.respiration)),
        "1104321000000108" if signs.hypercapnic else "1104311000000102": _step(
            saturation, Decimal(signs.saturation)
        ),
        "1104331000000105": 2 if on_oxygen else 0,
        "1104341000000101": _step(_SYSTOLIC, Decimal(systolic)),
        "1104351000000103": _step(_PULSE, Decimal(signs.pulse)),
        "1104361000000100": 0 if signs.consciousness == "A" else 3,
        "1104371000000107": _step(_TEMPERATURE, Decimal(signs.temperature)),
    }


PARTS = {
    "1104301000000104": "Respirasjonsfrekvens, poeng",
    "1104311000000102": "SpO₂ skala 1, poeng",
    "1104321000000108": "SpO₂ skala 2, poeng",
    "1104331000000105": "Luft eller oksygen, poeng",
    "1104341000000101": "Systolisk blodtrykk, poeng",
    "1104351000000103": "Puls, poeng",
    "1104361000000100": "Bevissthet, poeng",
    "1104371000000107": "Temperatur, poeng",
}


def signs_round(
    story: Story,
    number: int,
    when: str | datetime,
    signs: Signs,
    by: str,
    *,
    encounter: str | None = None,
) -> None:
    """Every vital sign of one round, and the NEWS2 score that is derived from them."""
    stamp = when.isoformat() if isinstance(when, datetime) else story.time.stamp(when)
    moment = datetime.fromisoformat(stamp)
    measures = [
        measured(
            story, what, value, moment, by, number=number, encounter=encounter, slug=f"r-{what}"
        )
        for what, value in (
            ("respiration", str(signs.respiration)),
            ("spo2", str(signs.saturation)),
            ("oxygen", signs.oxygen),
            ("pulse", str(signs.pulse)),
            ("temperature", signs.temperature),
        )
        if not (what == "oxygen" and Decimal(signs.oxygen) == 0)
    ]
    measures.append(
        blood_pressure(story, signs.pressure, moment, by, number=900 + number, encounter=encounter)
    )
    measures.append(_consciousness(story, number, stamp, signs.consciousness, by, encounter))
    each = points(signs)
    total = sum(each.values())
    story.add(
        "Observation",
        f"news2-{number:03d}",
        status="final",
        category=[concept(None, coding(hl7("observation-category"), "survey"))],
        code=snomed_concept("1104051000000101", "NEWS2"),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=stamp,
        performer=[staff(by)],
        valueQuantity=quantity(total, "", "{score}"),
        interpretation=[judged(total, max(each.values()))],
        derivedFrom=[ref(reference) for reference in measures],
        component=[
            {
                "code": snomed_concept(code, PARTS[code]),
                "valueQuantity": quantity(value, "", "{score}"),
            }
            for code, value in each.items()
        ],
    )


def _consciousness(
    story: Story, number: int, stamp: str, letter: str, by: str, encounter: str | None
) -> str:
    return story.add(
        "Observation",
        f"acvpu-{number:03d}",
        status="final",
        category=[concept(None, coding(hl7("observation-category"), "vital-signs"))],
        code=concept(
            "Bevissthet (ACVPU)", coding("http://loinc.org", "80288-4", "Level of consciousness")
        ),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=stamp,
        performer=[staff(by)],
        valueCodeableConcept=snomed_concept(*CONSCIOUSNESS[letter]),
    )


def judged(total: int, highest: int) -> Resource:
    """Seven or more is an emergency; five, or three in one part, is urgent."""
    code, text = ("N", "Lav risiko")
    if total >= 7:
        code, text = ("HH", "Høy risiko")
    elif total >= 5 or highest == 3:
        code, text = ("H", "Middels risiko")
    return concept(text, coding(hl7("v3-ObservationInterpretation"), code))


def _step(steps: Steps, value: Decimal) -> int:
    return next(score for upper, score in steps if value <= Decimal(upper))
