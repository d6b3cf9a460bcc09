"""A patient's resources as the situation that checks are handed; pure, and opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from helsevev.content.decision_shapes import Facts
from helsevev.decision_support.dose_reading import dosings, of_ingredient
from helsevev.decision_support.kidney_function import egfr_of
from helsevev.decision_support.situation import (
    Allergy,
    Ingredient,
    Medicine,
    Patient,
    Problem,
    Situation,
)
from helsevev.fhir.reading import (
    Moment,
    amount,
    codes,
    codings,
    concept_text,
    contained,
    mapping,
    moment,
    moment_of,
    number,
    objects,
    reference_key,
    reference_text,
    sort_key,
    text,
)

Chart = Mapping[str, Sequence[Mapping[str, Any]]]
ATC: Final = frozenset({"http://www.whocc.no/atc", "urn:oid:2.16.578.1.12.4.1.1.7180"})
_ICD10: Final = frozenset({
    "http://hl7.org/fhir/sid/icd-10-no", "http://hl7.org/fhir/sid/icd-10",
    "urn:oid:2.16.578.1.12.4.1.1.7110",
})  # fmt: skip
_ICPC2: Final = frozenset({
    "http://hl7.org/fhir/sid/icpc-2", "urn:oid:2.16.578.1.12.4.1.1.7170",
})  # fmt: skip
MEANT_BESIDE: Final = "http://helsevev.no/fhir/StructureDefinition/meant-beside"
"""valueString on an order: why it is meant beside another of the same substance."""
_NOT_SO: Final = frozenset({"refuted", "entered-in-error"})
_OVER: Final = frozenset({"inactive", "resolved", "remission"})
_NO_ORDER: Final = frozenset({"proposal", "plan", "option"})
_DAYS_OF_MONTH: Final = Decimal("30.4375")
TYPES: Final = (
    "Patient", "AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement",
    "Medication", "Observation",
)  # fmt: skip
"""The resource types that a chart is read from."""


def situation_of(
    order: Mapping[str, Any],
    chart: Chart,
    facts: Facts,
    now: datetime,
    *,
    besides: Iterable[Mapping[str, Any]] = (),
    acknowledged: frozenset[str] = frozenset(),
) -> Situation:
    """The situation of one MedicationRequest being made; `besides` are others made with it."""
    products = products_of(chart)
    return Situation(
        patient_of(chart, facts, now), medicine_of(order, products),
        (*in_use(chart), *(medicine_of(each, products) for each in besides)), acknowledged,
    )  # fmt: skip


def products_of(chart: Chart) -> dict[str, Mapping[str, Any]]:
    """The Medications of the chart by reference, and by each code of theirs that is no class."""
    listed = chart.get("Medication", ())
    found = {
        f"{system}|{code}": each for each in listed
        for system, code in codings(each.get("code")) if system not in ATC
    }  # fmt: skip
    return found | {f"Medication/{each.get('id')}": each for each in listed}


def in_use(chart: Chart) -> tuple[Medicine, ...]:
    """The orders and statements of use that are active; a statement stands for its order."""
    products = products_of(chart)
    statements = [s for s in chart.get("MedicationStatement", ()) if s.get("status") == "active"]
    stated = {reference_key(r) for s in statements for r in objects(s.get("basedOn"))}
    orders = [
        r for r in chart.get("MedicationRequest", ())
        if r.get("status") == "active" and text(r.get("intent")) not in _NO_ORDER
        and r.get("doNotPerform") is not True and f"MedicationRequest/{r.get('id')}" not in stated
    ]  # fmt: skip
    return tuple(medicine_of(each, products) for each in (*orders, *statements))


def medicine_of(
    resource: Mapping[str, Any], products: Mapping[str, Mapping[str, Any]]
) -> Medicine:  # fmt: skip
    """What an order or statement says, with the product that it names."""
    concept = resource.get("medicationCodeableConcept")
    reference = mapping(resource.get("medicationReference"))
    product = (
        contained(resource, reference) or products.get(reference_key(reference))
        or next((products[key] for pair in codings(concept) if (key := "|".join(pair)) in products),
                {})
    )  # fmt: skip
    concepts = [concept, product.get("code")]
    parts = [i.get("itemCodeableConcept") for i in objects(product.get("ingredient"))]
    atc = [code for each in (*concepts, *parts) for code in _coded(each, ATC)]
    kind = text(resource.get("resourceType"))
    is_order = kind == "MedicationRequest"
    replaced = [resource.get("priorPrescription"), *objects(resource.get("basedOn"))]
    name = concept_text(concept) or concept_text(product.get("code")) or reference_text(reference)
    taken = resource.get("dosageInstruction" if is_order else "dosage")
    return Medicine(
        reference=f"{kind}/{resource['id']}" if resource.get("id") else "",
        name=name or ", ".join(atc),
        atc=tuple(dict.fromkeys(atc)),
        dosings=dosings(taken, product),
        replaces=tuple(key for each in replaced if (key := reference_key(each))),
        ingredients=tuple(
            Ingredient(concept_text(each), _coded(each, ATC), of_ingredient(taken, product, place))
            for place, each in enumerate(parts) if len(parts) > 1
        ),
        is_meant_beside=any(
            each.get("url") == MEANT_BESIDE and text(each.get("valueString")).strip()
            for each in objects(resource.get("extension"))
        ),
    )  # fmt: skip


def patient_of(chart: Chart, facts: Facts, now: datetime) -> Patient:
    """The facts of the patient; what was found out too long ago is not known."""
    person = next(iter(chart.get("Patient", ())), {})
    months = age_in_months(person, now)
    sex = text(person.get("gender"))
    seen = Seen(chart.get("Observation", ()), now)
    is_child = months is not None and months < 18 * 12
    weight_days = facts.weight_days_child if is_child else facts.weight_days_adult
    weight = seen.value(facts.weight, weight_days)
    kidney = seen.value(facts.egfr, facts.kidney_days)
    if kidney is None and (creatinine := seen.value(facts.creatinine, facts.kidney_days)):
        found = egfr_of(creatinine[0], months, sex)
        kidney = (found, creatinine[1]) if found is not None else None
    problems = _problems(chart.get("Condition", ()))
    pregnant, pregnancy_word = _pregnant(seen, problems, facts)
    week = seen.value(facts.pregnancy_week, 14) if pregnant else None
    told = [
        ("weight", f"{weight[0]:f} kg, {weight[1]}" if weight else ""),
        ("egfr", f"eGFR {kidney[0]:f}, {kidney[1]}" if kidney else ""),
        ("pregnancy", pregnancy_word),
    ]
    listed = chart.get("AllergyIntolerance", ())
    allergies, asked = _allergies(listed, facts)
    return Patient(
        months=months, sex=sex, weight=weight[0] if weight else None,
        egfr=kidney[0] if kidney else None, is_pregnant=pregnant,
        pregnancy_week=int(week[0]) if week else None,
        is_breast_feeding=seen.answer(
            facts.breast_feeding_status, facts.breast_feeding, facts.not_breast_feeding,
            facts.pregnancy_days,
        ),
        allergies=allergies, has_asked_allergies=asked, problems=problems, told=tuple(told),
    )  # fmt: skip


def age_in_months(person: Mapping[str, Any], now: datetime) -> int | None:
    """The age of a Patient; None when the day of birth is not known."""
    born = moment(person.get("birthDate"))
    return int((now - born.at).days / _DAYS_OF_MONTH) if born is not None else None


class Seen:
    """Observations by code, newest first."""

    def __init__(self, observations: Sequence[Mapping[str, Any]], now: datetime) -> None:
        kept = [o for o in observations if o.get("status") not in (*_NOT_SO, "cancelled")]
        self._now = now
        self._newest = sorted(
            ((_when(o), o) for o in kept), key=lambda pair: sort_key(pair[0]), reverse=True
        )

    def _first(
        self, wanted: tuple[str, ...], days: int | None
    ) -> tuple[Mapping[str, Any], str] | None:
        oldest = self._now - timedelta(days=days) if days is not None else None
        for when, observation in self._newest:
            if when is None or (oldest is not None and when.end < oldest):
                continue
            if codes(observation.get("code")) & set(wanted):
                return observation, when.at.date().isoformat()
        return None

    def value(self, wanted: tuple[str, ...], days: int | None) -> tuple[Decimal, str] | None:
        """The newest number of so many days (None: ever) with its day.

        Grams are read as kilograms, mg/dl as µmol/l.
        """
        found = self._first(wanted, days)
        given = amount(found[0].get("valueQuantity")) if found else None
        if found is None or given is None or given.value is None:
            whole = number(found[0].get("valueInteger")) if found else None
            return (whole, found[1]) if found and whole is not None else None
        # Of what is asked for here, grams are weights and mg/dl creatinine.
        factor = {"g": Decimal("0.001"), "mg/dL": Decimal("88.4")}.get(given.code or given.unit)
        return given.value * factor if factor else given.value, found[1]

    def answer(
        self, wanted: tuple[str, ...], yes: tuple[str, ...], no: tuple[str, ...], days: int
    ) -> bool | None:
        """What the newest answer says; None when none says yes or no."""
        found = self._first(wanted, days)
        said = codes(found[0].get("valueCodeableConcept")) if found else set()
        return True if said & set(yes) else False if said & set(no) else None


def _when(observation: Mapping[str, Any]) -> Moment | None:
    return moment_of(observation, "effectiveDateTime", "effectivePeriod", "issued")


def _pregnant(
    seen: Seen, problems: tuple[Problem, ...], facts: Facts
) -> tuple[bool | None, str]:  # fmt: skip
    for problem in problems:
        if any(c.startswith(facts.pregnancy_icd10) for c in problem.icd10) or any(
            c.startswith(facts.pregnancy_icpc2) for c in problem.icpc2
        ):
            return True, problem.name
    answer = seen.answer(
        facts.pregnancy_status, facts.pregnant, facts.not_pregnant, facts.pregnancy_days
    )
    return answer, ""


def _problems(conditions: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            concept_text(each.get("code")), _coded(each.get("code"), _ICD10),
            _coded(each.get("code"), _ICPC2),
        )
        for each in conditions
        if not codes(each.get("verificationStatus")) & _NOT_SO
        and not codes(each.get("clinicalStatus")) & _OVER
    )  # fmt: skip


def _allergies(
    listed: Sequence[Mapping[str, Any]], facts: Facts
) -> tuple[tuple[Allergy, ...], bool]:
    """The allergies that hold, and whether there is any word on allergies at all."""
    known = [each for each in listed if not codes(each.get("verificationStatus")) & _NOT_SO]
    none = [each for each in known if codes(each.get("code")) & set(facts.no_known_allergy)]
    found = [
        _allergy(each) for each in known
        if each not in none and not codes(each.get("clinicalStatus")) & _OVER
        and not (set(_categories(each)) and set(_categories(each)) <= {"food", "environment"})
    ]  # fmt: skip
    return tuple(found), bool(known)


def _categories(resource: Mapping[str, Any]) -> list[str]:
    listed = resource.get("category")
    return [text(each) for each in listed] if isinstance(listed, list) else []


def _allergy(resource: Mapping[str, Any]) -> Allergy:
    concepts = [resource.get("code")]
    concepts += [r.get("substance") for r in objects(resource.get("reaction"))]
    found = [pair for each in concepts for pair in codings(each)]
    names = [name for each in concepts if (name := concept_text(each))]
    severe = text(resource.get("type")) != "intolerance" or resource.get("criticality") == "high"
    return Allergy(
        name=", ".join(dict.fromkeys(names)),
        atc=tuple(code for system, code in found if system in ATC),
        codes=tuple(code for system, code in found if system not in ATC),
        is_severe=severe and resource.get("criticality") != "low",
    )


def _coded(concept: object, systems: frozenset[str]) -> tuple[str, ...]:
    return tuple(code.upper() for system, code in codings(concept) if system in systems)
