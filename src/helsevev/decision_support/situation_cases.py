"""Cases: situations written in short with the cards that are expected of them, as data.

A case is a row of CSV: what it is about; the patient; what is in use; what is ordered; the cards;
the source. The patient is `F 72 w60 egfr25 preg12 bf`, with `asked` or `notpreg` for answers that
are no, `allergy=words|ATC`, `problem=ICD-10`, `icpc=ICPC-2`, and `unasked` where nobody has asked
about allergies. A medicine is `ATC amount unit x3` (times a day) or `every 8h`, `every 1wk`, with
`prn` and `max amount unit` for as needed. It is read by way of FHIR, as all orders are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.decision_support.cards import Advice
from helsevev.decision_support.checking import advise
from helsevev.decision_support.knowledge import Knowledge
from helsevev.decision_support.reading import situation_of
from helsevev.decision_support.strength import DROPS

NOW: Final = datetime(2026, 11, 2, 9, tzinfo=UTC)
_DAY: Final = NOW.date().isoformat()
_LETTER: Final = re.compile(r"(?P<atc>[A-Z]\d\d[A-Z]{0,2}\d{0,2}|\?)(?: \((?P<name>[^)]*)\))?")
_VALUE: Final = r"(?P<value>\d+(?:\.\d+)?)"
_UNIT: Final = (
    r"(?P<unit>mg|g|ug|IU|mmol|stk|tablett|kapsel|ml|dr\u00e5pe|dose|plaster|stikkpille|hgl)\b"
)
_AMOUNT: Final = re.compile(rf" {_VALUE} {_UNIT}")
_STRENGTH: Final = re.compile(
    rf"(?P<name>[a-z\u00e6\u00f8\u00e5]+ )?{_VALUE} (?P<unit>mg|g|ug|IU|mmol)"
    r"(?:/(?P<per>[a-z]+))?(?: (?P<drops>\d+) dr)?"
)
_TIMES: Final = re.compile(r" x(?P<times>\d+)\b")
_EVERY: Final = re.compile(r" every (?P<period>\d+)(?P<unit>h|d|wk|mo)\b")
_MAXIMUM: Final = re.compile(rf" max {_VALUE} {_UNIT}")
_OF_SEX: Final = {"F": "female", "M": "male"}


class BadCase(ValueError):
    """A case that is not written as it should be; the message says which, and where."""


class Case(Struct, frozen=True):
    """One situation: the chart and order as FHIR, and which cards at which level are expected."""

    about: str
    patient: str
    uses: str
    ordered: str
    expected: frozenset[tuple[str, str]]
    source: str


def read_cases(text: str) -> tuple[Case, ...]:
    """The cases of a CSV file with a header. Raises `BadCase`."""
    rows = csv.reader(io.StringIO(text), delimiter=";")
    next(rows)
    return tuple(_case(row) for row in rows if row)


def _case(row: list[str]) -> Case:
    if len(row) != 6 or not row[5].strip():
        raise BadCase(f"{row[0]}: six fields, the last one the source")
    about, patient, uses, ordered, cards, source = (field.strip() for field in row)
    expected = frozenset(_expected(each, about) for each in cards.split(",") if each.strip())
    return Case(about, patient, uses, ordered, expected, source)


def _expected(written: str, about: str) -> tuple[str, str]:
    rule, _, level = written.strip().partition("=")
    if level not in ("stop", "interrupt", "quiet"):
        raise BadCase(f"{about}: {written} says no level")
    return rule, level


def worked_out(case: Case, known: Knowledge) -> Advice:
    """The cards of a case."""
    order = medicine("MedicationRequest", "ordered", case.ordered)
    return advise(situation_of(order, chart_of(case), known.facts, NOW), known)


def shown(advice: Advice) -> frozenset[tuple[str, str]]:
    """The rules and levels of an advice, as cases say them."""
    return frozenset((card.rule, card.level) for card in advice.cards)


def chart_of(case: Case) -> dict[str, list[dict[str, Any]]]:
    """The patient's resources of a case."""
    chart: dict[str, list[dict[str, Any]]] = {}
    for resource in _resources(case.patient):
        chart.setdefault(resource["resourceType"], []).append(resource)
    uses = [use.strip() for use in case.uses.split("+") if use.strip()]
    chart["MedicationStatement"] = [
        medicine("MedicationStatement", f"use{place}", use) for place, use in enumerate(uses)
    ]
    return chart


def _resources(written: str) -> Iterator[dict[str, Any]]:
    words = re.findall(r"(?:[a-z]+=\S+|\S+)", written)
    is_none_known = not any(word.startswith(("allergy=", "intolerance=")) for word in words)
    if is_none_known and "unasked" not in words:
        yield {"resourceType": "AllergyIntolerance", "id": "none", "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": "716186003"}],
        }}  # fmt: skip
    for word in words[2:]:
        yield from _fact(word)
    born = _born(words[1]) if words[1] != "?" else None
    person = {"resourceType": "Patient", "id": "p", "gender": _OF_SEX.get(words[0], "unknown")}
    yield {**person, "birthDate": born} if born else person


