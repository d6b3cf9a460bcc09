"""The catalogue's products and packages as FHIR, coded as the national medication service does.

A Medication is what an order names, a MedicationKnowledge what is known of it: routes, units, and
whether it may be divided, crushed or opened. Packages are Medications by their item number.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from helsevev.medication.catalogue.product import (
    ATC,
    BRAND,
    VOLVEN,
    Amount,
    Coded,
    Ingredient,
    Package,
    Product,
    resource_id,
    system_of,
)

GTIN: Final = "https://www.gs1.org/gtin"
PRESCRIPTION_GROUP: Final = "http://hl7.no/fhir/StructureDefinition/no-basis-prescriptiongroup"
DETAILS: Final = "http://ehelse.no/fhir/StructureDefinition/sfm-medicationdetails"
REGISTRATION: Final = "http://ehelse.no/fhir/CodeSystem/sfm-festregistrationtype"
CHARACTERISTIC: Final = "urn:helsevev:medicine-characteristic"
_UCUM: Final = "http://unitsofmeasure.org"
_UCUM_UNITS: Final = {
    "g": "g", "mg": "mg", "mikrog": "ug", "µg": "ug", "ug": "ug", "nanog": "ng", "ml": "mL",
    "l": "L", "mmol": "mmol", "mol": "mol", "IE": "[iU]", "E": "[iU]", "time": "h", "timer": "h",
    "d\N{LATIN SMALL LETTER O WITH STROKE}gn": "d", "%": "%", "MBq": "MBq", "GBq": "GBq",
    "cm2": "cm2",
}  # fmt: skip
_REGISTERED: Final = {
    "substance": ("1", "Legemiddelvirkestoff"), "brand": ("2", "Legemiddelmerkevare"),
    "package": ("3", "Legemiddelpakning"),
}  # fmt: skip
Resource = dict[str, Any]


def medication(product: Product, *, withdrawn: bool = False) -> Resource:
    """What an order of a product names."""
    made: Resource = {
        "resourceType": "Medication",
        "id": resource_id(product.id),
        "extension": list(_extensions(product.group, product.kind)),
        "identifier": [{"system": system_of(product.id), "value": product.id}],
        "code": _code(product.id, product.name, product.atc, product.atc_name),
        "status": "inactive" if withdrawn else "active",
    }
    if product.form is not None:
        made["form"] = concept(product.form)
    if product.ingredients:
        made["ingredient"] = [
            {
                "itemCodeableConcept": _substance(each),
                "isActive": True,
                **({"strength": ratio} if (ratio := _strength(each)) else {}),
            }
            for each in product.ingredients
        ]
    return made


def knowledge(product: Product, *, withdrawn: bool = False) -> Resource:
    """What is known of a product and its use."""
    made: Resource = {
        "resourceType": "MedicationKnowledge",
        "id": resource_id(product.id),
        "code": _code(product.id, product.name, product.atc, product.atc_name),
        "status": "inactive" if withdrawn else "active",
        "associatedMedication": [{"reference": f"Medication/{resource_id(product.id)}"}],
    }
    if product.form is not None:
        made["doseForm"] = concept(product.form)
    names = dict.fromkeys(name for name in (product.trade, product.substances) if name)
    if names:
        made["synonym"] = list(names)
    if product.generic:
        of = {"reference": f"MedicationKnowledge/{resource_id(product.generic)}"}
        made["relatedMedicationKnowledge"] = [
            {"type": {"text": "substance product"}, "reference": [of]}
        ]
    if product.ingredients:
        made["ingredient"] = [
            {
                "itemCodeableConcept": _substance(each),
                "isActive": True,
                **({"strength": ratio} if (ratio := _strength(each)) else {}),
            }
            for each in product.ingredients
        ]
    if product.routes:
        made["intendedRoute"] = [concept(each) for each in product.routes]
    if classes := list(_classes(product)):
        made["medicineClassification"] = classes
    if told := list(_characteristics(product)):
        made["drugCharacteristic"] = told
    return made


def package(held: Package, *, withdrawn: bool = False) -> Resource:
    """What is bought, with what a scanner reads on it."""
    barcodes = [{"system": GTIN, "value": each} for each in held.barcodes]
    made: Resource = {
        "resourceType": "Medication",
        "id": resource_id(held.id),
        "extension": list(_extensions(held.group, "package", held)),
        "identifier": [{"system": system_of(held.item), "value": held.item}, *barcodes],
        "code": _code(held.item, held.name, held.atc, held.atc_name),
        "status": "inactive" if withdrawn else "active",
    }
    if held.form is not None:
        made["form"] = concept(held.form)
    if held.brand:
        made["ingredient"] = [
            {"itemReference": {"reference": f"Medication/{resource_id(held.brand)}"}}
        ]
    return made


def _extensions(group: Coded | None, kind: str, held: Package | None = None) -> Iterator[Resource]:
    if group is not None:
        inner = {"url": "prescriptiongroup", "valueCodeableConcept": {"coding": [_coding(group)]}}
        yield {"url": PRESCRIPTION_GROUP, "extension": [inner]}
    code, display = _REGISTERED[kind]
    registered = {"coding": [{"system": REGISTRATION, "code": code, "display": display}]}
    details: list[Resource] = [{"url": "registreringstype", "valueCodeableConcept": registered}]
    if held is not None and held.size:
        packed: list[Resource] = [
            {"url": "name", "valueString": held.name},
            {"url": "packingsize", "valueString": held.size},
        ]
        if held.unit is not None:
            packed.append({"url": "packingunit", "valueCodeableConcept": concept(held.unit)})
        details.append({"url": "packinginfoprescription", "extension": packed})
    yield {"url": DETAILS, "extension": details}


def _code(identifier: str, name: str, atc: str, atc_name: str) -> Resource:
    listed = [{"system": system_of(identifier), "code": identifier, "display": name}]
    if atc:
        named = {"display": atc_name} if atc_name else {}
        listed.append({"system": ATC, "code": atc, **named})
    return {"coding": listed, "text": name}


def _coding(coded: Coded) -> Resource:
    system = {"system": f"{VOLVEN}{coded.system}"} if coded.system else {}
    named = {"display": coded.display} if coded.display else {}
    return {**system, "code": coded.code, **named}


def concept(coded: Coded) -> Resource:
    """A code of the catalogue as a CodeableConcept."""
    named = {"text": coded.display} if coded.display else {}
    return {"coding": [_coding(coded)], **named}


def _substance(ingredient: Ingredient) -> Resource:
    coding = {"system": system_of(ingredient.id), "code": ingredient.id} if ingredient.id else {}
    named = {"display": ingredient.name} if ingredient.name else {}
    listed = {"coding": [{**coding, **named}]} if coding else {}
    return {**listed, **({"text": ingredient.name} if ingredient.name else {})}


def _strength(ingredient: Ingredient) -> Resource | None:
    above = _quantity(ingredient.strength)
    below = _quantity(ingredient.per) or {"value": 1}
    return {"numerator": above, "denominator": below} if above else None


def _quantity(amount: Amount | None) -> Resource | None:
    if amount is None:
        return None
    try:
        value = Decimal(amount.value)
    except InvalidOperation:
        return None
    made: Resource = {"value": value}
    if amount.unit:
        made["unit"] = amount.unit
    if known := _UCUM_UNITS.get(amount.unit):
        made |= {"system": _UCUM, "code": known}
    return made


def _classes(product: Product) -> Iterator[Resource]:
    if product.atc:
        coding = {"system": ATC, "code": product.atc}
        named = {"display": product.atc_name} if product.atc_name else {}
        yield {"type": {"text": "ATC"}, "classification": [{"coding": [coding | named]}]}
    if product.group is not None:
        yield {"type": {"text": "Prescription group"}, "classification": [concept(product.group)]}


def _characteristics(product: Product) -> Iterator[Resource]:
    for code, value in (
        ("divisible", product.divisible), ("crushable", product.crushable),
        ("openable", product.openable),
        *(("dose-unit", unit) for unit in product.units),
        *(("intake", rule) for rule in product.intake),
    ):  # fmt: skip
        if value is not None:
            coding = [{"system": CHARACTERISTIC, "code": code}]
            yield {"type": {"coding": coding}, "valueCodeableConcept": concept(value)}
    if product.kind == BRAND and product.has_warning:
        coding = [{"system": CHARACTERISTIC, "code": "impairs-driving"}]
        yield {"type": {"coding": coding}, "valueString": "warning triangle"}
