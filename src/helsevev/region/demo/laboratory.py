"""Laboratory answers: one DiagnosticReport with its Observations, in one line of story.

Codes are NLK (Norsk laboratoriekodeverk, Volven 7280) beside LOINC; the ranges are those the
demo's laboratory states and need not be another laboratory's.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from .codes import LABORATORY, LOINC, Resource, coding, concept, hl7, hl7_concept
from .measurements import interpretation, quantity, reference_range
from .orders import seen
from .story import Story, organisation, ref, staff


class Analyte(NamedTuple):
    """One analysis: codes, name, unit, decimals, ranges by sex, and what is critical."""

    nlk: str
    loinc: str
    name: str
    unit: str
    ucum: str
    female: tuple[str | None, str | None]
    male: tuple[str | None, str | None]
    critical: tuple[str | None, str | None] = (None, None)


def _analyte(
    nlk: str,
    loinc: str,
    name: str,
    unit: str,
    low: str | None,
    high: str | None,
    *,
    ucum: str | None = None,
    male: tuple[str | None, str | None] | None = None,
    critical: tuple[str | None, str | None] = (None, None),
) -> Analyte:
    both = (low, high)
    return Analyte(nlk, loinc, name, unit, ucum or unit, both, male or both, critical)


ANALYTES = {
    "hb": _analyte("NOR05172", "718-7", "B-Hemoglobin", "g/dL", "11.7", "15.3",
                   male=("13.4", "17.0"), critical=("7.0", None)),
    "leuk": _analyte("NPU02593", "6690-2", "B-Leukocytter", "10⁹/L", "4.1", "9.8",
                     ucum="10*9/L"),
    "tromb": _analyte("NPU03568", "777-3", "B-Trombocytter", "10⁹/L", "165", "387",
                      ucum="10*9/L", male=("145", "348")),
    "crp": _analyte("NPU19748", "1988-5", "P-CRP", "mg/L", None, "5"),
    "na": _analyte("NPU03429", "2951-2", "P-Natrium", "mmol/L", "137", "145",
                   critical=("120", "160")),
    "k": _analyte("NPU03230", "2823-3", "P-Kalium", "mmol/L", "3.5", "4.6",
                  critical=("2.8", "6.0")),
    "kreat": _analyte("NPU18016", "14682-9", "P-Kreatinin", "µmol/L", "45", "90",
                      ucum="umol/L", male=("60", "105")),
    "egfr": _analyte("NOR25909", "62238-1", "Nyre-estimert GFR (CKD-EPI)", "mL/min/1,73m²",
                     "60", None, ucum="mL/min/{1.73_m2}"),
    "karb": _analyte("NPU01459", "22664-7", "P-Karbamid", "mmol/L", "2.6", "6.4",
                     male=("3.2", "8.1")),
    "inr": _analyte("NPU01685", "6301-6", "P-INR", "", "0.9", "1.1", ucum="{INR}",
                    critical=(None, "5.0")),
    "hba1c": _analyte("NPU27300", "59261-8", "B-HbA1c", "mmol/mol", "20", "42"),
    "glu": _analyte("NPU02192", "14749-6", "P-Glukose", "mmol/L", "4.2", "6.3"),
    "ferritin": _analyte("NPU19763", "2276-4", "P-Ferritin", "µg/L", "18", "240", ucum="ug/L",
                         male=("34", "300")),
    "bnp": _analyte("NPU21571", "33762-6", "P-NT-proBNP", "ng/L", None, "450", ucum="ng/L"),
    "tnt": _analyte("NPU27501", "67151-1", "P-Troponin T (hs-cTnT)", "ng/L", None, "14"),
    "alat": _analyte("NPU19651", "1742-6", "P-ALAT", "U/L", "10", "45", male=("10", "70")),
    "alb": _analyte("NPU19673", "1751-7", "P-Albumin", "g/L", "36", "48"),
    "bili": _analyte("NPU01370", "14631-6", "P-Bilirubin (total)", "µmol/L", "5", "25",
                     ucum="umol/L"),
    "tsh": _analyte("NPU03577", "3016-3", "P-TSH", "mIU/L", "0.3", "4.2", ucum="m[IU]/L"),
    "t4": _analyte("NPU03579", "14920-3", "P-T4, fritt", "pmol/L", "12.0", "22.0"),
    "b12": _analyte("NPU01700", "14685-6", "P-Vit B12, total (Kobalamin)", "pmol/L", "175", "700"),
    "ldl": _analyte("NPU01568", "22748-8", "P-LDL-kolesterol", "mmol/L", None, "4.3"),
    "kol": _analyte("NPU01566", "14647-2", "P-Kolesterol", "mmol/L", None, "6.9"),
    "acr": _analyte("NOR15260", "32294-1", "U-Albumin/Kreatinin", "mg/mmol", None, "3.0"),
    "ph": _analyte("NPU12474", "2744-1", "P(aB)-pH", "", "7.36", "7.44", ucum="[pH]",
                   critical=("7.20", "7.60")),
    "pco2": _analyte("NPU01470", "2019-8", "P(aB)-pCO₂", "kPa", "4.7", "6.0", ucum="kPa",
                     critical=(None, "9.0")),
    "po2": _analyte("NPU08977", "2703-7", "P(aB)-pO₂", "kPa", "10.0", "13.5", ucum="kPa",
                    critical=("6.0", None)),
    "hco3": _analyte("NPU02409", "1960-4", "P(aB)-HCO₃ (bikarbonat), aktuell", "mmol/L", "22.0",
                     "26.0"),
    "be": _analyte("NPU12518", "1925-7", "P(aB)-Base excess", "mmol/L", "-3.0", "3.0"),
    "laktat": _analyte("NPU03943", "2518-9", "P(aB)-Laktat", "mmol/L", "0.5", "1.6",
                       critical=(None, "4.0")),
}  # fmt: skip


def laboratory(
    story: Story,
    slug: str,
    when: str | datetime,
    answers: str,
    *,
    sex: str,
    title: str = "Blodprøver",
    ordered_by: str = "sigrid-aune",
    encounter: str | None = None,
    conclusion: str | None = None,
    is_seen: bool = True,
) -> None:
    """One report; `answers` is `hb 10.9 crp 84 …` with each number as the laboratory wrote it.

    It is acknowledged by who ordered it, unless it has not been seen yet.
    """
    at = when if isinstance(when, datetime) else story.time.at(when)
    stamp = at.isoformat()
    words = answers.split()
    results = [
        _answer(story, f"lab-{slug}-{key}", ANALYTES[key], value, stamp, sex, encounter)
        for key, value in zip(words[::2], words[1::2], strict=True)
    ]
    report = story.add(
        "DiagnosticReport",
        f"lab-{slug}",
        status="final",
        category=[concept("Medisinsk biokjemi", coding(hl7("v2-0074"), "LAB"))],
        code=concept(title, coding(LOINC, "11502-2", "Laboratory report")),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=stamp,
        issued=stamp,
        performer=[organisation("st-olavs-biokjemi")],
        resultsInterpreter=[staff(ordered_by)],
        result=[ref(reference) for reference in results],
        conclusion=conclusion,
    )
    if is_seen:
        seen(story, report, title, at, ordered_by)


def laboratory_series(
    story: Story, slug: str, first: str, last: str, rows: str, *, sex: str, title: str
) -> None:
    """Reports in turn, spread evenly between two times; one line of `rows` for each."""
    lines = [line.strip() for line in rows.strip().split("\n")]
    times = story.time.spread(first, last, len(lines))
    for step, (line, when) in enumerate(zip(lines, times, strict=True), start=1):
        laboratory(story, f"{slug}-{step:02d}", when, line, sex=sex, title=title, is_seen=False)


def _answer(
    story: Story,
    slug: str,
    analyte: Analyte,
    value: str,
    stamp: str,
    sex: str,
    encounter: str | None,
) -> str:
    low, high = analyte.female if sex == "female" else analyte.male
    amount = Decimal(value) if "." in value else int(value)
    return story.add(
        "Observation",
        slug,
        status="final",
        category=[concept(None, coding(hl7("observation-category"), "laboratory"))],
        code=concept(
            analyte.name,
            coding(LABORATORY, analyte.nlk, analyte.name),
            coding(LOINC, analyte.loinc),
        ),
        subject=story.subject(),
        encounter=ref(encounter),
        effectiveDateTime=stamp,
        issued=stamp,
        performer=[organisation("st-olavs-biokjemi")],
        valueQuantity=quantity(amount, analyte.unit, analyte.ucum),
        interpretation=_critical(analyte, amount) or interpretation(amount, low, high),
        referenceRange=reference_range(low, high, analyte.unit, analyte.ucum),
    )


def _critical(analyte: Analyte, value: Decimal | int) -> list[Resource] | None:
    low, high = analyte.critical
    if low is not None and value <= Decimal(low):
        return [hl7_concept("v3-ObservationInterpretation", "LL", "Kritisk lav")]
    if high is not None and value >= Decimal(high):
        return [hl7_concept("v3-ObservationInterpretation", "HH", "Kritisk høy")]
    return None