def _born(age: str) -> str:
    days = {"m": 30.4375, "d": 1.0}.get(age[-1], 365.25)
    return (NOW.date() - timedelta(days=int(int(age.rstrip("md")) * days) + 1)).isoformat()


def _fact(word: str) -> Iterator[dict[str, Any]]:
    name, _, value = word.partition("=")
    if name == "allergy" or name == "intolerance":
        yield _allergy(value, name)
    elif name in ("problem", "icpc"):
        system = "icd-10-no" if name == "problem" else "icpc-2"
        yield {"resourceType": "Condition", "id": value, "code": {
            "coding": [{"system": f"http://hl7.org/fhir/sid/{system}", "code": value}],
        }}  # fmt: skip
    elif match := re.fullmatch(r"(w|egfr|crea)(\d+(?:\.\d+)?)", word):
        code, unit = {
            "w": ("29463-7", "kg"), "egfr": ("98979-8", "mL/min/{1.73_m2}"),
            "crea": ("14682-9", "umol/L"),
        }[match[1]]  # fmt: skip
        yield _seen(code, valueQuantity={"value": float(match[2]), "code": unit})
    elif match := re.fullmatch(r"preg(\d*)", word):
        yield _seen("82810-3", valueCodeableConcept={"coding": [{"code": "77386006"}]})
        if match[1]:
            yield _seen("18185-9", valueQuantity={"value": int(match[1]), "code": "wk"})
    elif word in ("bf", "asked", "notpreg"):
        if word != "bf":
            yield _seen("82810-3", valueCodeableConcept={"coding": [{"code": "60001007"}]})
        if word == "notpreg":
            return
        answer = "LA33-6" if word == "bf" else "LA32-8"
        yield _seen("63895-7", valueCodeableConcept={"coding": [{"code": answer}]})
    elif word != "unasked":
        raise BadCase(f"{word} is no fact of a patient")


def _allergy(value: str, kind: str) -> dict[str, Any]:
    words, _, atc = value.partition("|")
    code: dict[str, Any] = {"text": words.replace("_", " ")}
    if atc:
        code["coding"] = [{"system": "http://www.whocc.no/atc", "code": atc}]
    return {"resourceType": "AllergyIntolerance", "id": value, "type": kind, "code": code}


def _seen(code: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": code, "status": "final", "effectiveDateTime": _DAY,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **value,
    }  # fmt: skip


def medicine(kind: str, name: str, written: str) -> dict[str, Any]:
    """A MedicationRequest or MedicationStatement from its short form. Raises `BadCase`."""
    found = _LETTER.match(written)
    if found is None:
        raise BadCase(f"{written}: begins with no ATC code")
    called = found["name"] or found["atc"]
    concept: dict[str, Any] = {"text": called}
    if found["atc"] != "?":
        concept["coding"] = [{"system": "http://www.whocc.no/atc", "code": found["atc"]}]
    taken, _brace, held = written[found.end() :].partition("{")
    made = {
        "resourceType": kind, "id": name, "status": "active", "intent": "order",
        ("dosageInstruction" if kind == "MedicationRequest" else "dosage"): [_dosage(taken)],
    }  # fmt: skip
    if not held:
        return {**made, "medicationCodeableConcept": concept}
    product = {"resourceType": "Medication", "id": "product", "code": concept, **_product(held)}
    return {**made, "contained": [product], "medicationReference": {"reference": "#product"}}


def _product(held: str) -> dict[str, Any]:
    """The strengths and drops of a Medication."""
    parts: list[dict[str, Any]] = []
    product: dict[str, Any] = {"ingredient": parts}
    for written in held.rstrip("}").split("&"):
        said = _STRENGTH.fullmatch(written.strip())
        if said is None:
            raise BadCase(f"{written} is no strength")
        per = {"value": 1, **({"unit": said["per"]} if said["per"] else {})}
        ratio = {"numerator": {"value": float(said["value"]), "unit": said["unit"]},
                 "denominator": per}  # fmt: skip
        name = {"text": (said["name"] or "").strip()}
        parts.append({"itemCodeableConcept": name, "strength": ratio})
        if said["drops"]:
            product["extension"] = [{"url": DROPS, "valueDecimal": int(said["drops"])}]
    return product


def _dosage(written: str) -> dict[str, Any]:
    dosage: dict[str, Any] = {}
    if amount := _AMOUNT.search(written):
        quantity = {"value": float(amount["value"]), "unit": amount["unit"]}
        dosage["doseAndRate"] = [{"doseQuantity": quantity}]
    if times := _TIMES.search(written):
        dosage["timing"] = {"repeat": {
            "frequency": int(times["times"]), "period": 1, "periodUnit": "d",
        }}  # fmt: skip
    elif every := _EVERY.search(written):
        dosage["timing"] = {"repeat": {
            "frequency": 1, "period": int(every["period"]), "periodUnit": every["unit"],
        }}  # fmt: skip
    if " prn" in written:
        dosage["asNeededBoolean"] = True
    if most := _MAXIMUM.search(written):
        dosage["maxDosePerPeriod"] = {
            "numerator": {"value": float(most["value"]), "unit": most["unit"]},
            "denominator": {"value": 1, "unit": "d", "code": "d"},
        }  # fmt: skip
    return dosage
