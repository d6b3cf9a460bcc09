"""What was measured and answered: vital signs, scores and laboratory reports."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from ..calendar import stamp
from ..catalogue import Unit
from ..demo.codes import LABORATORY, LOINC, SNOMED, coding, concept, hl7, hl7_concept
from ..demo.laboratory import ANALYTES
from ..demo.measurements import GAD7, MEASURES, PHQ9, Measure, quantity, reference_range
from ..demo.news2 import PARTS, Signs, judged, points
from ..life import Contact, Tale, at_unit, named
from ..notation import Raw, coded, number, raw
from ..workforce import Worker

_SCORES = {
    "phq9": PHQ9,
    "gad7": GAD7,
    "audit": Measure(
        coding(LOINC, "75624-7", "Alcohol Use Disorders Identification Test [AUDIT]"),
        "AUDIT", "", "{score}", 0, None, "7", "survey",
    ),
    "barthel": Measure(
        coding(LOINC, "96761-2", "Total score Barthel Index"),
        "Barthel ADL-indeks", "", "{score}", 0, "20", None, "survey",
    ),
    "mmse": Measure(
        coding(LOINC, "72106-8", "Total score [MMSE]"),
        "MMS-NR, samlet skår", "", "{score}", 0, "28", None, "survey",
    ),
    "fev1": Measure(
        coding(LOINC, "20150-9", "FEV1"), "FEV1", "L", "L", 2, None, None, "procedure",
    ),
    "wound-area": Measure(
        coding(LOINC, "89260-4", "Area of wound"), "Sårets areal", "cm²", "cm2", 1, None, None,
        "exam",
    ),
}  # fmt: skip
_ALL: dict[str, Measure] = {**MEASURES, **_SCORES}
_JUDGED = {
    code: raw([hl7_concept("v3-ObservationInterpretation", code, text)])
    for code, text in (("L", "Lav"), ("N", "Normal"), ("H", "Høy"))
}


class _Known(NamedTuple):
    category: Raw
    code: Raw
    unit: dict[str, Any]
    low: float | None
    high: float | None
    range: Raw | None
    decimals: int


@cache
def _known(what: str) -> _Known:
    return _prepared(_ALL[what])


def _prepared(measure: Measure) -> _Known:
    unit = quantity(0, measure.unit, measure.ucum)
    del unit["value"]
    limits = reference_range(measure.low, measure.high, measure.unit, measure.ucum)
    return _Known(
        raw([concept(None, coding(hl7("observation-category"), measure.category))]),
        raw(concept(measure.text, measure.code)),
        unit,
        None if measure.low is None else float(measure.low),
        None if measure.high is None else float(measure.high),
        None if limits is None else raw(limits),
        measure.decimals,
    )


def measured(t: Tale, what: str, value: float, seen: Contact | None) -> str | None:
    """One measurement at a contact, rounded as it is read off; None without the contact."""
    if seen is None:
        return None
    return observed(t, what, value, seen.start, seen.by, seen.reference)


def observed(
    t: Tale, what: str, value: float, at: int, by: Worker, encounter: str | None = None
) -> str | None:
    """One measurement at an instant; None when it falls outside what is told."""
    if not t.life.holds(at):
        return None
    known = _known(what)
    return t.life.put("Observation", _valued(t, known, value, at, named(by), encounter))


def _valued(
    t: Tale, known: _Known, value: float, at: int, performer: Raw, encounter: str | None
) -> dict[str, Any]:
    written = f"{value:.{known.decimals}f}"
    content: dict[str, Any] = {
        "status": "final",
        "category": known.category,
        "code": known.code,
        "subject": t.life.subject,
        "effectiveDateTime": stamp(at),
        "performer": [performer],
        "valueQuantity": {"value": number(written), **known.unit},
    }
    if encounter is not None:
        content["encounter"] = {"reference": encounter}
    if known.range is not None:
        rounded = float(written)
        code = "N"
        if known.low is not None and rounded < known.low:
            code = "L"
        elif known.high is not None and rounded > known.high:
            code = "H"
        content["interpretation"] = _JUDGED[code]
        content["referenceRange"] = known.range
    return content


_PRESSURE = raw(
    concept(
        "Blodtrykk",
        coding(LOINC, "85354-9", "Blood pressure panel with all children optional"),
    )
)
_VITAL = raw([concept(None, coding(hl7("observation-category"), "vital-signs"))])


@cache
def _pressure(code: str, display: str, text: str, value: int, low: int, high: int) -> Raw:
    judged_as = "L" if value < low else "H" if value > high else "N"
    return raw(
        {
            "code": concept(text, coding(LOINC, code, display)),
            "valueQuantity": quantity(value, "mmHg", "mm[Hg]"),
            "referenceRange": reference_range(str(low), str(high), "mmHg", "mm[Hg]"),
            "interpretation": _JUDGED[judged_as],
        }
    )


def blood_pressure(
    t: Tale, systolic: float, diastolic: float, at: int, by: Worker, encounter: str | None
) -> str | None:
    """A blood pressure in mmHg as one panel."""
    if not t.life.holds(at):
        return None
    upper = ("8480-6", "Systolic blood pressure", "Systolisk blodtrykk")
    lower = ("8462-4", "Diastolic blood pressure", "Diastolisk blodtrykk")
    content: dict[str, Any] = {
        "status": "final",
        "category": _VITAL,
        "code": _PRESSURE,
        "subject": t.life.subject,
        "effectiveDateTime": stamp(at),
        "performer": [named(by)],
        "component": [
            _pressure(*upper, int(systolic), 90, 140),
            _pressure(*lower, min(int(diastolic), int(systolic) - 15), 50, 90),
        ],
    }
    if encounter is not None:
        content["encounter"] = {"reference": encounter}
    return t.life.put("Observation", content)


def pressure(t: Tale, systolic: float, diastolic: float, seen: Contact | None) -> None:
    """A blood pressure at a contact."""
    if seen is not None:
        blood_pressure(t, systolic, diastolic, seen.start, seen.by, seen.reference)


_SURVEY = raw([concept(None, coding(hl7("observation-category"), "survey"))])
_NEWS2 = coded(SNOMED, "1104051000000101", "NEWS2")
_SCORE_UNIT = {"system": "http://unitsofmeasure.org", "code": "{score}"}


@cache
def _part(code: str, value: int) -> Raw:
    return raw(
        {
            "code": concept(PARTS[code], coding(SNOMED, code, PARTS[code])),
            "valueQuantity": {"value": value, **_SCORE_UNIT},
        }
    )


@cache
def _verdict(total: int, most: int) -> Raw:
    return raw([judged(total, most)])


def signs_round(
    t: Tale, signs: Signs, at: int, by: Worker, encounter: str | None, *, scored: bool = True
) -> int:
    """One round of vital signs with its NEWS2; returns the total. Nothing outside what is told."""
    parts = points(signs)
    total = sum(parts.values())
    if not t.life.holds(at):
        return total
    upper, lower = signs.pressure.split("/")
    refs = [
        observed(t, "respiration", signs.respiration, at, by, encounter),
        observed(t, "spo2", signs.saturation, at, by, encounter),
        observed(t, "pulse", signs.pulse, at, by, encounter),
        observed(t, "temperature", float(signs.temperature), at, by, encounter),
        blood_pressure(t, int(upper), int(lower), at, by, encounter),
    ]
    if signs.oxygen != "0":
        refs.append(observed(t, "oxygen", float(signs.oxygen), at, by, encounter))
    if scored:
        content: dict[str, Any] = {
            "status": "final",
            "category": _SURVEY,
            "code": _NEWS2,
            "subject": t.life.subject,
            "effectiveDateTime": stamp(at),
            "performer": [named(by)],
            "valueQuantity": {"value": total, **_SCORE_UNIT},
            "interpretation": _verdict(total, max(parts.values())),
            "derivedFrom": [{"reference": each} for each in refs if each is not None],
            "component": [_part(code, value) for code, value in parts.items()],
        }
        if encounter is not None:
            content["encounter"] = {"reference": encounter}
        t.life.put("Observation", content)
    return total


def signs_of(t: Tale, illness: float, *, hypercapnic: bool = False) -> Signs:
    """Vital signs of somebody as ill as `illness` says, from 0 (well) to 1 (very ill)."""
    chance = t.chance
    low_oxygen = illness > 0.45 and chance.happens(0.75)
    saturation = 97 - illness * 7 + chance.between(-1.5, 1.5) - (5 if hypercapnic else 0)
    return Signs(
        respiration=round(15 + illness * 12 + chance.between(-2, 2)),
        saturation=max(78, min(100, round(saturation))),
        oxygen=str(chance.whole(1, 4)) if low_oxygen else "0",
        pressure=f"{round(132 - illness * 28 + chance.between(-14, 14))}"
        f"/{round(76 - illness * 14 + chance.between(-8, 8))}",
        pulse=round(74 + illness * 40 + chance.between(-9, 9)),
        consciousness="C" if illness > 0.75 and chance.happens(0.4) else "A",
        temperature=f"{36.7 + illness * 1.9 * chance.between(0.2, 1.2):.1f}",
        hypercapnic=hypercapnic,
    )


@cache
def _analyte(key: str, woman: bool) -> _Known:
    analyte = ANALYTES[key]
    low, high = analyte.female if woman else analyte.male
    known = _prepared(
        Measure({}, analyte.name, analyte.unit, analyte.ucum, 0, low, high, "laboratory")
    )
    code = raw(
        concept(
            analyte.name,
            coding(LABORATORY, analyte.nlk, analyte.name),
            coding(LOINC, analyte.loinc),
        )
    )
    return known._replace(code=code)


_REPORT = {
    "status": "final",
    "category": raw([concept("Medisinsk biokjemi", coding(hl7("v2-0074"), "LAB"))]),
    "code": raw(concept("Blodprøver", coding(LOINC, "11502-2", "Laboratory report"))),
}


def laboratory(
    t: Tale, at: int, answers: dict[str, tuple[float, int]], ordered_by: Worker,
    encounter: str | None = None, unit: Unit | None = None,
) -> None:  # fmt: skip
    """One report; each answer is (value, decimals) under its analyte's key."""
    if not t.life.holds(at):
        return
    where = unit or t.person.department("laboratory")
    performer = at_unit(where)
    results = []
    for key, (value, decimals) in answers.items():
        known = _analyte(key, t.person.woman)._replace(decimals=decimals)
        content = _valued(t, known, max(value, 0), at, performer, encounter)
        content["issued"] = content["effectiveDateTime"]
        results.append({"reference": t.life.put("Observation", content)})
    written = stamp(at)
    report: dict[str, Any] = {
        **_REPORT,
        "subject": t.life.subject,
        "effectiveDateTime": written,
        "issued": written,
        "performer": [performer],
        "resultsInterpreter": [named(ordered_by)],
        "result": results,
    }
    if encounter is not None:
        report["encounter"] = {"reference": encounter}
    t.life.put("DiagnosticReport", report)
